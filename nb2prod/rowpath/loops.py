"""Loops over the values of a column that gather a value for each row in a list, as row forms.

    for age in df["Age"]:                        for age in [plain(df["Age"])]:
        if age < 18:                                 if age < 18:
            groups.append("child")        ->             groups.append("child")
    df["Group"] = groups                         df["Group"] = gathered(groups)

Such a loop is plain Python about Python's own values, and stays as it is; what is seen to is that nothing of
one row reaches the next one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nb2prod.rowpath.kinds import COLLECTED, COLUMN, EMPTY, PLAIN, SCALAR, Kind, NotUnderstood, call, shown

if TYPE_CHECKING:
    from nb2prod.rowpath.body import Body

# Arrays give other values than a column does when they are gone through: NumPy's own.
ARRAYS = ("values", "to_numpy", "where", "array", "asarray")


def values_of(body: Body, node: ast.expr) -> tuple[Kind, ast.expr] | None:
    """What goes through the rows of a column, or of several in step, as a list of the only row; else None."""
    zipped = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"
    parts = node.args if zipped and isinstance(node, ast.Call) else [node]
    if isinstance(node, ast.Name) or not all(body.rows_in(part) for part in parts):
        return None
    found = [body.expression(part) for part in parts]
    kinds = {kind for kind, _ in found}
    if kinds == {EMPTY}:
        return EMPTY, node
    if kinds != {COLUMN} or any(_word(inner) in ARRAYS for part in parts for inner in ast.walk(part)):
        return None
    made = [call("plain", one) for _, one in found]
    return COLUMN, ast.List([ast.Tuple(made, ast.Load()) if zipped else made[0]], ast.Load())


def _word(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def gathering(body: Body, node: ast.For, rows: ast.expr) -> list[ast.stmt]:
    """The row form of a loop over `rows`, which `values_of` gave."""
    known = _names(node.target)
    _independent(node.body, known, _stored(node.body) | known, False)
    lists = _appended(node.body)
    for word in known:
        body.scope.kinds[word] = PLAIN
    made = [body.without_rows(one) for one in node.body]
    body.scope.kinds.update(dict.fromkeys(known | _stored(node.body), SCALAR))
    body.scope.kinds.update(dict.fromkeys(lists, COLLECTED))
    return [ast.For(node.target, rows, made, [])]


def gathered(body: Body, node: ast.ListComp) -> tuple[Kind, ast.expr] | None:
    """The row form of `[f(age) for age in df["Age"]]`; None where it goes through something else."""
    first = node.generators[0]
    if len(node.generators) > 1 or first.ifs:
        return None
    found = values_of(body, first.iter)
    if found is None or found[0] is EMPTY:
        return found
    outer = {word: body.scope.kinds.get(word, PLAIN) for word in _names(first.target)}
    body.scope.kinds.update(dict.fromkeys(outer, PLAIN))
    made = body.without_rows(node.elt)
    body.scope.kinds.update(outer)
    return COLLECTED, ast.ListComp(made, [ast.comprehension(first.target, found[1], [], 0)])


def _independent(nodes: Sequence[ast.stmt], known: set[str], stored: set[str], inner: bool) -> None:
    """NotUnderstood where a statement may read what another row left; `known` grows by what is set."""
    for node in nodes:
        read = _loaded(node)
        match node:
            case ast.Assign(targets=[ast.Name(id=word)]):
                _read(node, read, known, stored)
                known.add(word)
            case ast.AugAssign(target=ast.Name(id=word)):
                _read(node, read | {word}, known, stored)
            case ast.If(test=test, body=then, orelse=orelse):
                _read(node, _loaded(test), known, stored)
                branches = [set(known), set(known)]
                _independent(then, branches[0], stored, inner)
                _independent(orelse, branches[1], stored, inner)
                known |= branches[0] & branches[1]
            case ast.For(target=target, iter=over, body=body, orelse=[]):
                _read(node, _loaded(over), known, stored)
                _independent(body, known | _names(target), stored, True)
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=word), attr="append"), args=[one])
            ):
                _read(node, _loaded(one), known, stored)
            case ast.Pass() | ast.Continue():
                pass
            case ast.Break() if inner:
                pass
            case _:
                raise NotUnderstood(node, f"{shown(node).split(':')[0]} in a loop over rows")


def _read(node: ast.AST, read: set[str], known: set[str], stored: set[str]) -> None:
    for word in sorted(read & stored - known):
        raise NotUnderstood(node, f"`{word}`, which may come from another row,")


def _loaded(node: ast.AST) -> set[str]:
    """The variables that are read, but for those of comprehensions and lambdas in there."""
    found = list(ast.walk(node))
    own = {word for n in found if isinstance(n, ast.comprehension) for word in _names(n.target)}
    own |= {n.arg for n in found if isinstance(n, ast.arg)}
    return {n.id for n in found if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - own


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _stored(nodes: Sequence[ast.stmt]) -> set[str]:
    found = [n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)]
    return {n.id for n in found if not isinstance(n.ctx, ast.Load)} | _appended(nodes)


def _appended(nodes: Sequence[ast.stmt]) -> set[str]:
    """The lists to which statements append."""
    return {
        n.func.value.id
        for node in nodes
        for n in ast.walk(node)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr == "append"
        and isinstance(n.func.value, ast.Name)
    }
