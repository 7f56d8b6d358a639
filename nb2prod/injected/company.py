"""V4 and V5: whether the rows around it change what a row gets.

V4 takes rows of the training data in other batches: shuffled, reversed, twice, two of them, none.  V5 puts a
value into one row that training never saw: missing, a text unseen or empty, a number far out.  Such a probe
has no answer from training, but alone and within a batch it must come out the same; what
came out is reported.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from .alone import SECONDS, Found, transformed
from .compare import Difference, count, difference, missing_in, take, tolerance
from .lockstep import batch, part

COMPANY = 25  # rows around a probe
BATCHED = 200
UNSEEN = "never seen in training"


def batches(session: Any, rows: pd.DataFrame) -> Found:
    """V4: order, repetition and number of the rows change no row's features."""
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
            return Found(f"{n} rows {name}: {found}", True)
    return Found(f"{n} rows {', '.join(orders)}; none: {_of_nothing(session, rows)}")


def _of_nothing(session: Any, rows: pd.DataFrame) -> str:
    """What no rows give: no features or an error, both of which are answers; serving never asks."""
    found = transformed(session, rows.iloc[:0])
    return "no features" if not isinstance(found, Difference) else str(found).splitlines()[0][:80]


def unseen_values(session: Any, rows: pd.DataFrame, X: Any, say: Callable[[int, int], None]) -> Found:
    """V5: a value unseen gives a row the same alone and in a batch; `X` are the features of training."""
    known, loose = missing_in(X), tolerance(X)
    outcomes: Counter[str] = Counter()
    silent: list[str] = []
    probes, until = list(_probes(session, rows)), time.monotonic() + SECONDS
    before: Any = transformed(session, rows.iloc[[-1]])
    for done, (name, company) in enumerate(probes):
        if time.monotonic() > until:
            outcomes["not made for want of time"] = len(probes) - done
            break
        say(done, len(probes))
        alone = transformed(session, company.iloc[[-1]])
        wrong = _probed(session, name, company, alone, loose)
        if wrong is not None:
            return wrong
        if isinstance(alone, Difference):
            outcomes["refused"] += 1
        elif missing_in(alone) - known:
            outcomes["with a missing feature"] += 1
            silent.append(name)
        else:
            same = not isinstance(before, Difference) and difference(before, alone, loose) is None
            outcomes["without effect" if same else "with other features"] += 1
    text = f"{len(probes)} probes" + "".join(f", {n} {kind}" for kind, n in sorted(outcomes.items()))
    more = f" and {len(silent) - 8} more" if len(silent) > 8 else ""
    return Found(text + (f": {', '.join(silent[:8])}{more}" if silent else ""))


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
            values |= {"unseen": UNSEEN, "empty": ""}
        for name, value in values.items():
            changed = company[column].astype(object)
            changed.iloc[-1] = value
            yield f"{column} {name}", company.assign(**{column: changed})


def _probed(session: Any, name: str, rows: pd.DataFrame, alone: Any, loose: float) -> Found | None:
    """Whether the last row comes out alone as it does in the batch; an error in both is an answer too."""
    within = transformed(session, rows)
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
