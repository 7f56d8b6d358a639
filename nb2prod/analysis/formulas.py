"""Expressions that pandas reads as text: `frame.eval("total = price * number")`."""

from __future__ import annotations

import ast


def by_row(call: ast.Call) -> bool:
    """Whether the text of an `eval` is known and calls no method, which could look at all rows."""
    text = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "expr"), None)
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return False
    try:
        tree = ast.parse("\n".join(line.strip() for line in text.value.replace("@", "").splitlines()))
    except SyntaxError:
        return False
    return not any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) for n in ast.walk(tree))
