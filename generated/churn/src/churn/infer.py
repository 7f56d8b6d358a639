"""Predictions with one model version: the model and the notebook's own post-processing."""

# The notebook's statements have no types.
# mypy: ignore-errors
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .answers import Scores, answered, judged, predictions_of, probabilities_of

if TYPE_CHECKING:
    from .versions import Version

# How the notebook reads its CSV files.
READ_CSV: dict[str, Any] = {}
# Columns of a CSV file whose text is not to be taken for numbers, and those that must be.
TEXTS = (
    "gender",
    "Partner",
    "Dependents",
    "InternetService",
    "OnlineSecurity",
    "TechSupport",
    "Contract",
    "PaperlessBilling",
    "PaymentMethod",
    "Region",
    "TotalCharges",
)
NUMBERS = (
    "SeniorCitizen",
    "tenure",
    "SupportCalls",
    "MonthlyCharges",
)
FLAGS = ()
FORMATS = (".csv", ".parquet")
# Rows that fail together are tried alone to find the bad ones; after so many the rest is not tried.
TRIED_ALONE = 500


def decide(model: Any, X: Any, given: Mapping[str, Any]) -> Any:
    """Cell 28 of churn.ipynb."""
    return model.predict(X)


def predict(rows: pd.DataFrame, version: Version) -> pd.DataFrame:
    """One output row per input row, in order; a rejected row has no prediction and says why."""
    scores = score(rows.to_dict("records"), version)
    targets: list[str] = version.info["targets"]
    out = pd.DataFrame(index=rows.index)
    if len(targets) > 1:
        for target in targets:
            values = [
                None if value is None else value[target] for value in scores.predictions
            ]
            out[f"prediction_{target}"] = _column(values, out.index)
    else:
        out["prediction"] = _column(scores.predictions, out.index)
    for label in version.info["labels"] or ():
        values = [np.nan if row is None else row[label] for row in scores.probabilities]
        out[f"probability_{label}"] = pd.Series(values, index=out.index, dtype=float)
    out["flags"] = pd.Series(
        [";".join(flags) for flags in scores.flags], index=out.index, dtype=object
    )
    reasons: dict[int, list[str]] = {}
    for error in scores.errors:
        reasons.setdefault(error.row or 0, []).append(str(error))
    errors = [
        "; ".join(reasons[row]) if row in reasons else None for row in range(len(out))
    ]
    out["error"] = pd.Series(errors, index=out.index, dtype=object)
    return out


class FileError(ValueError):
    """A file cannot be read or written."""


def read_rows(source: Path | IO[bytes]) -> pd.DataFrame:
    """Raw rows from a Parquet or CSV file; a CSV file is read as the notebook reads its own."""
    suffix = source.suffix.lower() if isinstance(source, Path) else ".csv"
    if suffix not in FORMATS:
        raise FileError(f"{source}: rows are read from {', '.join(FORMATS)} files")
    types = {name: str for name in TEXTS} | READ_CSV.get("dtype", {})
    # a small body must not unfold to a large one
    packed = {} if isinstance(source, Path) else {"compression": None}
    try:
        if suffix == ".parquet":
            return pd.read_parquet(source)
        rows = pd.read_csv(source, **{**READ_CSV, **packed, "dtype": types})
    except ValueError as error:  # those of pandas' and Arrow's parsers are of that kind
        raise FileError(f"{source}: {error}") from error
    for name in rows.columns.intersection(NUMBERS):
        # One bad value makes text of the whole column.
        if not pd.api.types.is_numeric_dtype(rows[name]):
            numbers = pd.to_numeric(rows[name], errors="coerce")
            rows[name] = rows[name].astype(object).where(numbers.isna(), numbers)
    for name in rows.columns.intersection(FLAGS):
        words = {"true": True, "false": False}
        rows[name] = [
            words.get(v.lower(), v) if isinstance(v, str) else v for v in rows[name]
        ]
    return rows


def write_rows(parts: Sequence[pd.DataFrame], target: Path) -> int:
    """Write predictions to a CSV or Parquet file, whole or not at all; returns how many rows were rejected."""
    rows = pd.concat(parts)
    written = target.with_name(f".{target.name}.part")
    if target.suffix.lower() == ".csv":
        rows.to_csv(written, index=False)
    else:
        rows.to_parquet(written, index=False)
    written.replace(target)
    return int(rows["error"].notna().sum())


def score(rows: Sequence[Any], version: Version, alone: bool = True) -> Scores:
    """Score raw rows given as mappings from column to value; a single one by the row path unless not `alone`."""
    valid, scores = judged(rows, version)
    if valid and alone and len(rows) == 1 and answered(valid[0], version, scores):
        return scores
    if valid:
        frame = pd.DataFrame(list(valid.values()), index=pd.Index(list(valid)))
        _score(frame, version, scores)
    scores.errors.sort(key=lambda error: error.row or 0)
    return scores


def _score(frame: pd.DataFrame, version: Version, scores: Scores) -> None:
    """Fill in what `frame` gives; where the whole fails, halve it until the rows at fault stand alone."""
    rows: list[int] = frame.index.tolist()
    try:
        X = version.module("features").transform(frame, version.state)
        gaps = dict(reversed(version.state.unexpected_missing(X)))
        if not gaps:
            values = predictions_of(version, X)
            probabilities = probabilities_of(version, X)
            for at, row in enumerate(rows):
                scores.predictions[row] = values[at]
                scores.probabilities[row] = probabilities[at]
            return
    # The notebook's code may raise anything on a row that it was not written for.
    except Exception as error:  # noqa: BLE001
        if len(frame) > 1 and len(scores.errors) < TRIED_ALONE:
            half = len(frame) // 2
            _score(frame.iloc[:half], version, scores)
            _score(frame.iloc[half:], version, scores)
            return
        column = getattr(error, "column", None)
        message = str(error) if column else f"{type(error).__name__}: {error}"
        rejected = {row: ("features", column, message) for row in rows}
    else:
        rejected = {
            rows[at]: (
                "missing_feature",
                _suspect(scores.flags[rows[at]]),
                f"gives no value for feature {feature}",
            )
            for at, feature in gaps.items()
        }
    row_error = version.module("schema").RowError
    scores.errors += [
        row_error(row, column, code, text)
        for row, (code, column, text) in rejected.items()
    ]
    rest = frame[~frame.index.isin(list(rejected))]
    if len(rest):
        _score(rest, version, scores)


def _suspect(flags: list[str]) -> str | None:
    """The column at fault where a row lies outside of what training saw in just one."""
    return flags[0].partition(":")[2] if len(flags) == 1 else None


def _column(values: list[Any], index: pd.Index) -> pd.Series:
    """Whole numbers stay whole beside a rejected row."""
    return pd.Series(values, index=index, dtype=object if None in values else None)
