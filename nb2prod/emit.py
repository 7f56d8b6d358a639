"""Project + template tree -> files on disk; knows nothing about the notebook's meaning.

`emit` renders the tree of a target: a template's path with `__package__` replaced is the path of its output,
and a template that renders to nothing gives no file.  Everything that comes from a notebook reaches a
template as data and leaves it through a filter (`pystr`, `tomlstr`, `mdtext`, ...), never as template code.

`write` puts the files beside the target and moves the whole folder into place.  A project that is compiled
again holds more than our files: the user's own, a tracking database, gigabytes of artifacts.  They are
*hard-linked* into the new folder: that costs no space and no time worth speaking of, leaves the old folder
complete until the last moment, and a program that is writing to them (a running server, MLflow) keeps
writing to the same file.  Where links are not possible they are copied.  Two renames then swap the folders;
a process that is killed between them leaves the old folder under a name that the next `write` puts back.
The price: a shell standing inside the project must `cd .` afterwards.
"""

from __future__ import annotations

import ast
import contextlib
import glob
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import jinja2

from nb2prod.ir.project import Project
from nb2prod.literals import FILTERS

MANIFEST = ".nb2prod-manifest.json"
BUGS = "F821,F822,F823,E902"  # what ruff finds and nobody's style explains
FUTURE = "from __future__ import annotations\n"


class EmitError(Exception):
    """The files cannot be written; the message says why."""


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file of the output; `text` is UTF-8, with bytes that are not kept as surrogates."""

    path: str
    text: str

    def content(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of the files: `kept` were edited by hand, their new text is in `<path>.new`."""

    out: Path
    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return 1 if self.kept else 0


