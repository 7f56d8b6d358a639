"""What every name is in a fresh run from top to bottom, and in the order of the recorded counts.

    cell 3 (ran 1st)  x = 1           missing   y in cell 3, read before cell 9 binds it
    cell 5 (ran 4th)  print(x)        moved     x in cell 5: the text says cell 3, the counts say cell 9
    cell 9 (ran 2nd)  x = y = 2

The replay of one order is in `replay.py`; a notebook whose counts rise has only one.
"""

from __future__ import annotations

from collections.abc import Iterable

from nb2prod.analysis.replay import Replay, replay
from nb2prod.analysis.script import Script
from nb2prod.ir.names import Missing, Names, Origin


def names(text: Script) -> Names:
    """The names of a notebook."""
    order = tuple(text.cells)
    counted = _count_order(text)
    differ = counted != tuple(cell for cell in order if cell in set(counted))
    numbers: dict[object, int] | None = {} if differ else None
    fresh = replay(text, order, numbers)
    moved = _moved(fresh, replay(text, counted, numbers)) if differ else ()
    missing = _sorted([*fresh.missing.values(), *fresh.never_bound()])
    bound = {m.name: fresh.places(m.name) for m in missing}
    return Names(missing, _sorted(fresh.unseen.values()), bound, moved)


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
