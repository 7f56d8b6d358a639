"""What the project comes to: its metrics and its predictions."""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np

from .compare import BATCH, EXACT, SINGLE, count, difference, flat, take
from .session import Failed, Impossible, Say, Session


def metrics(session: Session, say: Say) -> str:
    """The project's metrics are the notebook's."""
    expected = {k: v for k, v in session.baseline.metrics.items() if k not in session.request["unstable"]}
    fitted = session.model()
    if not session.baseline.metrics:
        raise Impossible("the notebook computes no metric", "not_applicable")
    if not expected:
        raise Impossible("every metric differs between two runs of the notebook")
    exact = _exact(fitted.model)
    for name, value in expected.items():
        if name not in fitted.metrics:
            raise Failed(f"{name}: the notebook has {value}, the project does not compute it")
        found = float(fitted.metrics[name])
        if not (np.isclose(found, value, rtol=exact, atol=0) or (np.isnan(found) and np.isnan(value))):
            raise Failed(f"{name}: notebook {value}, project {found}")
    return ", ".join(f"{name} {value:.6g}" for name, value in expected.items())


def _exact(model: Any) -> float:
    """How far a metric may be off: a module of PyTorch computes in single precision, and the order of its
    sums depends on where its tensors lie in memory.
    """
    torch = sys.modules.get("torch")
    return SINGLE if torch is not None and isinstance(model, torch.nn.Module) else EXACT


def candidates(session: Session, say: Say) -> str:
    """The models that are compared with the one in production have the notebook's metrics."""
    fits = getattr(session.module("train"), "CANDIDATES", {})
    if not fits:
        raise Impossible("the notebook judges no other model on these features", "not_applicable")
    told, differing = [], []
    for model, fit in fits.items():
        session.baseline.replay(f"candidate {model}")
        for name, value in fit(copy.deepcopy(session.trained()), session.settings()).metrics.items():
            key = f"candidate {model} {name}"
            if session.baseline.has(key):
                expected, found = float(session.baseline.get(key)), float(value)
                told.append(f"{model} {name} {found:.6g}")
                if not np.isclose(found, expected, rtol=EXACT, atol=0):
                    differing.append(f"{model} {name}: notebook {expected}, project {found}")
    if differing:
        raise Failed("; ".join(differing))
    return ", ".join(told)


def predictions(session: Session, say: Say) -> str:
    """The project's predictions from raw rows are the notebook's final ones."""
    data, state = session.trained(), session.trained().state
    fitted = session.model()
    given = {**state.shared, **fitted.extras}
    unstable = "model" in session.request["unstable"]
    model = session.baseline.get("model") if unstable else fitted.model
    sides = {"train": np.asarray(data.train_ids), "eval": data.eval_ids, "all": np.arange(len(session.main))}
    compared = 0
    for side, ids in sides.items():
        if not session.baseline.has(f"predictions_{side}"):
            continue
        expected = flat(session.baseline.get(f"predictions_{side}"))
        if ids is None or len(ids) != count(expected) or (ids < 0).all():
            raise Impossible(f"which raw rows the notebook's {side} predictions belong to is not known")
        at = np.flatnonzero(ids >= 0)
        X = session.transform(session.main.iloc[ids[at]])
        found = difference(take(expected, at), flat(session.module("infer").decide(model, X, given)), BATCH)
        if found is not None:
            raise Failed(f"{side} rows, notebook against project: {found}")
        compared += len(at)
        _rows_decided_alone(session, ids[at], take(expected, at), model, given)
    _prepared_alike(session, model, given)
    if compared < min(100, len(data.train_ids)):
        raise Impossible(f"the notebook's run left {compared} predictions")
    return f"{compared} rows" + (" with the notebook's model, whose fit is random" if unstable else "")


def _prepared_alike(session: Session, model: Any, given: Any) -> None:
    """What the inference cells predicted of evaluation rows is what the features of these rows give."""
    ids = session.trained().eval_ids
    if not session.baseline.has("predictions_final") or ids is None or (ids < 0).any():
        return
    expected = flat(session.baseline.get("predictions_final"))
    if count(expected) != len(ids):
        return  # of some of them, to show
    X = session.transform(session.main.iloc[ids])
    found = difference(expected, flat(session.module("infer").decide(model, X, given)), BATCH)
    if found is not None:
        raise Impossible(f"the inference cells prepare the rows in a way of their own: {found}")


def _rows_decided_alone(session: Session, ids: np.ndarray, expected: Any, model: Any, given: Any) -> None:
    """A row alone, numbered from nought as serving has it, gets the prediction that the batch gave it."""
    decide = session.module("infer").decide
    for place in np.linspace(0, len(ids) - 1, min(10, len(ids))).astype(int):
        row = session.main.iloc[[ids[place]]].reset_index(drop=True)
        try:
            answer = flat(decide(model, session.transform(row), given))
        except Exception as error:
            raise Failed(f"row {ids[place]} alone: {session.error(error)}") from error
        found = difference(take(expected, np.array([place])), answer, BATCH)
        if found is not None:
            raise Failed(f"row {ids[place]}, in the notebook's batch against alone: {found}")
