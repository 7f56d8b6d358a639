"""Whether two tables are equal, and where they first differ.

A table is a DataFrame, a Series, an array, a sparse matrix or a list with one item a row.  Whole numbers,
texts and truth values must be equal; floats up to `rtol`; missing equals missing.  Row labels do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

EXACT = 1e-9  # the same operations in the same order
BATCH = 1e-6  # matrix products sum in another order for another number of rows
SINGLE = 1e-5  # sums of single-precision numbers, in an order that is not ours


@dataclass(frozen=True)
class Difference:
    """The first difference; `size` is the largest relative one in its column, where that is a number."""

    text: str
    column: str = ""
    row: int = -1
    size: float = float("inf")

    def __str__(self) -> str:
        place = f"column {self.column!r}, " if self.column else ""
        return f"{place}row {self.row}: {self.text}" if self.row >= 0 else place + self.text


def difference(left: Any, right: Any, rtol: float = EXACT, dtypes: bool = False) -> Difference | None:
    """Where `left` and `right` differ; `dtypes` says that number, text, ... must not be mixed up either."""
    left, right = _table(left), _table(right)
    if form(left) != form(right):
        return Difference(f"{form(left)} against {form(right)}")
    if count(left) != count(right):
        return Difference(f"{count(left)} rows against {count(right)}")
    if form(left) == "sparse matrix":
        return _sparse(left, right, rtol)
    names, others = names_of(left), names_of(right)
    if names != others:
        return Difference(f"columns {_unlike(names, others)} against {_unlike(others, names)}")
    for at, name in enumerate(names):
        a, b = _column(left, at), _column(right, at)
        if dtypes and dtype_class(a.dtype) != dtype_class(b.dtype):
            return Difference(f"{a.dtype} against {b.dtype}", name)
        found = _values(a, b, rtol)
        if found is not None:
            return Difference(found.text, name, found.row, found.size)
    return None


def _table(X: Any) -> Any:
    """A list of rows with equally many values is the table of these."""
    rows = isinstance(X, list) and all(isinstance(row, (list, tuple)) for row in X)
    return pd.DataFrame(X) if rows and len({len(row) for row in X}) == 1 else X


def extent(left: Any, right: Any, rtol: float) -> tuple[list[str], float] | None:
    """The columns in which two tables differ, and the share of rows; None where they cannot be compared."""
    if form(left) != form(right) or count(left) != count(right) or names_of(left) != names_of(right):
        return None
    if form(left) == "sparse matrix":
        gap, wrong = _gaps(left, right, rtol)
        columns = [str(at) for at in np.unique(gap.col[wrong])]
        return columns, len(np.unique(gap.row[wrong])) / max(count(left), 1)
    unlike = {
        name: _unlike_rows(_column(left, at), _column(right, at), rtol)[0]
        for at, name in enumerate(names_of(left))
    }
    rows = np.logical_or.reduce(list(unlike.values())) if unlike else np.zeros(1)
    return [name for name, wrong in unlike.items() if wrong.any()], float(np.mean(rows))


def tolerance(X: Any) -> float:
    """How far a row alone may be from the same row in a batch."""
    return EXACT if form(X) in ("DataFrame", "Series") else BATCH


def form(X: Any) -> str:
    for kind, name in ((pd.DataFrame, "DataFrame"), (pd.Series, "Series"), (np.ndarray, "array")):
        if isinstance(X, kind):
            return name
    return "sparse matrix" if hasattr(X, "tocsr") else type(X).__name__


def count(X: Any) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def take(X: Any, rows: Any) -> Any:
    """Some rows of a table, by position."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if hasattr(X, "tocsr"):
        return X.tocsr()[rows]
    return X[rows] if isinstance(X, np.ndarray) else [X[row] for row in rows]


def with_values(rows: pd.DataFrame, column: Any, values: Any) -> pd.DataFrame:
    """The rows with other values in a column, whose name need not be a text."""
    changed = rows.copy()
    changed[column] = values
    return changed


def flat(y: Any) -> Any:
    """A target or prediction without labels; one column is as good as none; one row may come squeezed."""
    values = np.atleast_1d(np.asarray(y))
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def names_of(X: Any) -> list[str]:
    """Column names; those of an array are its positions, what has one column only has the name ""."""
    if isinstance(X, pd.DataFrame):
        return [str(name) for name in X.columns]
    return [str(at) for at in range(X.shape[1])] if len(getattr(X, "shape", ())) == 2 else [""]


