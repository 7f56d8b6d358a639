"""The front end: what each piece of IPython syntax becomes, and that no text makes it fail."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod import frontend
from nb2prod.ir.program import Opaque, Program, Stmt
from nb2prod.source import Cell, Notebook, cut, split_lines


def program(*texts: str, language: str = "python") -> Program:
    cells = tuple(Cell(index, "code", text) for index, text in enumerate(texts))
    parsed = frontend.parse(Notebook("test.ipynb", cells, language))
    parsed.check()
    return parsed


def stored(*sources: object, **more: object) -> bytes:
    cells = [{"cell_type": "code", "source": source, "metadata": {}} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **more}).encode()


# name: (cell, its statements, its magics as "kind name -> binds")
CASES = {
    "plain": ("x = 1\nx", ["x = 1", "x"], []),
    "line magic": ("%matplotlib inline\nx = 1", ["x = 1"], ["line matplotlib"]),
    "shell": ("!pip install a\nx", ["x"], ["shell !"]),
    "shell with a lone quote": ("x = 1 # '\n!echo it's\ny = 2", ["x = 1", "y = 2"], ["shell !"]),
    "continued shell": ("!ls \\\n -l\nx", ["x"], ["shell !"]),
    "shell result": ("files = !ls {d} $e", ["files = get_ipython().getoutput('')"], ["shell !"]),
    "magic result": ("d = %pwd", ["d = get_ipython().run_line_magic('')"], ["line pwd"]),
    "timed": ("%time y = f(x)", ["y = f(x)"], ["line time"]),
    "timed loop": ("%time for i in x: f(i)", ["for       i in x: f(i)"], ["line time"]),
    "timed without binding": ("%timeit -n 10 y = f(x)", ["f(x)"], ["line timeit"]),
    "timed shell": ("%time !ls", [], ["line time", "shell !"]),
    "capture": ("%%capture out\nx = 1", ["x = 1"], ["cell capture -> out"]),
    "two cell magics": ("%%time\n%%capture\nx = 1", ["x = 1"], ["cell time", "cell capture"]),
    "other language": ("%%bash --out here\nls", [], ["cell bash -> here"]),
    "unknown cell magic": ("%%foo\nx = 1", [], ["cell foo ?"]),
    "help": ("x?\n?x\nx??\ny = 1", ["y = 1"], ["help x", "help x", "help x"]),
    "autocall": ("/f x\n,f a b\ny", ["y"], ["line /", "line ,"]),
    "indented cell": ("    x = 1\n    if x:\n        y = 2", ["x = 1", "if x:\n    y = 2"], []),
    "half indented cell": ("  x = 1\ny = 2", ["x = 1", "y = 2"], []),
    "prompts": (">>> x = 1\n... \n>>> y = 2", ["x = 1", "y = 2"], []),
    "inside blocks": ("if x:\n    !pip install y\nz = 1", ["if x:\n    pass", "z = 1"], ["shell !"]),
    "in a string": ("s = '''\n%foo\n!x\n'''\n%who", ["s = '''\n%foo\n!x\n'''"], ["line who"]),
    "in an expression": ("a = (b\n%c)\n%who\nq = a \\\n%b", ["a = (b\n%c)", "q = a \\\n%b"], ["line who"]),
    "automagic": ("pip install pandas", [], ["line pip"]),
    "await": ("await f()\nasync for x in y: pass", ["await f()", "async for x in y: pass"], []),
    "restore": ("%store -r a b\n%run other.py\n%pylab", [], [
        "line store -> a b", "line run ?",
        "line pylab -> np plt numpy matplotlib pylab mlab pyplot display figsize getfigs ?",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_ipython_syntax(name: str) -> None:
    text, statements, magics = CASES[name]
    parsed = program(text)
    assert [ast.get_source_segment(s.text.code, s.node) for s in parsed.stmts()] == statements
    assert not list(parsed.opaque())
    assert [
        f"{m.kind} {m.name}" + (" -> " + " ".join(m.binds) if m.binds else "") + (" ?" if m.unknown else "")
        for m in parsed.magics
    ] == magics


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("print 'x'", "this is Python 2"),
        ("x = = 1", "not valid Python"),
        ("f(1,\n %x)", "not valid Python"),
        ("d = {1,\n!ls\n}", "not valid Python"),
        ("x = 1\x00", "source code string cannot contain null bytes"),
        ("x = '\ud800'", "characters"),
        ("-" * 100_000 + "1", "nested too deeply"),
        ("1" + "+1" * 2_000, "nested too deeply"),
        ("(" * 500 + ")" * 500, "too many nested parentheses"),
        ("if a: pass\n" + "elif b: pass\n" * 3_000, "nested too deeply"),
    ],
)
def test_a_bad_cell_is_a_value(text: str, reason: str) -> None:
    parsed = program("a = 1", text, "b = 2")
    assert [type(item) for item in parsed.items] == [Stmt, Opaque, Stmt]
    assert reason in next(parsed.opaque()).reason


def test_place_of_a_syntax_error() -> None:
    (bad,) = program("  x = 1\n  y = = 2").opaque()
    assert (bad.span.line, bad.span.column) == (2, 7)


def test_other_language() -> None:
    (bad,) = program("x <- 1", language="R").opaque()
    assert bad.reason == "the notebook's language is R"


def test_shown_value() -> None:
    assert [s.shown for s in program("x\ny", "x;", "x ;  # why\n", "x = 1", "x\n%who").stmts()] == [
        False,
        True,
        False,
        False,
        False,
        False,
    ]


def test_comments_and_decorators_belong_to_the_statement() -> None:
    first, second = program("# a\n\n# b\n# c\n@d\ndef f(): pass\nx = 1").stmts()
    assert (first.first_line, first.span.line, second.first_line) == (3, 5, 7)


def test_names_of_magics() -> None:
    magics = program("%%capture a\n!echo {b} $c", "%reset -f", "%reset_selective -f ^x", "%xdel y").magics
    assert [m.binds for m in magics] == [("a",), (), (), (), ()]
    assert magics[1].reads == ("b", "c")
    assert [bool(m.drops) for m in magics] == [False, False, True, True, True]


def test_automagic_yields_to_a_variable() -> None:
    assert [type(s.node).__name__ for s in program("ls = 1", "ls").stmts()] == ["Assign", "Expr"]
    assert not list(program("ls").stmts())


# reading


def test_nbformat_3() -> None:
    cells = [
        {"cell_type": "heading", "source": ["T"], "level": 1},
        {"cell_type": "code", "input": ["x = 1\n", "x"], "prompt_number": 4, "language": "python"},
    ]
    data = json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}).encode()
    notebook = frontend.read_bytes(data, "old.ipynb")
    assert [(c.kind, c.text, c.run) for c in notebook.cells] == [
        ("markdown", "T", None),
        ("code", "x = 1\nx", 4),
    ]


def test_tags_and_odd_metadata() -> None:
    cells = [
        {"cell_type": "code", "source": "x", "metadata": {"tags": ["load", 3]}, "execution_count": True},
        {"cell_type": "code", "source": ["y"]},
    ]
    notebook = frontend.read_bytes(json.dumps({"cells": cells}).encode(), "x")
    assert [(c.tags, c.run) for c in notebook.cells] == [(("load",), None), ((), None)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x = 1", "not JSON (line 1)"),
        (b"", "not JSON"),
        (b"[1]", "not a notebook"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 10_000, "not JSON"),
        (stored("x", nbformat=5), "nbformat 5, which is newer"),
        (stored("x", nbformat="4"), "nbformat is '4'"),
        (stored(3), "cell 0 has no text"),
        (stored(cells=[1]), "cell 0 is not an object"),
        (stored(cells={}), "`cells` is not a list"),
        (b'{"worksheets": 3}', "`cells` is not a list"),
    ],
)
def test_not_a_notebook(data: bytes, message: str) -> None:
    with pytest.raises(frontend.ReadError) as caught:
        frontend.read_bytes(data, "x.ipynb")
    assert message in caught.value.message
    assert caught.value.help


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "a.ipynb"
    good.write_bytes(b"\xef\xbb\xbf" + stored("x"))
    assert frontend.read(good).cells[0].text == "x"
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "b", "does not exist"),
        ("\0", "does not exist"),
    ):
        with pytest.raises(frontend.ReadError, match=message):
            frontend.read(path)


def test_languages() -> None:
    names = {
        "python": {"language_info": {"name": "python"}},
        "R": {"kernelspec": {"language": "R", "name": "ir"}},
        "julia": {"language_info": 3, "kernelspec": {"name": "julia"}},
    }
    assert {frontend.read_bytes(stored("x", metadata=m), "x").language: m for m in names.values()} == names


# any text

LINES = st.sampled_from(
    ["x = 1", "%time y = é", "!ls", "  ", "if x:", "    %who", "s = '''", "'''", "f(", ")", "z?", "%%time",
     "\\", "a = !b", "\tq", ">>> p", "# c", "@d", "def f(): return '%'", "x;", "é = 'ü'  # '", "\x0c",
     "%timeit a=1"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="%!?\\'\"#=()[]{};:,. \n\r\tabé\x0c\x85\u2028", max_size=60),
    st.tuples(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n", "\r"])).map(
        lambda p: p[1].join(p[0])
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_any_text_parses_and_places_map_back(texts: list[str]) -> None:
    parsed = program(*texts)
    for item in parsed.items:
        assert_place(texts[item.cell], item)
    for stmt in parsed.stmts():
        assert stmt.first_line <= stmt.span.line
        masked = any(magic.span.cell == stmt.cell for magic in parsed.magics)
        if masked or stmt.text.shift:
            continue
        for node in ast.walk(stmt.node):
            if isinstance(node, ast.expr):
                segment = ast.get_source_segment(stmt.text.code, node)
                assert cut(texts[stmt.cell], stmt.text.span(node)) == segment


def assert_place(text: str, item: Stmt | Opaque) -> None:
    lines = split_lines(text) or ("",)
    span = item.span
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1].rstrip("\r\n")) + 1
    assert 1 <= span.end_column <= len(lines[span.end_line - 1].rstrip("\r\n")) + 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=6), st.integers(1, 4))
def test_indenting_a_cell_changes_columns_only(lines: list[str], width: int) -> None:
    plain = program("\n".join(lines))
    if list(plain.opaque()) or "'''" in lines or "%%time" in lines or ">>> p" in lines:
        return
    if lines and lines[0][:1] in (" ", "\t", "\x0c"):
        return
    moved = program("\n".join(" " * width + line for line in lines))
    assert [ast.dump(s.node) for s in moved.stmts()] == [ast.dump(s.node) for s in plain.stmts()]
    assert [s.span.column for s in moved.stmts()] == [s.span.column + width for s in plain.stmts()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["cells", "nbformat", "worksheets", "source", "metadata", "tags", "cell_type"]), inner
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_reads_or_says_why_not(value: object) -> None:
    try:
        notebook = frontend.read_bytes(json.dumps(value).encode(), "x")
    except frontend.ReadError as error:
        assert error.message
    else:
        frontend.parse(notebook).check()
