"""`lint` on what no notebook should be: bytes, JSON, fields of any kind, Python that nests or breaks.

Each file gets findings and every format prints them; a fault of our own would be a finding that says so.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod import lint
from nb2prod.linting.result import Linted

EXAMPLES = Path(__file__).parents[1] / "examples" / "notebooks"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    ["nbformat"], ["metadata"], ["cells"], ["metadata", "kernelspec"],
    ["metadata", "kernelspec", "language"],
    ["metadata", "language_info"], ["metadata", "language_info", "name"], ["cells", 0],
    ["cells", 0, "source"],
    ["cells", 0, "cell_type"], ["cells", 0, "metadata"], ["cells", 0, "metadata", "tags"],
    ["cells", 0, "execution_count"], ["cells", 0, "outputs"], ["cells", 1, "source", 0],
)  # fmt: skip
NESTED = {
    "brackets": "(" * 3000 + ")" * 3000,
    "attributes": "x = a" + ".b" * 5000,
    "calls": "x = a" + "()" * 5000,
    "a sum": "x = " + " + ".join(["1"] * 20_000),
    "blocks": "".join("  " * depth + "if x:\n" for depth in range(95)) + "  " * 95 + "y",
    "elif": "if a: pass\n" + "elif a: pass\n" * 3000,
    "lambdas": "x = " + "lambda: " * 1000 + "0",
    "functions": "".join("  " * depth + f"def f{depth}():\n" for depth in range(90)) + "  " * 90 + "return q",
    "not": "x = " + "not " * 5000 + "y",
    "a literal": "x = [" + "[1, 2], " * 5_000 + "]",
    "names": "\n".join(f"v{n} = v{n - 1}" for n in range(1, 1500)),
    "magics": "%time " * 2000 + "x",
    "changes": "a = []\n" + "a.append(a)\n" * 1000,
    "calls of functions": "\n".join(f"def f{n}(): f{n + 1}(f{n + 2}())" for n in range(200)) + "\nf0()",
    "a function above a function": "def f0(x): x.append(1)\n"
    + "\n".join(f"def f{n}(x): f{n - 1}(x)" for n in range(1, 1200))
    + "\nrows = []\nf1199(rows)",
    "methods": "class A:\n"
    + "\n".join(f"    def f{n}(self): self.f{n + 1}()" for n in range(1200))
    + "\nA().f0()",
    "strings": "'''" * 2001,
    "odd characters": "x\x00y\x0cz\ud800 = '\u2028\u202e'",
    "Python 2": "print 'a'\nexec 'b' in c\nraise E, 'x'\n`x`\n0777L",
    "another language": "x <- c(1, 2) %>% filter(. > 1)\nfunction f() { return 1; }",
}  # fmt: skip


def notebook(*cells: str) -> dict[str, object]:
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"language": "python"}, "language_info": {"name": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "source": [cell],
                "metadata": {"tags": []},
                "execution_count": 1,
                "outputs": [],
            }
            for cell in cells
        ],
    }


def looked_at(folder: Path, data: bytes) -> Linted:
    """What is found in a file with these bytes; every format can print it, and it can be mended."""
    path = folder / "any.ipynb"
    path.write_bytes(data)
    (found,) = lint.lint([str(path)])
    for one in found.found:
        assert "a fault of nb2prod" not in one.message, one.message
    for kind in lint.FORMATS:
        lint.report([found], kind).encode("utf-8", "replace")
    lint.fix([found], unsafe=True)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60) | st.text(max_size=40).map(lambda text: ('{"cells": ' + text).encode()))
def test_any_bytes(folder: Path, data: bytes) -> None:
    assert looked_at(folder, data).found


@settings(max_examples=100, deadline=None)
@given(stored=JSON)
def test_any_json(folder: Path, stored: object) -> None:
    assert looked_at(folder, json.dumps(stored).encode()).found


@settings(max_examples=300, deadline=None)
@given(field=st.sampled_from(FIELDS), stored=JSON, old=st.booleans())
def test_any_value_of_any_field(folder: Path, field: list[str | int], stored: object, old: bool) -> None:
    made = notebook("x = 1", "print(x)")
    place: object = made
    for key in field[:-1]:
        place = place[key]  # type: ignore[index]
    place[field[-1]] = stored  # type: ignore[index]
    if old:  # nbformat 3 keeps its cells in worksheets
        made = {"nbformat": 3, "metadata": made["metadata"], "worksheets": [{"cells": made["cells"]}]}
    looked_at(folder, json.dumps(made).encode())


@cache
def texts() -> list[str]:
    """The code cells of our examples."""
    read = [json.loads(path.read_bytes()) for path in sorted(EXAMPLES.glob("*.ipynb"))]
    return ["".join(c["source"]) for one in read for c in one["cells"] if c["cell_type"] == "code"]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_cells_with_a_piece_cut_out_or_put_in(folder: Path, data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.sampled_from(texts()), min_size=1, max_size=4))
    broken = []
    for cell in cells:
        start = data.draw(st.integers(0, len(cell)))
        end = data.draw(st.integers(start, min(len(cell), start + 12)))
        broken.append(cell[:start] + data.draw(st.text("()[]{}'\"%!?:=.,\n\\ #xé", max_size=3)) + cell[end:])
    looked_at(folder, json.dumps(notebook(*broken)).encode())


@pytest.mark.parametrize("name", NESTED)
def test_text_that_nests_or_repeats(folder: Path, name: str) -> None:
    text = NESTED[name]
    looked_at(folder, json.dumps(notebook(text, "print(x)\n" + text)).encode())


def test_a_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    good = json.dumps(notebook("print(missing)"))
    for name, text in {"a": "{", "b": good, "c": "[" * 100_000, "d": good, "e": ""}.items():
        (tmp_path / f"{name}.ipynb").write_text(text)
    codes = [[d.code for d in one.found] for one in lint.lint([str(tmp_path)])]
    assert codes == [["NBP300"], ["NBP101"], ["NBP300"], ["NBP101"], ["NBP300"]]
