"""A baseline: the findings that an old repository has, kept in a file, so that only new ones are reported.

The file does not speak of lines: a finding is known by its file, its rule and the text of its line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.linting.result import Linted, UsageError
from nb2prod.linting.sarif import fingerprint

VERSION = 1


def write(file: Path, linted: Sequence[Linted]) -> int:
    """Keeps all findings; returns how many."""
    counts = Counter(_key(file, one, found) for one in linted for found in one.found)
    rows = [
        {"path": path, "code": code, "fingerprint": print, "count": count}
        for (path, code, print), count in sorted(counts.items())
    ]
    file.write_text(json.dumps({"version": VERSION, "findings": rows}, indent=1) + "\n", encoding="utf-8")
    return sum(counts.values())


def new_ones(file: Path, linted: Sequence[Linted]) -> list[Linted]:
    """Without the findings that the file knows; of several that look the same, the first ones."""
    left = _read(file)
    out = []
    for one in linted:
        kept: list[Diagnostic] = []
        for found in one.found:
            key = _key(file, one, found)
            if left[key] > 0:
                left[key] -= 1
            else:
                kept.append(found)
        out.append(replace(one, found=tuple(kept)))
    return out


def _read(file: Path) -> Counter[tuple[str, str, str]]:
    try:
        stored: Any = json.loads(file.read_text(encoding="utf-8"))
        if stored["version"] != VERSION:
            raise UsageError(
                f"{file} is a baseline of another version of nb2prod: delete it to make a new one"
            )
        rows = stored["findings"]
        return Counter(
            {(str(r["path"]), str(r["code"]), str(r["fingerprint"])): int(r["count"]) for r in rows}
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} is not a baseline: delete it to make a new one") from error


def _key(file: Path, one: Linted, found: Diagnostic) -> tuple[str, str, str]:
    place, root = Path(one.path).absolute(), file.absolute().parent
    path = place.relative_to(root).as_posix() if place.is_relative_to(root) else place.as_posix()
    return path, found.code, fingerprint(one, found)
