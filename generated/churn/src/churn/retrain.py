"""Retraining: a challenger against the champion, on rows that neither model was trained on.

The challenger is promoted only if a paired bootstrap says with confidence that it is better by `retrain_gain`,
if it is on no slice of the rows clearly worse, and if its probabilities did not become less true.
Whatever fails on the way leaves the champion where it is.
"""

from __future__ import annotations

import fcntl
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics

from . import baseline, checks, monitor, pipeline, registry, store, versions
from .settings import Settings
from .train import TASK, train
from .versions import Version

PROMOTED, KEPT = 0, 10
HELD_OUT = 0.2
NO_TRUTH = "there is no target by which two models can be compared; `train` and `promote` by hand"
DRAWS = 1000
CONFIDENCE = 0.95
SLICE_ROWS = 50
# how much further than the champion's its probabilities may be from what comes true
CALIBRATION = 0.02
# What monitoring may find that new training can help; a broken column is to be mended, not learned.
WORTH = ("quality", "input drift", "prediction drift")
# The metrics of the notebook, as it names them.
NOTEBOOK = (
    "accuracy",
    "f1",
    "auc",
)
RATES, ERRORS = ("accuracy", "f1"), ("mae", "rmse", "r2")
ALIASES = {
    "roc_auc": "auc",
    "roc_auc_score": "auc",
    "acc": "accuracy",
    "f1_score": "f1",
    "mse": "rmse",
    "r2_score": "r2",
}
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
    """What became of an attempt; `gain` is the challenger's score less the champion's, `bound` its lower bound;
    `slices` are those on which it is worse, `calibration` the errors of both."""

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
    slices: tuple[str, ...] = ()
    calibration: tuple[float, float] | None = None

    @property
    def exit_code(self) -> int:
        return PROMOTED if self.promoted else KEPT

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(
    settings: Settings,
    force: bool = False,
    say: Callable[[str], None] = lambda text: None,
    if_drift: bool = False,
) -> Outcome:
    """One attempt; `force` ignores the time since the last one, `if_drift` asks monitoring whether it is worth it."""
    if TASK == "clustering":
        raise RetrainError(NO_TRUTH)
    fitting = ERRORS if TASK == "regression" else (*RATES, "auc")
    if settings.retrain_metric not in (
        "",
        *fitting,
    ):  # a challenger takes long to train
        raise RetrainError(
            f"retrain_metric is {settings.retrain_metric!r}; it must be one of {', '.join(fitting)}"
        )
    with _alone(settings):
        champion = registry.load(settings)
        left = registry.close_unfinished(settings)
        if left:
            say(f"version {left} was left by a retraining that failed or was stopped")
        reason = _no_drift(settings) if if_drift else ""
        if reason:
            return Outcome(False, reason, champion.number)
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
        # an attempt that fails counts as well
        last.write_text("{}\n", encoding="utf-8")
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
    say("loading the data")
    raw = pipeline.load(settings, package, say)
    main = checks.main_frame(raw)
    held = holdout(main, champion, settings)
    pipeline.seed(settings)
    truth = targets(store.training(settings, package, raw, say))
    held = held[np.isin(held, list(truth))]
    if len(held) < settings.retrain_rows:
        why = f"not enough data: {len(held)} rows that the champion was not trained on; retrain_rows is {settings.retrain_rows}"
        return Outcome(False, why, champion.number)
    kept = np.setdiff1d(np.arange(len(main)), held)
    apart = checks.first_frame(raw).iloc[kept].reset_index(drop=True)
    rest = apart if isinstance(raw, pd.DataFrame) else {**raw, next(iter(raw)): apart}
    pipeline.seed(settings)
    say("training the challenger without the held-out rows")
    data = store.training(settings, package, rest, say)
    again = {int(kept[at]): value for at, value in targets(data).items()}
    if not same_targets(truth, again):
        raise RetrainError(
            "the target of a row depends on the other rows; scores of two models cannot be compared"
        )
    number = train(
        replace(settings, approval="manual"), package, rest, data, say, registry.RETRAIN
    ).version
    challenger = registry.load(settings, number)
    found = compare(
        champion,
        challenger,
        main.iloc[held],
        np.array([truth[at] for at in held]),
        settings,
    )
    now = registry.champion(settings)
    if now == number:
        return replace(
            found,
            promoted=False,
            why=f"{found.why}; but somebody made version {number} the champion meanwhile",
        )
    if found.promoted and now != champion.number:
        found = replace(
            found,
            promoted=False,
            why=f"{found.why}; but the champion was changed meanwhile",
        )
    registry.judged(settings, number, found.promoted, found.why)
    if found.promoted and settings.approval == "manual":
        return replace(
            found, promoted=False, why=f"{found.why}; it waits for `approve {number}`"
        )
    if found.promoted:
        registry.promote(settings, number, f"retrain: {found.why}")
    return found


