"""What every name is in a fresh run from top to bottom, and in the order of the recorded counts.

    cell 3 (ran 1st)  x = 1           missing   y in cell 3, read before cell 9 binds it
    cell 5 (ran 4th)  print(x)        moved     x in cell 5: the text says cell 3, the counts say cell 9
    cell 9 (ran 2nd)  x = y = 2

The replay of one order is in `replay.py`; a notebook whose counts rise has only one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nb2prod.analysis.nodes import nodes
from nb2prod.analysis.replay import Replay, replay
from nb2prod.analysis.script import Script
from nb2prod.analysis.streams import drawing
from nb2prod.ir.names import Missing, Names, Origin
from nb2prod.source import Span


def names(text: Script) -> Names:
    """The names of a notebook."""
    order = tuple(text.cells)
    counted = _count_order(text)
    differ = counted != tuple(cell for cell in order if cell in set(counted))
    numbers: dict[object, int] | None = {} if differ else None
    drawn = drawing(text) if differ else frozenset()
    fresh = replay(text, order, numbers, drawn)
    moved = _moved(fresh, replay(text, counted, numbers, drawn)) if differ else ()
    missing = _sorted([*fresh.missing.values(), *fresh.never_bound()])
    if any(_postpones(stmt.node) for stmt, _ in text.stmts()):
        annotated = _annotated(text)
        missing = tuple(m for m in missing if m.read not in annotated)
    bound = {m.name: fresh.places(m.name) for m in missing}
    return Names(missing, _sorted(fresh.unseen.values()), bound, moved)


def _postpones(node: ast.stmt) -> bool:
    """`from __future__ import annotations`: no annotation is evaluated, in this cell and below."""
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
    )


def _annotated(text: Script) -> set[Span]:
    """The places of names in annotations."""
    found: set[Span] = set()
    for stmt, _ in text.stmts():
        for node in nodes(stmt.node):
            parts: list[ast.expr | None] = []
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                parts.append(node.returns)
            elif isinstance(node, (ast.arg, ast.AnnAssign)):
                parts.append(node.annotation)
            inner = (name for part in parts if part is not None for name in nodes(part))
            found |= {stmt.text.head(name) for name in inner if isinstance(name, ast.Name)}
    return found


def _sorted(found: Iterable[Missing]) -> tuple[Missing, ...]:
    return tuple(sorted(found, key=lambda missing: (missing.place, missing.name)))


def _count_order(script: Script) -> tuple[int, ...]:
    """The cells that have a count, in its order."""
    runs = [(script.notebook.cells[index].run, index) for index in script.cells]
    return tuple(index for run, index in sorted((run, index) for run, index in runs if run))


def _moved(fresh: Replay, counted: Replay) -> tuple[tuple[Origin, Origin], ...]:
    """Reads that see the work of other statements in the one order than in the other.

    What only inherits a difference (same writers, other inputs) is left out: the fault is upstream.  Of the
    reads with the same fault the first is kept.
    """
    found: dict[object, tuple[Origin, Origin]] = {}
    for key, first in fresh.origins.items():
        second = counted.origins.get(key)
        if second and first.writers != second.writers and first.number != second.number:
            found.setdefault((first.writers, second.writers), (first, second))
    return tuple(found.values())
