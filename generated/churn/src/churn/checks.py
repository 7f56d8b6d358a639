"""What training records about a version, and the checks that it must pass before it is registered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import baseline, versions
from .answers import predictions_of, probabilities_of, same_values
from .features import Training
from .values import digest
from .versions import Version

SINGLE_ROWS = 12
EXAMPLE_ROWS = 5
FEW_VALUES = 50
JUDGED = 20_000
ASKED = 2000


def describe(
    version: Version, raw: Any, data: Training, task: str, targets: list[str]
) -> Version:
    """The version with the facts that predictions, reports and later checks need."""
    main = main_frame(raw)
    used = main.iloc[known_ids(data)]
    info = {
        "task": task,
        "targets": targets,
        "labels": None,
        "code_hash": versions.code_hash(),
        "feature_version": version.feature_version,
        "data_fingerprint": digest(raw),
        "model_hash": _model_hash(version),
        "libraries": versions.libraries(),
        "profile": _profile(used, _row_columns(version, used, targets)),
    }
    version = replace(version, info=info)
    if task == "classification" and len(targets) <= 1:
        info["labels"] = _labels(version, used.iloc[:2000])
    info["example"] = _example(version, used)
    info["baseline"] = _baseline(version, main, data)
    trained = data.train_ids[data.train_ids >= 0]
    info["row_path"] = version.module("rows").prove(version, used)
    info["training_rows"] = baseline.packed(baseline.row_hashes(main.iloc[trained]))
    return version


def _model_hash(version: Version) -> str:
    """Hash of everything fitted: the same data, code and seed give the same."""
    fitted = [version.model, version.extras, version.feature_version]
    try:
        return digest(fitted)
    except Exception:  # noqa: BLE001 -- what only cloudpickle can write, such as a lambda
        import cloudpickle

        return hashlib.sha256(cloudpickle.dumps(fitted)).hexdigest()


def _baseline(version: Version, main: pd.DataFrame, data: Training) -> dict[str, Any]:
    """What monitoring compares with; predictions of rows that judge the model, where the notebook has some."""
    used = main.iloc[known_ids(data)]
    names = _row_columns(version, used, version.info["targets"])
    ids = known_ids(data) if data.eval_ids is None else data.eval_ids
    held_out = (
        data.eval_ids is not None
        and (ids >= 0).all()
        and len(ids) == _count(data.y_eval)
    )
    ids = ids if held_out else known_ids(data)
    X = version.module("features").transform(main.iloc[ids[:JUDGED]], version.state)
    values, odds = predictions_of(version, X), probabilities_of(version, X)
    truth = _told(version, X, np.asarray(data.y_eval)[:JUDGED]) if held_out else []
    return {
        "columns": {name: baseline.column(used[name]) for name in names},
        "predictions": baseline.predictions(values, odds),
        "held_out": bool(held_out),
        "quality": baseline.quality(values, odds, truth, version.info["task"]),
        "refused": _refused(version, main),
    }


def _refused(version: Version, main: pd.DataFrame) -> dict[str, Any]:
    """For what the service would refuse rows of the raw data, those that training leaves out among them."""
    rows = main.sample(min(len(main), ASKED), random_state=0).to_dict("records")
    errors = version.module("infer").score(rows, version).errors
    return {"n": len(rows), "reasons": version.module("schema").reasons(errors)}


def _told(version: Version, X: Any, y: np.ndarray) -> list[Any]:
    """The truth in the words and units of the predictions; nothing where the notebook's own code cannot say it."""
    try:
        return predictions_of(replace(version, model=Oracle(version.model, y)), X)
    # It asks its model for more than an answer, or is no such model at all.
    except Exception:  # noqa: BLE001
        return []


class Oracle:
    """A model that knows the truth: what the notebook makes of an answer, it makes of the truth."""

    def __init__(self, model: Any, truth: np.ndarray) -> None:
        self._model, self._truth = model, truth

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "predict")) or name in (
            "decision_function",
            "transform",
        ):
            raise AttributeError(name)
        return getattr(self._model, name)

    def predict(self, *given: Any, **named: Any) -> np.ndarray:
        return self._truth

    def predict_proba(self, *given: Any, **named: Any) -> np.ndarray:
        odds: np.ndarray = (
            self._truth.reshape(-1, 1) == np.asarray(self._model.classes_)
        ).astype(float)
        return odds


