"""V2: whether a row alone gets the features that it got in training.

Two kinds of rows: some drawn at random, and rows chosen so that every column is seen missing, at its extremes
and in each of its categories.  `company.py` asks the same of batches, and of values that training never saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .compare import Difference, count, difference, take, tolerance
from .lockstep import Parting

DRAWN = 30
CATEGORIES = 40
SECONDS = 120.0


@dataclass
class Found:
    """How it went; `row` is the raw row, by position, for which training and serving differ.

    `facts` is what the compile wants to know of it.
    """

    text: str
    failed: bool = False
    row: int | None = None
    parting: Parting | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def rows_alone(
    session: Any, ids: np.ndarray, expected: Any, say: Callable[[int, int], None], covering: bool = True
) -> Found:
    """Compare single rows; `expected` are the features of the raw rows `ids`; `covering` adds chosen ones."""
    rows: pd.DataFrame = session.main.iloc[ids]
    loose = tolerance(expected)
    found = difference(expected, session.transform(rows), loose)
    if found is not None:
        text = f"training against transform of the same rows: {found}"
        return Found(text, True, int(ids[max(found.row, 0)]))
    drawn = np.random.RandomState(0).permutation(len(ids))[:DRAWN].tolist()
    wanted = list(dict.fromkeys([*drawn, *(chosen(rows) if covering else ())]))
    done, largest = 0, 0.0
    until = time.monotonic() + SECONDS
    for at in wanted:
        if done >= DRAWN and time.monotonic() > until:
            break
        say(done, len(wanted))
        alone, trained = transformed(session, rows.iloc[[at]]), take(expected, [at])
        found = alone if isinstance(alone, Difference) else difference(trained, alone, loose)
        if found is not None:
            return Found(f"row {ids[at]}, in training against alone: {found}", True, int(ids[at]))
        strict = difference(trained, alone, 0.0)
        largest = max(largest, strict.size if strict and np.isfinite(strict.size) else 0.0)
        done += 1
    text = f"{done} rows alone ({len(drawn)} drawn, the rest chosen)"
    return Found(text + (f", largest relative difference {largest:.1e}" if largest else ""))


def chosen(rows: pd.DataFrame) -> list[int]:
    """Positions of rows that show each column missing, at its extremes, and in each of few categories."""
    found: list[int] = []
    for at in range(rows.shape[1]):
        column = rows.iloc[:, at]
        missing = column.isna().to_numpy()
        found += np.flatnonzero(missing)[:1].tolist()
        known = column[~missing]
        if not len(known):
            continue
        try:
            distinct = known.drop_duplicates()
        except TypeError:  # cells that are lists
            continue
        place = pd.Series(np.flatnonzero(~missing), index=known.index)
        if len(distinct) <= CATEGORIES:
            found += np.flatnonzero(~missing)[~known.duplicated().to_numpy()].tolist()
        elif pd.api.types.is_numeric_dtype(known) or pd.api.types.is_datetime64_any_dtype(known):
            order = known.to_numpy()
            found += [int(place.iloc[order.argmin()]), int(place.iloc[order.argmax()])]
    return found


def transformed(session: Any, rows: pd.DataFrame) -> Any:
    """The features of rows; a Difference where there are none, or not one for each row."""
    try:
        X = session.transform(rows)
    except Exception as error:
        return Difference(f"raises {type(error).__name__}: {error}")
    return X if count(X) == len(rows) else Difference(f"{len(rows)} rows in, {count(X)} out")
