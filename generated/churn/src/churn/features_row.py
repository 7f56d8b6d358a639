"""The features of one row without pandas: `features.py` translated, operation by operation.

`features.py` stays the truth.  Training compares both on its rows and on probes, and a version answers single
rows from here only where they were equal.  For what a function here does not treat exactly as pandas does it
raises an error, and pandas answers that row.  After a change of `features.py` by hand the comparison fails, and
pandas answers every row, until this file says the same again.
"""

# The notebook's statements have no types.
# mypy: ignore-errors
# ruff: noqa: F841, PLR0124 -- the notebook's own style

from __future__ import annotations

import copy
import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .features import clean_payment, tenure_group
from .state import State

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
    return type(found).__name__ == "Timestamp" and type(found).__module__.startswith(
        "pandas"
    )


def is_span(found: Any) -> bool:
    """Whether a value is a Timedelta."""
    return type(found).__name__ == "Timedelta" and type(found).__module__.startswith(
        "pandas"
    )


def no_time(found: Any) -> bool:
    """Whether a value is NaT."""
    return type(found).__name__ == "NaTType"


def is_series(found: Any) -> bool:
    """Whether a value is a Series, as what training learned may be."""
    return type(found).__name__ == "Series" and type(found).__module__.startswith(
        "pandas"
    )


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
    if (
        isinstance(dtype, pd.StringDtype)
        and getattr(dtype, "na_value", pd.NA) is not pd.NA
    ):
        return text
    if (
        isinstance(dtype, np.dtype)
        and dtype.kind == "O"
        and holds.startswith(("string", "empty"))
    ):
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
    if (
        isinstance(raw, datetime.datetime)
        and raw.tzinfo is None
        and raw.microsecond == 0
    ):
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


def same(left: Any, right: Any) -> Any:
    """`==`: what is missing equals nothing."""
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return np.bool_(left == right)
    if type(left) is str and type(right) is str:
        return np.bool_(left == right)
    if (missing(left) and type(right) is str) or (missing(right) and type(left) is str):
        return np.bool_(False)
    raise NotCovered(f"{left!r} compared with {right!r}")


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


def over(left: Any, right: Any) -> Any:
    """`/` of numbers; by zero it is infinite, or missing for 0 / 0."""
    if isinstance(number(left), np.generic) or isinstance(right, np.generic):
        return left / number(right)
    return np.true_divide(left, number(right))


def rest(left: Any, right: Any) -> Any:
    """`%` of numbers, not by zero."""
    if (
        right == 0
        or left != left
        or right != right
        or np.isinf(left)
        or np.isinf(right)
    ):
        raise NotCovered("a remainder at its edges")
    return np.remainder(number(left), number(right))


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


def applied(found: Any, function: Any) -> Any:
    """`apply` or `map` with a function, which gets Python's own numbers."""
    return value(plain(function(plain(found))))


def as_int(found: Any) -> Any:
    """`astype(int)`: fractions are cut off, what is missing is an error."""
    if isinstance(found, np.float64) and not abs(found) < 2**53:
        raise NotCovered(f"{found!r} as a whole number")
    if isinstance(found, np.bool_ | np.generic):
        return np.int64(found)
    raise NotCovered(f"{found!r} as a whole number")


def size(found: Any) -> Any:
    """`abs` of a number."""
    return abs(number(found))


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
        if coerce and not re.search(
            r"[\d\x00]|inf|na|none|null|true|false", found, re.IGNORECASE
        ):
            return np.float64(NAN)
    raise NotCovered(f"{found!r} as a number")


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


def named(names: Sequence[Any], values: Any) -> dict[Any, Any]:
    """Columns set from a frame, or from the only row of an array."""
    row = values.values() if isinstance(values, dict) else only_row(values)
    return dict(zip(names, row, strict=True))


def only_row(array: Any) -> list[Any]:
    """The values of an array of one row."""
    known = isinstance(array, np.ndarray) and array.dtype in (
        np.float64,
        np.int64,
        np.bool_,
    )
    if known and array.shape[:1] == (1,):
        return list(array.reshape(-1))
    raise NotCovered("an array that is no row of numbers")


def each(
    function: Callable[[Any, Any], Any], left: Any, right: Any, reverse: bool = False
) -> dict[Any, Any]:
    """An operator between a frame and a number, a frame of the same columns, or a learned Series of them."""
    right = by_column(right)
    if not isinstance(right, dict):
        right = dict.fromkeys(left, right)
    if list(left) != list(right):
        raise NotCovered("an operator between other columns")
    if reverse:
        return {
            name: function(value(right[name]), found) for name, found in left.items()
        }
    return {name: function(found, value(right[name])) for name, found in left.items()}


def by_column(learned: Any) -> Any:
    """A learned Series as a dict from column to value."""
    if is_series(learned):
        return (
            dict(zip(learned.index, learned.tolist(), strict=True))
            if learned.index.is_unique
            else {}
        )
    return learned


def learned(state: Any, key: str) -> Any:
    """The value under a key that every pass asks for once."""
    if f"{key}#2" in state.entries:
        raise NotCovered(f"{key} is asked for twice")
    found = copy.deepcopy(state.entries[key].value)
    # Its names are asked for with every row, and pandas' own texts are slow to give.
    if isinstance(found, pd.Series) and isinstance(found.index.dtype, pd.StringDtype):
        found.index = found.index.astype(object)
    if isinstance(found, pd.Index) and isinstance(found.dtype, pd.StringDtype):
        return found.astype(object)
    return found


