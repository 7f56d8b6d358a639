"""The row form of what is done with a frame, which is a dict from column to value here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nb2prod.rowpath.operations.columns import filled, replaced, through
from nb2prod.rowpath.operations.values import NotCovered, is_series, value


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
    if isinstance(array, np.ndarray) and array.shape[:1] == (1,) and array.dtype in (np.float64, np.int64):
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
    """`frame.values` of numbers, or of numbers and text."""
    values = list(frame.values())
    if all(isinstance(found, np.int64) for found in values):
        return np.array([values], dtype=np.int64)
    if all(isinstance(found, np.int64 | np.float64) for found in values):
        return np.array([values], dtype=np.float64)
    raise NotCovered("an array of this")


def columns_between(frame: dict[Any, Any], start: Any, stop: Any) -> dict[Any, Any]:
    """`frame.iloc[:, start:stop]`."""
    return selected(frame, list(frame)[start:stop])
