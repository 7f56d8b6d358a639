"""Single rows without pandas: `features_row` and the model on a plain array, used where training proved both.

`prove` compares with pandas the rows that training knows and probes of them: missing values, values that
training never saw, values of another type.  The outcome is kept with the version.  A row for which the row
path has no answer, because it fails or a feature is missing that never was, is answered by pandas.
"""

# ruff: noqa: PLR0124, RUF019 -- the notebook's own style

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from . import features_row
from .forest import quick
from .infer import predictions_of, probabilities_of
from .versions import Version

log = logging.getLogger(__name__)

Answer = tuple[Any, dict[str, float] | None]
# How many rows are compared, how many of them are asked of the model one by one, and how many probes.
ROWS, SINGLES, PROBES = 2000, 10, 200
# Each stands in every column of a few rows, as far as the schema lets it in.
VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    "never seen",
    "Yes",
    "NaN",
    "1",
    "12.5",
    0,
    1,
    -1,
    2,
    0.5,
    -7.25,
    1e12,
    -1e12,
    2**53 + 1,
    True,
    False,
    "2024-02-29",
    "29/02/2024",
)
ALIKE = 1e-9  # probabilities and predicted numbers of a batch differ in their last bits from those of a row


class RowPath:
    """Answers for single rows with one version; `off` says why it was switched off."""

    def __init__(self, version: Version, frames: bool, quickly: bool) -> None:
        self.features = features_row.bind(version.state)
        model = version.model if frames else without_names(version.model)
        self.version = replace(version, model=quick(model) if quickly else model)
        self.frames = frames
        self.off = ""
        outputs = version.state.outputs
        self.columns, self.types = (
            outputs["columns"],
            dict(zip(outputs["columns"], outputs["dtypes"], strict=False)),
        )
        self.whole = np.array(
            [name not in outputs["missing"] for name in outputs["columns"]]
        )

    def answer(self, row: Mapping[str, Any]) -> Answer | None:
        """Prediction and probabilities of a valid row; None where pandas has to answer."""
        if self.off:
            return None
        try:
            with np.errstate(all="ignore"):
                X = self.matrix(self.features(row))
        except Exception:  # noqa: BLE001 -- whatever pandas would do instead, it does
            return None
        return (
            None
            if X is None
            else (
                predictions_of(self.version, X)[0],
                probabilities_of(self.version, X)[0],
            )
        )

    def matrix(self, found: Any) -> Any:
        """The features of a row as the model takes them; None where one is missing that never was."""
        if not isinstance(found, list):
            if (
                isinstance(found, np.ndarray)
                and found.ndim == 2
                and pd.isna(found)[0, self.whole].any()
            ):
                return None
            return found
        if self.frames:
            if any(
                value is None or value != value
                for value, whole in zip(found, self.whole, strict=True)
                if whole
            ):
                return None
            return pd.DataFrame([found], columns=self.columns).astype(self.types)
        X = np.array([found], dtype=np.float64)
        return None if np.isnan(X[0, self.whole]).any() else X


def without_names(model: Any) -> Any:
    """A copy of the model that takes an array as it is, in one thread."""
    copied = copy.copy(model)
    inner = getattr(copied, "__dict__", {})
    inner.pop("feature_names_in_", None)
    if "n_jobs" in inner:
        inner["n_jobs"] = 1
    if "steps" in inner and inner["steps"]:
        (name, first), *others = inner["steps"]
        inner["steps"] = [(name, without_names(first)), *others]
    if "best_estimator_" in inner:
        inner["best_estimator_"] = without_names(inner["best_estimator_"])
    return copied


def prove(version: Version, main: pd.DataFrame) -> dict[str, Any]:
    """Compare the row path with pandas on rows of `main`; what it came to, as JSON."""
    told = ""
    for frames, quickly in ((False, True), (False, False), (True, True), (True, False)):
        try:
            path = RowPath(version, frames, quickly)
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message=".*feature names.*")
                found = _compared(path, version, main)
        except Exception as error:  # noqa: BLE001 -- a row path that fails is none; pandas answers
            found = {"told": f"{type(error).__name__}: {error}"}
        if not found["told"]:
            return {"passed": True, "frames": frames, "quickly": quickly, **found}
        told = told or found["told"]
        if found.get(
            "differ"
        ):  # the features: no other way to ask the model changes that
            break
    return {"passed": False, "told": told}


def _compared(path: RowPath, version: Version, main: pd.DataFrame) -> dict[str, Any]:
    valid, _ = version.module("schema").check(main.iloc[:ROWS].to_dict("records"))
    rows = list(valid.values())
    X = version.module("features").transform(pd.DataFrame(rows), version.state)
    told, found = _same_features(path, version, rows, X)
    if told:
        return {"told": told, "differ": bool(found)}
    told = _same_answers(path, version, rows, X, found)
    probed, alone = 0, 0
    for row in () if told else _probes(version, rows):
        expected, got = _features_by_pandas(version, row), _features(path, row)
        probed, alone = probed + 1, alone + (got is not None)
        if got is not None and (expected is None or _bits(got) != _bits(expected)):
            return {
                "told": f"features {got} where pandas gives {expected}, for {row}",
                "differ": True,
            }
    return {
        "told": told,
        "rows": len(rows),
        "alone": len(found),
        "probes": probed,
        "probes_alone": alone,
    }