def learned_each(state: Any, key: str) -> dict[tuple[Any, ...], Any]:
    """The values of a site in a loop, by what told its passes apart."""
    found = {}
    for name, entry in state.entries.items():
        if name.startswith(f"{key}["):
            if "#" in name[len(key) :]:
                raise NotCovered(f"{key} is asked for twice")
            found[tuple(json.loads(name[len(key) :]))] = copy.deepcopy(entry.value)
    return found


def dummies(
    known: dict[str, Any], options: dict[str, Any], table: bool
) -> Callable[[Any], dict[Any, Any]]:
    """`get_dummies` with the columns of training, for a frame (`table`) or a column."""
    kind = (
        np.dtype(options["dtype"]).type
        if options.get("dtype")
        else (np.bool_ if PANDAS >= 2 else np.uint8)
    )
    skipped = int(bool(options.get("drop_first")))
    names = list(known["columns"])
    sizes = [len(levels) - skipped for levels in known["levels"]]
    rest = len(names) - sum(sizes)
    if options.get("dummy_na") or rest < 0 or len(set(names)) != len(names):
        raise NotCovered("dummies of this kind")
    parts, at = [], rest
    for encoded, levels, size in zip(
        known["encoded"], known["levels"], sizes, strict=True
    ):
        places = {level: i - skipped for i, level in enumerate(levels.tolist())}
        if any(missing(level) or isinstance(level, bool) for level in places):
            raise NotCovered("dummies of these levels")
        none = dict.fromkeys(names[at : at + size], kind(0))
        own = {
            level: none | ({names[at + i]: kind(1)} if i >= 0 else {})
            for level, i in places.items()
        }
        parts.append((encoded, own, none, {type(level) for level in places}))
        at += size
    kept, gone = names[:rest], set(known["encoded"])

    def made(data: Any) -> dict[Any, Any]:
        frame = data if table else {"": data}
        result = {name: found for name, found in frame.items() if name not in gone}
        if list(result) != kept:
            raise NotCovered("dummies beside other columns")
        for encoded, own, none, types in parts:
            found = plain(frame[encoded])
            lost = missing(found)
            if not lost and type(found) not in types and found not in own:
                raise NotCovered(f"{found!r} as a level")
            result.update(none if lost else own.get(found, none))
        return result

    return made


def outputs(columns: list[str], frame: dict[Any, Any]) -> list[Any]:
    """The features in the order of training."""
    if list(frame) != columns and [str(name) for name in frame] != columns:
        raise NotCovered("other columns than in training")
    return list(frame.values())


def bind(state: State) -> Callable[[Mapping[str, Any]], Any]:
    """The features of one raw row, with what was learned in training looked up once."""
    read = reader(state)
    random_state = learned(state, "parameter random_state")
    RANDOM_STATE = random_state
    test_size = learned(state, "parameter test_size")
    TEST_SIZE = test_size
    monthly_charges_median = learned(state, "monthly_charges_median")
    support_calls_median = learned(state, "support_calls_median")
    total_charges_median = learned(state, "total_charges_median")
    mode = learned_each(state, "mode")
    yes_no = [
        "Partner",
        "Dependents",
        "OnlineSecurity",
        "TechSupport",
        "PaperlessBilling",
    ]
    cat = ["InternetService", "Contract", "PaymentMethod", "Region", "TenureGroup"]
    dummies_ = dummies(learned(state, "dummies"), {"drop_first": True}, True)
    num = ["tenure", "MonthlyCharges", "TotalCharges", "SupportCalls", "AvgCharge"]
    num_mean = learned(state, "num_mean")
    mu = num_mean
    num_std = learned(state, "num_std")
    sd = num_std
    mu_by_column = by_column(mu)
    sd_by_column = by_column(sd)
    columns = state.outputs["columns"]

    def features_row(row: Mapping[str, Any]) -> Any:
        df = read(row)
        # cell 8
        df["TotalCharges"] = as_number(df["TotalCharges"], True)
        # cell 10
        df = dict(df)
        # cell 14
        df["PaymentMethod"] = applied(df["PaymentMethod"], clean_payment)
        # cell 15
        df["MonthlyCharges"] = filled(df["MonthlyCharges"], monthly_charges_median)
        df["SupportCalls"] = filled(df["SupportCalls"], support_calls_median)
        df["TotalCharges"] = filled(df["TotalCharges"], total_charges_median)
        for c in ["Region", "PaymentMethod", "TechSupport"]:
            df[c] = filled(df[c], mode[c,])
        # cell 16
        for c in yes_no:
            df[c] = mapped(df[c], {"Yes": 1, "No": 0})
        df["gender"] = as_int(same(df["gender"], "Male"))
        # cell 17
        df["AvgCharge"] = over(df["TotalCharges"], plus(df["tenure"], 1))
        df["TenureGroup"] = applied(df["tenure"], tenure_group)
        df["Family"] = plus(df["Partner"], df["Dependents"])
        # cell 19
        df = dummies_(df)
        # cell 20
        df.update(
            named(
                num,
                each(over, each(minus, selected(df, num), mu_by_column), sd_by_column),
            )
        )
        # cell 23
        X = dropped(df, ["customerID", "Churn"])
        X_train = X
        return outputs(columns, X_train)

    return features_row
