"""All nodes below a node, found once: rules ask many times, and `ast.walk` takes most of a lint's time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from nb2prod.analysis.script import Script

_CHILDREN = "_nb2prod_children"
_KEPT = "_nb2prod_nodes"
_TEXT = "_nb2prod_text"


_LEAVES = frozenset([ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Break, ast.Continue, ast.Global])
# fields that hold text, numbers, operators and contexts: nothing to visit
_BARE = frozenset(["ctx", "op", "ops", "id", "attr", "kind", "type_comment", "module", "level", "conversion"])


def children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes right below a node in the order of the text, without operators and contexts; found once."""
    if type(node) in _LEAVES:
        return ()
    kept = node.__dict__.get(_CHILDREN)
    if kept is not None:
        return cast("list[ast.AST]", kept)
    found: list[ast.AST] = []
    for name in node._fields:
        if name in _BARE:
            continue
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [inner for inner in value if isinstance(inner, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    node.__dict__[_CHILDREN] = found
    return found


def nodes(root: ast.AST) -> list[ast.AST]:
    """The node itself and all below it, level by level, without operators and contexts."""
    if type(root) in _LEAVES:
        return [root]
    kept = root.__dict__.get(_KEPT)
    if kept is None:
        kept = root.__dict__[_KEPT] = [*children(root)]  # not the root too: a cycle outlives its notebook
        for node in kept:  # grows while it is walked
            if type(node) not in _LEAVES:
                kept += children(node)
    return [root, *kept]


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