def _features(path: RowPath, row: Mapping[str, Any]) -> Any:
    """The features of a row that the row path would answer; else None."""
    try:
        with np.errstate(all="ignore"):
            found = path.features(row)
            return None if path.matrix(found) is None else found
    except Exception:  # noqa: BLE001
        return None


def _features_by_pandas(version: Version, row: Mapping[str, Any]) -> Any:
    """What the pandas body gives; None where it rejects the row."""
    try:
        X = version.module("features").transform(pd.DataFrame([row]), version.state)
        return None if version.state.unexpected_missing(X) else _row(X, 0)
    except Exception:  # noqa: BLE001 -- the notebook's code may raise anything
        return None


def _same_features(
    path: RowPath, version: Version, rows: Sequence[Mapping[str, Any]], X: Any
) -> tuple[str, dict[int, Any]]:
    """Where the features of a row differ from those of pandas, bit by bit; and the features by row."""
    found = {
        at: one
        for at, row in enumerate(rows)
        if (one := _features(path, row)) is not None
    }
    for at, one in found.items():
        if _bits(one) != _bits(_row(X, at)):
            single = _features_by_pandas(version, rows[at])
            if single is None or _bits(one) != _bits(single):
                return (
                    f"features {one} where pandas gives {single}, for {rows[at]}",
                    found,
                )
    return ("" if found else "it answers no row"), found


def _same_answers(
    path: RowPath,
    version: Version,
    rows: Sequence[Mapping[str, Any]],
    X: Any,
    found: Mapping[int, Any],
) -> str:
    """Where the model says something else of an array than of the frame, or of a row than of all."""
    places = list(found)
    chosen = X.iloc[places] if hasattr(X, "iloc") else X[places]
    expected = list(
        zip(
            predictions_of(version, chosen),
            probabilities_of(version, chosen),
            strict=True,
        )
    )
    if isinstance(found[places[0]], list):
        table = pd.DataFrame(list(found.values()), columns=path.columns)
        chosen = (
            table.astype(path.types)
            if path.frames
            else table.to_numpy(dtype=np.float64)
        )
    given = path.version
    got = list(
        zip(predictions_of(given, chosen), probabilities_of(given, chosen), strict=True)
    )
    singles = range(0, len(places), max(1, len(places) // SINGLES))
    got += [path.answer(rows[places[at]]) or (None, None) for at in singles]
    expected += [expected[at] for at in singles]
    differ = (
        f"{a} where pandas gives {b}"
        for a, b in zip(got, expected, strict=True)
        if not same_answer(a, b)
    )
    return next(differ, "")


def _row(X: Any, at: int) -> Any:
    return (
        [X.iat[at, column] for column in range(X.shape[1])]
        if hasattr(X, "iat")
        else X[at : at + 1]
    )


def _bits(found: Any) -> Any:
    """Something that is equal for equal features only: floats to the last bit, whole numbers as such or as floats."""
    if hasattr(found, "tocsr"):
        found = found.tocsr()
        return found.shape, found.indices.tolist(), found.data.tobytes()
    values = (
        found if isinstance(found, list) else np.asarray(found).reshape(-1).tolist()
    )
    return [_bit(value) for value in values]


def _bit(value: Any) -> Any:
    if value is None or value != value:
        return "missing"
    return value if isinstance(value, str) else np.float64(value).tobytes()


def same_answer(got: Answer, expected: Answer) -> bool:
    """Whether two answers are one: the same decision, and numbers that differ in their last bits at most."""
    if (got[1] is None) != (expected[1] is None):
        return False
    if isinstance(got[0], float) and isinstance(expected[0], float):
        same = bool(np.isclose(got[0], expected[0], rtol=ALIKE, atol=0, equal_nan=True))
    else:
        same = bool(got[0] == expected[0])
    labels = got[1] or {}
    return same and all(
        abs(p - (expected[1] or {})[label]) <= ALIKE for label, p in labels.items()
    )


def _probes(
    version: Version, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """Rows with one column changed or left out, as the schema lets them through."""
    bases = (
        [rows[at] for at in sorted({0, len(rows) // 2, len(rows) - 1})] if rows else []
    )
    changed = [
        {**row, column: value} for row in bases for column in row for value in VALUES
    ]
    changed += [
        {c: v for c, v in row.items() if c != column} for row in bases for column in row
    ]
    changed = changed[:: max(1, len(changed) // (4 * PROBES))]
    schema = version.module("schema")
    valid, _ = schema.check(
        changed, frozenset(schema.COLUMNS)
    )  # as the policies may let in
    found = list(valid.values())
    yield from found[:: max(1, len(found) // PROBES)]
