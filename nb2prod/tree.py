"""The nodes right below a node of a syntax tree, found once: everything that reads text asks many times."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import cast

_CHILDREN = "_nb2prod_children"
LEAVES = frozenset([ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Break, ast.Continue, ast.Global])
# fields that hold text, numbers, operators and contexts: nothing to visit
_BARE = frozenset(["ctx", "op", "ops", "id", "attr", "kind", "type_comment", "module", "level", "conversion"])
_VISITED: dict[type[ast.AST], tuple[str, ...]] = {}  # the other fields, by type


def children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes right below a node in the order of the text, without operators and contexts."""
    kind = type(node)
    if kind in LEAVES:
        return ()
    held = node.__dict__
    kept = held.get(_CHILDREN)
    if kept is not None:
        return cast("list[ast.AST]", kept)
    names = _VISITED.get(kind)
    if names is None:
        names = _VISITED[kind] = tuple(name for name in node._fields if name not in _BARE)
    found: list[ast.AST] = []
    for name in names:
        value = held.get(name)
        if isinstance(value, ast.AST):
            found.append(value)
        elif value.__class__ is list:
            found += [inner for inner in value if isinstance(inner, ast.AST)]
    held[_CHILDREN] = found
    return found
