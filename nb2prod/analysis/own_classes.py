"""Estimators that are classes of the notebook, whatever they call their methods.

class Regression:
    def train(self, X, y):     it keeps what it learns in attributes of its object
        self.w = np.linalg.pinv(X) @ y
    def estimate(self, X):     it is given rows, reads what was learned, and gives something back
        return X @ self.w
"""

from __future__ import annotations

import ast
from collections.abc import Iterator


def learns(definition: ast.ClassDef, name: str) -> tuple[str, ...]:
    """The methods by which an object predicts, if the method with this name is one that learns; else none."""
    methods = {m.name: m for m in definition.body if isinstance(m, ast.FunctionDef)}
    method = methods.get(name)
    if method is None or name.startswith("__") or len(_given(method)) < 2:
        return ()
    learned = set(_attributes(method, ast.Store))
    return tuple(
        other.name
        for other in methods.values()
        if other is not method
        and not other.name.startswith("_")
        and len(_given(other)) == 1
        and learned & set(_read(other, methods, ()))
        and any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(other))
    )


def _given(method: ast.FunctionDef) -> list[str]:
    """The arguments that a call must give, besides the object."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    return [a.arg for a in arguments[1 : len(arguments) - len(method.args.defaults)]]


def _read(
    method: ast.FunctionDef, methods: dict[str, ast.FunctionDef], within: tuple[str, ...]
) -> Iterator[str]:
    """The attributes of its object that a method reads, also through other methods."""
    for name in _attributes(method, ast.Load):
        if name in methods and name not in within:
            yield from _read(methods[name], methods, (*within, name))
        yield name


def _attributes(method: ast.FunctionDef, context: type[ast.expr_context]) -> Iterator[str]:
    own = method.args.args[0].arg if method.args.args else ""
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == own:
            if isinstance(node.ctx, context):
                yield node.attr
