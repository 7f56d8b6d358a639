"""The nodes right below a node of a syntax tree, found once: everything that reads text asks many times."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

CHILDREN = "_nb2prod_children"  # where a node keeps those below it
LEAVES = frozenset([ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Break, ast.Continue, ast.Global])
# fields that hold text, numbers, operators and contexts: nothing to visit
_BARE = frozenset(
    [
        "ctx", "op", "ops", "id", "attr", "kind", "type_comment", "module", "level", "conversion", "name",
        "arg", "rest", "kwd_attrs", "simple", "is_async", "type_ignores",
    ]
)  # fmt: skip
_HOLES = frozenset([ast.Dict, ast.arguments, ast.Nonlocal, ast.MatchSingleton])  # not all in them is a node
_VISITED: dict[type[ast.AST], tuple[str, ...]] = {}  # the other fields, by type


def children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes right below a node in the order of the text, without operators and contexts."""
    kind = node.__class__
    if kind in LEAVES:
        return ()
    held = node.__dict__
    kept: list[ast.AST] | None = held.get(CHILDREN)
    if kept is None:
        kept = held[CHILDREN] = below(held, kind)
    return kept


def below(held: dict[str, Any], kind: type[ast.AST]) -> list[ast.AST]:
    """Finds them: of a node's `__dict__` and type."""
    if kind is ast.Call:  # the most frequent kinds first
        return [held["func"], *held["args"], *held["keywords"]]
    if kind is ast.Attribute or kind is ast.keyword:
        return [held["value"]]
    if kind is ast.Subscript:
        return [held["value"], held["slice"]]
    names = _VISITED.get(kind)
    if names is None:
        names = _VISITED[kind] = tuple(name for name in kind._fields if name not in _BARE)
    found: list[ast.AST] = []
    for name in names:
        value = held.get(name)
        if value.__class__ is list:
            found += value
        elif value is not None:
            found.append(value)
    return [inner for inner in found if isinstance(inner, ast.AST)] if kind in _HOLES else found


def bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The blocks of a statement, in the order of the text."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list):
            yield body
