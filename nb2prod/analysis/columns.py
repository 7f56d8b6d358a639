"""Columns of frames that no row to predict can have, followed from frame to frame.

df["rank"] = df["a"].rank()          ("df", "rank") depends on the other rows
X = df.drop(columns=["rank", "y"])   X has no such column
X = df[["a", "rank"]]                this one has
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from nb2prod.analysis.events import root
from nb2prod.ir.refusal import Refusal

AbsentColumns = Mapping[tuple[str, str], Refusal]  # by frame and column


def inherited(value: ast.expr, absent: AbsentColumns) -> dict[str, Refusal]:
    """The columns that a frame made by this expression has of those of the frames that it reads; the owner ""
    stands for what a function that the expression calls has made.
    """
    names = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} | {""}
    found = {column: why for (owner, column), why in absent.items() if owner in names}
    stays = left(value, set(found))
    return {column: why for column, why in found.items() if column in stays}


def left(value: ast.expr, columns: set[str]) -> set[str]:
    """Those of the columns that what an expression drops and selects at last leaves."""
    node: ast.expr = value
    while True:
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)):
                columns = columns - _texts(node) if name == "drop" else columns
            case ast.Subscript(value=receiver, slice=index):
                columns = columns & _texts(index) if _is_selection(index) else columns
            case ast.Attribute(value=receiver):
                pass
            case _:
                return columns
        node = receiver


def dropped(node: ast.stmt) -> set[tuple[str, str]]:
    """The columns that a statement takes out of a frame in place."""
    found: set[tuple[str, str]] = set()
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(attr="drop" | "pop")):
                found |= {(root(inner.func), text) for text in _texts(inner)}
            case ast.Subscript(ctx=ast.Del(), slice=ast.Constant(value=str() as text)):
                found.add((root(inner), text))
    return found


def _is_selection(index: ast.expr) -> bool:
    """`["a", "b"]`, the last of `.loc[:, ["a", "b"]]`, or one column by its name."""
    last = index.elts[-1] if isinstance(index, ast.Tuple) and index.elts else index
    every = last.elts if isinstance(last, ast.List) else [last]
    return bool(every) and all(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in every)


def _texts(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