@dataclass(slots=True)
class _Manifest:
    """Hashes of the files as we wrote them, and of the `.new` files beside edited ones."""

    files: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> _Manifest:
        try:
            stored = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            return cls(dict(stored["files"]), dict(stored["new"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()  # no project of ours: every file in the way counts as the user's

    def write(self, folder: Path) -> None:
        stored = {"files": dict(sorted(self.files.items())), "new": dict(sorted(self.new.items()))}
        (folder / MANIFEST).write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def templates_dir() -> Path:
    """The template trees: inside the package (wheel), else beside it (source tree)."""
    here = Path(__file__).resolve().parent
    for folder in (here / "templates", here.parent / "templates"):
        if folder.is_dir():
            return folder
    raise EmitError("the templates are missing: this installation of nb2prod is broken")


def targets() -> tuple[str, ...]:
    """The names that `emit` accepts as target."""
    return tuple(sorted(path.parent.name for path in templates_dir().glob("*/pyproject.toml.jinja")))


def emit(project: Project, notebook_bytes: bytes, target: str = "package") -> tuple[RenderedFile, ...]:
    """All files of the project as text, sorted by path.  Python is not formatted yet: `write` does that."""
    root = templates_dir()
    if target not in targets():
        raise EmitError(f"no target {target!r}; there are: {', '.join(targets())}")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    files = [RenderedFile("notebook.ipynb", notebook_bytes.decode("utf-8", "surrogateescape"))]
    for template in sorted((root / target).rglob("*.jinja")):
        name = template.relative_to(root).as_posix()
        text = environment.get_template(name).render(project=project)
        if text.strip():
            path = PurePosixPath(name).relative_to(target).as_posix().removesuffix(".jinja")
            files.append(RenderedFile(path.replace("__package__", project.name), text))
    for file in files:
        if file.path.endswith(".py"):
            _check_module(file)
    return tuple(sorted(files, key=lambda file: file.path))


def _check_module(file: RenderedFile) -> None:
    """A module parses, and the notebook's names do not hide the project's own: else lowering is wrong."""
    defined: dict[str, int] = {}
    for node in ast.parse(file.text, file.path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert node.name not in defined, f"{file.path}: `{node.name}` is defined twice"
            defined[node.name] = node.lineno


def write(files: tuple[RenderedFile, ...], out: Path, force: bool = False) -> WriteResult:
    """Write the files to `out` as one step; see the module's docstring.

    Files that are as we left them are replaced, edited ones stay unless `force`, with the new text in
    `<path>.new`.  Files that we never wrote are kept.
    """
    out = out.resolve()
    if out.exists() and not out.is_dir():
        raise EmitError(f"{out} exists and is not a folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    _recover(out)
    stage = _beside(out, "stage")
    stage.mkdir()
    try:
        for file in files:
            path = stage / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content())
        if any(file.path.endswith(".py") for file in files):
            _format(stage)
        result, manifest = _merge(tuple(file.path for file in files), stage, out, force)
        manifest.write(stage)
        _swap(stage, out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return result


def _merge(paths: tuple[str, ...], stage: Path, out: Path, force: bool) -> tuple[WriteResult, _Manifest]:
    """Bring what `out` holds into `stage`; returns what became of each file."""
    old, new = _Manifest.read(out), _Manifest()
    written, unchanged, kept, removed = [], [], [], []
    for path in paths:
        new.files[path] = _hash(stage / path)
        before = _hash(out / path)
        if before == new.files[path]:
            unchanged.append(path)
        elif before in ("", old.files.get(path)) or force:
            written.append(path)
        else:
            kept.append(path)
            new.new[f"{path}.new"] = new.files[path]
            os.replace(stage / path, stage / f"{path}.new")
            _link(out / path, stage / path)
    for path, was in sorted({**old.files, **old.new}.items()):
        if path not in new.files and path not in new.new and _hash(out / path) == was:
            removed.append(path)  # ours, as we left it, and no longer part of the project
    gone = {MANIFEST, *removed}
    for path in _walk(out):
        if path not in gone and not os.path.lexists(stage / path):
            _link(out / path, stage / path)
    done = [tuple(paths) for paths in (written, unchanged, kept, removed)]
    return WriteResult(out, *done), new


def _hash(path: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "not a file" if os.path.lexists(path) else ""


def _walk(folder: Path) -> Iterator[str]:
    """Files, links and empty folders below a folder, as relative paths."""
    for root, folders, names in os.walk(folder):
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        if here.name == "__pycache__" and here.relative_to(folder).parts[0] in ("src", "tests"):
            continue  # may not fit the new sources
        if not folders and not names and here != folder:
            yield here.relative_to(folder).as_posix()
        for name in [*names, *links]:
            yield (here / name).relative_to(folder).as_posix()


def _link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system cannot link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    elif source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        try:
            os.link(source, target)
        except OSError:
            if source.is_file():  # sockets and the like are not worth keeping
                shutil.copy2(source, target)


def _format(folder: Path) -> None:
    """Drop dead imports, sort the rest, keep the user's style where ruff would have another, format."""
    _run_ruff(folder, "check", "--fix-only", "--select", "F401,I")
    found = _run_ruff(folder, "check", "--exit-zero", "--output-format", "json", "--ignore", BUGS)
    codes: dict[str, set[str]] = {}
    for one in json.loads(found):
        codes.setdefault(one["filename"], set()).add(one["code"])
    for name, style in codes.items():
        text = Path(name).read_text(encoding="utf-8")
        marked = f"# ruff: noqa: {', '.join(sorted(style))} -- the notebook's own style\n\n{FUTURE}"
        Path(name).write_text(text.replace(FUTURE, marked, 1), encoding="utf-8")
    _run_ruff(folder, "format")


def _run_ruff(folder: Path, command: str, *options: str) -> str:
    """One batch call on all modules, with ruff's own defaults whatever lies around the folder."""
    from ruff import find_ruff_bin

    fixed = ["--isolated", "--no-cache", "--quiet", "--target-version", "py311", "--exclude", "*.ipynb"]
    call = [str(find_ruff_bin()), command, *fixed, *options, "."]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ruff {command} failed: {done.stderr or done.stdout}"
    return done.stdout


def _beside(out: Path, role: str) -> Path:
    return out.with_name(f".{out.name}.nb2prod-{role}-{os.getpid()}")


def _swap(stage: Path, out: Path) -> None:
    """Put `stage` in the place of `out`; on any interrupt one of the two is there whole."""
    if not out.exists():
        os.rename(stage, out)
        return
    shutil.copymode(out, stage)
    old, trash = _beside(out, "old"), _beside(out, "trash")
    try:
        os.rename(out, old)
        os.rename(stage, out)
    except BaseException:
        if not out.exists():
            os.rename(old, out)
        raise
    finally:
        if out.exists() and old.exists():
            os.rename(old, trash)
    _return_to(out)
    shutil.rmtree(trash, ignore_errors=True)


def _return_to(out: Path) -> None:
    """Our own working directory may have been the folder that was replaced, or one in it."""
    with contextlib.suppress(OSError):
        Path.cwd()
        return
    with contextlib.suppress(OSError):
        os.chdir(out)


def _recover(out: Path) -> None:
    """Finish what a killed process left: put the old folder back, throw half-written ones away."""
    for path in sorted(out.parent.glob(f".{glob.escape(out.name)}.nb2prod-*-*")):
        _, role, process = path.name.rsplit("-", 2)
        if _alive(process):
            continue
        if role == "old" and not out.exists():
            os.rename(path, out)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: str) -> bool:
    if not process.isdigit() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
