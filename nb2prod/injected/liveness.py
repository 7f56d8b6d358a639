"""V6: whether each learned value matters to some row.

Each value of the state is changed in turn.  If the features of the training rows stay what they were, those
of the probes with values unseen are looked at: what only they show was never used in training and is verified
by them alone; what not even they show is not verified at all, and is named.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .alone import SECONDS, Found, chosen, transformed
from .compare import Difference, difference
from .unseen import probes_of

ROWS = 200
UNUSED = ("parameter", "keep", "merge")  # settings, and what training counted
DTYPES = (np.dtype, pd.api.extensions.ExtensionDtype)  # of a column: they choose statements, not values


def live_state(session: Any, rows: pd.DataFrame, say: Callable[[int, int], None]) -> Found:
    """Every learned value changes the features of a training row, else those of a probe."""
    spread = np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int).tolist()
    rows = rows.iloc[list(dict.fromkeys([*spread, *chosen(rows)]))]
    state = session.data.state
    asked = [
        name
        for name, e in state.entries.items()
        if e.always and e.kind not in UNUSED and not isinstance(e.value, DTYPES)
    ]
    expected, until = session.transform(rows), time.monotonic() + SECONDS
    quiet = []
    for done, name in enumerate(asked):
        if time.monotonic() > until:
            return Found(f"{done} of {len(asked)} learned values looked at; no time for the rest")
        say(done, len(asked))
        if not _matters(session, name, rows, expected):
            quiet.append(name)
    unused = _unseen_by_probes(session, rows, quiet) if quiet else []
    probed = [name for name in quiet if name not in unused]
    text = f"{len(asked) - len(quiet)} of {len(asked)} learned values matter to a row of training"
    text += f"; to a probe only: {', '.join(probed)}" if probed else ""
    text += f"; to none: {', '.join(unused)}" if unused else ""
    return Found(text, facts={"probed": probed, "unused": unused})


def _unseen_by_probes(session: Any, rows: pd.DataFrame, names: list[str]) -> list[str]:
    """Those of the learned values that change no probe either."""
    left, until = list(names), time.monotonic() + SECONDS
    for probe in probes_of(session, rows):
        if not left or time.monotonic() > until:
            break
        expected = transformed(session, probe.row)
        if not isinstance(expected, Difference):
            left = [name for name in left if not _matters(session, name, probe.row, expected)]
    return left


def _matters(session: Any, name: str, rows: pd.DataFrame, expected: Any) -> bool:
    """Whether another value under `name` gives the rows other features, or none at all."""
    entry = session.data.state.entries[name]
    own, entry.value = entry.value, other(entry.value)
    try:
        found = transformed(session, rows)
    finally:
        entry.value = own
    return isinstance(found, Difference) or difference(expected, found, 0.0) is not None


def other(value: Any) -> Any:
    """A value of the same kind that is not this one; instead of an object, one that does nothing."""
    changed = _changed(value)
    return object() if changed is None else changed


def _changed(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return not value
    if isinstance(value, int | float | np.number):
        return value * 3 + 7 if value == value else 7.0
    if isinstance(value, str):
        return value + " changed"
    if isinstance(value, pd.Series | pd.DataFrame):
        return _changed_table(value)
    if isinstance(value, pd.Index):
        return value[:-1] if len(value) else None
    if isinstance(value, np.ndarray):
        return (
            value * 3 + 7 if value.dtype.kind in "iuf" else value[:-1] if value.ndim and len(value) else None
        )
    if isinstance(value, list | tuple) and value:
        items = [_changed(item) for item in value]
        return None if any(item is None for item in items) else type(value)(items)
    if isinstance(value, dict) and value:
        changed = copy.copy(value)
        changed |= {key: _changed(item) for key, item in value.items()}
        return changed
    return None


def _changed_table(value: Any) -> Any:
    """Numbers become others, texts and categories are taken away."""
    try:
        return value * 3 + 7
    except TypeError:
        return value.iloc[:0]
