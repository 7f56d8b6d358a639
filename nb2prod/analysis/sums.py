"""Sums of predictions: where they begin, and what counts the rows that are predicted.

total = np.zeros(len(test))                                          np.zeros(len(X))
for model in models:
    total += model.predict_proba(test[features])[:, 1] / len(models)
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from nb2prod.analysis.events import root
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types

FILLED = ("numpy.zeros", "numpy.empty")


def begun(
    slicer: Slicer, types: Types, stmts: Iterable[int], rows: ast.expr | None, at: Sequence[int]
) -> set[int]:
    """The statements among these that only begin a sum of predictions of `rows`, as these are in `at`."""
    found = set()
    for id in stmts:
        match slicer.flow.by_id[id].node:
            case ast.Assign(targets=[ast.Name()], value=ast.Constant(value=0 | 0.0)):
                found.add(id)
            case ast.Assign(targets=[ast.Name()], value=ast.Call() as call):
                counts = list(row_counts(slicer, types, id, rows, at))
                others = {n.id for n in _outside(call, counts) if isinstance(n, ast.Name)}
                if counts and others == {root(call.func)}:
                    found.add(id)
    return found


def row_counts(
    slicer: Slicer, types: Types, id: int, rows: ast.expr | None, at: Sequence[int]
) -> Iterator[ast.expr]:
    """The lengths of arrays of zeros in a statement that are the number of `rows`: counted in these, or in
    what they were made of.
    """
    owner = root(rows) if rows is not None else ""
    for call in ast.walk(slicer.flow.by_id[id].node):
        if owner and isinstance(call, ast.Call) and call.args and types.api_of(call) in FILLED:
            shape = call.args[0]
            count = shape.elts[0] if isinstance(shape, (ast.Tuple, ast.List)) and shape.elts else shape
            name = root(counted) if (counted := _counted(count)) is not None else ""
            made = slicer.reaching(id, {name}) if name else set()
            if name == owner or made & slicer.backward(r for s in at for r in slicer.reaching(s, {owner})):
                yield count


def _counted(node: ast.expr) -> ast.expr | None:
    """`rows` of `len(rows)` and of `rows.shape[0]`."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return inner
        case ast.Subscript(value=ast.Attribute(value=inner, attr="shape"), slice=ast.Constant(value=0)):
            return inner
    return None


def counts_rows(node: ast.expr, rows: ast.expr | None) -> bool:
    """Whether an expression is the number of the rows that are predicted, or of the frame that has them."""
    inner = _counted(node)
    return inner is not None and rows is not None and root(inner) == root(rows) != ""


def _outside(node: ast.AST, parts: Iterable[ast.AST]) -> Iterator[ast.AST]:
    gone = set(map(id, parts))
    todo = [node]
    while todo:
        inner = todo.pop()
        if id(inner) not in gone:
            yield inner
            todo += ast.iter_child_nodes(inner)
