"""Project + template tree -> files on disk; knows nothing about the notebook's meaning.

`emit` renders the template tree of a package, with those of further targets laid over it: a template's path
with `__package__` replaced is the path of its output, and a template that renders to nothing gives no file.
Everything that comes from a notebook reaches a template as data and leaves it through a filter (`pystr`,
`tomlstr`, `mdtext`, ...), never as template code.

`write` first writes everything to a staging folder.  A new project is that folder, renamed.  A project that
is there already holds more than our files: the user's own, a tracking database, gigabytes of artifacts, a
running server, somebody's shell.  Copying all that to swap folders would be slow, and a swapped folder leaves
those shells and servers in one that no longer exists.  So the folder stays and only files of ours are
renamed into it, after an undo journal with links to the old ones was written.  An error or an interrupt is
undone at once; what a killed process left is undone by the next `write`, before it does anything else.
"""

from __future__ import annotations

import ast
import contextlib
import glob
import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import jinja2
from jinja2.bccache import Bucket

from nb2prod import __version__
from nb2prod.caches import cache_folder
from nb2prod.formatting import format_modules
from nb2prod.ir.project import Project
from nb2prod.literals import FILTERS

MANIFEST = ".nb2prod-manifest.json"
STAGE = ".nb2prod-stage-"
UNDO = "undo.json"
OF_THE_NOTEBOOK = ("load", "features", "target", "train", "infer")  # the modules that hold its statements


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
            _require_inside([*stored["files"], *stored["new"]])
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
    """Where a project can run in addition; each is a template tree laid over that of the package."""
    return tuple(sorted(path.name for path in (templates_dir() / "targets").iterdir() if path.is_dir()))


def emit(project: Project, notebook_bytes: bytes) -> tuple[RenderedFile, ...]:
    """All files of the project as text, sorted by path.  Python is not formatted yet: `write` does that."""
    root = templates_dir()
    trees = ["package", *(f"targets/{name}" for name in project.targets)]
    unknown = [name for name in project.targets if name not in targets()]
    if unknown:
        raise EmitError(f"no target {unknown[0]!r}; there are: {', '.join(targets())}")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_compiled_templates(),
    )
    environment.filters.update(FILTERS)
    files = [RenderedFile("notebook.ipynb", notebook_bytes.decode("utf-8", "surrogateescape"))]
    for tree in trees:
        for template in sorted((root / tree).rglob("*.jinja")):
            name = template.relative_to(root).as_posix()
            text = environment.get_template(name).render(project=project)
            if text.strip():
                path = PurePosixPath(name).relative_to(tree).as_posix().removesuffix(".jinja")
                files.append(RenderedFile(path.replace("__package__", project.name), text))
    checked = {f"src/{project.name}/{module}.py" for module in OF_THE_NOTEBOOK}
    for file in files:
        if file.path in checked:
            _check_module(file)
    return tuple(sorted(files, key=lambda file: file.path))


class _Compiled(jinja2.FileSystemBytecodeCache):
    """Compiled templates; one that cannot be read or written is compiled in memory."""

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, pickle.UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def _compiled_templates() -> _Compiled | None:
    """Templates compiled by earlier runs; none where the user's cache folder cannot be made."""
    folder = cache_folder() / f"templates-{__version__}-{jinja2.__version__}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return _Compiled(str(folder))


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
    try:
        _recover(out)
        stage = out / f"{STAGE}{os.getpid()}" if out.is_dir() else _beside(out)
        try:
            (stage / "new").mkdir(parents=True)
            for file in files:
                path = stage / "new" / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content())
            if any(file.path.endswith(".py") for file in files):
                format_modules(stage / "new")
            result = _compare(tuple(file.path for file in files), stage / "new", out, force)
            if out.is_dir():
                _apply(result, stage, out)
            else:
                os.rename(stage / "new", out)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise EmitError(f"cannot write {out}: {error}") from error
    return result


def _compare(paths: tuple[str, ...], new: Path, out: Path, force: bool) -> WriteResult:
    """What is to become of each file; makes `new` hold exactly the files that go to `out`."""
    before, after = _Manifest.read(out), _Manifest()
    written, unchanged, kept = [], [], []
    for path in paths:
        after.files[path] = _hash(new / path)
        there = _hash(out / path)
        if there == after.files[path]:
            unchanged.append(path)
            (new / path).unlink()
        elif there in ("", before.files.get(path)) or force:
            written.append(path)
        else:
            kept.append(path)
            after.new[f"{path}.new"] = after.files[path]
            os.replace(new / path, new / f"{path}.new")
    ours = {**before.files, **before.new}
    gone = [path for path in sorted(ours) if path not in after.files and path not in after.new]
    removed = [path for path in gone if _hash(out / path) == ours[path]]
    after.write(new)
    return WriteResult(out, tuple(written), tuple(unchanged), tuple(kept), tuple(removed))


def _apply(result: WriteResult, stage: Path, out: Path) -> None:
    """Rename the new files into place and remove what is no longer ours; all of it or nothing."""
    new, old = stage / "new", stage / "old"
    arriving = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    replaced = [path for path in [*arriving, *result.removed] if os.path.lexists(out / path)]
    for path in replaced:
        (old / path).parent.mkdir(parents=True, exist_ok=True)
        _link(out / path, old / path)
    journal = {"created": [path for path in arriving if path not in replaced], "replaced": replaced}
    (stage / "journal").write_text(json.dumps(journal), encoding="utf-8")
    os.rename(stage / "journal", stage / UNDO)
    try:
        for path in arriving:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(new / path, out / path)
        for path in result.removed:
            os.unlink(out / path)
        os.unlink(stage / UNDO)  # from here on it is done
    except BaseException:
        _undo(stage, out)
        raise
    _prune(out, result.removed)


def _undo(stage: Path, out: Path) -> None:
    """Bring back what the journal says; may itself be interrupted and run again."""
    try:
        journal = json.loads((stage / UNDO).read_text(encoding="utf-8"))
        _require_inside([*journal["created"], *journal["replaced"]])
    except (OSError, ValueError, KeyError, TypeError):
        return  # nothing was begun, or this is no journal of ours
    for path in journal["created"]:
        (out / path).unlink(missing_ok=True)
    for path in journal["replaced"]:
        if os.path.lexists(stage / "old" / path):
            os.replace(stage / "old" / path, out / path)
    _prune(out, journal["created"])
    os.unlink(stage / UNDO)


def _require_inside(paths: Iterable[str]) -> None:
    """A folder from elsewhere may hold files that look like ours: they name nothing outside of it."""
    for path in map(PurePosixPath, paths):
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{path} lies outside")


def _recover(out: Path) -> None:
    """Undo what a killed process had begun, and remove what it left."""
    name = glob.escape(out.name)
    for stage in [*out.glob(f"{STAGE}*"), *out.parent.glob(f".{name}{STAGE}*")]:
        if not _alive(stage.name.rpartition("-")[2]):
            _undo(stage, out)
            shutil.rmtree(stage, ignore_errors=True)


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}{STAGE}{os.getpid()}")


def _prune(out: Path, paths: Iterable[str]) -> None:
    """Remove the folders of these files that are empty now."""
    for path in paths:
        for folder in list(PurePosixPath(path).parents)[:-1]:
            with contextlib.suppress(OSError):
                (out / folder).rmdir()


def _hash(path: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "not a file" if os.path.lexists(path) else ""


def _link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system cannot link."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


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
