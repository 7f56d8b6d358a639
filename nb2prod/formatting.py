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

from ruff import find_ruff_bin

from nb2prod.caches import cache_folder, read, stamp_of, write

BUGS = "F821,F822,F823,E902"  # what ruff finds and nobody's style explains
FUTURE = "from __future__ import annotations\n"
LIMIT = 1_000  # modules that are kept


def format_modules(folder: Path) -> None:
    """Drop dead imports, sort the rest, keep the user's style where ruff would have another, format."""
    file, stamp = cache_folder() / "formatted.json", stamp_of([Path(find_ruff_bin())])
    found = read(file, stamp)
    kept: dict[str, str] = found if isinstance(found, dict) else {}  # by a hash of place and text
    keys = {path: _key(path.relative_to(folder), path.read_bytes()) for path in sorted(folder.rglob("*.py"))}
    for path in keys:
        if keys[path] in kept:
            path.write_text(kept[keys[path]], encoding="utf-8")
    new = [path for path in keys if keys[path] not in kept]
    if new:
        _format(folder, new)
        kept |= {keys[path]: path.read_text(encoding="utf-8") for path in new}
        write(file, stamp, dict(list(kept.items())[-LIMIT:]))


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


def _run_ruff(folder: Path, modules: Sequence[Path], command: str, *options: str) -> str:
    """One call on these modules, with ruff's own defaults whatever lies around the folder."""
    fixed = ["--isolated", "--no-cache", "--quiet", "--target-version", "py311"]
    call = [str(find_ruff_bin()), command, *fixed, *options, *map(str, modules)]
    alone = {**os.environ, "RAYON_NUM_THREADS": "1"}  # for so few files threads cost more than they save
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode == 0, f"ruff {command} failed: {done.stderr or done.stdout}"
    return done.stdout
