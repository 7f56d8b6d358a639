"""Values on disk without pickle, and a hash that tells whether what comes back is exactly what was written.

Frames become Parquet, arrays .npy, sparse matrices .npz, plain values JSON.  None of these keeps everything
(Parquet has no object columns of mixed types, for one), so nothing is taken on trust: whoever writes a value
reads it back and compares the hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy import sparse

PLAIN = (str, int, float, bool, type(None))


class UnstorableError(Exception):
    """A value cannot be kept exactly; the message says which and why."""


def digest(value: Any) -> str:
    """Hash of a value with its types, labels and memory order: whatever a model could notice."""
    found = hashlib.sha256()
    for part in _parts(value):
        found.update(part)
        found.update(b"\0")
    return found.hexdigest()


def _parts(value: Any) -> Iterator[Any]:
    yield f"{type(value).__module__}.{type(value).__qualname__}".encode()
    if isinstance(value, pd.DataFrame):
        yield repr((_order(value), value.attrs)).encode()
        yield from _parts(value.columns)
        yield from _parts(value.index)
        for at in range(value.shape[1]):
            yield from _column(value.iloc[:, at])
    elif isinstance(value, pd.Series):
        yield repr((value.name, value.attrs)).encode()
        yield from _parts(value.index)
        yield from _column(value)
    elif isinstance(value, pd.RangeIndex):
        yield repr((value.start, value.stop, value.step, value.name)).encode()
    elif isinstance(value, pd.Index) and not isinstance(value, pd.MultiIndex):
        yield repr((value.name, getattr(value, "freq", None))).encode()
        yield from _column(value)
    elif isinstance(value, (np.ndarray, np.generic)):
        flags = value.flags
        yield repr((flags.c_contiguous, flags.f_contiguous, flags.writeable)).encode()
        yield from _array(np.asarray(value))
    elif sparse.issparse(value) and value.format in ("csr", "csc"):
        yield repr(value.shape).encode()
        for array in (value.data, value.indices, value.indptr):
            yield from _array(array)
    elif isinstance(value, (list, tuple)):
        yield str(len(value)).encode()
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _parts(pair)
    else:
        yield (
            repr(value) if isinstance(value, PLAIN) else str(joblib.hash(value))
        ).encode()


def _column(values: Any) -> Iterator[Any]:
    """The values of a series or an index, with their type."""
    if isinstance(values.dtype, np.dtype):
        yield from _array(values.to_numpy())
        return
    yield repr((values.dtype, len(values))).encode()
    if isinstance(values.dtype, pd.CategoricalDtype):
        yield from _parts(values.dtype.categories)
        yield from _array(np.asarray(values.array.codes))
        return
    yield pd.util.hash_array(values.array, categorize=False).tobytes()


def _array(array: np.ndarray) -> Iterator[Any]:
    yield repr((array.dtype, array.shape)).encode()
    if array.dtype != object:
        yield (
            np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
            if array.size
            else b""
        )
    elif all(isinstance(item, PLAIN) for item in array.flat):
        yield "".join(type(item).__name__[0] for item in array.flat).encode()
        yield pd.util.hash_array(array.ravel(), categorize=False).tobytes()
    else:
        yield str(joblib.hash(array)).encode()


def _order(frame: pd.DataFrame) -> str:
    """How a frame of one NumPy type lies in memory: sums over rows and columns differ in their last bits by it."""
    kinds = set(frame.dtypes)
    if (
        len(kinds) != 1
        or not isinstance(next(iter(kinds)), np.dtype)
        or min(frame.shape) < 2
    ):
        return ""
    return "C" if frame.to_numpy().flags.c_contiguous else "F"


def write(value: Any, folder: Path, name: str) -> dict[str, Any]:
    """Write a value to `folder`; returns what `read` needs besides."""
    try:
        if isinstance(value, pd.DataFrame):
            return _write_frame(value, folder / f"{name}.parquet")
        if isinstance(value, pd.Series):
            labels = {"name": value.name}
            json.dumps(labels)
            return {
                **_write_frame(value.to_frame("value"), folder / f"{name}.parquet"),
                "kind": "series",
                **labels,
            }
        if isinstance(value, np.ndarray):
            np.save(folder / f"{name}.npy", value, allow_pickle=False)
            return {"kind": "array", "writeable": bool(value.flags.writeable)}
        if sparse.issparse(value) and value.format in ("csr", "csc"):
            parts = {
                "data": value.data,
                "indices": value.indices,
                "indptr": value.indptr,
            }
            np.savez(folder / f"{name}.npz", **parts)
            return {"kind": type(value).__name__, "shape": list(value.shape)}
        if isinstance(value, (*PLAIN, list, dict)):
            (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
            return {"kind": "plain"}
    # Arrow and json have errors of many kinds for what they cannot hold.
    except Exception as error:
        raise UnstorableError(
            f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    raise UnstorableError(
        f"{name} is a {type(value).__name__}, which has no exact form without pickle"
    )


def _write_frame(frame: pd.DataFrame, path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": "frame", "order": _order(frame)}
    columns: Any = frame.columns
    if not all(isinstance(name, str) for name in columns):
        if isinstance(columns, pd.RangeIndex):
            facts["columns"] = {"range": [columns.start, columns.stop, columns.step]}
        else:
            facts["columns"] = {"list": columns.tolist()}
        json.dumps(facts)
        frame = frame.set_axis([str(at) for at in range(len(columns))], axis="columns")
    frame.to_parquet(path)
    return facts


def read(facts: dict[str, Any], folder: Path, name: str) -> Any:
    """What `write` wrote."""
    kind = facts["kind"]
    if kind in ("frame", "series"):
        frame = _read_frame(facts, folder / f"{name}.parquet")
        return frame if kind == "frame" else frame["value"].rename(facts["name"])
    if kind == "array":
        array = np.load(folder / f"{name}.npy", allow_pickle=False)
        array.flags.writeable = facts["writeable"]
        return array
    if kind == "plain":
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as parts:
        return getattr(sparse, kind)(
            (parts["data"], parts["indices"], parts["indptr"]),
            shape=tuple(facts["shape"]),
        )


def _read_frame(facts: dict[str, Any], path: Path) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    labels = facts.get("columns")
    if labels is not None:
        names = (
            pd.RangeIndex(*labels["range"])
            if "range" in labels
            else pd.Index(labels["list"])
        )
        frame = frame.set_axis(names, axis="columns")
    if facts["order"] == "C":
        together = np.ascontiguousarray(frame.to_numpy())
        frame = pd.DataFrame(
            together, index=frame.index, columns=frame.columns, copy=False
        )
    return frame
