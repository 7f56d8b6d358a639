"""All nodes below a node, found once: rules ask many times, and `ast.walk` takes most of a lint's time."""

from __future__ import annotations

import ast
from typing import cast

from nb2prod.analysis.script import Script

_KEPT = "_nb2prod_nodes"


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


def kinds(script: Script) -> frozenset[type[ast.AST]]:
    """The types of all nodes of a notebook."""
    return frozenset(type(node) for stmt, _ in script.stmts() for node in nodes(stmt.node))
