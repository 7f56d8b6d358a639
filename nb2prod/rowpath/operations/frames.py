"""The row form of what is done with a frame, which is a dict from column to value here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nb2prod.rowpath.operations.columns import filled, replaced, through, truth_value
from nb2prod.rowpath.operations.values import PANDAS, NotCovered, is_series, missing, no_time, plain, value

OF_SERIES = frozenset(dir(pd.Series))  # what `row.name` finds before any column


def selected(frame: dict[Any, Any], names: Sequence[Any]) -> dict[Any, Any]:
    """`frame[names]`."""
    if len(set(names)) != len(names):
        raise NotCovered("a column twice")
    return {name: frame[name] for name in names}


def dropped(frame: dict[Any, Any], names: Any) -> dict[Any, Any]:
    """`frame.drop(columns=names)`; a name that is no column is an error."""
    gone = {names} if isinstance(names, str) else set(names)
    if not gone <= frame.keys():
        raise NotCovered("a column to drop that is not there")
    kept = dict(frame)
    for name in gone:
        del kept[name]
    return kept


def renamed(frame: dict[Any, Any], names: dict[Any, Any]) -> dict[Any, Any]:
    """`frame.rename(columns=names)`."""
    return joined(*({names.get(name, name): found} for name, found in frame.items()))


def joined(*frames: dict[Any, Any]) -> dict[Any, Any]:
    """`pd.concat(frames, axis=1)` of frames without a column in common."""
    result: dict[Any, Any] = {}
    for frame in frames:
        if not result.keys().isdisjoint(frame):
            raise NotCovered("a column twice")
        result.update(frame)
    return result


def named(names: Sequence[Any], values: Any) -> dict[Any, Any]:
    """Columns set from a frame, or from the only row of an array."""
    row = values.values() if isinstance(values, dict) else only_row(values)
    return dict(zip(names, row, strict=True))


def only_row(array: Any) -> list[Any]:
    """The values of an array of one row."""
    known = isinstance(array, np.ndarray) and array.dtype in (np.float64, np.int64, np.bool_)
    if known and array.shape[:1] == (1,):
        return list(array.reshape(-1))
    raise NotCovered("an array that is no row of numbers")


def only_value(array: Any) -> Any:
    """The value of an array of one row and one column."""
    (found,) = only_row(array)
    return found


def become(frame: dict[Any, Any], other: dict[Any, Any]) -> None:
    """A change in place: every name of the frame sees it."""
    frame.clear()
    frame.update(other)


class Row:
    """A row as `frame.apply(function, axis=1)` hands it to the function, to be asked for single values."""

    def __init__(self, frame: dict[Any, Any]) -> None:
        kinds = set(map(type, frame.values()))
        self._found = dict(frame)
        if kinds <= {np.int64, np.float64, np.int32, np.uint8}:
            kind = np.result_type(*kinds).type
            self._found = {name: kind(found) for name, found in frame.items()}
        elif kinds != {np.bool_}:
            self._found = {name: plain(found) for name, found in frame.items()}

    def __getitem__(self, key: Any) -> Any:
        if key in self._found:
            return self._found[key]
        if PANDAS >= 3 or type(key) is not int or not all(type(name) is str for name in self._found):
            raise NotCovered(f"{key!r} of a row")
        return list(self._found.values())[key]

    def __getattr__(self, name: str) -> Any:
        if name in OF_SERIES or name.startswith("_"):
            raise NotCovered(f".{name} of a row")
        return self[name]

    def __eq__(self, other: object) -> bool:
        raise NotCovered("a row compared")

    def _as_a_whole(self, *_: Any) -> Any:
        raise NotCovered("a row as a whole")

    __iter__ = __contains__ = __bool__ = __len__ = _as_a_whole


def gathered(values: list[Any]) -> Any:
    """What a column holds after a list was stored in it, which a loop over its rows made."""
    (found,) = values
    return value(plain(found))


def written(frame: dict[Any, Any]) -> dict[Any, Any]:
    """What `pd.read_csv` gives back of `frame.to_csv(index=False)`, where that is beyond doubt."""
    return {str(name): as_written(found) for name, found in frame.items()}


def as_written(found: Any) -> Any:
    """A value after it was written as text and read again; a number keeps its value up to fifteen digits."""
    if missing(found) and not no_time(found):
        return None
    if isinstance(found, np.int64 | np.bool_):
        return plain(found)
    if isinstance(found, np.float64):
        mantissa, _, exponent = repr(float(found)).partition("e")
        if len(mantissa.strip("-").replace(".", "")) <= 15 and not exponent:
            return float(found)
    if type(found) is str and re.fullmatch(r"[A-Za-z][A-Za-z .,'()/&-]*", found):
        if found.lower() not in ("na", "nan", "null", "none", "n/a", "true", "false", "inf", "infinity"):
            return found
    raise NotCovered(f"{found!r} written to a file and read again")


def each(function: Callable[[Any, Any], Any], left: Any, right: Any, reverse: bool = False) -> dict[Any, Any]:
    """An operator between a frame and a number, a frame of the same columns, or a learned Series of them."""
    right = by_column(right)
    if not isinstance(right, dict):
        right = dict.fromkeys(left, right)
    if list(left) != list(right):
        raise NotCovered("an operator between other columns")
    if reverse:
        return {name: function(value(right[name]), found) for name, found in left.items()}
    return {name: function(found, value(right[name])) for name, found in left.items()}


def by_column(learned: Any) -> Any:
    """A learned Series as a dict from column to value."""
    if is_series(learned):
        return dict(zip(learned.index, learned.tolist(), strict=True)) if learned.index.is_unique else {}
    return learned


def through_each(function: Any, frame: dict[Any, Any]) -> dict[Any, Any]:
    """A function of NumPy of every column."""
    return {name: through(function, found) for name, found in frame.items()}


def filled_frame(frame: dict[Any, Any], new: Any) -> dict[Any, Any]:
    """`frame.fillna` with one value, or with one for each column."""
    table = new.to_dict() if is_series(new) else new
    if not isinstance(table, dict):
        return {name: filled(found, table) for name, found in frame.items()}
    return {name: filled(found, table[name]) if name in table else found for name, found in frame.items()}


def replaced_frame(frame: dict[Any, Any], table: dict[Any, Any]) -> dict[Any, Any]:
    """`frame.replace` with a dict of values, or a dict of such dicts by column."""
    if all(isinstance(inner, dict) for inner in table.values()):
        if not table.keys() <= frame.keys():
            raise NotCovered("a column to replace in that is not there")
        return {
            name: replaced(found, table[name]) if name in table else found for name, found in frame.items()
        }
    if not all(type(old) is str for old in table):
        raise NotCovered("numbers replaced in every column")
    return {name: replaced(found, table) if type(found) is str else found for name, found in frame.items()}


def matrix(frame: dict[Any, Any]) -> Any:
    """`frame.values`: of numbers in the type that holds them all, of anything else as Python's own values."""
    values = list(frame.values())
    kinds = set(map(type, values))
    if kinds <= {np.int64, np.float64, np.int32, np.uint8} or kinds == {np.bool_}:
        return np.array([values], dtype=np.result_type(*kinds))
    if kinds <= {np.int64, np.float64, np.bool_, str, float, type(None)}:
        return np.array([[plain(found) for found in values]], dtype=object)
    raise NotCovered("an array of this")


def all_known(frame: dict[Any, Any], names: Any = None) -> Any:
    """Whether `frame.dropna(subset=names)` keeps the row."""
    asked = frame if names is None else [names] if isinstance(names, str) else names
    return np.bool_(not any(missing(frame[name]) for name in asked))


def within(kept: Any) -> None:
    """A row that training would have dropped is left to pandas, which says so."""
    if not truth_value(kept):
        raise NotCovered("a row that a filter of the notebook drops")


def columns_between(frame: dict[Any, Any], start: Any, stop: Any) -> dict[Any, Any]:
    """`frame.iloc[:, start:stop]`."""
    return selected(frame, list(frame)[start:stop])
