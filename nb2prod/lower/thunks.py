"""The function without arguments that makes a value again, as text."""

from __future__ import annotations

import ast
import re

from nb2prod.analysis.events import AT_NAME

QUERY = re.compile(r"\.(?:query|eval)\(")


def thunk(text: str) -> str:
    """A bound method where the text calls one without arguments, else a lambda."""
    node = ast.parse(f"({text}\n)", mode="eval").body
    match node:
        case ast.Call(func=ast.Attribute(end_lineno=line, end_col_offset=end), args=[], keywords=[]):
            lines = f"({text}".encode().split(b"\n")[:line]
            return b"\n".join([*lines[:-1], lines[-1][:end]])[1:].decode()
        case _:
            return as_lambda(text)


def as_lambda(text: str) -> str:
    """A lambda; what `df.query("a < @limit")` reads by its text must be a variable of the lambda itself."""
    names = dict.fromkeys(AT_NAME.findall(text)) if QUERY.search(text) else {}
    bound = ", ".join(f"{name}={name}" for name in names)
    return f"lambda {bound}: {text}" if bound else f"lambda: {text}"
