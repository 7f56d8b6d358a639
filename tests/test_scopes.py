"""Scopes agree with Python's own symbol tables, on every statement of a corpus.

The corpus is what this repository has: examples, the bases of the lint benchmark, its odd but legal cells.
More notebooks: NB2PROD_CORPUS=folder pytest tests/test_scopes.py.
"""

from __future__ import annotations

import ast
import os
import symtable
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nb2prod import frontend
from nb2prod.analysis.script import script
from nb2prod.linting import inputs
from nb2prod.source import Cell, Notebook, cut

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks" / "lint"))


def corpus() -> Iterator[Notebook]:
    from snippets import LEGAL

    folders = [ROOT / "examples", *(Path(p) for p in [os.environ.get("NB2PROD_CORPUS")] if p)]
    for folder in folders:
        for path in frontend.find(folder):
            yield frontend.read(path)
    for path in sorted((ROOT / "benchmarks" / "lint" / "bases").glob("*.py")):
        yield inputs.read(path)
    for number, text in enumerate(LEGAL):
        cells = tuple(Cell(index, "code", part) for index, part in enumerate(text.split("\n# %%\n")))
        yield Notebook(f"legal {number}", cells)


def tables(top: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in top.get_children():
        yield child
        yield from tables(child)


def bound(top: symtable.SymbolTable) -> set[str]:
    """Names that the statement binds or deletes at module level, also from inside of functions."""
    names = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    for table in tables(top):
        names |= {s.get_name() for s in table.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return names


def read(top: symtable.SymbolTable) -> set[str]:
    """Names of the module that the statement reads, now or when its functions are called."""
    names = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    for table in tables(top):
        names |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return names


def augmented(node: ast.AST) -> set[str]:
    """Names in `n += 1`: they are read too, which symtable does not say."""
    targets = (inner.target for inner in ast.walk(node) if isinstance(inner, ast.AugAssign))
    return {target.id for target in targets if isinstance(target, ast.Name)}


NOTEBOOKS = list(corpus())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[Path(n.path).stem for n in NOTEBOOKS])
def test_scopes_agree_with_symtable(notebook: Notebook) -> None:
    text = script(frontend.parse(notebook))
    for stmt, events in text.stmts():
        source = cut(stmt.text.code, stmt.span)
        if stmt.text.shift or stmt.text.ends or "await" in source or " async " in source:
            continue  # the stored text is not Python as it stands
        try:
            top = symtable.symtable(source, "cell", "exec")
        except SyntaxError:
            continue
        own = events.names("bind", "delete")
        inner = {e.name for f in events.functions for e in f.outer_binds()}
        assert own | inner == bound(top), source
        reads = events.names("read") | {e.name for f in events.functions for e in f.outer_reads()}
        apart = {"__class__", "super"} | augmented(stmt.node)
        assert reads - apart == read(top) - apart, source
