"""`lint`: paths, codes, formats, exit codes; and that no text of a notebook makes it fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from percent import notebook

from nb2prod import lint
from nb2prod.source import Notebook


def write(path: Path, text: str) -> Path:
    cells = [
        {"cell_type": "code", "source": c.text, "metadata": {"tags": c.tags}, "execution_count": c.run}
        for c in notebook(text).cells
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    return path


def test_folders_files_and_standard_input(tmp_path: Path) -> None:
    write(tmp_path / "b.ipynb", "print(x)")
    one = write(tmp_path / "deep" / "a.ipynb", "x = 1")
    write(tmp_path / ".ipynb_checkpoints" / "b.ipynb", "print(x)")
    found = lint.lint([str(tmp_path), str(one), "-"], stdin=one.read_bytes)
    assert [Path(f.path).name for f in found] == ["b.ipynb", "a.ipynb", "a.ipynb", "-"]
    assert [len(f.found) for f in found] == [1, 0, 0, 0]
    assert lint.exit_code(found) == 1


def test_json_findings(tmp_path: Path) -> None:
    path = write(tmp_path / "é.ipynb", "ä = 1\n# %%\n'ü'; print(ö)")
    (found,) = json.loads(lint.report(lint.lint([str(path)]), "json"))
    place = [found[key] for key in ("cell", "line", "column", "end_line", "end_column")]
    assert (found["code"], found["severity"], place) == ("NBP101", "error", [1, 1, 12, 1, 13])
    assert set(found) == {
        "code", "name", "severity", "message", "path", "cell", "line", "column", "end_line", "end_column",
        "related", "help", "fix",
    }  # fmt: skip


def test_text_and_summary(tmp_path: Path) -> None:
    found = lint.lint([str(write(tmp_path / "a.ipynb", "print(x)\n# %%\n%run y.py"))])
    text = lint.report(found)
    assert "error[NBP101 undefined-name]: `x` is not defined anywhere" in text
    assert text.endswith("1 error, 1 warning in 1 notebook")
    assert lint.summary([]) == "nothing found in 0 notebooks"


def test_select_and_ignore(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.ipynb", "print(x)\n_\n# %%\n%run y.py"))

    def codes(**options: list[str]) -> list[str]:
        return [d.code for f in lint.lint([path], **options) for d in f.found]

    assert codes() == ["NBP101", "NBP108", "NBP109"]
    assert codes(select=["NBP101,persisted-state-magic"]) == ["NBP101", "NBP109"]
    assert codes(select=["NBP1"], ignore=["nbp101"]) == ["NBP108", "NBP109"]
    with pytest.raises(lint.UsageError):
        codes(select=["NBP9"])


def test_exit_codes(tmp_path: Path) -> None:
    warning = lint.lint([str(write(tmp_path / "a.ipynb", "%run y.py"))])
    assert (lint.exit_code(warning), lint.exit_code(warning, strict=True), lint.exit_code([])) == (0, 1, 0)
    with pytest.raises(lint.UsageError):
        lint.lint([str(tmp_path / "none.ipynb")])
    with pytest.raises(lint.UsageError):
        lint.report(warning, "xml")


def test_a_file_that_is_no_notebook_is_a_finding(tmp_path: Path) -> None:
    bad = tmp_path / "a.ipynb"
    bad.write_text("{")
    found = lint.lint([str(bad)])
    assert [(d.code, d.span) for d in found[0].found] == [("NBP300", None)]
    assert lint.exit_code(found) == 1 and "not JSON" in lint.report(found)


def test_explain() -> None:
    assert lint.explain("nbp102").startswith("NBP102 use-before-definition (error)\n\nA name is read")
    with pytest.raises(lint.UsageError):
        lint.explain("NBP999")


def test_lint_starts_small() -> None:
    script = (
        "import sys; from nb2prod import lint, rules; rules.all_rules()\n"
        "names = ['pandas', 'numpy', 'IPython', 'libcst', 'mlflow', 'papermill', 'nbformat', 'jinja2']\n"
        "print([name for name in names if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


NAMES = st.sampled_from(["a", "b", "f", "_", "df", "np"])
STATEMENTS = st.one_of(
    st.sampled_from(
        ["del {0}", "{0} = {1}", "{0} += {1}", "def {0}(x={1}): return {2}", "{0}({1})", "{0}.append({1})",
         "for {0} in {1}: {2}", "class {0}({1}):\n  {2} = 1\n  def m(self): return {1}", "{0} = lambda: {1}",
         "{0}['k'] = {1}['k']", "import {0}", "from {0} import *", "%reset -f", "%time {0} = {1}",
         "try: {0}\nexcept E as {1}: {2}", "[{0} for {0} in {1} if ({2} := {0})]", "global {0}", "{0}?",
         "match {0}:\n  case [{1}, *{2}]: {1}", "async def {0}(): await {1}", "with {0} as ({1}, {2}): pass",
         "def {0}():\n  global {1}\n  {1} = {2}\n  def {2}(): return {0}\n  return {2}()", "x = = 1",
         "{0} = {1}.fit_transform({2})", "{0}, {1} = train_test_split({2}, {0})", "{0} = {0}[{1} > 0]",
         "{0} = set({1})\n{2} = list({0})", "{0} = pd.get_dummies({1}, columns={2})", "{0}.fit({1}, {2})",
         "while {0}:\n  {1} = {2}\n  break", "{0} = {1}.{2}.mean()", "{0}[{1}][{2}] = 0", "!pip install {0}",
         "{0}: {1} = {2}", "{0} = (yield)", "x = {0} if {1} else {2}", "{0}.loc[:, '{1}'] = {2}",
         "{0} |= {1}",
         "from {0} import {1} as {2}", "{0}.sample({1})", "{0} = {1} = {2}", "[{0}, *{1}] = {2}",
         "del {0}[{1}], {2}",
         "joblib.dump({0}, {1})", "{0} = datetime.now() - {1}", "with suppress({0}): {1} = {2}",
         "print(f'{{{0}!r:>{{{1}}}}}')", "{0}.apply({1}, key=lambda {2}: {0})", "@{0}\ndef {1}(): pass"]
    ),
    st.text(max_size=20).map(lambda text: text.replace("{", "").replace("}", "")),
)  # fmt: skip
CELLS = st.lists(
    st.tuples(STATEMENTS, NAMES, NAMES, NAMES).map(lambda row: row[0].format(*row[1:])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(CELLS, st.none() | st.integers(1, 6)), min_size=1, max_size=4))
def test_any_notebook_is_linted(cells: list[tuple[list[str], int | None]]) -> None:
    from nb2prod.source import Cell

    made = tuple(Cell(n, "code", "\n".join(lines), run) for n, (lines, run) in enumerate(cells))
    for found in lint.lint_notebook(Notebook("any.ipynb", made)):
        assert found.message and found.help
