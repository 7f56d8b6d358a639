"""Whether the run comes to a place in a statement for certain, and whether a missing name there is caught.

try:                              if "df" in globals():          for i in rows:
    df                  caught        df               not            use(i)     certain
except NameError:                                      reached
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nb2prod.analysis.events import bound_names
from nb2prod.analysis.nodes import children
from nb2prod.tree import LEAVES

_CATCHES = {"NameError", "Exception", "BaseException", "UnboundLocalError"}
_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)
_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def tolerated(root: ast.AST, node: ast.AST, name: str) -> bool:
    """A missing name at `node` is caught, or a test that knows about it keeps the run away."""
    return any(_tolerates(parent, child, name) for parent, child in _path(root, node))


def certain(root: ast.AST, node: ast.AST) -> bool:
    """The run comes to `node` whenever it comes to `root`; loops are taken to turn once."""
    return not any(_may_avoid(parent, child) for parent, child in _path(root, node))


def deferred(function: ast.AST, roots: list[ast.AST], call: ast.AST) -> bool:
    """The call does not run the body: a coroutine that is not awaited there, or a generator."""
    if isinstance(function, ast.AsyncFunctionDef):
        awaits = (node for root in roots for node in ast.walk(root) if isinstance(node, ast.Await))
        return not any(node.value is call for node in awaits)
    body = function.body if isinstance(function, ast.FunctionDef) else []
    return any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for stmt in body for inner in _own_nodes(stmt))


def postponed(root: ast.AST, node: ast.AST) -> bool:
    """`squares = (n * k for n in rows)`: all but `rows` is evaluated when somebody takes from it."""
    if not isinstance(root, ast.Assign) or not isinstance(root.value, ast.GeneratorExp):
        return False
    first = root.value.generators[0].iter
    inside = any(parent is root and child is root.value for parent, child in _path(root, node))
    return inside and not any(inner is node for inner in ast.walk(first))


def _path(root: ast.AST, node: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """Pairs of parent and child from the root down to the node."""
    stack: list[tuple[ast.AST, Iterator[ast.AST]]] = [(root, iter(children(root)))]
    while stack:
        for child in stack[-1][1]:
            if child is node:
                nodes = [parent for parent, _ in stack] + [node]
                return list(pairwise(nodes))
            if child.__class__ not in LEAVES:
                stack.append((child, iter(children(child))))
                break
        else:
            stack.pop()
    return []


def _tolerates(parent: ast.AST, child: ast.AST, name: str) -> bool:
    match parent:
        case ast.Try() | ast.TryStar():
            return child in parent.body and any(catches_name_error(handler) for handler in parent.handlers)
        case ast.With() | ast.AsyncWith():
            return child in parent.body and any("suppress" in ast.dump(i.context_expr) for i in parent.items)
        case ast.If() | ast.IfExp() | ast.While() if child is not parent.test:
            known = truth(parent.test)
            return (
                _mentions(parent.test, name)
                or _asks_version(parent.test)
                or (known is not None and known is not _in_body(parent, child))
            )
        case ast.BoolOp():
            return any(_mentions(value, name) for value in parent.values if value is not child)
    return False


def _may_avoid(parent: ast.AST, child: ast.AST) -> bool:
    match parent:
        case ast.If() | ast.IfExp():
            return child is not parent.test and truth(parent.test) is not _in_body(parent, child)
        case ast.BoolOp():
            return child is not parent.values[0]
        case ast.Compare():
            return child in parent.comparators[1:]
        case ast.ExceptHandler() | ast.match_case() | ast.Assert():
            return True
        case ast.For() | ast.AsyncFor() | ast.While():
            return child in parent.orelse or _left_before(parent.body, child)
        case ast.Try() | ast.TryStar():
            later = child in parent.body[1:] or child in parent.orelse
            return later and bool(parent.handlers)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _left_before(parent.body, child)
        case ast.AnnAssign():
            return child is parent.annotation
    return False


def _in_body(parent: ast.If | ast.IfExp | ast.While, child: ast.AST) -> bool:
    return child in parent.body if isinstance(parent.body, list) else child is parent.body


def _left_before(body: list[ast.stmt], child: ast.AST) -> bool:
    """A statement before `child` may leave the function or the loop."""
    for stmt in body:
        if stmt is child:
            return False
        if _may_exit(stmt):
            return True
    return False


def _may_exit(node: ast.AST) -> bool:
    """A statement leaves the function or the loop, or one in it does."""
    if isinstance(node, _EXITS):
        return True
    if isinstance(node, _SIMPLE):
        return False
    return any(isinstance(inner, _BLOCKS) and _may_exit(inner) for inner in children(node))


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement without those of functions in it."""
    yield node
    if not isinstance(node, _SCOPES):
        for child in children(node):
            yield from _own_nodes(child)


def catches_name_error(handler: ast.ExceptHandler) -> bool:
    """A handler of NameError, by its own name or that of a base class."""
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(t, ast.Name) and t.id in _CATCHES for t in types)


def _mentions(test: ast.AST, name: str) -> bool:
    """The test has the name as a string: `"df" in globals()`."""
    return any(isinstance(n, ast.Constant) and n.value == name for n in ast.walk(test))


def _asks_version(test: ast.AST) -> bool:
    """`if sys.version_info < (3,)`, `if six.PY2`: the branch is for another Python, with other builtins."""
    return any(
        (n.attr if isinstance(n, ast.Attribute) else n.id if isinstance(n, ast.Name) else "")
        in ("version_info", "hexversion", "PY2", "PY3", "python_implementation", "python_version")
        for n in ast.walk(test)
    )


def truth(test: ast.expr) -> bool | None:
    """What a constant test is; `TYPE_CHECKING` is false in a run."""
    match test:
        case ast.Constant():
            return bool(test.value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not()):
            inner = truth(test.operand)
            return None if inner is None else not inner
    return None


def chosen(cases: list[ast.match_case], value: object) -> tuple[bool, ast.match_case | None]:
    """Whether constants alone decide which case a value takes, and that case."""
    for case in cases:
        match case:
            case ast.match_case(pattern=ast.MatchAs(pattern=None, name=None), guard=None):
                return True, case
            case ast.match_case(pattern=ast.MatchValue(value=ast.Constant(value=other)), guard=None):
                if other == value:
                    return True, case
            case _:
                return False, None
    return True, None


def happens_once(node: ast.If, loops: Sequence[ast.For | ast.AsyncFor]) -> bool:
    """One of the turns takes it: `if score > best: best = score`, `if n == 2` in `for n in (1, 2)`."""
    if not loops or node.orelse:
        return False
    match node.test:
        case ast.Compare(left=left, ops=[ast.Gt() | ast.Lt() | ast.GtE() | ast.LtE()], comparators=[right]):
            compared = {side.id for side in (left, right) if isinstance(side, ast.Name)}
            return not compared.isdisjoint(bound_names(node.body))
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
            return any(
                isinstance(inner, ast.Constant) and inner.value == value
                for loop in loops
                if isinstance(loop.iter, (ast.Tuple, ast.List))
                and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(loop.target))
                for inner in ast.walk(loop.iter)
            )
    return False
