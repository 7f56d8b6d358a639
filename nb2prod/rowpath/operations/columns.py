"""The row form of what is done with a column."""

from __future__ import annotations

import datetime
import re
from typing import Any

import numpy as np
import pandas as pd

from nb2prod.rowpath.operations.values import (
    FLOATS,
    NAN,
    NUMBERS,
    PANDAS,
    NotCovered,
    is_series,
    is_span,
    is_time,
    missing,
    no_time,
    number,
    plain,
    value,
)


def same(left: Any, right: Any) -> Any:
    """`==`: what is missing equals nothing."""
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return np.bool_(left == right)
    if type(left) is str and type(right) is str:
        return np.bool_(left == right)
    if (missing(left) and type(right) is str) or (missing(right) and type(left) is str):
        return np.bool_(False)
    raise NotCovered(f"{left!r} compared with {right!r}")


def other(left: Any, right: Any) -> Any:
    """`!=`: what is missing differs from everything."""
    return np.bool_(not same(left, right))


def less(left: Any, right: Any) -> Any:
    """`<` of numbers and times; false where one is missing."""
    return np.bool_(ordered(left, right) and left < right)


def at_most(left: Any, right: Any) -> Any:
    """`<=` of numbers and times; false where one is missing."""
    return np.bool_(ordered(left, right) and left <= right)


def ordered(left: Any, right: Any) -> bool:
    """Whether two values can be put in order; an error where pandas might do otherwise."""
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return True
    if is_time(left) and is_time(right):
        return left.tzinfo is None and right.tzinfo is None
    raise NotCovered(f"{left!r} in order with {right!r}")


def plus(left: Any, right: Any) -> Any:
    """`+` of numbers, texts, and a time with a span."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return left + right
    if type(left) is str and type(right) is str:
        return left + right
    if (type(left) is str and missing(right)) or (missing(left) and type(right) is str):
        if isinstance(left, NUMBERS[:2]) or isinstance(right, NUMBERS[:2]):
            raise NotCovered("a number added to text")
        return NAN
    raise NotCovered(f"{left!r} + {right!r}")


def minus(left: Any, right: Any) -> Any:
    """`-` of numbers and of times."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return left - right
    if is_time(left) and is_time(right):
        return left - right
    if no_time(left) and (no_time(right) or is_time(right)):
        return left
    if is_time(left) and no_time(right):
        return right
    return number(left) - number(right)


def times(left: Any, right: Any) -> Any:
    """`*` of numbers."""
    return number(left) * number(right)


def over(left: Any, right: Any) -> Any:
    """`/` of numbers; by zero it is infinite, or missing for 0 / 0."""
    if isinstance(number(left), np.generic) or isinstance(right, np.generic):
        return left / number(right)
    return np.true_divide(left, number(right))


def floor_over(left: Any, right: Any) -> Any:
    """`//` of numbers, not by zero."""
    if right == 0 or left != left or right != right or np.isinf(left) or np.isinf(right):
        raise NotCovered("floor division at its edges")
    return np.floor_divide(number(left), number(right))


def rest(left: Any, right: Any) -> Any:
    """`%` of numbers, not by zero."""
    if right == 0 or left != left or right != right or np.isinf(left) or np.isinf(right):
        raise NotCovered("a remainder at its edges")
    return np.remainder(number(left), number(right))


def power(left: Any, right: Any) -> Any:
    """`**` of numbers, by the same loop of NumPy as that of a column."""
    if isinstance(left, np.generic):
        return (np.array([number(left)]) ** number(right))[0]
    return (number(left) ** np.array([number(right)]))[0]


def both(left: Any, right: Any) -> Any:
    """`&` of truth values."""
    return truth_value(left) & truth_value(right)


def either(left: Any, right: Any) -> Any:
    """`|` of truth values."""
    return truth_value(left) | truth_value(right)


def negated(found: Any) -> Any:
    """`~` of a truth value."""
    return ~truth_value(found)


def opposite(found: Any) -> Any:
    """`-` of a number."""
    return -number(found)


def truth_value(found: Any) -> Any:
    """A truth value; numbers and what is missing are not taken for one."""
    if type(found) is np.bool_:
        return found
    raise NotCovered(f"{found!r} as a truth value")


def is_missing(found: Any) -> Any:
    """`isna`."""
    return np.bool_(missing(found))


def is_known(found: Any) -> Any:
    """`notna`."""
    return np.bool_(not missing(found))


