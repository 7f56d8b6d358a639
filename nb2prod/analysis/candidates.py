"""The models that a notebook fits, what they predict, and which of them it is for, without help from tags.

first.fit(X_train, y_train)        a candidate, judged by
first.predict(X_test)              its prediction of rows that were split off
second.fit(X, y)                   the one that the notebook is for, because
second.predict(test)               it predicts rows from elsewhere
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nb2prod import knowledge
from nb2prod.analysis.events import root
from nb2prod.analysis.model import (
    PREDICT_METHODS,
    calls,
    choose,
    find_sinks,
    has_score,
    is_marked,
    of_many,
)
from nb2prod.analysis.networks import is_network
from nb2prod.analysis.nodes import method, names_in
from nb2prod.analysis.predictors import CALLED, aliases, given_rows, predictions
from nb2prod.analysis.rows import NOWHERE, Rows
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import Split, find_split
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow, Use
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Sink

SHOWS = ("builtins.print", "IPython.display.display")  # other displays are plots


@dataclass(frozen=True, slots=True)
class Predict:
    """What a fitted model predicts; `new` says that its rows are none that it was fitted on."""

    stmt: int
    made: ast.expr
    sink: Sink
    new: bool


@dataclass(frozen=True, slots=True)
class Data:
    """The statements that make what a model is fitted on, and the split that it comes through."""

    x: set[int]
    y: set[int]
    split: Split


class Candidates:
    """`sinks` are the models in notebook order, `predicts` their predictions; `chosen` is None without any
    model."""

    def __init__(
        self, flow: Flow, types: Types, slicer: Slicer, given: CellTags, model: str | None = None
    ) -> None:
        self.flow, self.types, self.slicer = flow, types, slicer
        self.rows = Rows(flow, types, slicer)
        self.plotting = {e.stmt for e in flow.effects if e.kind == "displays" and e.api not in SHOWS}
        self.writing = {e.stmt for e in flow.effects if e.kind == "writes-file"}
        self.used = [(stmt.id, name) for stmt in self.running() for name in _used(stmt.node)]
        self.sinks = self._find(given)
        self.names = {sink.stmt: aliases(flow, sink) for sink in self.sinks}
        self.data = {sink.stmt: self.data_of(sink) for sink in self.sinks}
        self.predicts = self._predicts()
        self.chosen = self._choose(given, model) if self.sinks else None

    def running(self) -> Iterator[Stmt]:
        """The statements that do something when they stand there; a definition does when it is called."""
        return (stmt for stmt in self.flow.by_id.values() if not is_definition(stmt.node))

    def saves(self, id: int, sink: Sink) -> bool:
        """Whether a statement writes this model to a file."""
        uses = self.slicer.uses(id) if id in self.writing and id > sink.stmt else []
        return any(use.name == sink.model and sink.stmt in use.reaches for use in uses)

    def backward(self, start: Iterable[int], side: Split | None = None, of: str = "") -> set[int]:
        """What statements depend on; a random stream is no dependence here, or every draw would be one."""

        def follow(use: Use) -> bool:
            if use.name.startswith("<") and not use.name.startswith("<file"):
                return False
            return side is None or side.follows(use, of)

        return self.slicer.backward(start, follow)

    def data_of(self, sink: Sink) -> Data:
        """The slices of X and y."""
        split = find_split(self.flow, self.types, self.slicer, sink)
        slices = []
        for side, node in (("x", sink.x), ("y", sink.y)):
            start = self.slicer.reaching(sink.stmt, names_in(node))
            slices.append(self.backward(start, split, side))
        return Data(slices[0], slices[1], split)

    def _find(self, given: CellTags) -> list[Sink]:
        """The fits in cells tagged train; where there are none, those in untagged cells."""
        tagged = self._fits(given)
        if tagged:
            return tagged
        cells = {stmt.cell for stmt in self.flow.by_id.values()}
        free: dict[int, tuple[str, ...]] = {cell: ("train",) for cell in cells if not given.of(cell)}
        found = self._fits(replace(given, allowed=free))
        models = [sink for sink in found if self._is_model(sink)]
        return [s for s in models if not is_definition(self.flow.by_id[s.stmt].node)] or models

    def _fits(self, tags: CellTags) -> list[Sink]:
        """The fits in cells tagged train; of those in a loop, the one that is used later."""
        found = find_sinks(self.flow, self.types, tags)
        return [of_many(sink, self.flow, self.slicer, tags) for sink in found]

    def _is_model(self, sink: Sink) -> bool:
        """An estimator that is known, or what predicts later on: `fit` alone may be a transformer's."""
        if not isinstance(sink.call.func, ast.Attribute) or is_network(sink) or sink.predicts:
            return True  # the notebook's own code learns from rows and a target
        owner = sink.call.func.value
        kind = self.types.of(owner) or self.types.api_of(owner)
        fact = knowledge.lookup(kind, extra=self.types.extra) if kind and ":" not in kind else None
        if fact is not None and fact.role and (sink.y is not None or fact.role != "pipeline"):
            return True
        names = aliases(self.flow, sink)
        return any(id >= sink.stmt and name in names for id, name in self.used)

    def _predicts(self) -> list[Predict]:
        found = []
        for stmt in self.running():
            if stmt.id in self.plotting or has_score(stmt.node, self.types):
                continue
            for call in calls(stmt.node):
                named = f"{root(call.func)}()" if isinstance(call.func, ast.Name) else root(call.func)
                if method(call) in PREDICT_METHODS or isinstance(call.func, ast.Name):
                    fitted = [s for s in self.sinks if s.stmt <= stmt.id and named in self.names[s.stmt]]
                    if fitted and call is not fitted[-1].call:
                        new = self._is_new(call.args[0] if call.args else None, stmt.id, fitted[-1])
                        found.append(Predict(stmt.id, call, fitted[-1], new))
            found += self._by_weights(stmt)
        return found

    def _by_weights(self, stmt: Stmt) -> Iterator[Predict]:
        """`X @ weights` of weights that the notebook learned itself, without a call that predicts."""
        for sink in self.sinks:
            names = self.names[sink.stmt]
            if CALLED in names and sink.stmt < stmt.id:
                for made in predictions(stmt.node, names - {f"{n}()" for n in self.types.functions}):
                    new = self._is_new(given_rows(made, names), stmt.id, sink)
                    yield Predict(stmt.id, made, sink, new)

    def _is_new(self, rows: ast.expr | None, at: int, sink: Sink) -> bool:
        """Whether the rows predicted come from elsewhere than those of the fit."""
        if rows is None or at == sink.stmt:
            return False
        if not names_in(rows) - set(self.types.imports):
            return True
        ours, theirs = self.rows.origin(sink.x, sink.stmt), self.rows.origin(rows, at)
        return NOWHERE not in (ours, theirs) and ours != theirs

    def _choose(self, given: CellTags, model: str | None) -> Sink:
        """What the user asks for; else the last model used to predict new rows, or saved, or used at all, or
        fitted.  A model whose predictions another one is fitted on is none of them.
        """
        asked = choose(self.sinks, self.flow, given, model)
        decided = model is not None or any(is_marked(sink, self.flow) for sink in self.sinks)
        if asked is not None and (decided or any("infer" in tags for tags in given.allowed.values())):
            return asked
        inner = set().union(*(data.x | data.y for data in self.data.values()))
        sinks = [sink for sink in self.sinks if sink.stmt not in inner] or self.sinks
        new = [p.sink for p in self.predicts if p.new and p.sink in sinks]
        saved = [sink for sink in sinks if any(self.saves(id, sink) for id in self.writing)]
        used = {sink.stmt: self._last_use(sink) for sink in sinks}
        last = max(sinks, key=lambda sink: (used[sink.stmt], sink.stmt))
        return (new or saved or [last])[-1]

    def _last_use(self, sink: Sink) -> int:
        """The last statement that predicts with a model or scores it; 0 where none does.

        A model that is fitted again under its name counts as used: the uses before were of the same model.
        """
        first = min((s for s in self.sinks if s.model == sink.model), key=lambda other: other.stmt)
        names = self.names[first.stmt] | self.names[sink.stmt]
        return max((id for id, name in self.used if id >= first.stmt and name in names), default=0)


def _used(node: ast.stmt) -> Iterator[str]:
    """The variables whose models predict or are scored in a statement, or show the labels of clusters."""
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(attr=name)) if name in (*PREDICT_METHODS, "score"):
                yield root(inner.func)
            case ast.Call(func=ast.Name(id=name)):
                yield f"{name}()"  # a module of PyTorch
            case ast.Attribute(attr="labels_"):
                yield root(inner)


def is_definition(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
