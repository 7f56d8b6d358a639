"""V5: what becomes of a row with a value that training never saw.

Each probe is one row of the training data with one value changed: missing, a text unseen or empty, a number
or time far out, or the same value in another type (a number as text, as JSON and small files have it).
Training has no answer for such a row, but alone and within a batch it must come out the same, and the same
value in another type must give what it gave.  What came out is kept: rules and reports speak of it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .alone import SECONDS, Found, transformed
from .compare import Difference, count, difference, missing_in, take, tolerance
from .lockstep import batch, part

COMPANY = 25  # rows around the probes
UNSEEN = "never seen in training"
RETYPED = ("number as text", "whole number as float", "truth value as number")


@dataclass(frozen=True)
class Probe:
    """One column of one row changed; `before` and `row` are frames of that row alone."""

    column: Any
    kind: str
    before: pd.DataFrame
    row: pd.DataFrame

    def __str__(self) -> str:
        return f"{self.column} {self.kind}"


def unseen_values(session: Any, rows: pd.DataFrame, X: Any, say: Callable[[int, int], None]) -> Found:
    """A value unseen gives a row the same alone and in a batch; `X` are the features of training."""
    loose, until = tolerance(X), time.monotonic() + SECONDS
    company = rows.iloc[np.linspace(0, len(rows) - 1, min(COMPANY, len(rows))).astype(int)]
    probes, made = list(probes_of(session, rows)), []
    outcomes: list[dict[str, Any]] = []
    for done, probe in enumerate(probes):
        if time.monotonic() > until:
            break
        say(done, len(probes))
        alone = transformed(session, probe.row)
        outcomes.append(_outcome(session, probe, alone, missing_in(X), loose))
        if probe.kind in RETYPED and outcomes[-1]["outcome"] not in ("refused", "same"):
            return Found(f"row with {probe}: other features than the same value gave in training", True)
        made.append((probe, alone))
    wrong = _together(session, company, made, loose)
    if wrong is not None:
        return wrong
    return Found(_text(outcomes, len(probes) - len(made)), facts={"probes": outcomes})


def probes_of(session: Any, rows: pd.DataFrame) -> Iterator[Probe]:
    """The probes of each column that some feature reads."""
    reads = session.data.state.reads
    for column in rows.columns:
        if column in session.targets or (reads is not None and str(column) not in reads):
            continue
        known = np.flatnonzero(rows[column].notna().to_numpy())
        for kind, value in _values(rows[column]).items():
            # the same value in another type needs a row that has one
            at = known[-1] if kind in RETYPED else len(rows) - 1
            before = rows.iloc[[at]]
            row = before.copy()
            row[column] = pd.Series([value], index=row.index, dtype=object)
            yield Probe(column, kind, before, row)


def _values(column: pd.Series) -> dict[str, Any]:
    """The values to try in a column, by what they are."""
    found: dict[str, Any] = {"missing": np.nan}
    known = column.dropna()
    if not len(known):
        return found
    last = known.iloc[-1]
    if pd.api.types.is_bool_dtype(known):
        found["truth value as number"] = int(last)
    elif pd.api.types.is_numeric_dtype(known):
        far = 10 * float(np.nanmax(np.abs(known.to_numpy(dtype=float)), initial=1)) + 1
        found |= {"far above": far, "far below": -far, "number as text": str(last)}
        if pd.api.types.is_integer_dtype(known):
            found["whole number as float"] = float(last)
    elif pd.api.types.is_datetime64_any_dtype(known):
        ten_years = pd.Timedelta(days=3650)
        found |= {"far above": known.max() + ten_years, "far below": known.min() - ten_years}
    elif pd.api.types.is_object_dtype(known) or isinstance(known.dtype, pd.StringDtype):
        found |= {"unseen": UNSEEN, "empty": ""}
    return found


def _outcome(session: Any, probe: Probe, alone: Any, known: set[str], loose: float) -> dict[str, Any]:
    """What the row came to: refused, missing (features without a value), same or other."""
    found = {"column": str(probe.column), "kind": probe.kind, "features": [], "detail": ""}
    if isinstance(alone, Difference):
        return {**found, "outcome": "refused", "detail": alone.text.splitlines()[0][:200]}
    lost = sorted(missing_in(alone) - known)
    if lost:
        return {**found, "outcome": "missing", "features": lost}
    before = transformed(session, probe.before)
    same = not isinstance(before, Difference) and difference(before, alone, loose) is None
    return {**found, "outcome": "same" if same else "other"}


def _together(
    session: Any, company: pd.DataFrame, made: list[tuple[Probe, Any]], loose: float
) -> Found | None:
    """Each probe within a batch; those that give features alone are in one batch together first."""
    given = [(probe, alone) for probe, alone in made if not isinstance(alone, Difference)]
    refused = [(probe, alone) for probe, alone in made if isinstance(alone, Difference)]
    rows = pd.concat([company.astype(object), *(probe.row.astype(object) for probe, _ in given)])
    within = transformed(session, rows)
    first = len(company)
    agree = not isinstance(within, Difference) and all(
        difference(take(within, [first + at]), alone, loose) is None for at, (_, alone) in enumerate(given)
    )
    for probe, alone in refused if agree else made:
        wrong = _within(session, probe, company, alone, loose)
        if wrong is not None:
            return wrong
    return None


def _within(session: Any, probe: Probe, company: pd.DataFrame, alone: Any, loose: float) -> Found | None:
    """Whether the row comes out alone as it does in a batch; an error in both is an answer too."""
    rows = pd.concat([company.astype({probe.column: object}), probe.row])
    within = transformed(session, rows)
    if isinstance(alone, Difference) and isinstance(within, Difference):
        return None
    failing = next((x for x in (alone, within) if isinstance(x, Difference)), None)
    found = failing or difference(take(within, [count(within) - 1]), alone, loose)
    if found is None:
        return None
    last = len(rows) - 1
    left, right = batch(session.serving(rows)), batch(session.serving(probe.row))
    left.rows = lambda value: take(value, [last]) if count(value) == last + 1 else None
    parting = part(session.module("features"), left, right, session.targets)
    kind = "alone" if failing is alone else "in a batch"
    text = f"{kind} only, {found}" if failing else f"in a batch against alone: {found}"
    return Found(f"row with {probe}: {text}", True, None, parting)


def _text(outcomes: list[dict[str, Any]], not_made: int) -> str:
    words = {
        "refused": "refused",
        "missing": "without a value for some feature",
        "other": "with other features",
        "same": "without effect",
    }
    counts = Counter(one["outcome"] for one in outcomes)
    parts = [f"{counts[name]} {text}" for name, text in words.items() if counts[name]]
    if not_made:
        parts.append(f"{not_made} not made for want of time")
    return f"{len(outcomes)} probes: {', '.join(parts)}"
