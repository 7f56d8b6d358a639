"""Properties of the core: what must not change a result, and what must change it in one way only."""

from __future__ import annotations

import ast
import copy
import io
import os
import re
import subprocess
import symtable
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from percent import notebook
from test_cases import CASES, read

from nb2prod import frontend
from nb2prod.analysis.defuse import defuse
from nb2prod.analysis.events import BUILTINS, Function, events
from nb2prod.analysis.types import infer
from nb2prod.compiler import FORMS, intermediate
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Stmt
from nb2prod.lower.rewrite import Edits, source
from nb2prod.source import Cell, Notebook

EXAMPLES = Path(__file__).parents[1] / "examples" / "notebooks"
HIDDEN = ("lambda", "listcomp", "setcomp", "dictcomp", "genexpr")
STDLIB = Path(sysconfig.get_path("stdlib"))
MODULES = sorted(
    """ast bisect calendar configparser contextlib copy csv dataclasses difflib functools heapq json/decoder
    json/encoder random shlex statistics string textwrap tokenize weakref""".split()
)
TEXTS = [read(path).cells for step in FORMS for path in sorted((CASES / step).glob("*.txt"))]

some_examples = settings(max_examples=60, deadline=None)


@cache
def parsed(text: str) -> tuple[Notebook, Flow]:
    read = notebook(text)
    return read, flow_of(read)


@cache
def statements(module: str) -> list[Stmt]:
    text = (STDLIB / f"{module}.py").read_text(encoding="utf-8")
    return list(frontend.parse(Notebook("m.ipynb", (Cell(0, "code", text),))).stmts())


def flow_of(read: Notebook) -> Flow:
    program = frontend.parse(read)
    return defuse(program, infer(program))


PYTHON = ("lower", "row_path")  # forms that are programs


def dumps(read: Notebook) -> list[str]:
    """All printed forms without the places of cells and lines; of the last one the tree, without comments."""
    forms = []
    for step in FORMS:
        text = re.sub(r"cell \d+(:|, line )\d+", "cell", intermediate(read, step))
        if step in PYTHON:
            text = re.sub(r"Cells? [\d, and-]+ of", "Cells of", text)
            try:
                text = ast.dump(ast.parse(text))
            except SyntaxError:  # the graph of a notebook that was refused
                continue
        forms.append(text)
    return forms


def edges(flow: Flow) -> tuple[object, ...]:
    """The graph: what each statement binds, changes, reads and does."""
    effects = [(e.stmt, e.kind, e.target, e.api) for e in flow.effects]
    return flow.defs, flow.uses, effects


def begins_line(stmt: Stmt) -> bool:
    """Whether a statement has its first line to itself, so that something may stand above it."""
    line = stmt.text.lines[stmt.span.line - 1]
    return not line[: stmt.span.column - 1].strip()


texts = some.sampled_from(TEXTS)
modules = some.sampled_from(MODULES)


@some_examples
@given(texts, some.data())
def test_a_markdown_cell_changes_nothing(text: str, data: some.DataObject) -> None:
    before, _ = parsed(text)
    place = data.draw(some.integers(0, len(before.cells)))
    note = Cell(place, "markdown", "# Prose\n\n`x = 1`")
    cells = [*before.cells[:place], note, *before.cells[place:]]
    after = Notebook(before.path, tuple(replace(cell, index=i) for i, cell in enumerate(cells)))
    assert dumps(after) == dumps(before)


@some_examples
@given(texts, some.data())
def test_a_comment_changes_nothing(text: str, data: some.DataObject) -> None:
    before, flow = parsed(text)
    stmts = [stmt for stmt in flow.by_id.values() if begins_line(stmt)]
    stmt = data.draw(some.sampled_from(stmts))
    cell = before.cells[stmt.cell]
    lines = cell.text.split("\n")
    indent = re.match(r"\s*", lines[stmt.span.line - 1])
    assert indent is not None
    lines.insert(stmt.span.line - 1, f"{indent[0]}# a word {{on}} 'this'")
    cells = [replace(c, text="\n".join(lines)) if c is cell else c for c in before.cells]
    assume("# nb2prod" not in cell.text)  # it would not be the first line any more
    assert dumps(Notebook(before.path, tuple(cells))) == dumps(before)


@some_examples
@given(texts, some.data())
def test_splitting_a_cell_changes_no_edge(text: str, data: some.DataObject) -> None:
    before, flow = parsed(text)
    stmts = list(flow.by_id.values())
    later = [b for a, b in pairwise(stmts) if a.cell == b.cell and begins_line(b)]
    assume(later)
    stmt = data.draw(some.sampled_from(later))
    cell = before.cells[stmt.cell]
    assume(not cell.text.startswith(("%%", "# nb2prod")))
    lines = cell.text.split("\n")
    parts = ["\n".join(lines[: stmt.span.line - 1]), "\n".join(lines[stmt.span.line - 1 :])]
    cells = list(before.cells)
    cells[stmt.cell : stmt.cell + 1] = [replace(cell, text=part) for part in parts]
    after = Notebook(before.path, tuple(replace(cell, index=i) for i, cell in enumerate(cells)))
    assert edges(flow_of(after)) == edges(flow)


@some_examples
@given(texts, some.data())
def test_renaming_a_variable_renames_the_graph(text: str, data: some.DataObject) -> None:
    before, flow = parsed(text)
    names = sorted(set(variables(before, flow)))
    assume(names)
    name = data.draw(some.sampled_from(names))
    cells = [replace(cell, text=re.sub(rf"\b{name}\b", "renamed", cell.text)) for cell in before.cells]
    after = flow_of(Notebook(before.path, tuple(cells)))

    def new(known: str) -> str:
        return "renamed" if known == name else known

    assert {(d.stmt, d.kind, d.name) for d in after.defs} == {
        (d.stmt, d.kind, new(d.name)) for d in flow.defs
    }
    assert {(u.stmt, u.name, u.reaches) for u in after.uses} == {
        (u.stmt, new(u.name), u.reaches) for u in flow.uses
    }


