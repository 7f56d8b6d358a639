"""What a raw row must look like: which columns the features depend on, and what training saw in them."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd

from .compare import difference, tolerance, with_values
from .guards import guards

ROWS = 500
FEW = 50


def probe(session: Any) -> dict[str, Any]:
    """Facts on every raw column, on the feature matrix and on what was learned."""
    ids, _ = session.kept()
    kept = session.main.iloc[ids]
    rows = kept.iloc[np.linspace(0, len(kept) - 1, min(ROWS, len(kept))).astype(int)]
    expected = session.transform(rows)
    state, targets = session.data.state, _targets(session, kept)
    return {
        "columns": [
            {**describe(session.main, kept, column), "read": _read(session, rows, column, expected)}
            for column in session.main.columns
        ],
        "targets": targets,
        "guards": guards(session, [*session.targets, *targets]),
        "outputs": state.outputs,
        "learned": state.describe(),
        "rows": {"raw": len(session.main), "train": len(session.data.train_ids)},
    }


def _targets(session: Any, kept: pd.DataFrame) -> list[str]:
    """The raw columns that give the target: each of their values goes with one value of y, and back."""
    y = session.data.y_train
    if y is None or len(np.shape(y)) > 2 or len(y) != len(kept):
        return []
    answers = pd.Series(np.asarray(y).reshape(len(kept), -1)[:, 0])
    codes = pd.factorize(answers)[0]
    found = []
    for column in kept.columns:
        raw = pd.factorize(kept[column])[0]
        pairs = len(set(zip(raw, codes, strict=True)))
        numbers = pd.to_numeric(kept[column], errors="coerce").to_numpy(dtype=float)
        few = len(set(raw)) < len(kept) // 2
        ordered = not few and _same_order(numbers, answers)
        if pairs == len(set(raw)) == len(set(codes)) and (few or ordered):
            found.append(str(column))
    return found


def _same_order(numbers: np.ndarray, answers: pd.Series) -> bool:
    """Whether two columns rise together, as prices and their logarithms do."""
    order = np.argsort(numbers, kind="stable")
    try:
        values = answers.to_numpy(dtype=float)[order]
    except (TypeError, ValueError):
        return False
    return bool(np.isfinite(numbers).all() and (np.diff(values) >= 0).all())


def describe(main: pd.DataFrame, kept: pd.DataFrame, column: Any) -> dict[str, Any]:
    """Type and domain of one column in the rows that training kept; `gaps` and the range look at all rows."""
    known = kept[column].dropna()
    kind = column_type(known)
    fact: dict[str, Any] = {
        "name": str(column),
        "type": kind,
        "nullable": bool(kept[column].isna().any()),
        "gaps": bool(main[column].isna().any()),
        "categories": None,
        "minimum": None,
        "maximum": None,
        "example": to_json(known.iloc[0]) if len(known) else None,
    }
    if kind == "str" and len(known):
        distinct = sorted({str(value) for value in known})
        fact["categories"] = distinct if len(distinct) <= FEW else None
    if kind in ("int", "float") and len(known):
        fact["example"] = float(known.iloc[0]) if kind == "float" else int(known.iloc[0])
        every = main[column].dropna()
        if column_type(every) in ("int", "float"):  # rows that training drops may hold anything
            fact |= {"minimum": float(every.min()), "maximum": float(every.max())}
    return fact


def column_type(known: pd.Series) -> str:
    """int, float, bool, datetime or str, from the values rather than the dtype."""
    if isinstance(known.dtype, pd.CategoricalDtype):
        known = known.astype(known.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(known):
        return "datetime"
    inferred = pd.api.types.infer_dtype(known, skipna=True)
    if inferred == "floating" and len(known) and float(known.iloc[0]).is_integer():
        # whole numbers with gaps are read as floats
        return "int" if (known.astype(float) % 1 == 0).all() and known.dtype == object else "float"
    kinds = {"integer": "int", "floating": "float", "mixed-integer-float": "float", "boolean": "bool"}
    return kinds.get(inferred, "datetime" if inferred in ("datetime", "datetime64", "date") else "str")


def _read(session: Any, rows: pd.DataFrame, column: Any, expected: Any) -> bool:
    """Whether a feature of any row changes when this column does."""
    for changed in _changes(rows[column]):
        try:
            found = session.transform(with_values(rows, column, changed))
        except Exception:  # it was looked at, else it could not do harm
            return True
        if difference(expected, found, tolerance(expected)) is not None:
            return True
    return False


def _changes(column: pd.Series) -> list[Any]:
    """The column in another order, all missing, and all at one value or another."""
    order = np.random.RandomState(0).permutation(len(column))
    known = column.dropna()
    ends = [known.iloc[0], known.iloc[-1]] if len(known) else []
    constant = [pd.Series([value] * len(column), index=column.index, dtype=column.dtype) for value in ends]
    return [
        column.iloc[order].set_axis(column.index),
        *constant,
        pd.Series(np.nan, column.index, dtype=object),
    ]


def to_json(value: Any) -> Any:
    """A cell as JSON has it: missing is null, dates are texts, a whole float is an integer."""
    if isinstance(value, list | dict | tuple):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp | datetime.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, bool | int | float | str) else str(value)


def to_json_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON objects; a column with a number for its name has the number's text there."""
    return [{str(c): to_json(v) for c, v in row.items()} for row in rows.to_dict("records")]