def first_frame(raw: Any) -> pd.DataFrame:
    """The frame whose rows are scored, of those that `load` gives."""
    return raw if isinstance(raw, pd.DataFrame) else next(iter(raw.values()))


def main_frame(raw: Any) -> pd.DataFrame:
    """That frame with its columns named by text, as rows from outside have them: a file without a header has
    numbers.
    """
    main = first_frame(raw)
    names = [str(column) for column in main.columns]
    return main if names == list(main.columns) else main.set_axis(names, axis="columns")


def known_ids(data: Training) -> np.ndarray:
    """Positions of the raw rows that training used, without those that it made up."""
    ids = (
        data.train_ids
        if data.eval_ids is None
        else np.concatenate([data.train_ids, data.eval_ids])
    )
    return np.unique(ids[ids >= 0])


def check(
    version: Version, data: Training, raw: Any, folder: Path
) -> list[dict[str, Any]]:
    """Compare training with serving, single rows with batches, and the stored version with this one."""
    main = main_frame(raw)
    transform = version.module("features").transform
    ids = data.train_ids
    results = []
    if len(ids) == _count(data.X_train) and (ids >= 0).all():
        found = difference(data.X_train, transform(main.iloc[ids], version.state))
        results.append(
            _result("training features equal serving features", len(ids), found)
        )
    else:
        reason = "training rows are not raw rows (resampled or made up)"
        results.append(
            {
                "check": "training features equal serving features",
                "status": "skipped",
                "detail": reason,
            }
        )
    rows = main.iloc[_telling(main, known_ids(data))]
    batch = transform(rows, version.state)
    alone = (
        difference(take(batch, at), transform(rows.iloc[[at]], version.state))
        for at in range(len(rows))
    )
    results.append(
        _result(
            "a row alone equals the row in a batch",
            len(rows),
            next(filter(None, alone), ""),
        )
    )
    stored = versions.load(folder)
    again = stored.module("features").transform(rows, stored.state)
    results.append(
        _result(
            "the stored state gives the same features",
            len(rows),
            difference(batch, again),
        )
    )
    before, after = predictions_of(version, batch), predictions_of(stored, again)
    found = "" if same_values(before, after) else f"{before} became {after}"
    results.append(
        _result("the stored model gives the same predictions", len(rows), found)
    )
    results.append(_of_row_path(version.info["row_path"]))
    return results


def _of_row_path(proof: dict[str, Any]) -> dict[str, Any]:
    """The proof of the row path as a check: where it fails nothing is wrong, single rows only take longer."""
    detail = "not used: " + proof["told"]
    if proof["passed"]:
        detail = "{alone} of {rows} rows and {probes_alone} of {probes} probes without pandas, all equal; ".format(
            **proof
        )
        detail += "the model by {asked}; a service imports ".format(**proof)
        detail += (
            f"what else it needs first: {proof['needs']}"
            if proof["needs"]
            else "neither pandas nor that library for them"
        )
    status = "passed" if proof["passed"] else "skipped"
    return {
        "check": "single rows without pandas equal those with it",
        "status": status,
        "detail": detail,
    }


def _result(name: str, rows: int, difference: str) -> dict[str, Any]:
    return {
        "check": name,
        "status": "failed" if difference else "passed",
        "detail": difference or f"{rows} rows",
    }


def difference(left: Any, right: Any) -> str:
    """Where two feature matrices differ, in words; empty where they are equal."""
    if _count(left) != _count(right):
        return f"{_count(left)} rows against {_count(right)}"
    if isinstance(left, pd.DataFrame) and isinstance(right, pd.DataFrame):
        if list(left.columns) != list(right.columns):
            return f"columns {list(left.columns)} against {list(right.columns)}"
        for at, name in enumerate(left.columns):
            found = _differs(left.iloc[:, at].to_numpy(), right.iloc[:, at].to_numpy())
            if found:
                return f"column {name}, {found}"
        return ""
    if hasattr(left, "toarray") and hasattr(right, "toarray"):
        return "" if abs(left - right).max() <= 1e-9 else "sparse values differ"
    return _differs(np.asarray(left), np.asarray(right))


