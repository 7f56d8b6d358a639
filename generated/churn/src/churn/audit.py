"""Whether the service answers as the batch does: logged rows, computed again all together and compared."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .answers import predictions_of, probabilities_of
from .versions import Version

SAMPLED = 200


@dataclass(frozen=True)
class Audit:
    """How many logged rows were computed again, how many gave another answer, and the first of these."""

    rows: int
    differing: int
    detail: str


def audit(logged: pd.DataFrame, version: Version, sampled: int = SAMPLED) -> Audit:
    """Compute a sample of logged predictions of this version again, through the features of a whole batch."""
    answered = np.flatnonzero(logged["prediction"].notna())
    rows = logged.iloc[
        np.random.default_rng(0).choice(
            answered, min(sampled, len(answered)), replace=False
        )
    ]
    if not len(rows):
        return Audit(0, 0, "nothing is logged")
    columns = [str(name) for name in rows if str(name).startswith("row.")]
    # as of a request
    frame = pd.DataFrame(
        {name.removeprefix("row."): rows[name].tolist() for name in columns}
    )
    frame = frame.assign(
        **{name: None for name in version.state.reads or () if name not in frame}
    )
    try:
        X = version.module("features").transform(
            _numbers(frame, version), version.state
        )
        values, odds = predictions_of(version, X), probabilities_of(version, X)
    # The notebook's code may raise anything; it did not when the service asked it.
    except Exception as error:  # noqa: BLE001
        return Audit(
            len(rows),
            len(rows),
            f"rows that were served fail in a batch: {type(error).__name__}: {error}",
        )
    found = []
    for at, (value, chances) in enumerate(zip(values, odds, strict=True)):
        row = rows.iloc[at]
        was = {
            "prediction": row["prediction"],
            **{str(label): row.get(f"probability.{label}") for label in chances or {}},
        }
        now = {"prediction": value, **(chances or {})}
        differs = [
            f"{_told(name)} was {was[name]}, is {now[name]}"
            for name in now
            if not _same(was[name], now[name])
        ]
        if (
            "feature_version" in row
            and row["feature_version"] != version.feature_version
        ):
            differs.append(f"was served with features {row['feature_version'][:12]}")
        found += [f"{row['id']}: {one}" for one in differs[:1]]
    return Audit(len(rows), len(found), found[0] if found else "all the same")


def _told(name: str) -> str:
    return name if name == "prediction" else f"the probability of {name}"


def _numbers(frame: pd.DataFrame, version: Version) -> pd.DataFrame:
    """Numbers that the log holds as text, because a row of the same file had text there."""
    for name, like in version.state.sample.items():
        if (
            name in frame
            and pd.api.types.is_numeric_dtype(like)
            and not pd.api.types.is_numeric_dtype(frame[name])
        ):
            frame[name] = [
                json.loads(one) if isinstance(one, str) and _is_json(one) else one
                for one in frame[name]
            ]
    return frame


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _same(was: Any, now: Any) -> bool:
    """The log has its own types: 1 may have become 1.0 or "1", an answer of several targets its JSON."""
    if isinstance(now, dict):
        now = json.dumps(now)
    try:
        return math.isclose(float(was), float(now), rel_tol=1e-6, abs_tol=1e-9)
    except (TypeError, ValueError):
        return str(was) == str(now)
