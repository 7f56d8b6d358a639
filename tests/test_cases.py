"""The cases in tests/cases/<step>/: cells, then `# ---- after: STEP` and the dump that they must have there.

`pytest --update` rewrites the dumps.  A first line `# xfail: reason` marks a known gap: the dump below it is
the right one, was written by hand, and is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from percent import notebook

from nb2prod.compiler import FORMS, intermediate

CASES = Path(__file__).parent / "cases"
AFTER = re.compile(r"^# ---- after: (\w+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """The text of a case file: a header of comments, cells, and the expected dumps by step."""

    header: str
    cells: str
    expected: tuple[tuple[str, str], ...]

    @property
    def xfail(self) -> str:
        found = re.match(r"# xfail: (.+)", self.header)
        return found[1] if found else ""

    def text(self) -> str:
        sections = [f"# ---- after: {step}\n{dump}\n" for step, dump in self.expected]
        return self.header + "".join([self.cells, *sections])


def read(path: Path) -> Case:
    cells, *sections = AFTER.split(path.read_text(encoding="utf-8"))
    start = cells.index("# %%")
    pairs = zip(sections[::2], sections[1::2], strict=True)
    return Case(cells[:start], cells[start:], tuple((step, dump.rstrip("\n")) for step, dump in pairs))


def cases(*steps: str) -> list[object]:
    paths = [path for step in steps for path in sorted((CASES / step).glob("*.txt"))]
    params = []
    for path in paths:
        reason = read(path).xfail
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        params.append(pytest.param(path, id=f"{path.parent.name}-{path.stem}", marks=marks))
    return params


@pytest.mark.parametrize("path", cases(*FORMS))
def test_case(path: Path, update: bool) -> None:
    case = read(path)
    assert path.parent.name in dict(case.expected), "no dump after the step that the folder names"
    got = tuple((step, intermediate(notebook(case.cells), step)) for step, _ in case.expected)
    if update and not case.xfail:
        path.write_text(Case(case.header, case.cells, got).text(), encoding="utf-8")
        return
    for (step, expected), (_, dump) in zip(case.expected, got, strict=True):
        assert dump == expected, f"after {step}"
