"""Retraining: a challenger against the champion, on rows that neither model was trained on.

The challenger is promoted only if a paired bootstrap says with confidence that it is better by `retrain_gain`.
Whatever fails on the way leaves the champion where it is.
"""

from __future__ import annotations

import fcntl
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics

from . import baseline, checks, registry, versions
from .settings import Settings
from .train import TASK, train
from .versions import Version

PROMOTED, KEPT = 0, 10
HELD_OUT = 0.2
DRAWS = 1000
CONFIDENCE = 0.95
# Larger is better for all: errors count negative.
METRICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]] = {
    "accuracy": lambda y, said, odds: float(np.mean(y == said)),
    "f1": lambda y, said, odds: float(
        metrics.f1_score(y, said, average="binary" if len(set(y)) == 2 else "macro")
    ),
    "auc": lambda y, said, odds: float(metrics.roc_auc_score(y, odds)),
    "mae": lambda y, said, odds: -float(np.mean(np.abs(y - said))),
    "rmse": lambda y, said, odds: -math.sqrt(float(np.mean((y - said) ** 2))),
    "r2": lambda y, said, odds: float(metrics.r2_score(y, said)),
}


class RetrainError(Exception):
    """Champion and challenger cannot be compared."""


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt; `gain` is the challenger's score less the champion's, `bound` its lower bound."""

    promoted: bool
    why: str
    champion: str
    challenger: str = ""
    metric: str = ""
    rows: int = 0
    champion_score: float | None = None
    challenger_score: float | None = None
    gain: float | None = None
    bound: float | None = None

    @property
    def exit_code(self) -> int:
        return PROMOTED if self.promoted else KEPT

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(
    settings: Settings,
    force: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """One attempt; `force` ignores the time since the last one."""
    with _alone(settings):
        champion = registry.load(settings)
        last = settings.artifacts / "retrain.json"
        if last.exists() and not force:
            hours = (time.time() - last.stat().st_mtime) / 3600
            if hours < settings.retrain_hours:
                return Outcome(
                    False,
                    f"the last attempt was {hours:.1f} hours ago",
                    champion.number,
                )
        settings.artifacts.mkdir(parents=True, exist_ok=True)
        last.write_text(
            "{}\n", encoding="utf-8"
        )  # an attempt that fails counts as well
        found = _attempt(settings, champion, say)
        last.write_text(json.dumps(found.to_dict(), indent=1) + "\n", encoding="utf-8")
        return found


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Two attempts never run at once; the lock of a killed one is free."""
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    with (settings.artifacts / "retrain.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RetrainError("another retraining is running") from error
        yield


def _attempt(
    settings: Settings, champion: Version, say: Callable[[str], None]
) -> Outcome:
    package = versions.freeze_code(settings.artifacts / "code")
    code = Version(package, None, None)
    say("loading the data")
    raw = code.module("load").load(settings)
    main = checks.main_frame(raw)
    held = holdout(main, champion, settings)
    _seed(settings)
    truth = targets(code.module("features").fit(raw, settings))
    held = held[np.isin(held, list(truth))]
    if len(held) < settings.retrain_rows:
        why = f"not enough data: {len(held)} rows that the champion was not trained on; retrain_rows is {settings.retrain_rows}"
        return Outcome(False, why, champion.number)
    kept = np.setdiff1d(np.arange(len(main)), held)
    apart = main.iloc[kept].reset_index(drop=True)
    rest = apart if isinstance(raw, pd.DataFrame) else {**raw, next(iter(raw)): apart}
    _seed(settings)
    say("training the challenger without the held-out rows")
    data = code.module("features").fit(rest, settings)
    again = {int(kept[at]): value for at, value in targets(data).items()}
    if not same_targets(truth, again):
        raise RetrainError(
            "the target of a row depends on the other rows; scores of two models cannot be compared"
        )
    number = train(
        replace(settings, approval="manual"), package, rest, data, say
    ).version
    challenger = registry.load(settings, number)
    found = compare(
        champion,
        challenger,
        main.iloc[held],
        np.array([truth[at] for at in held]),
        settings,
    )
    if not found.promoted:
        return found
    if settings.approval == "manual":
        return replace(
            found, promoted=False, why=f"{found.why}; it waits for `approve {number}`"
        )
    if registry.champion(settings) != champion.number:
        return replace(found, promoted=False, why="the champion was changed meanwhile")
    registry.promote(settings, number, f"retrain: {found.why}")
    return found


def _seed(settings: Settings) -> None:
    random.seed(settings.seed)
    np.random.seed(settings.seed)


def targets(data: Any) -> dict[int, Any]:
    """The target of each raw row, as models are fitted on it."""
    found = dict(
        zip(
            data.train_ids.tolist(),
            np.asarray(data.y_train).ravel().tolist(),
            strict=True,
        )
    )
    if data.eval_ids is not None and data.y_eval is not None:
        found |= dict(
            zip(
                data.eval_ids.tolist(),
                np.asarray(data.y_eval).ravel().tolist(),
                strict=True,
            )
        )
    found.pop(-1, None)
    return found


def same_targets(before: dict[int, Any], after: dict[int, Any]) -> bool:
    """A target that is learned (codes of labels, a scale) may differ once rows are held out."""
    return all(before.get(at) == value for at, value in after.items() if at in before)


def holdout(main: pd.DataFrame, champion: Version, settings: Settings) -> np.ndarray:
    """Positions of the rows that judge both: the newest, else by a hash of their content; none of them is known."""
    if "training_rows" not in champion.info:
        raise RetrainError(
            f"version {champion.number} does not say which rows it was trained on; train again"
        )
    hashes = baseline.row_hashes(main)
    known = np.isin(hashes, baseline.unpacked(champion.info["training_rows"]))
    if not settings.timestamp:
        order = np.argsort(hashes, kind="stable")
    elif settings.timestamp in main:
        order = np.argsort(
            -pd.to_datetime(main[settings.timestamp]).astype("int64").to_numpy(),
            kind="stable",
        )
    else:
        raise RetrainError(
            f"timestamp is {settings.timestamp!r}; the data have no such column"
        )
    fresh = order[~known[order]][: max(int(HELD_OUT * len(main)), 1)]
    # A row that is there twice must not be on both sides.
    return np.flatnonzero(np.isin(hashes, hashes[fresh]) & ~known)


def compare(
    champion: Version,
    challenger: Version,
    rows: pd.DataFrame,
    y: np.ndarray,
    settings: Settings,
) -> Outcome:
    """Both on the same rows, and a paired bootstrap of the difference."""
    name = _metric(challenger, settings, y)
    scored = METRICS[name]
    answers = [_answers(version, rows, name) for version in (champion, challenger)]
    old, new = (scored(y, said, odds) for said, odds in answers)
    generator = np.random.default_rng(0)
    gains = []
    for _ in range(DRAWS):
        at = generator.integers(len(y), size=len(y))
        if name in ("auc", "f1") and len(set(y[at].tolist())) < 2:
            continue
        before, after = (
            scored(y[at], said[at], None if odds is None else odds[at])
            for said, odds in answers
        )
        gains.append(after - before)
    bound = float(np.quantile(gains, 1 - CONFIDENCE)) if gains else -math.inf
    better = bound > settings.retrain_gain and math.isfinite(new)
    why = f"{name} {abs(old):.6g} -> {abs(new):.6g} on {len(y)} rows; better by at least {bound:.6g} with {CONFIDENCE:.0%} confidence"
    if not better:
        why += f", which is not more than {settings.retrain_gain:g}"
    return Outcome(
        better,
        why,
        champion.number,
        challenger.number,
        name,
        len(y),
        old,
        new,
        new - old,
        bound,
    )


def _metric(version: Version, settings: Settings, y: np.ndarray) -> str:
    name = settings.retrain_metric
    if name and name not in METRICS:
        raise RetrainError(
            f"retrain_metric is {name!r}; it must be one of {', '.join(METRICS)}"
        )
    if not name:
        name = "rmse" if TASK == "regression" else "accuracy"
    if name == "auc" and (
        len(set(y.tolist())) != 2 or not hasattr(version.model, "predict_proba")
    ):
        raise RetrainError(
            "auc needs two classes and a model with probabilities; choose another retrain_metric"
        )
    return name


def _answers(
    version: Version, rows: pd.DataFrame, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """What the model itself says, in the units of the target that it was fitted on."""
    X = version.module("features").transform(rows, version.state)
    try:
        said = np.asarray(version.model.predict(X)).ravel()
        odds = (
            np.asarray(version.model.predict_proba(X))[:, 1] if name == "auc" else None
        )
    except Exception as error:
        raise RetrainError(
            f"version {version.number} cannot be judged: {type(error).__name__}: {error}"
        ) from error
    if len(said) != len(rows):
        raise RetrainError(
            f"version {version.number} gives {len(said)} answers for {len(rows)} rows"
        )
    return said, odds
