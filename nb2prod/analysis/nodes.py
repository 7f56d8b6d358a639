"""All nodes below a node, found once: rules ask many times, and `ast.walk` takes most of a lint's time."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from nb2prod.tree import LEAVES, children

if TYPE_CHECKING:
    from nb2prod.analysis.script import Script

__all__ = ["children", "dumped", "inner_calls", "kinds", "method", "nodes", "valued"]

_KEPT = "_nb2prod_nodes"
_TEXT = "_nb2prod_text"
_CALLS = "_nb2prod_calls"


def nodes(root: ast.AST) -> list[ast.AST]:
    """The node itself and all below it, level by level, without operators and contexts."""
    if type(root) in LEAVES:
        return [root]
    kept = root.__dict__.get(_KEPT)
    if kept is None:
        kept = root.__dict__[_KEPT] = [*children(root)]  # not the root too: a cycle outlives its notebook
        for node in kept:  # grows while it is walked
            if type(node) not in LEAVES:
                kept += children(node)
    return [root, *kept]


def inner_calls(root: ast.AST) -> list[ast.Call]:
    """The calls among `nodes(root)`."""
    kept = root.__dict__.get(_CALLS)
    if kept is None:
        kept = root.__dict__[_CALLS] = [node for node in nodes(root)[1:] if isinstance(node, ast.Call)]
    return [root, *kept] if isinstance(root, ast.Call) else cast("list[ast.Call]", kept)


def method(call: ast.Call) -> str:
    """The name of the method that is called; empty where it is a function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def valued(node: ast.AST) -> list[ast.Name]:
    """The names that an expression has values of; `wanted` in `prices[wanted]` only chooses among them."""
    chosen_by = {id(n) for s in ast.walk(node) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in chosen_by]


def dumped(node: ast.AST) -> str:
    """The whole tree as text, the same for the same code."""
    kept = node.__dict__.get(_TEXT)
    if kept is None:
        kept = node.__dict__[_TEXT] = _text(node)
    return cast("str", kept)


def _text(value: object) -> str:
    """As `ast.dump` tells trees apart, at half its cost."""
    if isinstance(value, ast.AST):
        parts = [_text(getattr(value, name, None)) for name in value._fields]
        return f"{type(value).__name__}({','.join(parts)})"
    if isinstance(value, list):
        return f"[{','.join([_text(inner) for inner in value])}]"
    return repr(value)


def kinds(script: Script) -> frozenset[type[ast.AST]]:
    """The types of all nodes of a notebook."""
    return frozenset(type(node) for stmt, _ in script.stmts() for node in nodes(stmt.node))
