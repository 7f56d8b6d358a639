"""Where the rows of an expression were first made: followed from operand to operand, through the split.

X_test = scaler.transform(test[cols])     the statement that reads `test`
model.predict([[1, 2, 3]])                nothing: the rows are written there
"""

from __future__ import annotations

import ast

from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow

TABLES = ("pandas.", "numpy.")
Origin = tuple[int, int]  # a statement, and which of the values that it binds
NOWHERE: Origin = (0, 0)


class Rows:
    """Finds where rows begin."""

    def __init__(self, flow: Flow, types: Types, slicer: Slicer) -> None:
        self.flow = flow
        self.types = types
        self.slicer = slicer
        self.binds: dict[int, set[str]] = {}
        for d in flow.defs:
            if d.kind == "bind":
                self.binds.setdefault(d.stmt, set()).add(d.name)

    def origin(self, node: ast.expr, at: int) -> Origin:
        """What makes the rows which `node` has in statement `at`; NOWHERE where that is not known."""
        seen: set[tuple[int, str]] = set()
        found = NOWHERE
        while True:
            name = self._carrier(node)
            if not name or (at, name) in seen:
                return found
            seen.add((at, name))
            makers = [
                stmt
                for stmt in self.slicer.reaching(at, {name})
                if stmt < at and name in self.binds.get(stmt, ())
            ]
            if not makers:
                return found
            at = max(makers)
            value, position = _value_of(self.flow.by_id[at].node, name)
            found = at, position
            if value is None:
                return found
            node = value

    def _carrier(self, node: ast.expr) -> str:
        """The variable that gives an expression its rows."""
        while True:
            match node:
                case ast.Name():
                    return node.id
                case ast.Attribute() | ast.Subscript() | ast.Starred():
                    node = node.value
                case ast.List() | ast.Tuple() if node.elts:
                    node = node.elts[0]
                case ast.BinOp():
                    node = node.left
                case ast.Call(func=ast.Attribute(value=owner)) if self._has_rows(owner):
                    node = owner
                case ast.Call() if node.args:
                    node = node.args[0]
                case ast.Call() if node.keywords:
                    node = node.keywords[0].value
                case _:
                    return ""

    def _has_rows(self, owner: ast.expr) -> bool:
        """Whether a method's rows are those of its owner; else they are those of its first argument."""
        return self.types.of(owner).startswith(TABLES)


def _value_of(node: ast.stmt, name: str) -> tuple[ast.expr | None, int]:
    """What a statement binds to a name: of `a, b = x, y` its part, with the position of that, of a split the
    table that is split.
    """
    found: tuple[ast.expr | None, int] = None, 0
    for inner in ast.walk(node):  # also those inside of a loop
        if not isinstance(inner, ast.Assign):
            continue
        for target in inner.targets:
            parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
            names = [part.id if isinstance(part, ast.Name) else "" for part in parts]
            if name in names:
                found = _part(inner.value, names.index(name), len(names))
    return found


def _part(value: ast.expr, position: int, count: int) -> tuple[ast.expr, int]:
    if count > 1 and isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == count:
        return value.elts[position], position
    if count > 1 and isinstance(value, ast.Call) and count == 2 * len(value.args):
        return value.args[position // 2], 0
    return value, 0