def variables(read: Notebook, flow: Flow) -> Iterator[str]:
    """Variables that are nothing else besides: no attribute, parameter, column or word of a string."""
    trees = [stmt.node for stmt in flow.by_id.values()]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {name for stmt in flow.by_id.values() if isinstance(stmt.node, (ast.Import, ast.ImportFrom))
                for name in flow.defined_by(stmt.id)}  # fmt: skip
    for name in {d.name for d in flow.defs if d.kind == "bind" and d.name.isidentifier()} - imported:
        words = sum(len(re.findall(rf"\b{name}\b", cell.text)) for cell in read.cells)
        own = sum(isinstance(node, ast.Name) and node.id == name for node in nodes)
        if words == own:
            yield name


@pytest.mark.parametrize("module", MODULES)
def test_an_unedited_statement_is_its_source(module: str) -> None:
    for stmt in statements(module):
        printed = source(stmt, Edits({}, frozenset(), {}))
        own = ast.get_source_segment(stmt.text.code, stmt.node)
        assert own is not None and own in printed
        assert ast.dump(ast.parse(printed).body[0]) == ast.dump(stmt.node)


@some_examples
@given(modules, some.data())
def test_an_edit_changes_its_expression_and_nothing_else(module: str, data: some.DataObject) -> None:
    stmt = data.draw(some.sampled_from(statements(module)))
    node = data.draw(some.sampled_from(expressions(stmt.node) or [None]))
    assume(node is not None)
    before = source(stmt, Edits({}, frozenset(), {}))
    after = source(stmt, Edits({id(node): lambda inner: f"wrapped({inner})"}, frozenset(), {}))
    wanted = _Wrapped(node).visit(copy.deepcopy(stmt.node, {id(node): node}))
    assert ast.dump(ast.parse(after).body[0]) == ast.dump(wanted)
    assert comments(after) == comments(before)


def expressions(node: ast.AST) -> list[ast.expr]:
    """Those that a site may be: what is read, outside of f-strings, in which places are not to be trusted,
    and of patterns, in which names of classes stand.
    """
    found: list[ast.expr] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.JoinedStr, ast.pattern)):
            continue
        read = isinstance(getattr(child, "ctx", None), ast.Load)
        whole = isinstance(child, (ast.Call, ast.BinOp, ast.Compare)) and not isinstance(node, ast.Await)
        if (isinstance(child, (ast.Name, ast.Attribute, ast.Subscript)) and read) or whole:
            assert isinstance(child, ast.expr)
            found.append(child)
        found += expressions(child)
    return found


class _Wrapped(ast.NodeTransformer):
    def __init__(self, node: ast.expr) -> None:
        self.node = node

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.node:
            return ast.Call(ast.Name("wrapped", ast.Load()), [self.node], [])
        return self.generic_visit(node)


def comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


@pytest.mark.parametrize("module", MODULES)
def test_scopes_are_those_of_python(module: str) -> None:
    text = statements(module)[0].text.code
    tables = {t.get_lineno(): t for t in tables_of(symtable.symtable(text, module, "exec"))}
    for stmt in statements(module):
        for function in events(stmt.node).functions:
            if isinstance(function.node, ast.Lambda):
                continue
            first = min([function.node.lineno, *(d.lineno for d in function.node.decorator_list)])
            table = tables.get(function.node.lineno) or tables[first]
            assert isinstance(table, symtable.Function)
            place = f"{module}:{function.name}"
            assert function.locals == set(local_names(table)), place
            assert outer_reads(function) == outer_names(table), place


def tables_of(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The functions that are no lambdas or comprehensions."""
    for child in table.get_children():
        if child.get_type() == "function" and child.get_name() not in HIDDEN:
            yield child
        yield from tables_of(child)


def local_names(table: symtable.SymbolTable) -> Iterator[str]:
    return (symbol.get_name() for symbol in table.get_symbols() if symbol.is_local())


def outer_reads(function: Function) -> set[str]:
    return {event.name for event in function.outer_reads()} - BUILTINS


def outer_names(table: symtable.SymbolTable) -> set[str]:
    """The names that a scope, with the scopes in it, takes from outside."""
    found = {
        s.get_name() for s in table.get_symbols() if s.is_referenced() and (s.is_global() or s.is_free())
    }
    own = set(local_names(table)) if table.get_type() == "function" else set()
    for child in table.get_children():
        below = {s.get_name() for s in child.get_symbols() if s.is_global()}
        found |= {name for name in outer_names(child) if name in below or name not in own}
    return found - BUILTINS - {"__class__"}


def test_the_same_text_gives_the_same_bytes() -> None:
    """In processes that order sets differently."""
    program = f"""
import hashlib, sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parent.parent)]!r}
from pathlib import Path
import test_properties as properties
from nb2prod import compiler, frontend
for text in properties.TEXTS:
    for step in ("defuse", "lower"):
        print(hashlib.sha256(properties.intermediate(properties.notebook(text), step).encode()).hexdigest())
path = Path({str(EXAMPLES / "churn.ipynb")!r})
notebook = frontend.read(path)
compiled = compiler.analyse(notebook)
lowering = compiler.lowered(compiled, path, "churn", path.parent / "churn", None, ())
for file in compiler.files(lowering, notebook):
    print(file.path, hashlib.sha256(file.text.encode()).hexdigest())
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = (process.communicate()[0].splitlines() for process in processes)
    assert all(process.returncode == 0 for process in processes)
    assert first == second
    assert any("features.py" in line for line in first)
