"""What training learned: the values, the input they were learned from, and how both are stored."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

FORMAT = 1
LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "joblib")


class StateError(ValueError):
    """What was learned in training cannot be kept, loaded or applied."""


class StateKeyError(StateError):
    """Serving asked for other keys than fitting did (NBP602)."""


class InputError(StateError):
    """A raw row cannot be scored; `column` is the column at fault."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(f"column {column!r}: {message}")
        self.column = column


@dataclass
class Entry:
    """One learned value.

    `always` says that every serving pass asks for it; `empty` is the answer for zero rows where the value,
    a fitted estimator, cannot give one.
    """

    kind: str
    value: Any
    always: bool = True
    empty: Any = None


@dataclass
class State:
    """Everything learned from the training data, in the order in which it was learned.

    `sample` is one row of real training values with the training dtypes; `holds` says what columns of text
    and of mixed objects contain; `reads` are the raw columns that some feature depends on (None: unknown);
    `outputs` describes the feature matrix; `shared` goes to the prediction code.
    """

    sample: pd.DataFrame
    holds: dict[str, str]
    reads: tuple[str, ...] | None = None
    definition: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    version: str = ""

    @classmethod
    def learning_from(
        cls, raw: pd.DataFrame, reads: Sequence[str] | None = None, definition: str = ""
    ) -> State:
        """A state that knows what its input looks like and nothing else yet."""
        if not len(raw):
            raise StateError("there are no rows to learn from")
        holds = {
            str(column): _holds(raw[column])
            for column in raw
            if _is_text(raw[column].dtype)
        }
        return cls(
            _sample(raw), holds, None if reads is None else tuple(reads), definition
        )

    def stand_in(self, rows: pd.DataFrame) -> None:
        """Take what stands in for an absent column from rows that training kept: others may hold anything."""
        if len(rows):
            self.sample = _sample(rows)

    def seal(self) -> State:
        """Give the state its version; refuse what cannot be stored."""
        parts = [self.definition, json.dumps(self.outputs)]
        learned = {name: entry.value for name, entry in self.entries.items()}
        for name, value in [*learned.items(), *self.shared.items()]:
            try:
                parts += [name, joblib.hash(value)]
            except Exception as error:
                kind = type(value).__name__
                raise StateError(
                    f"{name} holds a {kind} that cannot be stored: {error}"
                ) from error
        self.version = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        self.libraries = _libraries()
        return self

    def entry(self, name: str) -> Entry:
        if name not in self.entries:
            raise StateKeyError(f"nothing was learned under {name!r} in training")
        return self.entries[name]

    def describe(self) -> list[dict[str, str]]:
        """One row a learned value: its key, how it is learned, and the value in short."""
        return [
            {"key": key, "kind": e.kind, "value": _short(e.value)}
            for key, e in self.entries.items()
        ]

    def prepare(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Raw rows with the columns and dtypes of training, numbered from nought, whichever rows they are.

        A column that no feature reads may be absent: a real training value stands in for it.  A column that
        has a number for its name, as in a file without a header, may come under the number's text.
        """
        index = pd.RangeIndex(len(rows))
        columns = {}
        for name, like in self.sample.items():
            found = name if name in rows else str(name)
            if found in rows:
                column = _restored(rows[found], like, self.holds.get(str(name), ""))
            elif self.reads is None or str(name) not in self.reads:
                column = like.iloc[np.zeros(len(rows), dtype=int)]
            else:
                raise InputError(str(name), "is missing")
            columns[name] = column.set_axis(index)
        return pd.DataFrame(columns, index=index).set_axis(
            self.sample.columns, axis="columns"
        )

    def unexpected_missing(self, X: Any) -> list[tuple[int, str]]:
        """Places in `X`, as (row, column), that are missing where training never missed anything."""
        allowed = set(self.outputs["missing"])
        unexpected = (
            (name, rows) for name, rows in _missing(X).items() if name not in allowed
        )
        return [
            (int(row), name)
            for name, rows in unexpected
            for row in np.flatnonzero(rows)
        ]

    def save(self, folder: Path | str) -> None:
        """Write state.json, which people can read, and state.joblib for what JSON cannot hold."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        objects: dict[str, Any] = {"sample": self.sample}
        learned = []
        for key, entry in self.entries.items():
            fields = {"key": key, "kind": entry.kind, "always": entry.always}
            learned.append(
                {**fields, **_stored(f"learned {key}", entry.value, objects)}
            )
            if entry.empty is not None:
                objects[f"empty {key}"] = entry.empty
        shared = [
            {"key": key, **_stored(f"shared {key}", v, objects)}
            for key, v in self.shared.items()
        ]
        document = {
            "format": FORMAT,
            "definition": self.definition,
            "version": self.version,
            "libraries": self.libraries,
            "reads": self.reads,
            "holds": self.holds,
            "outputs": self.outputs,
            "learned": learned,
            "shared": shared,
        }
        joblib.dump(objects, folder / "state.joblib")
        (folder / "state.json").write_text(
            json.dumps(document, indent=1) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path | str, definition: str = "") -> State:
        """Read a saved state; refuse another format and, where `definition` is given, other feature code."""
        document = json.loads((Path(folder) / "state.json").read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise StateError(
                f"state of format {document['format']}; this code reads format {FORMAT}"
            )
        if definition and document["definition"] != definition:
            raise StateError(
                "this state was learned by other feature code; train again"
            )
        changed = [
            name
            for name, at in _libraries().items()
            if document["libraries"].get(name) != at
        ]
        if changed:
            warnings.warn(
                f"state was learned with other versions of {', '.join(changed)}",
                stacklevel=2,
            )
        objects = joblib.load(Path(folder) / "state.joblib")

        def value(group: str, item: dict[str, Any]) -> Any:
            return (
                _from_json(item["value"])
                if "value" in item
                else objects[f"{group} {item['key']}"]
            )

        def entry(item: dict[str, Any]) -> Entry:
            empty = objects.get(f"empty {item['key']}")
            return Entry(item["kind"], value("learned", item), item["always"], empty)

        return cls(
            sample=objects["sample"],
            holds=document["holds"],
            reads=None if document["reads"] is None else tuple(document["reads"]),
            definition=document["definition"],
            entries={item["key"]: entry(item) for item in document["learned"]},
            shared={item["key"]: value("shared", item) for item in document["shared"]},
            outputs=document["outputs"],
            libraries=document["libraries"],
            version=document["version"],
        )


def outputs_of(X: Any) -> dict[str, Any]:
    """Type, columns and dtypes of a feature matrix, and the columns in which it has missing values."""
    dtypes = (
        list(X.dtypes)
        if isinstance(X, pd.DataFrame)
        else [getattr(X, "dtype", "object")]
    )
    return {
        "type": type(X).__name__,
        "columns": columns_of(X),
        "dtypes": [str(dtype) for dtype in dtypes],
        "missing": [name for name, rows in _missing(X).items() if rows.any()],
    }


def columns_of(X: Any) -> list[str]:
    """The names of the columns of a feature matrix; those of an array are its positions."""
    if isinstance(X, pd.DataFrame):
        return [str(name) for name in X.columns]
    return [
        str(at) for at in range(X.shape[1] if len(getattr(X, "shape", ())) == 2 else 1)
    ]


def _missing(X: Any) -> dict[str, np.ndarray]:
    """Which rows are missing, column by column; nothing for lists."""
    if hasattr(X, "tocoo"):
        entries = X.tocoo()
        gaps = np.isnan(entries.data)
        rows = np.arange(X.shape[0])
        columns = np.unique(entries.col[gaps])
        return {
            str(at): np.isin(rows, entries.row[gaps & (entries.col == at)])
            for at in columns
        }
    if isinstance(X, pd.DataFrame):
        return dict(zip(columns_of(X), X.isna().to_numpy().T, strict=True))
    if isinstance(X, np.ndarray) and X.ndim == 2:
        return {str(at): pd.isna(X[:, at]) for at in range(X.shape[1])}
    return (
        {"0": pd.isna(np.asarray(X))} if isinstance(X, (pd.Series, np.ndarray)) else {}
    )


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _short(value: Any) -> str:
    if isinstance(value, (pd.Series, pd.Index, np.ndarray, np.generic)):
        value = value.to_dict() if isinstance(value, pd.Series) else value.tolist()
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _is_text(dtype: Any) -> bool:
    return dtype == object or isinstance(dtype, pd.StringDtype)


def _holds(column: pd.Series) -> str:
    """What a column of objects contains: "string", "mixed-integer", ..., and whether None stands for missing."""
    nones = any(value is None for value in column)
    return str(pd.api.types.infer_dtype(column, skipna=True)) + (
        " or None" if nones else ""
    )


def _sample(raw: pd.DataFrame) -> pd.DataFrame:
    """One row with a known value in every column that has one, and the dtypes of `raw`."""
    columns = []
    for name in raw:
        known = raw[name].dropna()
        columns.append(
            (known if len(known) else raw[name]).iloc[:1].reset_index(drop=True)
        )
    return pd.concat(columns, axis=1).set_axis(raw.columns, axis="columns")


def _restored(column: pd.Series, like: pd.Series, holds: str) -> pd.Series:
    """`column` with the dtype it had in training; what arrives through JSON or a small file has another."""
    dtype = like.dtype
    try:
        if _is_text(dtype):
            return _objects(column, dtype, holds)
        if column.dtype == dtype:
            return column
        if isinstance(dtype, np.dtype) and dtype.kind in "iufb":
            return _numbers(column, dtype)
        if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind == "M":
            return pd.to_datetime(column).astype(dtype)
        return column.astype(dtype)
    except (TypeError, ValueError) as error:
        raise InputError(
            str(like.name), f"cannot be read as {dtype}: {error}"
        ) from error


def _numbers(column: pd.Series, dtype: np.dtype) -> pd.Series:
    numbers = pd.to_numeric(column)
    if dtype.kind == "f":
        return numbers.astype(dtype)
    # training had none: no integer or truth value can stand for it
    if numbers.isna().any():
        return numbers.astype(object if dtype.kind == "b" else "float64")
    exact = numbers.astype(dtype)
    if dtype.kind == "b" and not (exact == numbers).all():
        raise ValueError("neither true nor false")
    return exact if (exact == numbers).all() else numbers


def _objects(column: pd.Series, dtype: Any, holds: str) -> pd.Series:
    missing = None if holds.endswith("or None") else np.nan
    values = [
        missing if absent else value
        for value, absent in zip(column, column.isna(), strict=True)
    ]
    # a file with nothing but digits in this column gave numbers
    if holds.startswith("string"):
        values = [v if isinstance(v, str) or pd.isna(v) else _text(v) for v in values]
    return pd.Series(values, index=column.index, name=column.name, dtype=dtype)


def _text(value: Any) -> str:
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer()
        else str(value)
    )


def _stored(name: str, value: Any, objects: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": _to_json(value)}
    except TypeError:
        objects[name] = value
        return {"object": _short(value)}


def _to_json(value: Any) -> Any:
    """JSON from which `_from_json` makes exactly `value` again; TypeError where there is none."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if (
        isinstance(value, np.generic)
        and value.dtype.kind in "biuf"
        and value.dtype.itemsize <= 8
    ):
        return {"numpy": value.dtype.name, "value": _to_json(value.item())}
    if kind is list:
        return [_to_json(item) for item in value]
    if kind is tuple:
        return {"tuple": [_to_json(item) for item in value]}
    if kind is dict and all(type(key) is str for key in value):
        return {"dict": {key: _to_json(item) for key, item in value.items()}}
    if kind is dict:
        return {
            "pairs": [[_to_json(key), _to_json(item)] for key, item in value.items()]
        }
    if (
        kind in (pd.Series, pd.Index, np.ndarray)
        and value.ndim == 1
        and len(value) <= 1000
    ):
        tree = {"values": _to_json(value.tolist()), "dtype": str(value.dtype)}
        tree |= {} if kind is np.ndarray else {"name": _to_json(value.name)}
        tree = {
            kind.__name__: tree
            | ({"index": _to_json(value.index)} if kind is pd.Series else {})
        }
        if joblib.hash(_from_json(tree)) == joblib.hash(value):
            return tree
    raise TypeError(f"{kind.__name__} has no JSON form")


def _from_json(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_from_json(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    kind, content = next(iter(tree.items()))
    if kind == "float":
        return float(content)
    if kind == "numpy":
        return np.dtype(content).type(_from_json(tree["value"]))
    if kind == "tuple":
        return tuple(_from_json(content))
    if kind == "dict":
        return {key: _from_json(item) for key, item in content.items()}
    if kind == "pairs":
        return {_from_json(key): _from_json(item) for key, item in content}
    values, dtype = _from_json(content["values"]), content["dtype"]
    if kind == "ndarray":
        return np.array(values, dtype=dtype)
    if kind == "Index":
        return pd.Index(values, dtype=dtype, name=_from_json(content["name"]))
    return pd.Series(
        values,
        _from_json(content["index"]),
        dtype=dtype,
        name=_from_json(content["name"]),
    )
