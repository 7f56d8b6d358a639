"""Leakage, measured: what the features learn from rows that judge the model, and what the metrics owe to it.

The project can learn from the training rows of its split alone (`fit_on`); both ways are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .alone import SECONDS
from .compare import EXACT, SINGLE, difference
from .session import Failed, Impossible, Say, Session


def leakage(session: Session, say: Say) -> str:
    """What is learned from rows that judge the model, and what the metrics are where it is not."""
    if session.judged is not None and len(session.judged):
        return _by_hand(session, say)
    data, fitted = session.trained(), session.model()
    if data.eval_ids is None or not hasattr(session.settings(), "fit_on"):
        raise Impossible("no split is seen that sets rows apart to judge the model", "not_applicable")
    corrected = session.request["fit_on"] == "train"
    try:
        with session.learned_apart() as apart:
            leaking = _learned_otherwise(session, data.state, apart.state)
            other = session.model() if leaking else fitted
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise Impossible(f"learning from the training rows alone fails: {text}") from error
    if not leaking:
        return "nothing is learned from the rows that judge the model"
    named = _listed(leaking)
    stable = [name for name in session.baseline.metrics if name not in session.request["unstable"]]
    figures = [
        f"{name} {float(fitted.metrics[name]):.6g} as written, {float(other.metrics[name]):.6g} without"
        for name in stable
        if name in fitted.metrics and name in other.metrics
    ]
    text = f"{named} learned from evaluation rows too" + (f": {'; '.join(figures)}" if figures else "")
    if not corrected:
        raise Failed(f"{text}; --fit-on train corrects it")
    return f"{text}; the project learns from the training rows alone"


def _by_hand(session: Session, say: Say) -> str:
    """A split by hand cannot be made first: what is learned must stay as it is when the judging rows change.

    One column after the other gets values of training rows in them; a column by which the rows were chosen
    says nothing.
    """
    data, main, rows = session.trained(), session.main, session.judged
    assert rows is not None
    kept = np.unique(np.asarray(data.train_ids)[np.asarray(data.train_ids) >= 0])
    leaking: dict[str, None] = {}
    tried = 0
    source = np.arange(len(main))
    source[rows] = kept[0]
    until = time.monotonic() + SECONDS
    for at in range(len(main.columns)):
        if time.monotonic() > until:
            break
        say(at, len(main.columns))
        values = main.iloc[source, at]
        other = main.copy()
        other.isetitem(at, values.array)
        raw = other if main is session.raw else {**session.raw, next(iter(session.raw)): other}
        try:
            with session.learning_from(raw) as found:
                if np.array_equal(found.train_ids, data.train_ids):
                    leaking |= dict.fromkeys(_learned_otherwise(session, data.state, found.state))
                    tried += 1
        except Exception:  # these values do not go with the others in their rows
            continue
    if not tried:
        raise Impossible("the rows that judge the model cannot be changed without changing which they are")
    if leaking:
        raise Failed(f"{_listed(list(leaking))} learned from the rows that judge the model too")
    seen = "" if tried == len(main.columns) else f", as far as {tried} of {len(main.columns)} columns tell"
    return f"nothing is learned from the {len(rows)} rows that judge the model{seen}"


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:8]) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")


def _learned_otherwise(session: Session, state: Any, other: Any) -> list[str]:
    """Keys under which two trainings learned different values; choices of rows are no values."""
    hash_of = session.module("state").joblib.hash
    found = []
    for key, entry in state.entries.items():
        if entry.kind in ("keep", "frame", "table", "parameter"):
            continue
        if key not in other.entries or not _alike(entry.value, other.entries[key].value, hash_of):
            found.append(key)
    return found


def _alike(one: Any, other: Any, hash_of: Callable[[Any], str]) -> bool:
    """Whether two learned values are equal, but for the order of sums: a table and the rows that a split
    takes of it lie otherwise in memory, and NumPy adds them up in another order.
    """
    if hash_of(one) == hash_of(other):
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, (float, np.floating, np.ndarray)):
        a, b = np.asarray(one), np.asarray(other)
        rtol = SINGLE if a.dtype == np.float32 else EXACT
        floats = a.dtype == b.dtype and a.dtype.kind == "f" and a.shape == b.shape
        return floats and np.allclose(a, b, rtol=rtol, atol=0, equal_nan=True)
    if isinstance(one, (pd.DataFrame, pd.Series)):
        return one.index.equals(other.index) and difference(one, other, dtypes=True) is None
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(_alike(a, b, hash_of) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return [*one] == [*other] and all(_alike(one[key], other[key], hash_of) for key in one)
    parts = getattr(one, "__dict__", None)
    return bool(parts) and _alike(parts, other.__dict__, hash_of)
