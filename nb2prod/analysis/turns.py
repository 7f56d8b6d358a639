"""Numbers that a loop over models keeps for each of them.

models = {"ridge": Ridge(), "lasso": Lasso()}
for name, model in models.items():
    model.fit(X_train, y_train)
    results[name] = r2_score(y_test, model.predict(X_test))      results["ridge"], results["lasso"]
    scores.append(results[name])                                 scores[0], scores[1]
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.holders import definition
from nb2prod.analysis.metric_names import label_name, metric_name
from nb2prod.analysis.model import has_score
from nb2prod.analysis.single_numbers import is_number
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Metric


def kept_by_turns(stmt: Stmt, slicer: Slicer, types: Types) -> Iterator[tuple[str, Metric]]:
    """A metric for each turn of a loop whose turns have names, of each score that it keeps under them."""
    loop = stmt.node
    if not isinstance(loop, ast.For):
        return
    names = _names_of_turns(loop, stmt, slicer)
    for holder, by_name, score in _kept(loop, types) if names else ():
        if not by_name and not _is_empty(holder, stmt, slicer):
            continue
        for position, name in enumerate(names):
            place = ast.Constant(name if by_name else position)
            value = ast.Subscript(ast.Name(holder, ast.Load()), place, ast.Load())
            prefix = label_name(name) or f"model_{position}"
            yield "", Metric(f"{prefix}_{metric_name(score, '')}", stmt.id, value, score)


def _names_of_turns(loop: ast.For, stmt: Stmt, slicer: Slicer) -> list[str]:
    """The names under which a dictionary or a list of pairs holds what the loop goes through."""
    iterated = loop.iter
    match iterated:
        case ast.Call(func=ast.Attribute(value=ast.Name() as held, attr="items" | "keys")):
            iterated = held
    made = definition(iterated, stmt.id, slicer)[0]
    keys: list[ast.expr | None] = []
    match made:
        case ast.Dict():
            keys = made.keys
        case ast.List(elts=pairs) | ast.Tuple(elts=pairs):
            keys = [p.elts[0] if isinstance(p, ast.Tuple) and p.elts else None for p in pairs]
    names = [getattr(key, "value", None) for key in keys]
    return [name for name in names if isinstance(name, str)] if all(map(_is_text, names)) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _kept(loop: ast.For, types: Types) -> Iterator[tuple[str, bool, ast.expr]]:
    """What the body keeps of scores: the variable, whether by name or at its end, and the score."""
    first = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) and loop.target.elts else loop.target
    turn = first.id if isinstance(first, ast.Name) else ""
    made: dict[str, ast.expr] = {}
    for node in loop.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                made[name] = value
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=holder), slice=ast.Name(id=key))], value=value
            ) if key == turn:
                score = made.get(value.id, value) if isinstance(value, ast.Name) else value
                if _is_score(score, types):
                    yield holder, True, score
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=holder), attr="append"), args=[value])
            ):
                score = made.get(value.id, value) if isinstance(value, ast.Name) else value
                if _is_score(score, types):
                    yield holder, False, score


def _is_score(node: ast.expr, types: Types) -> bool:
    return has_score(node, types) and is_number(node, types)


def _is_empty(holder: str, stmt: Stmt, slicer: Slicer) -> bool:
    """Whether a list is empty before the loop."""
    made, at = definition(ast.Name(holder, ast.Load()), stmt.id, slicer)
    return at != stmt.id and isinstance(made, ast.List) and not made.elts