def filled(found: Any, new: Any) -> Any:
    """`fillna`: floats stay floats; text is filled with text, a time with a time."""
    if not missing(found):
        return found
    if isinstance(found, np.float64):
        return new if type(new) is str else np.float64(number(new))
    if no_time(found):
        if is_time(new):
            return new
    elif type(new) is str:
        return new
    raise NotCovered(f"{found!r} filled with {new!r}")


def mapped(found: Any, table: Any) -> Any:
    """`map` with a dict or a function: a value that is no key of the dict becomes missing."""
    if callable(table):
        return applied(found, table)
    if type(table) is not dict:
        raise NotCovered("a map with this table")
    kinds = set(map(type, table))
    if kinds != {bool} if type(found) is np.bool_ else bool in kinds:
        raise NotCovered("a map with keys of another kind")
    lost = missing(found)
    if no_time(found) or (lost and any(missing(key) for key in table)):
        raise NotCovered("a missing value as a key")
    if not lost and found in table:
        new = table[found]
        if new is None or not FLOATS.isdisjoint(map(type, table.values())):
            return np.float64(number(new))
        return value(new)
    return NAN if any(type(v) is str for v in table.values()) else np.float64(NAN)


def table_of(learned: Any) -> Any:
    """A learned Series as the dict that `map` looks up in."""
    if is_series(learned) and learned.index.is_unique and learned.index.nlevels == 1:
        return dict(zip(learned.index.tolist(), learned.tolist(), strict=True))
    return learned


def applied(found: Any, function: Any) -> Any:
    """`apply` or `map` with a function, which gets Python's own numbers."""
    return value(plain(function(plain(found))))


def replaced(found: Any, table: dict[Any, Any]) -> Any:
    """`replace` with old values and new ones; a float stays a float."""
    if missing(found):
        if any(missing(old) for old in table):
            raise NotCovered("a missing value to be replaced")
        return found
    if isinstance(found, np.bool_):
        raise NotCovered("a truth value to be replaced")
    if found not in table:
        return found
    new = table[found]
    if new is None or new != new or (type(found) is not str and type(new) is str):
        raise NotCovered(f"{found!r} replaced by {new!r}")
    return np.float64(new) if isinstance(found, np.float64) else value(new)


def old_and_new(old: Any, new: Any) -> dict[Any, Any]:
    """`replace(old, new)` as a dict; `old` is a value or a list, `new` one value or one for each."""
    if not isinstance(old, list):
        return {old: new}
    return dict(zip(old, new if isinstance(new, list) else [new] * len(old), strict=True))


def clipped(found: Any, lower: Any = None, upper: Any = None) -> Any:
    """`clip` of a number; what is missing stays so."""
    for bound in (lower, upper):
        if bound is not None and number(bound) != bound:
            raise NotCovered("a bound that is missing")
    if lower is not None and upper is not None and lower > upper:
        raise NotCovered("bounds in the wrong order")
    number(found)
    if lower is not None and found < lower:
        found = value(plain(lower))
    if upper is not None and found > upper:
        found = value(plain(upper))
    return found


def chosen(condition: Any, left: Any, right: Any) -> Any:
    """`np.where`: both sides are numbers, or both are text."""
    sides = value(left), value(right)
    if all(isinstance(side, np.int64 | np.float64) for side in sides):
        found = sides[0] if truth_value(condition) else sides[1]
        return np.float64(found) if any(isinstance(side, np.float64) for side in sides) else found
    if all(type(side) is str for side in sides):
        return sides[0] if truth_value(condition) else sides[1]
    raise NotCovered("np.where of values of two kinds")


def as_int(found: Any) -> Any:
    """`astype(int)`: fractions are cut off, what is missing is an error."""
    if isinstance(found, np.float64) and not abs(found) < 2**53:
        raise NotCovered(f"{found!r} as a whole number")
    if isinstance(found, np.bool_ | np.generic):
        return np.int64(found)
    raise NotCovered(f"{found!r} as a whole number")


def as_float(found: Any) -> Any:
    """`astype(float)` of numbers and truth values."""
    if isinstance(found, np.generic):
        return np.float64(found)
    raise NotCovered(f"{found!r} as a float")


def as_text(found: Any) -> Any:
    """`astype(str)` of text and whole numbers."""
    if type(found) is str:
        return found
    if isinstance(found, np.int64):
        return str(int(found))
    raise NotCovered(f"{found!r} as text")