def missing_in(X: Any) -> set[str]:
    """The columns with a missing value."""
    if form(X) == "sparse matrix":
        entries = X.tocoo()
        return {str(at) for at in np.unique(entries.col[np.isnan(entries.data)])}
    return {name for at, name in enumerate(names_of(X)) if _column(X, at).isna().any()}


def dtype_class(dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    kind = getattr(dtype, "kind", "O")
    return {"b": "truth", "i": "integer", "u": "integer", "f": "float", "M": "time", "m": "time"}.get(
        kind, "text"
    )


def _column(X: Any, at: int) -> pd.Series:
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, at].reset_index(drop=True)
    if isinstance(X, np.ndarray) and X.ndim > 2:
        return pd.Series(list(X), dtype=object)
    if isinstance(X, np.ndarray):
        return pd.Series(X[:, at] if X.ndim == 2 else X)
    return (
        pd.Series(X).reset_index(drop=True) if isinstance(X, pd.Series) else pd.Series(list(X), dtype=object)
    )


def _values(a: pd.Series, b: pd.Series, rtol: float) -> Difference | None:
    unlike, relative = _unlike_rows(a, b, rtol)
    wrong = np.flatnonzero(unlike)
    if not len(wrong):
        return None
    row = int(wrong[0])
    return Difference(f"{_shown(a.iloc[row])} against {_shown(b.iloc[row])}", "", row, relative)


def _unlike_rows(a: pd.Series, b: pd.Series, rtol: float) -> tuple[np.ndarray, float]:
    """Which rows of two columns differ, and the largest relative difference where they are numbers."""
    missing, also = a.isna().to_numpy(), b.isna().to_numpy()
    numbers = {dtype_class(a.dtype), dtype_class(b.dtype)} <= {"integer", "float", "truth"}
    if numbers and "float" in {dtype_class(a.dtype), dtype_class(b.dtype)}:
        x, y = a.to_numpy(dtype=float, na_value=np.nan), b.to_numpy(dtype=float, na_value=np.nan)
        with np.errstate(all="ignore"):
            gap = np.where(x == y, 0.0, np.abs(x - y))
            size = np.maximum(np.abs(x), np.abs(y))
            scale = np.nanmax(np.where(np.isfinite(size), size, 0.0), initial=0.0)
            same = gap <= rtol * size + rtol * 1e-3 * scale
            relative = np.nanmax(
                np.where(missing | also, 0.0, gap / np.where(size > 0, size, 1)), initial=0.0
            )
    elif numbers:
        same, relative = (a.astype(object) == b.astype(object)).to_numpy(dtype=bool), float("inf")
    else:
        cells = zip(a.astype(object), b.astype(object), strict=True)
        same, relative = np.array([_equal(x, y) for x, y in cells], dtype=bool), float("inf")
    return ~np.where(missing | also, missing & also, same), float(relative)


def _equal(x: Any, y: Any) -> bool:
    try:
        return bool(x == y) and isinstance(x, str) == isinstance(y, str)
    except ValueError:  # a cell that is an array itself
        return bool(np.array_equal(x, y))


def _sparse(left: Any, right: Any, rtol: float) -> Difference | None:
    if left.shape != right.shape:
        return Difference(f"shape {left.shape} against {right.shape}")
    gap, wrong = _gaps(left, right, rtol)
    if not len(wrong):
        return None
    row, column = min((int(gap.row[at]), int(gap.col[at])) for at in wrong)
    text = f"{left.tocsr()[row, column]!r} against {right.tocsr()[row, column]!r}"
    return Difference(text, str(column), row, float(gap.data[wrong].max()))


def _gaps(left: Any, right: Any, rtol: float) -> tuple[Any, np.ndarray]:
    """How far two sparse matrices are apart where they are not equal, and which entries are too far."""
    gap = abs(left.tocsr() - right.tocsr()).tocoo()
    sizes = [np.abs(side.tocsr().data) for side in (left, right)]
    bound = rtol * max([1e-300, *(float(np.nanmax(size)) for size in sizes if not np.isnan(size).all())])
    near = gap.data <= bound
    for at in np.flatnonzero(np.isnan(gap.data)):
        a, b = (side.tocsr()[gap.row[at], gap.col[at]] for side in (left, right))
        near[at] = np.isnan(a) and np.isnan(b)
    return gap, np.flatnonzero(~near)


def _unlike(names: list[str], others: list[str]) -> str:
    """The names that the others lack; if there are none, the order is what differs."""
    only = [name for name in names if name not in others]
    shown = only or names
    return f"{shown[:8]}" + ("" if len(shown) <= 8 else f" and {len(shown) - 8} more")


def _shown(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else text[:57] + "..."