def _differs(left: np.ndarray, right: np.ndarray) -> str:
    if left.shape != right.shape:
        return f"shape {left.shape} against {right.shape}"
    if left.dtype.kind in "biufc" and right.dtype.kind in "biufc":
        numbers = left.astype(float), right.astype(float)
        # Sums over a batch differ in their last bits, and more so where they cancel.
        largest = np.where(np.isfinite(numbers[0]), np.abs(numbers[0]), 0).max(
            axis=0, initial=0
        )
        equal = np.isclose(*numbers, rtol=1e-6, atol=1e-9 * largest, equal_nan=True)
    else:
        equal = (left == right) | (pd.isna(left) & pd.isna(right))
    if equal.all():
        return ""
    at = tuple(int(axis[0]) for axis in np.nonzero(~equal))
    return f"row {at[0]}: {left[at]} against {right[at]}"


def take(X: Any, at: int) -> Any:
    """One row of a feature matrix, as a matrix."""
    return X.iloc[[at]] if hasattr(X, "iloc") else X[at : at + 1]


def _count(X: Any) -> int:
    if X is None:
        return 0
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _telling(main: pd.DataFrame, ids: np.ndarray) -> list[int]:
    """Rows spread over the data, and for each column one in which it is missing."""
    spread = ids[
        np.linspace(0, len(ids) - 1, min(SINGLE_ROWS, len(ids))).astype(int)
    ].tolist()
    absent = main.iloc[ids].isna().to_numpy()
    gaps = ids[absent.argmax(axis=0)[absent.any(axis=0)]].tolist()
    return list(dict.fromkeys(spread + gaps[: 2 * SINGLE_ROWS]))


def _row_columns(version: Version, used: pd.DataFrame, targets: list[str]) -> list[str]:
    """The raw columns of a row to predict; where the schema does not say which it needs, all but the targets."""
    return list(version.module("schema").COLUMNS) or [
        str(one) for one in used if one not in targets
    ]


def _profile(used: pd.DataFrame, columns: Iterable[str]) -> dict[str, Any]:
    """What training saw in each raw column: missing values, few different texts, a range of numbers."""
    profile: dict[str, Any] = {}
    for name in columns:
        column = used[name]
        seen: dict[str, Any] = {"missing": bool(column.isna().any())}
        known = column.dropna()
        if pd.api.types.is_bool_dtype(known):
            pass
        elif pd.api.types.is_numeric_dtype(known) and len(known):
            seen["range"] = [float(known.min()), float(known.max())]
        elif pd.api.types.is_object_dtype(known) or isinstance(
            known.dtype, pd.StringDtype | pd.CategoricalDtype
        ):
            values = sorted({str(value) for value in known})
            seen["values"] = values if len(values) <= FEW_VALUES else None
        profile[name] = seen
    return profile


def _labels(version: Version, rows: pd.DataFrame) -> list[str] | None:
    """The notebook's names of the model's classes; None where its predictions do not follow the model's."""
    model = version.model
    X = version.module("features").transform(rows, version.state)
    try:
        classes, raw, probability = (
            model.classes_.tolist(),
            model.predict(X).tolist(),
            model.predict_proba(X),
        )
    # No probabilities, or the notebook prepares X further before it asks this model.
    except Exception:  # noqa: BLE001
        return None
    final = predictions_of(version, X)
    names = dict(zip(raw, final, strict=True))
    if all(names[label] == value for label, value in zip(raw, final, strict=True)):
        labels = [str(names.get(label, label)) for label in classes]
        return labels if len(set(labels)) == len(labels) else None
    # a cut-off of the notebook's own
    if len(classes) == 2 and set(final) <= set(classes):
        second = np.array([value == classes[1] for value in final])
        above, below = probability[second, 1], probability[~second, 1]
        if not len(above) or not len(below) or below.max() <= above.min():
            return [str(label) for label in classes]
    return None


def _example(version: Version, used: pd.DataFrame) -> dict[str, Any]:
    """A few raw rows as JSON and their predictions."""
    valid, _ = version.module("schema").check(
        used.iloc[: 10 * EXAMPLE_ROWS].to_dict("records")
    )
    rows = [
        {k: plain(v) for k, v in row.items()}
        for row in list(valid.values())[:EXAMPLE_ROWS]
    ]
    return {
        "rows": rows,
        "predictions": version.module("infer").score(rows, version).predictions,
    }


def plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
