"""Weights that the notebook learns itself.

w = np.zeros(X.shape[1])
for step in range(500):
    w -= rate * X.T @ (sigmoid(X @ w) - y) / len(y)      the loop is the fit, w the model
w = np.linalg.inv(X.T @ X) @ X.T @ y                     the equation is, solved at once
w = np.polyfit(x, y, 1)
"""

from __future__ import annotations

import ast

from nb2prod.analysis.events import root
from nb2prod.analysis.nodes import inner_calls
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Sink

SOLVER = "solver"  # the role of functions that solve equations


def learned_in_a_loop(stmt: Stmt, slicer: Slicer, types: Types) -> Sink | None:
    """The sink where a loop goes on with a variable from before, beside rows and a target."""
    loop = stmt.node
    if not isinstance(loop, ast.For | ast.While):
        return None
    own = [name for name in _assigned(loop) if _goes_on(name, loop)]
    carried = [name for name in own if slicer.reaching(stmt.id, {name})]
    for model in carried:
        rows = next(
            (b for n in ast.walk(loop) if isinstance(n, ast.expr) and (b := beside(n, {model}))), None
        )
        if isinstance(rows, ast.Name) and (y := _target(loop, rows.id, stmt, slicer, types)) is not None:
            fit = ast.copy_location(ast.Call(ast.Name(model, ast.Load()), [rows, y], []), loop)
            return Sink(stmt.id, ast.fix_missing_locations(fit), model, rows, y, "other", stmt.id, stmt.id)
    return None


def solved(stmt: Stmt, slicer: Slicer, types: Types) -> Sink | None:
    """The sink where a statement solves for weights that later meet rows."""
    node = stmt.node
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    target = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
    if not isinstance(node, ast.Assign) or not isinstance(target, ast.Name):
        return None
    facts = [(call, types.fact(call)) for call in inner_calls(node.value)]
    solver = next((call for call, fact in facts if fact is not None and fact.role == SOLVER), None)
    read = [n for n in ast.walk(node.value) if isinstance(n, ast.Name) and _is_data(n, stmt, slicer, types)]
    names = list(dict.fromkeys(n.id for n in sorted(read, key=lambda n: (n.lineno, n.col_offset))))
    if solver is None or len(names) < 2 or not isinstance(node.value, ast.expr):
        return None
    turned = [root(n) for n in ast.walk(node.value) if isinstance(n, ast.Attribute) and n.attr == "T"]
    rows = turned[0] if turned else names[0]  # those of `X.T @ y`
    y = next((name for name in reversed(names) if name != rows), None)
    if y is None or not _meets(target.id, stmt, slicer):
        return None
    x, answer = (next(n for n in read if n.id == name) for name in (rows, y))
    fit = ast.copy_location(ast.Call(ast.Name(target.id, ast.Load()), [x, answer], []), node)
    return Sink(stmt.id, ast.fix_missing_locations(fit), target.id, x, answer, "other", stmt.id, stmt.id)


def _meets(weights: str, stmt: Stmt, slicer: Slicer) -> bool:
    """Whether a later statement predicts with these weights."""
    return any(
        stmt.id in slicer.reaching(later.id, {weights})
        and any(isinstance(n, ast.expr) and beside(n, {weights}) for n in ast.walk(later.node))
        for later in slicer.flow.by_id.values()
        if later.id > stmt.id
    )


def beside(node: ast.expr, names: set[str]) -> ast.expr | None:
    """The rows that meet learned weights: X of `predict(X, w)`, `X @ w`, `X.dot(w)`, `np.polyval(w, X)`."""
    match node:
        case ast.BinOp(left=left, right=right, op=ast.MatMult()):
            parts = [left, right]
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as owner, attr="dot" | "matmul" | "polyval"), args=args
        ):
            parts = [*args, owner] if len(args) == 1 else args
        case ast.Call(func=ast.Name(), args=args, keywords=keywords):
            parts = [*args, *[k.value for k in keywords]]
        case _:
            return None
    learned = [p for p in parts if isinstance(p, ast.Name) and p.id in names]
    others = [p for p in parts if p not in learned and not isinstance(p, ast.Constant)]
    return others[0] if learned and others else None


def _assigned(loop: ast.For | ast.While) -> list[str]:
    """The variables that the body assigns, in its order."""
    found: dict[str, None] = {}
    for node in (n for inner in loop.body for n in ast.walk(inner)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
    return list(found)


def _goes_on(name: str, loop: ast.For | ast.While) -> bool:
    """Whether a turn begins with what the turn before it made: `w -= step`, `w = w - step`."""
    for node in (n for inner in loop.body for n in ast.walk(inner)):
        match node:
            case ast.AugAssign(target=ast.Name(id=target)) if target == name:
                return True
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)):
                    return True
    return False


def _target(
    loop: ast.For | ast.While, rows: str, stmt: Stmt, slicer: Slicer, types: Types
) -> ast.Name | None:
    """The one other variable that the loop subtracts, or is told what to learn from."""
    names = [node for node in ast.walk(loop) if isinstance(node, ast.Name)]
    own = {rows, *(name.id for name in names if isinstance(name.ctx, ast.Store))}
    used: dict[str, ast.Name] = {}
    for node in ast.walk(loop):
        operands: list[ast.expr] = []
        match node:
            case ast.BinOp(op=ast.Sub(), left=left, right=right):
                operands = [left, right]
            case ast.Call(func=ast.Name(), args=args) if any(_is(arg, rows) for arg in args):
                operands = args
        for name in (o for o in operands if isinstance(o, ast.Name) and o.id not in own):
            if _is_data(name, stmt, slicer, types):
                used[name.id] = name
    return used.popitem()[1] if len(used) == 1 else None


def _is_data(node: ast.Name, stmt: Stmt, slicer: Slicer, types: Types) -> bool:
    """A variable that is neither a number written out nor a function or module."""
    if node.id in types.imports or node.id in types.functions:
        return False
    made = [slicer.flow.by_id[id].node for id in slicer.reaching(stmt.id, {node.id})]
    return bool(made) and not any(
        isinstance(m, ast.Assign) and isinstance(m.value, ast.Constant | ast.UnaryOp) for m in made
    )


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
