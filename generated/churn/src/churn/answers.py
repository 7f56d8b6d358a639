"""What a model says of rows, as plain values, and single rows without pandas.

Nothing here imports pandas or the model's library, so that a service that is asked for single rows starts without.
"""

# Fitted models and what they answer have no types.
# mypy: ignore-errors
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .policies import is_missing

if TYPE_CHECKING:
    from .schema import RowError
    from .versions import Version


@dataclass
class Scores:
    """Predictions for rows in their order; a rejected row has None and at least one error."""

    predictions: list[Any]
    probabilities: list[dict[str, float] | None]
    flags: list[list[str]]
    errors: list[RowError]
    alone: bool = False  # the row path answered, without pandas


def judged(
    rows: Sequence[Any], version: Version
) -> tuple[dict[int, dict[str, Any]], Scores]:
    """The valid rows by position, and scores that have only flags and errors so far."""
    schema = version.module("schema")
    policies = version.policies
    valid, errors = schema.check(rows, policies.accept_missing(schema.COLUMNS))
    count = len(rows)
    scores = Scores([None] * count, [None] * count, [[] for _ in range(count)], errors)
    for at, row in list(valid.items()):
        scores.flags[at], reasons = policies.judge(row, version.info["profile"])
        errors += [schema.RowError(at, *reason) for reason in reasons]
        if reasons:
            del valid[at]
    return valid, scores


def predictions_of(version: Version, X: Any) -> list[Any]:
    """What the notebook would predict for a feature matrix, as plain Python values."""
    # a notebook's `squeeze()` leaves one row no axis
    values = np.atleast_1d(np.asarray(version.decide(version.model, X, version.given)))
    targets: list[str] = version.info["targets"]
    if len(targets) > 1:
        return [
            dict(zip(targets, map(_plain, row), strict=True)) for row in values.tolist()
        ]
    return [
        _plain(value, version.info["task"])
        for value in values.reshape(len(values)).tolist()
    ]


def _plain(value: Any, task: str = "") -> Any:
    if isinstance(value, str):  # a name that the notebook gives to the model's answer
        return value
    if is_missing(value):
        return None
    if task == "regression":
        return float(value)
    return int(value) if task == "clustering" else value


def probabilities_of(version: Version, X: Any) -> list[dict[str, float] | None]:
    """The probability of each label, where the model has them."""
    labels: list[str] | None = version.info["labels"]
    if not labels:
        return [None] * int(X.shape[0])
    return [
        dict(zip(labels, row, strict=True))
        for row in version.model.predict_proba(X).tolist()
    ]


def same_values(left: Iterable[Any], right: Iterable[Any]) -> bool:
    """Predictions are equal, up to the last bits of a float."""
    return all(
        np.isclose(a, b, rtol=1e-6)
        if isinstance(a, float) and isinstance(b, float)
        else a == b
        for a, b in zip(left, right, strict=True)
    )


Answer = tuple[Any, dict[str, float] | None]
# Numbers of a batch differ in their last bits from those of a row; models of 32 bits say how much more.
ALIKE = 1e-9
CLOSE = 1e-6  # two probabilities of which the library's rounding may take either


def score_alone(row: Any, version: Version) -> Scores | None:
    """Score one raw row without pandas; None where only pandas can."""
    valid, scores = judged([row], version)
    return scores if not valid or answered(valid[0], version, scores) else None


def answered(row: Mapping[str, Any], version: Version, scores: Scores) -> bool:
    """Fill in the answer of the row path, if it has one."""
    found = None if version.row is None else version.row.answer(row)
    if found is not None:
        scores.predictions[0], scores.probabilities[0] = found
        scores.alone = True
    return scores.alone


@dataclass(frozen=True)
class Asked:
    """As much of a version as an answer takes: its model, or a form of it, and the notebook's code after that."""

    model: Any
    decide: Any
    given: Mapping[str, Any]
    info: Mapping[str, Any]


class Likeliest:
    """A classifier that is asked once for probabilities and label, because its label is the likeliest one.

    Where two are as likely, it is asked which it takes.
    """

    def __init__(self, model: Any) -> None:
        self.model, self.classes_ = model, model.classes_
        self._last: tuple[Any, Any] = None, None

    def predict_proba(self, X: Any) -> Any:
        if self._last[0] is not X:
            self._last = X, self.model.predict_proba(X)
        return self._last[1]

    def predict(self, X: Any) -> Any:
        odds = self.predict_proba(X)
        labels = self.classes_[odds.argmax(axis=1)]
        ranked = np.sort(odds, axis=1)
        # also where there is no number
        close = ~(ranked[:, -1] - ranked[:, -2] > CLOSE)
        if close.any():
            labels[close] = self.model.predict(X)[close]
        return labels


class Pandas:
    """Pandas for functions of the notebook that only ask it whether a value is missing; else it is imported."""

    def isna(self, value: Any) -> Any:
        if type(value) in (
            str,
            float,
            int,
            bool,
            np.float64,
            np.int64,
            np.bool_,
            type(None),
        ):
            return is_missing(value)
        return self.__getattr__("isna")(value)

    isnull = isna

    def notna(self, value: Any) -> Any:
        found = self.isna(value)
        return not found if isinstance(found, bool) else ~found

    notnull = notna

    def __getattr__(self, name: str) -> Any:
        import pandas as pd

        return getattr(pd, name)


class RowPath:
    """Answers for single rows with one version; `off` says why it was switched off."""

    def __init__(
        self, features: Any, asked: Asked, outputs: Mapping[str, Any], how: str
    ) -> None:
        self.features, self.asked, self.how = features, asked, how
        self.alike = getattr(asked.model, "alike", ALIKE)
        self.off = ""
        self.columns, dtypes = outputs["columns"], outputs["dtypes"]
        self.types = dict(zip(self.columns, dtypes, strict=False))
        texts = any(one in ("object", "str", "string", "category") for one in dtypes)
        self.dtype = object if texts else np.float64
        self.whole = np.array([name not in outputs["missing"] for name in self.columns])

    def answer(self, row: Mapping[str, Any]) -> Answer | None:
        """Prediction and probabilities of a valid row; None where pandas has to answer."""
        if self.off:
            return None
        try:
            with np.errstate(all="ignore"):
                X = self.matrix(self.features(row))
            return (
                None
                if X is None
                else (
                    predictions_of(self.asked, X)[0],
                    probabilities_of(self.asked, X)[0],
                )
            )
        except Exception:  # noqa: BLE001 -- whatever pandas would do instead, it does
            return None

    def matrix(self, found: Any) -> Any:
        """The features of a row as the model takes them; None where one is missing that never was."""
        if not isinstance(found, list):
            table = isinstance(found, np.ndarray) and found.ndim == 2
            return None if table and self._gap(found[0]) else found
        if self.how == "frame":
            import pandas as pd  # for a model that wants frames

            whole = not self._gap(np.array(found, dtype=object))
            return (
                pd.DataFrame([found], columns=self.columns).astype(self.types)
                if whole
                else None
            )
        X = np.array([found], dtype=self.dtype)
        return None if self._gap(X[0]) else X

    def _gap(self, row: Any) -> bool:
        if row.dtype == np.float64:
            gaps = np.isnan(row)
        else:
            gaps = np.array([value is None or value != value for value in row])  # noqa: PLR0124 -- only NaN is not itself
        return bool((gaps & self.whole).any())
