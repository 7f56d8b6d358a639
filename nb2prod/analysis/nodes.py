"""All nodes below a node, found once: rules ask many times, and `ast.walk` takes most of a lint's time."""

from __future__ import annotations

import ast
from typing import cast

from nb2prod.analysis.script import Script

_KEPT = "_nb2prod_nodes"
_TEXT = "_nb2prod_text"


def nodes(root: ast.AST) -> list[ast.AST]:
    """The node itself and all below it, level by level, without contexts such as `Load`."""
    kept = root.__dict__.get(_KEPT)
    if kept is not None:
        return cast("list[ast.AST]", kept)
    found = [root]
    for node in found:  # grows while it is walked
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += [inner for inner in value if isinstance(inner, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                found.append(value)
    root.__dict__[_KEPT] = found
    return found


def dumped(node: ast.AST) -> str:
    """The whole tree as text, the same for the same code."""
    kept = node.__dict__.get(_TEXT)
    if kept is None:
        kept = node.__dict__[_TEXT] = ast.dump(node)
    return cast("str", kept)


def kinds(script: Script) -> frozenset[type[ast.AST]]:
    """The types of all nodes of a notebook."""
    return frozenset(type(node) for stmt, _ in script.stmts() for node in nodes(stmt.node))
