"""Several models that a list holds and that predict together, such as those of the folds of a loop.

np.mean([m.predict(X) for m in models], axis=0)
for m, w in zip(models, weights): total += w * m.predict(X)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet


def turns(node: ast.AST, names: AbstractSet[str]) -> set[str]:
    """The variables that stand for one after the other of what one of these names holds."""
    return {variable for variable, held in _pairs(node) if held in names}


def holder(node: ast.AST, variable: str) -> str:
    """The name of what a loop or comprehension in `node` goes through with this variable; empty if none."""
    return next((held for name, held in _pairs(node) if name == variable), "")


def added_up(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """`total` and what each turn adds, where a loop does nothing but add up: `total += m.predict(X)`."""
    if not isinstance(node, ast.For) or len(node.body) != 1:
        return None
    match node.body[0]:
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            return name, value
    return None


def _pairs(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Loop variables, each with the name that it goes through."""
    for inner in ast.walk(node):
        if not isinstance(inner, (ast.For, ast.comprehension)):
            continue
        target, iterated = inner.target, inner.iter
        match target, iterated:
            case ast.Name(), ast.Name():
                yield target.id, iterated.id
            case ast.Tuple(elts=[_, ast.Name() as one]), ast.Call(
                func=ast.Name(id="enumerate"), args=[ast.Name() as held]
            ):
                yield one.id, held.id
            case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=given):
                for each, through in zip(targets, given, strict=False):
                    if isinstance(each, ast.Name) and isinstance(through, ast.Name):
                        yield each.id, through.id
