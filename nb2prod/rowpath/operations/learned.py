"""What training learned, looked up once, and the row form of what it is used for."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nb2prod.rowpath.operations.values import NAN, PANDAS, NotCovered, missing, number, plain, restored


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


def learned_in_turn(state: Any, key: str) -> list[Any]:
    """The values of a site that is passed several times, in the order of the passes."""
    names = [key]
    while names[-1] in state.entries:
        names.append(f"{key}#{len(names) + 1}")
    return [copy.deepcopy(state.entries[name].value) for name in names[:-1]]


def dummies(known: dict[str, Any], options: dict[str, Any], table: bool) -> Callable[[Any], dict[Any, Any]]:
    """`get_dummies` with the columns of training, for a frame (`table`) or a column."""
    kind = (
        np.dtype(options["dtype"]).type if options.get("dtype") else (np.bool_ if PANDAS >= 2 else np.uint8)
    )
    skipped = int(bool(options.get("drop_first")))
    names = list(known["columns"])
    sizes = [len(levels) - skipped for levels in known["levels"]]
    rest = len(names) - sum(sizes)
    if options.get("dummy_na") or rest < 0 or len(set(names)) != len(names):
        raise NotCovered("dummies of this kind")
    parts, at = [], rest
    for encoded, levels, size in zip(known["encoded"], known["levels"], sizes, strict=True):
        places = {level: i - skipped for i, level in enumerate(levels.tolist())}
        if any(missing(level) or isinstance(level, bool) for level in places):
            raise NotCovered("dummies of these levels")
        none = dict.fromkeys(names[at : at + size], kind(0))
        own = {level: none | ({names[at + i]: kind(1)} if i >= 0 else {}) for level, i in places.items()}
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


def by_group(known: dict[str, Any]) -> Callable[..., Any]:
    """`groupby(...).transform`: one value a group, or one that fills what is missing."""
    groups, fills, real = known["groups"], known["fills"], known["dtype"] == "float64"
    if known["dtype"] not in ("float64", "int64"):
        raise NotCovered(f"groups of {known['dtype']}")

    def found_for(own: Any, *keys: Any) -> Any:
        lost = any(missing(key) for key in keys)
        group = () if lost else (plain(keys[0]) if len(keys) == 1 else tuple(plain(key) for key in keys))
        found = groups.get(group, NAN)
        if fills and not missing(own) and not lost:
            found = own
        number(found)
        if real or missing(found):
            return np.float64(found)
        return np.int64(found) if found == int(found) else np.float64(found)

    return found_for


def rereader(known: tuple[Any, Mapping[str, str]]) -> Callable[[Mapping[str, Any]], dict[Any, Any]]:
    """How what a file gives back becomes the columns that were read from it in training."""
    return restored(*known)


class Transformer:
    """A fitted transformer of scikit-learn for one row: what it does, without what it checks."""

    def __init__(self, estimator: Any) -> None:
        self.name = type(estimator).__name__
        if not type(estimator).__module__.startswith("sklearn."):
            raise NotCovered(f"a transformer {self.name}")
        if hasattr(estimator, "_sklearn_output_config"):
            raise NotCovered("a transformer that gives frames")
        self.estimator = copy.copy(estimator)
        self.columns = getattr(estimator, "feature_names_in_", None)
        if self.columns is not None:
            self.columns = list(self.columns)
            del self.estimator.feature_names_in_
        self.places: dict[Any, int] | None = None
        if self.name in ("LabelEncoder", "LabelBinarizer"):
            self.places = {label: at for at, label in enumerate(estimator.classes_.tolist())}

    def column(self, found: Any) -> Any:
        """`transform` of a column: codes of labels, or a sparse matrix of texts."""
        return self.vector(found) if hasattr(self.estimator, "vocabulary_") else self.code(found)

    def code(self, found: Any) -> Any:
        """`LabelEncoder.transform` of a column; an unseen value is an error."""
        if self.name != "LabelEncoder" or self.places is None or missing(found):
            raise NotCovered(f"{self.name} of a column")
        key = plain(found)
        if key not in self.places or isinstance(key, bool):
            raise NotCovered(f"{found!r} as a label")
        return np.int64(self.places[key])

    def transform(self, frame: Any) -> Any:
        """`transform` of a frame or an array of one row, as an array."""
        if isinstance(frame, dict):
            if self.columns is not None and self.columns != [str(name) for name in frame]:
                raise NotCovered("other columns than in training")
            row = numbers_or_texts(list(frame.values()))
        else:
            row = np.array(frame)
        if row.dtype not in (np.float64, np.int64, object):
            raise NotCovered("a transformer of other values than numbers and text")
        if self.name == "StandardScaler" and row.dtype == np.float64 and np.isfinite(row).all():
            return self.standardised(row)
        return self.estimator.transform(row)

    def standardised(self, row: Any) -> Any:
        """`StandardScaler.transform`: the same two steps in the same order."""
        if self.estimator.with_mean:
            row = row - self.estimator.mean_
        return row / self.estimator.scale_ if self.estimator.with_std else row

    def vector(self, text: Any) -> Any:
        """`transform` of a column of text, as a sparse matrix."""
        if type(text) is not str:
            raise NotCovered(f"{self.name} of {text!r}")
        return self.estimator.transform([text])


def numbers_or_texts(values: list[Any]) -> Any:
    """A row for a transformer, which takes truth values and small integers of dummies for numbers."""
    if all(type(found) is str or missing(found) for found in values) and str in map(type, values):
        return np.array([values], dtype=object)
    known = [found if type(found) in (np.bool_, np.uint8) else number(found) for found in values]
    return np.array([known], dtype=np.float64)


def each_coded(coders: dict[tuple[Any, ...], Transformer], frame: dict[Any, Any]) -> dict[Any, Any]:
    """Every column by what was fitted on it."""
    return {name: coders[name,].column(found) for name, found in frame.items()}


def outputs(columns: list[str], frame: dict[Any, Any]) -> list[Any]:
    """The features in the order of training."""
    if list(frame) != columns and [str(name) for name in frame] != columns:
        raise NotCovered("other columns than in training")
    return list(frame.values())
