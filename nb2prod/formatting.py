"""The layout of generated modules, by ruff.

Most modules of a project are those of every project: what became of them is kept between runs, so that ruff
only sees those that are new.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nb2prod import __version__
from nb2prod.caches import cache_folder, write

BUGS = "F821,F822,F823,E902"  # what ruff finds and nobody's style explains
FUTURE = "from __future__ import annotations\n"
LIMIT = 1_000  # modules that are kept


def format_modules(folder: Path) -> None:
    """Drop dead imports, sort the rest, keep the user's style where ruff would have another, format."""
    kept = _Kept()
    keys = {path: _key(path.relative_to(folder), path.read_bytes()) for path in sorted(folder.rglob("*.py"))}
    for path in keys:
        if keys[path] in kept.texts:
            path.write_text(kept.texts[keys[path]], encoding="utf-8")
    new = [path for path in keys if keys[path] not in kept.texts]
    if new:
        _format(folder, new)
        kept.add({keys[path]: path.read_text(encoding="utf-8") for path in new})


class _Kept:
    """The formatted texts of modules, by a hash of where they stood and what they were; by this ruff only."""

    def __init__(self) -> None:
        ruff = Path(_ruff()).stat()
        self.file = cache_folder() / "formatted.json"
        self.of = [__version__, _ruff(), ruff.st_mtime_ns, ruff.st_size]
        self.texts: dict[str, str] = {}
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
            if isinstance(found, dict) and found.get("of") == self.of:
                self.texts = dict(found["texts"])
        except (OSError, ValueError, KeyError):
            self.texts = {}

    def add(self, texts: dict[str, str]) -> None:
        every = self.texts | texts
        write(self.file, {"of": self.of, "texts": dict(list(every.items())[-LIMIT:])})


def _key(path: Path, content: bytes) -> str:
    return hashlib.sha256(path.as_posix().encode() + b"\0" + content).hexdigest()


def _format(folder: Path, modules: Sequence[Path]) -> None:
    mend = ["--fix", "--extend-select", "I", "--fixable", "F401,I", "--ignore", BUGS]
    found = _run_ruff(folder, modules, "check", "--exit-zero", "--output-format", "json", *mend)
    codes: dict[str, set[str]] = {}
    for one in json.loads(found):
        codes.setdefault(one["filename"], set()).add(one["code"])
    for name, style in codes.items():
        text = Path(name).read_text(encoding="utf-8")
        marked = f"# ruff: noqa: {', '.join(sorted(style))} -- the notebook's own style\n\n{FUTURE}"
        Path(name).write_text(text.replace(FUTURE, marked, 1), encoding="utf-8")
    _run_ruff(folder, modules, "format")


def _ruff() -> str:
    from ruff import find_ruff_bin

    return str(find_ruff_bin())


def _run_ruff(folder: Path, modules: Sequence[Path], command: str, *options: str) -> str:
    """One call on these modules, with ruff's own defaults whatever lies around the folder."""
    fixed = ["--isolated", "--no-cache", "--quiet", "--target-version", "py311"]
    call = [_ruff(), command, *fixed, *options, *map(str, modules)]
    alone = {**os.environ, "RAYON_NUM_THREADS": "1"}  # for so few files threads cost more than they save
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode == 0, f"ruff {command} failed: {done.stderr or done.stdout}"
    return done.stdout
