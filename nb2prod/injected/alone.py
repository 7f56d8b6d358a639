"""V2: whether a row alone gets the features that it gets in training and in any batch.

Three kinds of rows: some drawn at random; rows chosen so that every column is seen missing, at its extremes
and in each of its categories; and probes, which training never saw: a value missing, a text unseen, a number
far out.  A probe has no answer from training, but alone and within a batch it must come out the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .compare import Difference, count, difference, take, tolerance
from .lockstep import Parting, batch, part

DRAWN = 30
CATEGORIES = 40
SECONDS = 120.0
COMPANY = 25  # rows around a probe
UNSEEN = "never seen in training"


@dataclass
class Found:
    """How it went; `row` is the raw row, by position, for which training and serving differ."""

    text: str
    failed: bool = False
    row: int | None = None
    parting: Parting | None = None


def rows_alone(session: Any, ids: np.ndarray, expected: Any, say: Callable[[int, int], None]) -> Found:
    """Compare single rows, batches and probes; `expected` are the features of the raw rows `ids`."""
    rows: pd.DataFrame = session.main.iloc[ids]
    loose = tolerance(expected)
    found = difference(expected, session.transform(rows), loose)
    if found is not None:
        text = f"training against transform of the same rows: {found}"
        return Found(text, True, int(ids[max(found.row, 0)]))
    drawn = np.random.RandomState(0).permutation(len(ids))[:DRAWN].tolist()
    wanted = list(dict.fromkeys([*drawn, *chosen(rows)]))
    done, largest = 0, 0.0
    until = time.monotonic() + SECONDS
    for at in wanted:
        if done >= DRAWN and time.monotonic() > until:
            break
        say(done, len(wanted))
        alone, trained = _transformed(session, rows.iloc[[at]]), take(expected, [at])
        found = alone if isinstance(alone, Difference) else difference(trained, alone, loose)
        if found is not None:
            return Found(f"row {ids[at]}, in training against alone: {found}", True, int(ids[at]))
        strict = difference(trained, alone, 0.0)
        largest = max(largest, strict.size if strict and np.isfinite(strict.size) else 0.0)
        done += 1
    wrong, probes = _batches(session, rows.iloc[wanted[:COMPANY]], loose), 0
    for name, company in _probes(session, rows):
        if wrong is not None or time.monotonic() > until + SECONDS:
            break
        wrong, probes = _probed(session, name, company, loose), probes + 1
    text = f"{done} rows alone ({len(drawn)} drawn, the rest chosen), {probes} probes"
    return wrong or Found(text + (f", largest relative difference {largest:.1e}" if largest else ""))


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


def _batches(session: Any, rows: pd.DataFrame, loose: float) -> Found | None:
    """The order of rows, and rows that occur twice, change nothing."""
    expected = session.transform(rows)
    n = len(rows)
    for name, order in (("reversed", np.arange(n)[::-1]), ("twice", np.repeat(np.arange(n), 2))):
        found = _transformed(session, rows.iloc[order])
        if not isinstance(found, Difference):
            found = difference(take(expected, order), found, loose)
        if found is not None:
            return Found(f"{n} rows {name}: {found}", True)
    return None


def _probes(session: Any, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of which the last one has a value that training did not have."""
    reads = session.data.state.reads
    company = rows.iloc[np.linspace(0, len(rows) - 1, min(COMPANY, len(rows))).astype(int)]
    for column in rows.columns:
        if column in session.targets or (reads is not None and column not in reads):
            continue
        values: dict[str, Any] = {"missing": np.nan}
        if pd.api.types.is_bool_dtype(rows[column]):
            pass
        elif pd.api.types.is_numeric_dtype(rows[column]):
            far = 10 * float(np.nanmax(np.abs(rows[column].to_numpy(dtype=float, na_value=0)), initial=1)) + 1
            values |= {"far above": far, "far below": -far}
        elif pd.api.types.is_object_dtype(rows[column]) or isinstance(rows[column].dtype, pd.StringDtype):
            values["unseen"] = UNSEEN
        for name, value in values.items():
            changed = company[column].astype(object)
            changed.iloc[-1] = value
            yield f"{column} {name}", company.assign(**{column: changed})


def _probed(session: Any, name: str, rows: pd.DataFrame, loose: float) -> Found | None:
    """Whether the last row comes out alone as it does in the batch; an error in both is an answer too."""
    alone, within = _transformed(session, rows.iloc[[-1]]), _transformed(session, rows)
    if isinstance(alone, Difference) and isinstance(within, Difference):
        return None
    failing = next((x for x in (alone, within) if isinstance(x, Difference)), None)
    found = failing or difference(take(within, [count(within) - 1]), alone, loose)
    if found is None:
        return None
    parting = None
    if failing is None:
        last = len(rows) - 1
        left, right = batch(session.serving(rows)), batch(session.serving(rows.iloc[[-1]]))
        left.rows = lambda value: take(value, [last]) if count(value) == last + 1 else None
        parting = part(session.module("features"), left, right, session.targets)
    kind = "alone" if failing is alone else "in a batch"
    text = f"{kind} only, {found}" if failing else f"in a batch against alone: {found}"
    return Found(f"row with {name}: {text}", True, None, parting)


def _transformed(session: Any, rows: pd.DataFrame) -> Any:
    """The features of rows; a Difference where there are none, or not one for each row."""
    try:
        X = session.transform(rows)
    except Exception as error:
        return Difference(f"raises {type(error).__name__}: {error}")
    return X if count(X) == len(rows) else Difference(f"{len(rows)} rows in, {count(X)} out")
