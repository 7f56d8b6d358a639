"""Values of one row: read from a raw row, made from plain Python, tested for being missing."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

NAN = float("nan")
PANDAS = int(pd.__version__.split(".")[0])
NUMBERS = (np.int64, np.float64, np.int32, int, float)
FLOATS = {float, np.float64}
AS_THEY_ARE = (str, np.int64, np.float64, np.bool_, np.int32, np.uint8)


class NotCovered(Exception):
    """The row form of an operation does not cover this value: the pandas body answers instead."""


def missing(value: Any) -> bool:
    """`isna` of one value."""
    return value is None or bool(value != value)


def is_time(found: Any) -> bool:
    """Whether a value is a Timestamp; told by its name: rows without times need no pandas."""
    return type(found).__name__ == "Timestamp" and type(found).__module__.startswith("pandas")


def is_span(found: Any) -> bool:
    """Whether a value is a Timedelta."""
    return type(found).__name__ == "Timedelta" and type(found).__module__.startswith("pandas")


def no_time(found: Any) -> bool:
    """Whether a value is NaT."""
    return type(found).__name__ == "NaTType"


def is_series(found: Any) -> bool:
    """Whether a value is a Series, as what training learned may be."""
    return type(found).__name__ == "Series" and type(found).__module__.startswith("pandas")


def value(found: Any) -> Any:
    """What a column holds after a plain Python value was stored in it."""
    kind = type(found)
    if found is None or kind in AS_THEY_ARE:
        return found
    if kind is bool:
        return np.bool_(found)
    if kind is int:
        return np.int64(found)
    if kind is float:
        return np.float64(found)
    if is_time(found) or is_span(found) or no_time(found):
        return found
    raise NotCovered(f"a {kind.__name__} in a column")


def plain(found: Any) -> Any:
    """What a function given to `apply` or `map` gets: Python's own numbers."""
    return found.item() if isinstance(found, np.generic) else found


def number(found: Any) -> Any:
    """A value that arithmetic and comparisons treat as a number."""
    if type(found) in NUMBERS:
        return found
    raise NotCovered(f"{found!r} as a number")


def reader(state: Any) -> Callable[[Mapping[str, Any]], dict[Any, Any]]:
    """How a raw row becomes the values that a frame of one row would hold; as `State.prepare`."""
    return restored(state.sample, state.holds, state.reads)


def restored(
    sample: Any, holds: Mapping[str, str], reads: Any = None
) -> Callable[[Mapping[str, Any]], dict[Any, Any]]:
    """How values become those of columns like the ones of `sample`; a column not in `reads` may be absent."""
    read, needed = [], []
    for name, like in sample.items():
        required = reads is None or str(name) in reads
        try:
            convert = converter(like.dtype, holds.get(str(name), ""))
        except NotCovered:
            if required and reads is not None:
                raise
            convert = None
        needed.append(required)
        read.append((name, str(name), convert, like.iloc[0]))

    def prepared(row: Mapping[str, Any]) -> dict[Any, Any]:
        values = {}
        for (name, text, convert, like), required in zip(read, needed, strict=True):
            found = name if name in row else text
            if found in row:
                if convert is None:
                    raise NotCovered(f"column {name!r}")
                values[name] = convert(row[found])
            elif required:
                raise NotCovered(f"column {name!r} is missing")
            else:
                values[name] = like
        return values

    return prepared


def converter(dtype: Any, holds: str) -> Callable[[Any], Any]:
    """How a raw value of a column that had this dtype in training is read."""
    if isinstance(dtype, np.dtype) and dtype == np.float64:
        return real
    if isinstance(dtype, np.dtype) and dtype == np.int64:
        return whole
    if isinstance(dtype, np.dtype) and dtype == np.bool_:
        return truth
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return moment
    if isinstance(dtype, pd.StringDtype) and getattr(dtype, "na_value", pd.NA) is not pd.NA:
        return text
    if isinstance(dtype, np.dtype) and dtype.kind == "O" and holds.startswith(("string", "empty")):
        return text_or_none if holds.endswith("or None") else text
    raise NotCovered(f"columns of {dtype} that hold {holds or 'this'}")


def real(raw: Any) -> Any:
    """A column of float64."""
    if raw is None:
        return np.float64(NAN)
    if type(raw) in (int, float, np.float64, np.int64):
        return np.float64(raw)
    raise NotCovered(f"{raw!r} in a column of floats")


def whole(raw: Any) -> Any:
    """A column of int64; what is missing there makes it one of float64, as a fraction does."""
    if raw is None:
        return np.float64(NAN)
    if type(raw) in (int, np.int64):
        return np.int64(raw)
    if type(raw) in (float, np.float64) and not abs(raw) >= 2**53:
        return np.int64(raw) if raw == raw and raw == int(raw) else np.float64(raw)
    raise NotCovered(f"{raw!r} in a column of whole numbers")


def truth(raw: Any) -> Any:
    """A column of bool."""
    if type(raw) in (bool, np.bool_):
        return np.bool_(raw)
    raise NotCovered(f"{raw!r} in a column of truth values")


def moment(raw: Any) -> Any:
    """A column of datetime64 without a time zone."""
    if raw is None:
        return pd.NaT
    if isinstance(raw, datetime.datetime) and raw.tzinfo is None and raw.microsecond == 0:
        return pd.Timestamp(raw)
    raise NotCovered(f"{raw!r} in a column of times")


def text(raw: Any) -> Any:
    """A column of text in which NaN stands for what is missing."""
    if type(raw) is str:
        return raw
    if raw is None or (type(raw) is float and raw != raw):
        return NAN
    raise NotCovered(f"{raw!r} in a column of text")


def text_or_none(raw: Any) -> Any:
    """A column of text in which None stands for what is missing."""
    found = text(raw)
    return None if found is not raw else found
