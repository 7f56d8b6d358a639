"""V4: whether the batch around a row changes what the row gets.

Rows of the training data come in other batches: shuffled, reversed, twice, two of them, none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .alone import Found, transformed
from .compare import Difference, count, difference, take, tolerance
from .lockstep import Parting, batch, part

BATCHED = 200


def batches(session: Any, rows: pd.DataFrame) -> Found:
    """Order, repetition and number of the rows change no row's features."""
    rows = rows.iloc[np.linspace(0, len(rows) - 1, min(BATCHED, len(rows))).astype(int)]
    expected, n = session.transform(rows), len(rows)
    orders = {
        "shuffled": np.random.RandomState(1).permutation(n),
        "reversed": np.arange(n)[::-1],
        "twice": np.repeat(np.arange(n), 2),
        "two of them": np.array([n - 1, 0]),
    }
    for name, order in orders.items():
        found = transformed(session, rows.iloc[order])
        if not isinstance(found, Difference):
            found = difference(take(expected, order), found, tolerance(expected))
        if found is not None:
            return Found(f"{n} rows {name}: {found}", True, None, _parting(session, rows, order))
    return Found(f"{n} rows {', '.join(orders)}; none: {_of_nothing(session, rows)}")


def _parting(session: Any, rows: pd.DataFrame, order: np.ndarray) -> Parting | None:
    """The first statement that gives the rows, in this order, something else."""
    left, right = batch(session.serving(rows)), batch(session.serving(rows.iloc[order]))
    left.rows = lambda value: take(value, order) if count(value) == len(rows) else None
    return part(session.module("features"), left, right, session.targets)


def _of_nothing(session: Any, rows: pd.DataFrame) -> str:
    """What no rows give: no features or an error, both of which are answers; serving never asks."""
    found = transformed(session, rows.iloc[:0])
    return "no features" if not isinstance(found, Difference) else str(found).splitlines()[0][:80]
