"""What stands between the rows and the model: objects that only hold rows, with the target beside them.

lgb.Dataset(X_train, y_train)                    X_train, y_train
dtest = xgb.DMatrix(X_test); bst.predict(dtest)  X_test, where the matrix is made
DataLoader(TensorDataset(torch.tensor(X), y))    X, y
DataLoader(Rows(X, y))                           X, y: a Dataset class of the notebook
smf.ols("price ~ a + b", df).fit()               the columns a and b of df, and price
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types

ROWS = "rows"  # the role of a class that only holds rows
RESHAPED = ("cuda", "double", "float", "long", "reshape", "squeeze", "to", "type", "unsqueeze", "view")
LABELS = ("label", "y", "endog", "weight", "sample_weight")


@dataclass(frozen=True, slots=True)
class Held:
    """`x` and `y` as statement `stmt` reads them; `holders` are the calls that hold them, the outer one
    first, and `stmts` the statements that these stand in, `stmt` the last.
    """

    x: ast.expr
    y: ast.expr | None
    stmt: int
    holders: tuple[ast.Call, ...] = ()
    stmts: tuple[int, ...] = ()


def held(
    node: ast.expr,
    at: int,
    slicer: Slicer,
    types: Types,
    turns: frozenset[str] = frozenset(),
    own: bool = False,
) -> Held:
    """The rows behind an expression of statement `at`: itself where nothing holds them.

    `turns` are variables of loops that were followed already.  With `own`, a Dataset class of the notebook
    holds what it is made of; without its target, no such object can be made for rows to predict.
    """
    if isinstance(node, ast.Name) and node.id not in turns:
        whole = _iterated(node.id, slicer.flow.by_id[at].node)
        batches = held(whole, at, slicer, types, turns | {node.id}, own) if whole is not None else None
        if batches is not None and batches.holders:
            return batches  # for xb, yb in loader
    made, stmt = definition(node, at, slicer)
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in RESHAPED:
        inner = held(made.func.value, stmt, slicer, types, turns, own)
        return replace(inner, stmts=(stmt, *inner.stmts)) if inner.holders else Held(node, None, at)
    if not isinstance(made, ast.Call) or not made.args:
        return Held(node, None, at)
    fact = types.fact(made)
    if (fact is None or fact.role != ROWS) and not (own and _is_own_dataset(made, slicer, types)):
        return Held(node, None, at)
    inner = held(made.args[0], stmt, slicer, types, own=own)
    labels = [k.value for k in made.keywords if k.arg == "label"]
    y = (made.args[1] if len(made.args) > 1 else None) or next(iter(labels), None) or inner.y
    if y is not None:
        y = held(y, stmt, slicer, types, own=own).x
    return Held(inner.x, y, inner.stmt, (made, *inner.holders), (stmt, *inner.stmts))


def _is_own_dataset(made: ast.Call, slicer: Slicer, types: Types) -> bool:
    """`Rows(X, y)` of `class Rows(torch.utils.data.Dataset)`."""
    definitions = [s.node for s in slicer.flow.by_id.values() if isinstance(s.node, ast.ClassDef)]
    bases = [b for d in definitions if ast.unparse(made.func) == d.name for b in d.bases]
    paths = [ast.unparse(base).partition(".") for base in bases]
    full = [types.imports.get(first, "") + dot + rest for first, dot, rest in paths]
    return any(path.startswith("torch.") and path.endswith(".Dataset") for path in full)


def bare(node: ast.expr) -> ast.expr:
    """The frame or column of its array: `df["y"]` of `df["y"].values` and of `df["y"].to_numpy()`."""
    match node:
        case (
            ast.Attribute(value=inner, attr="values")
            | ast.Call(func=ast.Attribute(value=inner, attr="to_numpy"), args=[], keywords=[])
        ):
            return inner
    return node


def as_fitted(rows: ast.expr, x: ast.expr) -> ast.expr:
    """Rows to predict as `x` was given to the fit: the frame behind an array, if that was a frame."""
    return bare(rows) if bare(x) is x else rows


def _iterated(name: str, stmt: ast.stmt) -> ast.expr | None:
    """What the loop of the statement goes through whose first variable this is."""
    for loop in ast.walk(stmt):
        if isinstance(loop, ast.For):
            target, iterated = loop.target, loop.iter
            if isinstance(iterated, ast.Call) and getattr(iterated.func, "id", "") == "enumerate":
                target = target.elts[-1] if isinstance(target, ast.Tuple) else target
                iterated = iterated.args[0] if iterated.args else iterated
            first = target.elts[0] if isinstance(target, (ast.Tuple, ast.List)) and target.elts else target
            if isinstance(first, ast.Name) and first.id == name:
                return iterated
    return None


def definition(node: ast.expr, at: int, slicer: Slicer) -> tuple[ast.expr, int]:
    """The expression behind a variable where one assignment alone makes it, and its statement."""
    seen = set()
    while isinstance(node, ast.Name) and node.id not in seen:
        seen.add(node.id)
        flow = slicer.flow
        found = sorted(s for s in slicer.reaching(at, {node.id}) if node.id in flow.defined_by(s))
        anew = found[-1:] if found and flow.binds_anew(found[-1], node.id) else found  # X = torch.tensor(X)
        value = flow.by_id[anew[0]].node if len(anew) == 1 else None
        if not isinstance(value, ast.Assign) or len(value.targets) != 1:
            break
        if not isinstance(value.targets[0], ast.Name):
            break
        node, at = value.value, anew[0]
    return node, at


def without_labels(call: ast.Call, rows: str) -> str:
    """The call that holds other rows, of which no target is known."""
    given: list[ast.expr] = [ast.Name(rows, ast.Load())]
    kept = [k for k in call.keywords if k.arg not in LABELS]
    return ast.unparse(ast.Call(call.func, given, kept))


def formula_columns(formula: object) -> tuple[str, list[str]] | None:
    """The column on the left of a formula and those on its right; None where that is not seen."""
    left, tilde, right = str(formula).partition("~")
    try:
        sides = [ast.parse(" ".join(side.replace(":", "*").split()), mode="eval") for side in (left, right)]
    except SyntaxError:
        return None
    found: list[list[str]] = []
    for side in sides:
        called = {id(n.func) for n in ast.walk(side) if isinstance(n, ast.Call)}
        inside = {id(n.value) for n in ast.walk(side) if isinstance(n, ast.Attribute)}
        quoted = [
            str(getattr(n.args[0], "value", ""))
            for n in ast.walk(side)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "Q" and n.args
        ]
        names = [n for n in ast.walk(side) if isinstance(n, ast.Name) and id(n) not in called | inside]
        names = sorted(names, key=lambda n: n.col_offset)
        found.append(list(dict.fromkeys([*(n.id for n in names), *quoted])))
    if not tilde or len(found[0]) != 1 or not found[1]:
        return None
    return found[0][0], found[1]
