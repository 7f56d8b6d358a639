"""What a display statement shows, each value with the text that stands before it.

print("RMSE:", rmse)                        rmse, labelled "RMSE:"
print("MAPE: {:.2f}%".format(mape))         mape, labelled "MAPE: "
print(f"precision = {tp / (tp + fp):.3f}")  the quotient, labelled "precision = "
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

PLACES = {"format": re.compile(r"\{[^{}]*\}"), "%": re.compile(r"%[-+ #0-9.]*[diouxXeEfFgGcrsa]")}


def shown(node: ast.expr) -> Iterator[ast.expr]:
    """The arguments of print, the parts of f-strings and formats."""
    return (value for _, value in labelled(node))


def labelled(node: ast.expr, label: str = "") -> Iterator[tuple[str, ast.expr]]:
    """The same with the texts before them; `label` is the one before the whole."""
    match node:
        case ast.Call(func=ast.Name(id="print" | "display")):
            yield from _in_turn(node.args, label)
        case ast.JoinedStr():
            yield from _in_turn(node.values, label)
        case ast.FormattedValue():
            yield from labelled(node.value, label)
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Add()):
            yield from labelled(node.right, text)
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod()):
            given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            yield from _in_places(given, text, "%", label)
        case ast.Tuple():
            yield from _in_turn(node.elts, label)
        case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant(value=str() as text))):
            yield from _in_places(node.args, text, "format", label)
        case ast.Call(func=ast.Name(id="round" | "str" | "float"), args=[inner, *_]):
            yield from labelled(inner, label)
        case _:
            yield label, node


def _in_turn(parts: list[ast.expr], label: str) -> Iterator[tuple[str, ast.expr]]:
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            label = part.value
        else:
            yield from labelled(part, label)


def _in_places(given: list[ast.expr], text: str, kind: str, label: str) -> Iterator[tuple[str, ast.expr]]:
    """Values that go into a format, each with the text between the place before it and its own."""
    between = PLACES[kind].split(text)
    for position, value in enumerate(given):
        before = between[position] if position < len(between) else ""
        yield from labelled(value, before if before.strip() else label)
