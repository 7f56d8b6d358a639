"""Leakage, measured: what the features learn from rows that judge the model, and what the metrics owe to it.

The project can learn from the training rows of its split alone (`fit_on`); both ways are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .session import Failed, Impossible, Session


def leakage(session: Session, say: Callable[[int, int], None]) -> str:
    """What is learned from rows that judge the model, and what the metrics are where it is not."""
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
    named = ", ".join(leaking[:8]) + (f" and {len(leaking) - 8} more" if len(leaking) > 8 else "")
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


def _learned_otherwise(session: Session, state: Any, other: Any) -> list[str]:
    """Keys under which two trainings learned different values; choices of rows are no values."""
    hash_of = session.module("state").joblib.hash
    found = []
    for key, entry in state.entries.items():
        if entry.kind in ("keep", "frame", "table", "parameter"):
            continue
        if key not in other.entries or hash_of(entry.value) != hash_of(other.entries[key].value):
            found.append(key)
    return found
