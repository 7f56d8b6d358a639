"""The baseline that is kept with each version: what monitoring compares later rows and predictions with."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd

SAMPLE = 2000
CATEGORIES = 50
FEW = 10
GRID = np.linspace(0.005, 0.995, 100)


def column(values: pd.Series) -> dict[str, Any]:
    """The profile of one column: missing share, then quantiles and a sample, or a table of frequencies."""
    profile: dict[str, Any] = {"n": len(values)}
    text = {**profile, "kind": "text", "missing": float(values.isna().mean())}
    # the log has times as text, and that they move on is no drift
    if values.dtype.kind in "mM":
        return text
    numbers = as_numbers(values)
    known = values.dropna()
    try:
        counts = as_text(known).value_counts()
    except TypeError:  # lists and the like
        return text
    numeric = (
        len(known) > 0
        and not pd.api.types.is_bool_dtype(values)
        and numbers.count() >= 0.95 * len(known)
    )
    if numeric and numbers.nunique() > FEW:
        found = numbers.dropna().to_numpy()
        sample = np.random.default_rng(0).choice(
            found, min(SAMPLE, len(found)), replace=False
        )
        profile |= {
            "kind": "number",
            "missing": float(numbers.isna().mean()),
            "range": [float(found.min()), float(found.max())],
            "quantiles": np.quantile(found, GRID).tolist(),
            "scale": float(found.std()),
            "sample": sorted(sample.tolist()),
        }
        return profile
    if len(counts) > max(CATEGORIES, 0.5 * len(known)):
        return text
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    table = {str(name): int(count) for name, count in ordered[:CATEGORIES]}
    rare = {str(name): int(count) for name, count in ordered[CATEGORIES:]}
    once = sum(count == 1 for _, count in ordered)
    return {**text, "kind": "category", "table": table, "other": rare, "once": once}


def as_numbers(values: pd.Series) -> pd.Series:
    """The values as floats; text that is no number is missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):  # each text once
        numbers = as_numbers(values.cat.categories.to_series()).to_numpy()
        return pd.Series(
            np.append(numbers, np.nan)[values.cat.codes], index=values.index
        )
    return pd.to_numeric(values, errors="coerce").astype(float)


def as_text(values: pd.Series) -> pd.Series:
    """The values as text, with 1, 1.0 and "1" the same."""

    def text(value: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)

    names = {value: text(value) for value in values.unique()}
    return values.map(names).astype(object)


class TimesError(ValueError):
    """A column of times has a value that is none."""


def as_times(values: pd.Series) -> pd.Series:
    """The values as times of UTC; texts are all of one form, or all of ISO 8601."""
    try:
        found = pd.to_datetime(values, utc=True)
    except ValueError:
        try:
            found = pd.to_datetime(values, utc=True, format="ISO8601")
        except ValueError as error:
            raise TimesError(
                f"column {values.name!r}, which config.toml names as timestamp: {error}"
            ) from error
    return found.dt.tz_convert(None).astype("datetime64[ns]")


def row_hashes(frame: pd.DataFrame) -> np.ndarray:
    """A hash of the content of each row."""
    return np.asarray(
        pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy(
            dtype=np.uint64
        )
    )


def packed(hashes: np.ndarray) -> str:
    return base64.b64encode(np.unique(hashes).astype("<u8").tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<u8")


def predictions(
    values: list[Any], odds: list[dict[str, float] | None]
) -> dict[str, Any]:
    """The profiles of predictions and probabilities; several targets have one each."""
    if values and isinstance(values[0], dict):
        return {
            f"prediction_{name}": column(pd.Series([one[name] for one in values]))
            for name in values[0]
        }
    found = {"prediction": column(pd.Series(values))}
    if odds and odds[0] is not None:
        for label in list(odds[0])[1:]:
            found[f"probability.{label}"] = column(
                pd.Series([one[label] for one in odds if one is not None])
            )
    return found


def quality(
    values: list[Any], odds: list[dict[str, float] | None], truth: Any, task: str
) -> dict[str, Any]:
    """How good the predictions were on rows that the model was not trained on, and whether it knows its doubts."""
    y = np.asarray(truth).ravel()
    if len(y) != len(values) or not len(y) or isinstance(values[0], dict):
        return {}
    if task == "regression":
        error = np.abs(np.asarray(values, dtype=float) - y.astype(float))
        return {"n": len(y), "mae": float(error.mean()), "mae_sd": float(error.std())}
    if task != "classification" or not set(values) & set(y.tolist()):
        return {}
    right = np.array(
        [value == label for value, label in zip(values, y.tolist(), strict=True)],
        dtype=float,
    )
    found: dict[str, Any] = {"n": len(y), "accuracy": float(right.mean())}
    if odds[0] is not None:
        labels = list(odds[0])
        chances = np.array(
            [[(one or {}).get(label, np.nan) for label in labels] for one in odds]
        )
        sure = confidence(pd.Series(values), labels, chances)
        bins = np.minimum((sure * 10).astype(int), 9)
        gaps = [
            abs(sure[bins == at].mean() - right[bins == at].mean())
            * (bins == at).mean()
            for at in np.unique(bins)
        ]
        found |= {
            "confidence": float(sure.mean()),
            "confidence_sd": float(sure.std()),
            "calibration_error": float(sum(gaps)),
        }
    return found


def confidence(values: pd.Series, labels: list[str], odds: np.ndarray) -> np.ndarray:
    """The probability that each prediction is right, as the model sees it; one without a label counts as the largest."""
    at = as_text(values).map({label: at for at, label in enumerate(labels)})
    found = odds[np.arange(len(odds)), at.fillna(0).astype(int)]
    sure: np.ndarray = np.where(at.isna(), odds.max(axis=1), found)
    return sure
