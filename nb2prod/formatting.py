"""The layout of generated modules, by ruff.

Most modules of a project are those of every project: what became of them is kept between runs, so that ruff
only sees those that are new.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ruff import find_ruff_bin

from nb2prod.caches import Texts, stamp_of

BUGS = "F821,F822,F823,E902"  # what ruff finds and nobody's style explains
FUTURE = "from __future__ import annotations\n"
LIMIT = 1_000  # modules that are kept


def format_modules(folder: Path) -> None:
    """Drop dead imports, sort the rest, keep the user's style where ruff would have another, format."""
    kept = Texts("formatted", stamp_of([Path(find_ruff_bin())]), LIMIT)
    keys = {
        path: kept.key([path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")])
        for path in sorted(folder.rglob("*.py"))
    }
    new = [path for path, key in keys.items() if key not in kept.made]
    if new:
        _format(folder, new)
    for path, key in keys.items():
        if path in new:
            kept.made[key] = path.read_text(encoding="utf-8")
        else:
            path.write_text(kept.made[key], encoding="utf-8")
    kept.save()


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
