"""All nodes below a node, found once: rules ask many times, and `ast.walk` takes most of a lint's time."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from nb2prod.tree import CHILDREN, LEAVES, below, children

__all__ = ["children", "dumped", "inner_calls", "method", "nodes", "text_with", "valued"]

_KEPT = "_nb2prod_nodes"
_TEXT = "_nb2prod_text"
_CALLS = "_nb2prod_calls"


def nodes(root: ast.AST) -> list[ast.AST]:
    """The node itself and all below it, level by level, without operators and contexts."""
    if root.__class__ in LEAVES:
        return [root]
    kept = root.__dict__.get(_KEPT)
    if kept is None:
        kept = root.__dict__[_KEPT] = [*children(root)]  # not the root too: a cycle outlives its notebook
        for node in kept:  # grows while it is walked
            kind = node.__class__
            if kind not in LEAVES:
                held = node.__dict__
                found = held.get(CHILDREN)
                if found is None:  # as `children` does: a call for each node is too slow
                    found = held[CHILDREN] = below(held, kind)
                kept += found
    return [root, *kept]


def inner_calls(root: ast.AST) -> list[ast.Call]:
    """The calls among `nodes(root)`."""
    kept: list[ast.Call] | None = root.__dict__.get(_CALLS)
    if kept is None:
        every = nodes(root)
        kept = root.__dict__[_CALLS] = [n for n in every if n.__class__ is ast.Call and n is not root]
    return [root, *kept] if root.__class__ is ast.Call else kept


def method(call: ast.Call) -> str:
    """The name of the method that is called; empty where it is a function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def names_in(node: ast.AST | None) -> set[str]:
    """The names that stand in a node, whatever is done with them; none in nothing."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()


def valued(node: ast.AST) -> list[ast.Name]:
    """The names that an expression has values of; `wanted` in `prices[wanted]` only chooses among them."""
    chosen_by = {id(n) for s in ast.walk(node) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in chosen_by]


def dumped(node: ast.AST) -> str:
    """The whole tree as text, the same for the same code."""
    kept: str | None = node.__dict__.get(_TEXT)
    if kept is None:
        kept = node.__dict__[_TEXT] = _text(node)
    return kept


def _text(value: object) -> str:
    """As `ast.dump` tells trees apart, at half its cost."""
    if isinstance(value, ast.AST):
        parts = [_text(getattr(value, name, None)) for name in value._fields]
        return f"{type(value).__name__}({','.join(parts)})"
    if isinstance(value, list):
        return f"[{','.join([_text(inner) for inner in value])}]"
    return repr(value)


def text_with(value: ast.expr, texts: Mapping[str, str]) -> str:
    """The text of an expression with other texts for the parts with these dumps."""

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            text = texts.get(ast.dump(node)) if isinstance(node, ast.expr) else None
            return self.generic_visit(node) if text is None else ast.parse(text, mode="eval").body

    return ast.unparse(Put().visit(ast.parse(ast.unparse(value), mode="eval")))
