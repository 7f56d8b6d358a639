"""Variables that hold other rows of the same frame or array: the two sides of a split that is made by hand.

train = df[df.date < cutoff]; test = df[df.date >= cutoff]
train = df.sample(frac=0.8); test = df.drop(train.index)
y_train, y_test = y[:n], y[n:]
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types

CHOOSES = ("drop", "head", "query", "sample", "tail", "take", "truncate")
KEEPS_ROWS = ("astype", "copy", "reset_index", "to_numpy")
NO_ROWS = ("builtins.list", "builtins.str", "builtins.tuple", "pandas.Index")  # what names columns
MASKS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Slice, ast.Call)


def siblings(name: str, at: int, slicer: Slicer, types: Types) -> set[str]:
    """The other variables that are chosen from what the rows of `name`, as statement `at` reads it, are."""
    flow = slicer.flow
    bases = {
        base
        for stmt in slicer.reaching(at, {name})
        for target, value in _assigned(flow.by_id[stmt].node)
        if target == name and (base := _chosen_from(value, types))
    }
    pairs = [pair for stmt in flow.by_id.values() for pair in _assigned(stmt.node)] if bases else []
    return {target for target, value in pairs if _chosen_from(value, types) in bases} - {name, *bases}


def columns_of(frames: set[str], column: str, slicer: Slicer) -> set[str]:
    """The variables that hold this column of one of the frames: `y_test = test["price"]`."""
    found = set()
    for stmt in slicer.flow.by_id.values():
        for target, value in _assigned(stmt.node):
            if (taken := column_of(value)) is not None and taken[0] in frames and taken[1] == column:
                found.add(target)
    return found


def column_of(node: ast.expr) -> tuple[str, str] | None:
    """The frame and the column that an expression takes out of it."""
    match _same_rows(node):
        case ast.Subscript(value=ast.Name(id=frame), slice=ast.Constant(value=str() as column)):
            return frame, column
        case ast.Attribute(value=ast.Name(id=frame), attr=column):
            return frame, column
    return None


def only_chooses_rows(loop: ast.For, types: Types) -> bool:
    """Whether a loop does nothing but choose rows: what it leaves are those of its last turn."""
    stmts = [node for node in loop.body if not isinstance(node, ast.Expr)]
    values = [value for node in stmts for _, value in _assigned(node)]
    into = (ast.Subscript, ast.Attribute)  # `found[held] = ...` collects from every turn
    stored = [n for node in stmts for n in ast.walk(node) if isinstance(n, into)]
    plain = all(isinstance(node, ast.Assign) for node in stmts)
    plain = plain and not any(isinstance(n.ctx, ast.Store) for n in stored)
    return plain and bool(values) and all(_chosen_from(value, types) for value in values)


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The variables that a statement, or one inside of it, assigns, each with its own value."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign):
            for target in inner.targets:
                pairs = [(target, inner.value)]
                if isinstance(target, ast.Tuple) and isinstance(inner.value, ast.Tuple):
                    pairs = list(zip(target.elts, inner.value.elts, strict=False))
                yield from ((part.id, value) for part, value in pairs if isinstance(part, ast.Name))


def _same_rows(node: ast.expr) -> ast.expr:
    """What an expression has the rows of: `y` of `y.copy()` and `y.values`."""
    while True:
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in KEEPS_ROWS:
                node = inner
            case ast.Attribute(value=inner, attr="values"):
                node = inner
            case _:
                return node


def _chosen_from(node: ast.expr, types: Types) -> str:
    """The variable that an expression chooses rows of; empty where it does not."""
    match _same_rows(node):
        case ast.Subscript(value=ast.Name(id=name), slice=where) if _chooses(where, types):
            return name
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="loc" | "iloc"), slice=where):
            first = where.elts[0] if isinstance(where, ast.Tuple) else where
            return name if _chooses(first, types) else ""
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), keywords=given):
            named = {keyword.arg for keyword in given}
            return name if method in CHOOSES and not named & {"axis", "columns"} else ""
    return ""


def _chooses(where: ast.expr, types: Types) -> bool:
    """Whether an index is a mask, a slice or positions, not the name of columns."""
    if isinstance(where, ast.Slice):
        return where.lower is not None or where.upper is not None
    return isinstance(where, MASKS) or (isinstance(where, ast.Name) and types.of(where) not in NO_ROWS)
