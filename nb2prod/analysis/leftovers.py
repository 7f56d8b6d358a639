"""What code leaves behind besides its value: changes of things outside of it, which one row would not find.

codes.setdefault(city, len(codes))   in a function of one value: a code depends on the rows before
counts[city] = counts.get(city, 0) + 1   in a loop over rows: a count of all of them
df.pop("b").mean()   learned once: at serving nothing is popped
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nb2prod.analysis.events import root
from nb2prod.analysis.types import Types
from nb2prod.tree import bodies

SCHEMA = ("KeyError", "AttributeError", "NameError", "ImportError", "ModuleNotFoundError")
ENTRY_A_ROW = ("append", "extend")  # a list that gets an entry for each row stays one with an entry a row


def changed_inside(node: ast.AST, types: Types) -> Iterator[tuple[ast.Call, str]]:
    """Calls that change something in place, each with the name of what they change."""
    inner = {a.arg for n in ast.walk(node) if isinstance(n, ast.Lambda) for a in n.args.args}
    inner |= {
        n.id
        for c in ast.walk(node)
        if isinstance(c, ast.comprehension)
        for n in ast.walk(c.target)
        if isinstance(n, ast.Name)
    }
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and (name := changed_by(call, types)) and name not in inner:
            yield call, name


def changed_by(call: ast.Call, types: Types) -> str:
    """The name of what a call changes in place: its receiver or its first argument; empty if nothing."""
    fact = types.fact(call)
    if fact is None:
        return ""
    if (
        "self" in fact.mutates
        and isinstance(call.func, ast.Attribute)
        and fact.effect not in ("fits", "learns")
    ):
        return root(call.func.value)
    return root(call.args[0]) if "0" in fact.mutates and call.args else ""


def bound_in(node: ast.For | ast.FunctionDef | ast.Lambda) -> set[str]:
    """The names that a loop or function binds itself."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found | {a.arg for n in ast.walk(node) if isinstance(n, ast.arguments) for a in n.args}


def kept_between_rows(
    node: ast.For | ast.FunctionDef | ast.Lambda, types: Types
) -> Iterator[tuple[ast.expr, str]]:
    """What one row changes for the next ones: entries of a dictionary, set or array from outside, each with
    its name.  A place that is named by the number or label of the row is the row's own, and one that keeps
    what was computed for a value (`known[x] = f(x)`) gives the next rows nothing else.
    """
    bound = bound_in(node)
    receivers = {
        id(c.func.value)
        for c in ast.walk(node)
        if isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute)
    }
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in receivers}
    labels = _labels(node) if isinstance(node, ast.For) else set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            name = changed_by(inner, types)
            how = inner.func.attr if isinstance(inner.func, ast.Attribute) else ""
            adds = how in ENTRY_A_ROW and name not in read
            if name and name not in bound and not adds and not _keeps(inner, how, name):
                yield inner, name
            elif _into_a_part(inner) not in ("", *bound):  # groups[city].append(price)
                yield inner, _into_a_part(inner)
        elif isinstance(inner, (ast.Assign, ast.AugAssign)):
            for target in inner.targets if isinstance(inner, ast.Assign) else [inner.target]:
                name = root(target) if isinstance(target, ast.Subscript) else ""
                places = _read([target.slice]) & bound if isinstance(target, ast.Subscript) else set()
                goes_on = isinstance(inner, ast.AugAssign) or name in _read([inner.value])
                if name and name not in bound and places and not places & labels and goes_on:
                    yield target, name


def names_bound(stmt: ast.AST) -> set[str]:
    """The names that an assignment binds."""
    targets = stmt.targets if isinstance(stmt, ast.Assign) else []
    targets = [stmt.target] if isinstance(stmt, ast.AugAssign) else targets
    return {
        n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def carried(node: ast.For) -> Iterator[tuple[ast.stmt, str]]:
    """The assignments of a loop to names that it reads before each turn has bound them."""
    bound = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    early: set[str] = set()
    assignments: list[tuple[ast.stmt, str]] = []
    for stmt in _statements(node.body):
        early |= _read(_own_parts(stmt)) - bound
        names = names_bound(stmt)
        early |= names - bound if isinstance(stmt, ast.AugAssign) else set()
        assignments += [(stmt, name) for name in names]
        bound |= names if stmt in node.body else set()
    yield from ((stmt, name) for stmt, name in assignments if name in early)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body and of all blocks in it, in the order of the text."""
    for stmt in body:
        yield stmt
        for inner in bodies(stmt):
            yield from _statements(inner)


def _own_parts(stmt: ast.stmt) -> list[ast.expr]:
    """The expressions of a statement itself, without the blocks in it."""
    return [node for node in ast.iter_child_nodes(stmt) if isinstance(node, ast.expr)]


def _into_a_part(call: ast.Call) -> str:
    """The name of a container of lists or sets, one of which gets an entry."""
    match call.func:
        case ast.Attribute(value=ast.Subscript() as part, attr="append" | "extend" | "add" | "update"):
            return root(part)
    return ""


def _keeps(call: ast.Call, how: str, name: str) -> bool:
    """`known.setdefault(x, f(x))`, `known.update({x: f(x)})`: what was worked out for a value alone."""
    alone = name not in _read([*call.args, *(k.value for k in call.keywords)])
    by_key = how == "setdefault" or (how == "update" and all(isinstance(a, ast.Dict) for a in call.args))
    return alone and by_key


def _read(nodes: Iterable[ast.AST]) -> set[str]:
    every = (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in every if isinstance(n.ctx, ast.Load)}


def _labels(node: ast.For) -> set[str]:
    """The loop variable that is the label or the number of a row: `for i, row in df.iterrows()`."""
    match node.target, node.iter:
        case ast.Tuple(elts=[ast.Name(id=name), *_]), ast.Call(
            func=ast.Attribute(attr="iterrows" | "items" | "iteritems") | ast.Name(id="enumerate")
        ):
            return {name}
        case ast.Name(id=name), ast.Attribute(attr="index") | ast.Call(func=ast.Name(id="range")):
            return {name}
    return set()


def label_of_row(node: ast.FunctionDef | ast.Lambda) -> ast.Attribute | None:
    """`row.name` in a function of one row: its label."""
    row = node.args.args[0].arg if node.args.args else ""
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(value=ast.Name(id=name), attr="name", ctx=ast.Load()) if name == row:
                return inner
    return None


def repairs(node: ast.Try) -> bool:
    """Whether a handler goes on with other values (and does not only tell or pass) where the rows are at
    fault, and not what columns there are.
    """
    kept = (ast.Assign, ast.AugAssign, ast.AnnAssign)
    of_rows = [h for h in node.handlers if h.type is None or _read([h.type]) - {*SCHEMA}]
    return any(isinstance(n, kept) for handler in of_rows for n in ast.walk(handler))
