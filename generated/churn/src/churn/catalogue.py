"""What is in the feature store, and in what two versions of the features differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import store
from .settings import Settings
from .store import Entry

ROUNDING = 1e-9
DECIDING = ("definition", "data", "fit_on", "parameters", "seed")


def describe(settings: Settings, entry: Entry) -> dict[str, Any]:
    """A version with its columns and what it learned."""
    X = table(store.value(settings, entry, "X_train"))
    return {
        **entry.to_dict(),
        "columns": [_column(X[name]) for name in X],
        "learned": store.learned(settings, entry),
    }


def _column(column: pd.Series) -> dict[str, Any]:
    found: dict[str, Any] = {
        "column": str(column.name),
        "dtype": str(column.dtype),
        "missing": round(float(column.isna().mean()), 6),
    }
    if not pd.api.types.is_numeric_dtype(column):
        return {**found, "values": int(column.astype(str).nunique())}
    numbers = column.astype(float)
    measures = {
        "mean": numbers.mean(),
        "sd": numbers.std(),
        "min": numbers.min(),
        "max": numbers.max(),
    }
    return {
        **found,
        **{
            name: None if pd.isna(value) else float(value)
            for name, value in measures.items()
        },
    }


def diff(settings: Settings, before: Entry, after: Entry) -> dict[str, Any]:
    """Why two versions differ, which columns came and went, which changed and by how much.

    On the same raw data rows are compared one by one; on different data only distributions can be.
    """
    old, new = _rows(settings, before), _rows(settings, after)
    common = [name for name in old if name in new]
    same_data = before.data == after.data
    if same_data:
        rows = old.index.intersection(new.index)
        old, new = old.loc[rows], new.loc[rows]
    found = [
        (_changed if same_data else _moved)(old[name], new[name]) for name in common
    ]
    learned = [
        {one["key"]: _learned(one) for one in store.learned(settings, entry)}
        for entry in (before, after)
    ]
    return {
        "because": [
            name for name in DECIDING if getattr(before, name) != getattr(after, name)
        ],
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "compared": "row by row" if same_data else "by distribution",
        "rows": [len(old), len(new)],
        "changed": [one for one in found if one],
        "learned": {
            key: [one.get(key) for one in learned]
            for key in {**learned[0], **learned[1]}
            if learned[0].get(key) != learned[1].get(key)
        },
    }


def _learned(one: dict[str, Any]) -> Any:
    return one.get("value", one.get("object"))


def _rows(settings: Settings, entry: Entry) -> pd.DataFrame:
    """The features of all rows of a version, by the position of the raw row."""
    parts = []
    for X, ids in (("X_train", "train_ids"), ("X_eval", "eval_ids")):
        matrix, at = store.value(settings, entry, X), store.value(settings, entry, ids)
        if matrix is not None and at is not None and matrix.shape[0] == len(at):
            parts.append(table(matrix).set_axis(at, axis="index"))
    found = pd.concat(parts)
    return found[(found.index >= 0) & ~found.index.duplicated()]


def table(X: Any) -> pd.DataFrame:
    """A feature matrix as a frame whose columns have text as names."""
    if isinstance(X, pd.DataFrame):
        frame = X
    elif hasattr(X, "toarray"):
        frame = pd.DataFrame(
            {at: X[:, [at]].toarray().ravel() for at in range(X.shape[1])}
        )
    else:
        frame = pd.DataFrame(X)
    return frame.set_axis([str(name) for name in frame.columns], axis="columns")


def _changed(old: pd.Series, new: pd.Series) -> dict[str, Any]:
    """The share of rows with another value, and the largest difference."""
    if _is_number(old) and _is_number(new):
        a, b = old.to_numpy(dtype=float), new.to_numpy(dtype=float)
        differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        gaps = np.abs(a - b)[differs]
        by = float(np.nanmax(gaps)) if np.isfinite(gaps).any() else None
    else:
        gone = old.isna().to_numpy(), new.isna().to_numpy()
        a, b = old.astype(str).to_numpy(), new.astype(str).to_numpy()
        differs, by = (gone[0] != gone[1]) | (~gone[0] & (a != b)), None
    dtypes = [str(old.dtype), str(new.dtype)]
    if not differs.any() and dtypes[0] == dtypes[1]:
        return {}
    return {
        "column": str(old.name),
        "rows": float(differs.mean()),
        "largest": by,
        "dtypes": dtypes,
    }


def _moved(old: pd.Series, new: pd.Series) -> dict[str, Any]:
    """How far the mean moved, in standard deviations, or the share of rows in another category; empty for neither."""
    if _is_number(old) and _is_number(new):
        gap, scale = abs(float(new.mean()) - float(old.mean())), float(old.std())
        by = gap / scale if scale > 0 else gap
        kind = "standard deviations"
    else:
        shares = [one.astype(str).value_counts(normalize=True) for one in (old, new)]
        by, kind = (
            float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2),
            "share of rows",
        )
    missing = abs(float(new.isna().mean()) - float(old.isna().mean()))
    return (
        {"column": str(old.name), "moved": by, "in": kind, "missing": missing}
        if by > ROUNDING or missing
        else {}
    )


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column))


def text(found: dict[str, Any]) -> str:
    """For people: one line a fact, one line a row of a table."""
    lines = []
    for name, value in found.items():
        if name == "learned" and isinstance(value, dict):
            lines.append(f"{name}:{'' if value else ' none'}")
            lines += [
                f"  {key}: {' -> '.join(_short(_bare(one)) for one in both)}"
                for key, both in value.items()
            ]
        elif name == "learned":
            lines.append(f"{name}:")
            lines += [
                f"  {one['key']}: {_short(_bare(_learned(one)))} ({one['kind']})"
                for one in value
            ]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{name}:")
            lines += [
                "  " + "  ".join(f"{key} {_short(one)}" for key, one in row.items())
                for row in value
            ]
        elif isinstance(value, dict) and name == "features":
            lines.append(f"{name}:")
            lines += [f"  {key}: {_short(one)}" for key, one in value.items()]
        else:
            lines.append(f"{name}: {_short(value)}")
    return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        value = [f"{key} {_short(one)}" for key, one in value.items()]
    if isinstance(value, list):
        value = ", ".join(map(_short, value)) or "none"
    text = str(value)
    return text if len(text) <= 100 else text[:97] + "..."


def _bare(tree: Any) -> Any:
    """A learned value as state.json has it, without what that says of types."""
    if isinstance(tree, list):
        return [_bare(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    kind, content = next(iter(tree.items()))
    if kind == "numpy":
        return _bare(tree["value"])
    if kind == "dict":
        return {key: _bare(one) for key, one in content.items()}
    if kind == "pairs":
        return {str(_bare(key)): _bare(one) for key, one in content}
    if kind == "Series":
        return {
            str(key): one
            for key, one in zip(
                _bare(content["index"]), _bare(content["values"]), strict=True
            )
        }
    return _bare(content["values"] if isinstance(content, dict) else content)