def is_in(found: Any, values: Any) -> Any:
    """`isin` of a list; text matches text only, numbers numbers only."""
    kind = str if type(found) is str else NUMBERS
    if missing(found) or not isinstance(found, kind):
        raise NotCovered(f"{found!r} looked up in a list")
    for one in values:
        if type(one) is bool or not isinstance(one, kind):
            raise NotCovered("a list of several kinds")
    return np.bool_(found in list(values))


def is_between(found: Any, left: Any, right: Any) -> Any:
    """`between`, with both ends."""
    return at_most(left, found) & at_most(found, right)


def rounded(found: Any, decimals: int = 0) -> Any:
    """`round` of a float, by the same loop of NumPy as that of a column."""
    if isinstance(found, np.float64):
        return np.array([found]).round(decimals)[0]
    raise NotCovered(f"{found!r} rounded")


def size(found: Any) -> Any:
    """`abs` of a number."""
    return abs(number(found))


def through(function: Any, found: Any) -> Any:
    """A function of NumPy, by the same loop as that of a column."""
    if not isinstance(found, np.int64 | np.float64):
        raise NotCovered(f"{found!r} in a function of NumPy")
    return function(np.array([found]))[0]


def as_number(found: Any, coerce: bool = False) -> Any:
    """`pd.to_numeric` of a number, or of text that is one beyond doubt; `coerce` loses words."""
    if isinstance(found, np.int64 | np.float64):
        return found
    if missing(found) and not no_time(found):
        return np.float64(NAN)
    if type(found) is str and found.isascii():
        if re.fullmatch(r"-?(0|[1-9]\d{0,14})", found):
            return np.int64(found)
        if len(found) <= 16 and re.fullmatch(r"-?(0|[1-9]\d*)\.\d+", found):
            return np.float64(found)
        if coerce and not re.search(r"[\d\x00]|inf|na|none|null|true|false", found, re.IGNORECASE):
            return np.float64(NAN)
    raise NotCovered(f"{found!r} as a number")


def as_time(found: Any, format: str = "%Y-%m-%d") -> Any:
    """`pd.to_datetime` of a time, or of text in the format; without one only dates like 2024-01-31."""
    if is_time(found) or no_time(found):
        return found
    if type(found) is str:
        pattern = re.sub("%[mdHMS]", r"\\d\\d", format.replace("%Y", r"(?:19|20)\d\d"))
        if "%" not in pattern and found.isascii() and re.fullmatch(pattern, found):
            return pd.Timestamp(datetime.datetime.strptime(found, format))
        raise NotCovered(f"{found!r} as a time")
    if missing(found):
        return pd.NaT
    raise NotCovered(f"{found!r} as a time")


def part_of_time(found: Any, part: str) -> Any:
    """`.dt.year` and its like; missing where the time is."""
    if no_time(found):
        return np.float64(NAN)
    if is_span(found):
        return np.int64(getattr(found, part))
    if is_time(found):
        return (np.int32 if PANDAS >= 2 else np.int64)(getattr(found, part))
    raise NotCovered(f"{part} of {found!r}")


def day_name(found: Any) -> Any:
    """`.dt.day_name()`."""
    if is_time(found):
        return found.day_name()
    raise NotCovered(f"the day of {found!r}")


def cut(found: Any, edges: Any, labels: Any, right: bool = True, include_lowest: bool = False) -> Any:
    """`pd.cut` with edges that are given or were learned; a value outside of them is missing.

    With `labels=False` the value is the interval's own number.
    """
    edges = np.asarray(edges)
    if isinstance(found, np.bool_) or edges.ndim != 1 or not (np.diff(edges) > 0).all():
        raise NotCovered("a cut of this")
    at = int(edges.searchsorted(number(found), side="left" if right else "right"))
    if include_lowest and right and found == edges[0]:
        at = 1
    inside = found == found and 0 < at < len(edges)
    if labels is False:
        return np.int64(at - 1) if inside else np.float64(NAN)
    if len(labels) != len(edges) - 1:
        raise NotCovered("a cut with other labels than intervals")
    if all(type(label) is str for label in labels) and inside:
        return labels[at - 1]
    if all(isinstance(label, pd.Interval) for label in labels):
        return labels[at - 1] if inside else NAN
    raise NotCovered("a cut outside of its edges")


def intervals(edges: Any, right: bool = True, include_lowest: bool = False) -> list[Any]:
    """What `pd.cut` without labels gives for values between these edges."""
    return list(pd.cut([], edges, right=right, include_lowest=include_lowest).categories)
