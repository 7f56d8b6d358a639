"""The staging runtime: one body of feature code, run in two modes.

`features(df, st)` is the notebook's own code in which every expression that depends on the whole data set is
handed to `st`.  While fitting, such an expression runs and what it learned is kept under its key; while
serving, the kept value is used instead.  Training and serving cannot drift apart: there is no second copy.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .state import Entry, State, StateError, StateKeyError, columns_of, outputs_of


class Staging:
    """The `st` of `features(df, st)`: learns while fitting, repeats what was learned while serving."""

    def __init__(
        self, frames: Mapping[str, pd.DataFrame], state: State, fitting: bool
    ) -> None:
        self.fitting = fitting
        self.state = state
        self.main: pd.DataFrame = next(iter(frames.values()))
        self.y: Any = None
        self.y_eval: Any = None
        self.train_ids: np.ndarray | None = None
        self.eval_ids: np.ndarray | None = None
        self.extras: dict[str, Any] = {}
        self._frames = frames
        self._parameters: Mapping[str, Any] = {}
        self._asked: Counter[str] = Counter()
        self.guards: Sequence[str] = ()
        self.outside: dict[
            str, np.ndarray
        ] = {}  # which rows the notebook's filters would drop, by guard
        self._inside = False  # a thunk is running: what it asks for is part of it
        self._in_target = False
        self._labels = self.main.index  # of the rows as they were given
        self._raw = (
            self.main
        )  # the rows to learn from, which the features do not change
        # positions of raw rows, by number of rows
        self._ids = {len(self.main): np.arange(len(self.main))}
        # A serving pass over evaluation rows has a target; a pass whose rows were chosen has splits to come.
        self._judging = False
        self._splits = self._to_come = 0
        self._split_ids = np.array([], dtype=int)
        self._grown: set[str] = set()

    @classmethod
    def for_fit(
        cls,
        raw: pd.DataFrame | Mapping[str, pd.DataFrame],
        parameters: Mapping[str, Any] | None = None,
        reads: Sequence[str] | None = None,
        definition: str = "",
        rehearsal: Staging | None = None,
    ) -> Staging:
        """Staging that learns from `raw`, of which the first frame is the main one.

        After a `rehearsal`, a pass over all rows that showed which of them the split chooses, it learns from
        the training rows alone: the split and the filters before it have nothing left to do.
        """
        frames = {"main": raw} if isinstance(raw, pd.DataFrame) else dict(raw)
        name, main = next(iter(frames.items()))
        chosen = None if rehearsal is None else rehearsal._chosen()
        frames[name] = main.copy() if chosen is None else main.iloc[chosen].copy()
        staging = cls(
            frames, State.learning_from(frames[name], reads, definition), fitting=True
        )
        staging._parameters, staging._raw = parameters or {}, main
        if rehearsal is not None and chosen is not None:
            staging._ids = {len(chosen): chosen}
            staging.eval_ids = rehearsal.eval_ids
            staging._to_come, staging._grown = rehearsal._splits, rehearsal._grown
        return staging

    @classmethod
    def for_serving(
        cls, rows: pd.DataFrame, state: State, guards: Sequence[str] = ()
    ) -> Staging:
        """Staging that applies `state` to raw rows; filters in `guards` say which rows they would drop."""
        staging = cls({"main": state.prepare(rows)}, state, fitting=False)
        staging._labels = rows.index
        staging.guards = guards
        return staging

    @classmethod
    def for_evaluation(cls, rows: pd.DataFrame, state: State) -> Staging:
        """Staging that applies `state` to raw rows that have a target, which it leaves in `y`."""
        staging = cls.for_serving(rows, state)
        staging._judging = True
        return staging

    def value(self, key: str, thunk: Callable[[], Any], at: Sequence[Any] = ()) -> Any:
        """What `thunk` gives on the training data; `at` tells the passes of a loop apart."""
        if not self.fitting:
            return _copied(self._recall(key, at).value)
        value = self._run(thunk)
        self._learn(key, "value", value, at)
        return value

    def keep(
        self, key: str, frame: Any, thunk: Callable[[], Any], at: Sequence[Any] = ()
    ) -> Any:
        """A row filter, of one frame or a tuple of them; serving keeps every row."""
        if not self.fitting:
            self._recall(key, at)
            if key in self.guards:
                self._guard(key, frame, thunk)
            return _copied(frame)
        before = frame[0] if isinstance(frame, tuple) else frame
        if (
            self._to_come
            and _count(before) in self._ids
            and _name(key, at) not in self._grown
        ):
            self._learn(
                key, "keep", {"rows": _count(before), "kept": _count(before)}, at
            )
            return _copied(frame)
        kept = _copied(self._run(thunk))
        after = kept[0] if isinstance(kept, tuple) else kept
        self._follow(before, after)
        self._learn(key, "keep", {"rows": _count(before), "kept": _count(after)}, at)
        if _count(after) > _count(before):
            self._grown.add(_name(key, at))
        return kept

    def _guard(self, key: str, frame: Any, thunk: Callable[[], Any]) -> None:
        """Remember which of the rows that are served a filter would drop."""
        kept = _copied(self._run(thunk))
        before, after = (
            part[0] if isinstance(part, tuple) else part for part in (frame, kept)
        )
        dropped = np.setdiff1d(
            np.arange(_count(before)), self._positions(before, after)
        )
        self.outside[key] = np.union1d(self.outside.get(key, dropped), dropped)

    def result(self, X: Any, y: Any = None, y_eval: Any = None) -> Any:
        """The feature matrix; serving checks that it has the columns of training."""
        self.y, self.y_eval = y, y_eval
        if self.fitting:
            self.train_ids = self._ids.get(_count(X), np.full(_count(X), -1))
            self.state.stand_in(self._raw.iloc[self.train_ids[self.train_ids >= 0]])
            self.state.outputs = outputs_of(X)
            return X
        unasked = [
            key
            for key, e in self.state.entries.items()
            if e.always and not self._asked[key]
        ]
        if unasked:
            raise StateKeyError(
                f"serving did not ask for {', '.join(unasked)}, which training learned"
            )
        columns, trained = columns_of(X), self.state.outputs["columns"]
        if columns != trained:
            lost, new = (
                [c for c in trained if c not in columns],
                [c for c in columns if c not in trained],
            )
            raise StateError(
                f"features {lost} of training are lost, {new} are new, or the order is another"
            )
        self.y = self._labelled(y)
        return self._labelled(X)

    def _labelled(self, data: Any) -> Any:
        """Served rows under the labels that they came with."""
        if not isinstance(data, (pd.DataFrame, pd.Series)) or len(data) != len(
            self._labels
        ):
            return data
        return data if data.index.equals(self._labels) else data.set_axis(self._labels)

    def freeze(self) -> State:
        """The state that was learned, with its version."""
        return self.state.seal()

    def get_dummies(
        self, key: str, data: Any, *, at: Sequence[Any] = (), **options: Any
    ) -> pd.DataFrame:
        """`pd.get_dummies` that gives the columns of training; a value unseen there is zero in all of them."""
        table = isinstance(data, pd.DataFrame)
        frame = data if table else pd.DataFrame({"": data})
        if self.fitting:
            result = pd.get_dummies(data, **options)
            vanished = [c for c in frame if c not in result] if table else [""]
            encoded = list(options.get("columns") or vanished)
            levels = [pd.Categorical(frame[column]).categories for column in encoded]
            learned = {"encoded": encoded, "levels": levels, "columns": result.columns}
            self._learn(key, "get_dummies", learned, at)
            return result
        learned = self._recall(key, at).value
        known = zip(learned["encoded"], learned["levels"], strict=True)
        frame = frame.astype(
            {column: pd.CategoricalDtype(levels) for column, levels in known}
        )
        if table:
            result = pd.get_dummies(frame, **{**options, "columns": learned["encoded"]})
        else:
            result = pd.get_dummies(frame[""], **options)
        return result.set_axis(learned["columns"], axis="columns")

    def parameter(self, name: str) -> Any:
        """A setting with the value that training used."""
        if self.fitting:
            entry = Entry("parameter", _copied(self._parameters[name]), always=False)
            self.state.entries[f"parameter {name}"] = entry
        return _copied(self.state.entry(f"parameter {name}").value)

    def split(
        self,
        function: Callable[..., Any],
        *arrays: Any,
        joined: bool = False,
        **options: Any,
    ) -> list[Any]:
        """`train_test_split` and its like, called with row positions too.

        Serving has training rows only.  The code that prepares the other side still needs a row to work on, which
        nobody reads; it gets none where both sides are `joined` again.
        """
        if not self.fitting or self._split_is_over():
            held = _no_rows if joined else _first_row
            return [
                part
                for a in arrays
                for part in ((None, None) if a is None else (a, held(a)))
            ]
        ids = self._ids.get(_count(arrays[0]), np.full(_count(arrays[0]), -1))
        *parts, train, held = function(*arrays, np.arange(len(ids)), **options)
        self.eval_ids = ids[held]
        self._split_ids = self._ids[len(train)] = ids[train]
        return list(parts)

    def target(self, function: Callable[[Any, Staging], Any], df: Any) -> Any:
        """The target, which exists in training only."""
        if not self.fitting and not self._judging:
            return None
        self._in_target = True
        y = function(df, self)
        self._in_target = False
        return y

    def _chosen(self) -> np.ndarray | None:
        """Positions of the raw rows that the split left for training; None where there was no split."""
        known = self._split_ids[self._split_ids >= 0]
        return known if len(known) else None

    def _split_is_over(self) -> bool:
        """Count a split; whether its training rows are all that there are."""
        self._splits += 1
        over = self._to_come > 0
        self._to_come -= over
        return over

    def _run(self, thunk: Callable[[], Any]) -> Any:
        outer, self._inside = self._inside, True
        try:
            return thunk()
        finally:
            self._inside = outer

    def _learn(
        self, key: str, kind: str, value: Any, at: Sequence[Any] = (), empty: Any = None
    ) -> None:
        if not self._inside:
            entry = Entry(kind, _copied(value), not self._in_target, empty)
            self.state.entries[self._numbered(key, at)] = entry

    def _recall(self, key: str, at: Sequence[Any] = ()) -> Entry:
        return self.state.entry(self._numbered(key, at))

    def _numbered(self, key: str, at: Sequence[Any]) -> str:
        """The name of this passage of a site: the second one with the same key is `key#2`."""
        name = _name(key, at)
        self._asked[name] += 1
        if self._asked[name] == 1:
            return name
        name = f"{name}#{self._asked[name]}"
        self._asked[name] += 1
        return name

    def _follow(self, before: Any, after: Any) -> None:
        """Remember which raw rows the rows of `after` are; an array without labels does not tell, and a
        column in another order is not the order of the table.
        """
        known = self._ids.get(_count(after))
        if _count(before) in self._ids and not (
            known is not None and np.ndim(after) == 1 == np.ndim(before)
        ):
            positions = self._positions(before, after)
            if known is None or _at_least(
                positions, known if isinstance(after, np.ndarray) else None
            ):
                self._ids[_count(after)] = positions

    def _positions(self, before: Any, after: Any) -> np.ndarray:
        """The raw rows behind the rows of `after`, which was taken from `before`; -1 where there is none."""
        unknown = np.full(_count(after), -1)
        ids = self._ids.get(_count(before))
        if ids is None:
            return unknown
        # resampling adds rows behind the old ones
        if len(unknown) >= len(ids) and _same_rows(before, after):
            return np.append(ids, unknown[len(ids) :])
        if (
            isinstance(before, np.ndarray)
            and isinstance(after, np.ndarray)
            and before.dtype == after.dtype
        ):
            at = _places(before, after)
            return np.where(at >= 0, ids[at], -1)
        if (
            not hasattr(before, "index")
            or not hasattr(after, "index")
            or not before.index.is_unique
        ):
            return unknown
        at = before.index.get_indexer(after.index)
        renumbered = after.index.equals(pd.RangeIndex(len(after))) and not _same_rows(
            after, before.iloc[at]
        )
        return unknown if renumbered else np.where(at >= 0, ids[at], -1)


def _places(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """For each row of an array its place in another; -1 where that has none or several that are equal."""
    places: dict[bytes, int] = {}
    for at in range(len(before)):
        key = before[at].tobytes()
        places[key] = -1 if key in places else at
    return np.array([places.get(row.tobytes(), -1) for row in after], dtype=int)


def _at_least(positions: np.ndarray, known: np.ndarray | None) -> bool:
    """Whether they tell of some rows, and of no fewer than what is known: a target has few different values."""
    told = int((positions >= 0).sum())
    return told > 0 and (known is None or told >= int((known >= 0).sum()))


def _name(key: str, at: Sequence[Any]) -> str:
    if not at:
        return key
    return key + json.dumps(
        list(at), default=lambda v: v.item() if isinstance(v, np.generic) else str(v)
    )


def _count(data: Any) -> int:
    return int(data.shape[0]) if hasattr(data, "shape") else len(data)


def _no_rows(data: Any) -> Any:
    return data.iloc[:0].copy() if hasattr(data, "iloc") else data[:0]


def _first_row(data: Any) -> Any:
    return data.iloc[:1].copy() if hasattr(data, "iloc") else data[:1]


def _copied(value: Any) -> Any:
    """A copy of what can be changed in place; the rest as it is."""
    if isinstance(value, (str, int, float, bool, np.generic, pd.Index, type(None))):
        return value
    if isinstance(value, (pd.DataFrame, pd.Series, np.ndarray)):
        return value.copy()
    return copy.deepcopy(value)


def _same_rows(rows: Any, others: Any) -> bool:
    """Whether `others` begin with `rows`, in the columns that both have."""
    if isinstance(rows, pd.DataFrame) and isinstance(others, pd.DataFrame):
        common = [column for column in rows.columns if column in others.columns]
        rows, others = rows[common], others[common]
    if isinstance(rows, np.ndarray) and isinstance(others, np.ndarray):
        return np.array_equal(rows, others[: len(rows)])
    if not hasattr(rows, "iloc") or not hasattr(others, "iloc"):
        return False
    return bool(
        rows.reset_index(drop=True).equals(
            others.iloc[: len(rows)].reset_index(drop=True)
        )
    )