def _no_drift(settings: Settings) -> str:
    """Why there is no need to train again; empty where there is."""
    found = monitor.run(settings)
    if any(one.alarm and one.kind in WORTH for one in found.findings):
        return ""
    return f"monitor: {found.status}{': ' if found.why else ''}{found.why}; no drift that training could help"


def targets(data: Any) -> dict[int, Any]:
    """The target of each raw row, as models are fitted on it."""
    if data.y_train is None:
        raise RetrainError(NO_TRUTH)
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
        times = pd.Series(baseline.as_times(main[settings.timestamp]).to_numpy())
        order = (
            times.dropna().sort_values(ascending=False, kind="stable").index.to_numpy()
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
    worse = _worse_slices(rows, y, [said for said, _ in answers], challenger)
    calibration, less_true = _calibration([champion, challenger], rows, y)
    if not better:
        why += f", which is not more than {settings.retrain_gain:g}"
    elif worse:
        why += f"; but worse where {'; '.join(worse)}"
    elif less_true:
        why += f"; but its probabilities are {calibration[1]:.3f} off, the champion's {calibration[0]:.3f}"
    return Outcome(
        promoted=better and not worse and not less_true,
        why=why,
        champion=champion.number,
        challenger=challenger.number,
        metric=name,
        rows=len(y),
        champion_score=old,
        challenger_score=new,
        gain=new - old,
        bound=bound,
        slices=tuple(worse),
        calibration=calibration if any(calibration) else None,
    )


def _worse_slices(
    rows: pd.DataFrame, y: np.ndarray, said: list[np.ndarray], version: Version
) -> list[str]:
    """Values of a category on whose rows the challenger makes more errors, beyond chance over all slices."""
    old, new = (
        np.abs(y - one) if TASK == "regression" else (y != one).astype(float)
        for one in said
    )
    table = version.info["baseline"]["columns"]
    slices = []
    for name in (
        name
        for name, profile in table.items()
        if profile["kind"] == "category" and name in rows
    ):
        texts = baseline.as_text(rows[name]).to_numpy()
        counts = pd.Series(texts).value_counts()
        slices += [
            (name, value, texts == value)
            for value in counts.index[counts >= SLICE_ROWS]
        ]
    found = []
    for name, value, where in slices:
        lost = new[where] - old[where]
        error = float(lost.std()) / math.sqrt(len(lost))
        p = (
            stats.norm.sf(float(lost.mean()) / error)
            if error > 0
            else float(lost.mean() <= 0)
        )
        if p < (1 - CONFIDENCE) / len(slices):
            found.append(
                f"{name} is {value} (error {old[where].mean():.4g} -> {new[where].mean():.4g} on {where.sum()} rows)"
            )
    return found


def _calibration(
    pair: list[Version], rows: pd.DataFrame, y: np.ndarray
) -> tuple[tuple[float, float], bool]:
    """How far the probabilities of both are from what comes true, and whether the challenger's clearly are further."""
    if not all(
        TASK == "classification" and hasattr(one.model, "predict_proba") for one in pair
    ):
        return (0.0, 0.0), False
    sure, right = [], []
    for one in pair:
        odds = np.asarray(
            one.model.predict_proba(one.module("features").transform(rows, one.state))
        )
        sure.append(odds.max(axis=1))
        right.append(
            (np.asarray(one.model.classes_)[odds.argmax(axis=1)] == y).astype(float)
        )
    generator = np.random.default_rng(0)
    draws = [generator.integers(len(y), size=len(y)) for _ in range(DRAWS // 5)]
    further = [
        _off(sure[1][at], right[1][at]) - _off(sure[0][at], right[0][at])
        for at in draws
    ]
    both = (_off(sure[0], right[0]), _off(sure[1], right[1]))
    return both, float(np.quantile(further, 1 - CONFIDENCE)) > CALIBRATION


def _off(sure: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error over ten bins."""
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = np.bincount(bins, sure, 10) - np.bincount(bins, right, 10)
    return float(np.abs(gaps).sum() / len(sure))


def _metric(version: Version, settings: Settings, y: np.ndarray) -> str:
    name = settings.retrain_metric
    known = [ALIASES.get(one.lower(), one.lower()) for one in NOTEBOOK]
    fitting = (
        [one for one in known if one in ERRORS]
        if TASK == "regression"
        else [one for one in known if one in RATES]
    )
    if not name:
        name = (fitting or ["rmse" if TASK == "regression" else "accuracy"])[0]
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
