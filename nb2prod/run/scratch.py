"""A scratch copy of the notebook's folder, so that a run changes nothing of the user's.

Small files are copied and large ones linked.  A notebook that reaches above its folder (`../data/x.csv`)
finds there what its text names.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nb2prod.source import Notebook

LARGE = 20 * 2**20  # bytes of a file that is linked instead of copied
TOTAL = 500 * 2**20  # bytes copied; beyond them files are linked
ENTRIES = 20_000  # files copied; beyond them whole folders are linked
_SKIPPED = {
    ".git", ".hg", ".svn", ".venv", "venv", "__pycache__", "node_modules", ".ipynb_checkpoints", ".tox",
    ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".cache", ".local", ".conda",
}  # fmt: skip
_UPWARDS = re.compile(r"\.\.(?=[/\\\"'])")
_UPWARDS_PATH = re.compile(r"(?:\.\.[/\\]+)*\.\.(?=[/\\\"'])")


@dataclass(slots=True)
class Scratch:
    """`root` holds everything and is removed; `folder` is the copy; `linked` must not be written to."""

    root: Path
    folder: Path
    linked: list[Path] = field(default_factory=list)
    copied: int = 0
    entries: int = 0


@contextmanager
def scratch_copy(folder: Path, notebook: Notebook) -> Iterator[Scratch]:
    """The copy, as long as the context lasts."""
    folder = folder.resolve()
    root = Path(tempfile.mkdtemp(prefix="nb2prod-"))
    try:
        code = "\n".join(cell.text for cell in notebook.code_cells())
        up = min(_levels_up(code), len(folder.parts) - 1)
        copy = root.joinpath("work", *folder.parts[len(folder.parts) - max(up, 1) :])
        scratch = Scratch(root, copy)
        _copy_folder(folder, copy, scratch)
        source, target = folder, copy
        for _ in range(up):
            _copy_named(source, target, code, scratch)
            source, target = source.parent, target.parent
        yield scratch
    finally:
        _remove(root)


def _levels_up(code: str) -> int:
    """How far above its folder the code reaches: `..` in strings, or joined one by one."""
    deepest = max((path[0].count("..") for path in _UPWARDS_PATH.finditer(code)), default=0)
    joined = max((len(_UPWARDS.findall(line)) for line in code.splitlines()), default=0)
    parent = 1 if re.search(r"\.parents?\b|\bpardir\b|\bdirname\b", code) else 0
    return min(max(deepest, joined if deepest == 1 else deepest, parent), 4)


def _copy_named(source: Path, target: Path, code: str, scratch: Scratch) -> None:
    """Copies the neighbours of `source` that the code names."""
    try:
        neighbours = sorted(source.parent.iterdir())
    except OSError:
        return
    for entry in neighbours:
        if entry == source or not re.search(rf"(?<![\w.]){re.escape(entry.name)}(?![\w])", code):
            continue
        _copy_entry(entry, target.parent / entry.name, scratch)


def _copy_folder(source: Path, target: Path, scratch: Scratch) -> None:
    """Level by level: what lies near the notebook is copied first."""
    level = [(source, target)]
    while level:
        below: list[tuple[Path, Path]] = []
        for folder, copy in level:
            copy.mkdir(parents=True, exist_ok=True)
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                path = Path(entry.path)
                if entry.is_dir() and not _skipped(path) and scratch.entries < ENTRIES:
                    if not _inside_itself(path, folder):
                        below.append((path, copy / entry.name))
                elif entry.is_dir() and not _skipped(path):
                    _link(path, copy / entry.name, scratch)
                elif entry.is_file():
                    _copy_entry(path, copy / entry.name, scratch)
        level = below


def _copy_entry(source: Path, target: Path, scratch: Scratch) -> None:
    if source.is_dir():
        if not _skipped(source):
            _copy_folder(source, target, scratch)
        return
    try:
        size = source.stat().st_size
        scratch.entries += 1
        if size > LARGE or scratch.copied + size > TOTAL:
            _link(source, target, scratch)
        elif source.is_file():
            scratch.copied += size
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    except OSError:
        return  # unreadable for us; the notebook will say so if it needs it


def _skipped(path: Path) -> bool:
    return path.name in _SKIPPED or (path / "pyvenv.cfg").exists()


def _inside_itself(path: Path, folder: Path) -> bool:
    """A link to a folder above it would be copied for ever."""
    return path.is_symlink() and path.resolve() in (folder.resolve(), *folder.resolve().parents)


def _link(source: Path, target: Path, scratch: Scratch) -> None:
    source = source.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)
    scratch.linked.append(source)


def _remove(root: Path) -> None:
    """Removes the scratch folder, also what the notebook made read-only."""
    for folder, _, _ in os.walk(root):
        if not os.access(folder, os.W_OK | os.X_OK):
            os.chmod(folder, 0o700)
    shutil.rmtree(root, ignore_errors=True)
