"""The stage of every statement, from the data flow alone, with the reason.

Before:  a Flow, and the tags that the cells have.
After:   statement -> (stage, reason); the first of these that holds decides

    imports, options, seeds                        setup
    reads what the model or a prediction needs     load
    makes what a model is fitted on                features
    fits, splits, scores, or is needed for it      train
    predicts, or works on predictions              infer
    helpers and constants                          the one stage that uses them, else setup
    all else                                       eda

A tag that a cell has wins: where a cell is tagged train, models are looked for only there, and where one is
tagged infer, nothing else infers.  The reverse of `cut`: that one takes tags and finds the statements of one
model; this one looks at all models that the notebook tries.

It is long because the stages are decided on the same few sets.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nb2prod import knowledge
from nb2prod.analysis.events import root
from nb2prod.analysis.model import PREDICT_METHODS, calls, choose, find_sinks, has_score, is_marked, method
from nb2prod.analysis.prediction import aliases
from nb2prod.analysis.rows import Rows
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import Split, find_split
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Effect, Flow, Use
from nb2prod.ir.stages import Sink

Place = tuple[str, str]
LITERAL = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.JoinedStr,
    ast.FormattedValue, ast.Lambda, ast.operator, ast.unaryop, ast.expr_context,
)  # fmt: skip
COLLECTIONS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Lambda)
DECIDES = ("argmax", "astype", "where", "round", "idxmax", "clip", "inverse_transform", "apply", "map", "replace")
SHOWS = ("builtins.print", "IPython.display.display")
OPTIONS = ("sets-option", "seeds", "env")


@dataclass(frozen=True, slots=True)
class _Predict:
    """A call by which a fitted model predicts; `new` says that its rows are none that it was fitted on."""

    stmt: int
    call: ast.Call
    sink: Sink
    new: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """What makes the data that one model is fitted on."""

    x: set[int]
    y: set[int]
    split: Split


def place(flow: Flow, types: Types, given: CellTags, model: str | None = None) -> dict[int, Place]:
    """The stage of each statement and why; empty where no model is found.

    `model` is the variable of the model that the user asked for.
    """
    placing = _Placing(flow, types, given, model)
    return placing.all() if placing.sinks else {}


class _Placing:
    def __init__(self, flow: Flow, types: Types, given: CellTags, model: str | None) -> None:
        self.flow, self.types, self.given = flow, types, given
        self.slicer = Slicer(flow)
        self.rows = Rows(flow, types, self.slicer)
        self.effects: defaultdict[int, list[Effect]] = defaultdict(list)
        for effect in flow.effects:
            self.effects[effect.stmt].append(effect)
        self.changes: defaultdict[int, set[str]] = defaultdict(set)
        for d in flow.defs:
            self.changes[d.stmt].add(d.name)
        self.places: dict[int, Place] = {}
        self.movable = self.find_movable()
        self.sinks = self.find_models()
        self.names = {s.stmt: aliases(flow, s) for s in self.sinks}
        self.predicts = self.find_predicts()
        if self.sinks:
            self.chosen = self.choose(model)

    def all(self) -> dict[int, Place]:
        made = {s.stmt: self.made(s) for s in self.sinks}
        own = made[self.chosen.stmt]
        self.scored = {id for id, s in self.flow.by_id.items() if not _is_def(s.node) and self.scores(id)}
        self.judges = self.target_names(made.values())
        inferring = self.inferring()
        kept = set().union(*(m.x | m.y for m in made.values()))
        needed = self.backward(inferring)
        self.setup()
        self.load(kept | needed, own)
        self.put(own.x | own.y - {own.split.stmt}, "features", f"`{self.chosen.model}` is fitted on what it makes")
        self.train(made, bool(inferring))
        self.infer(inferring)
        for sink in self.sinks:
            data = made[sink.stmt]
            self.put(data.x | data.y, "features", f"`{sink.model}` is fitted on what it makes")
        self.put(
            {id for id in needed if id < self.chosen.stmt}, "features", "prepares rows that are predicted"
        )
        self.put(needed, "infer", f"a prediction of `{self.chosen.model}` needs it")
        self.put(self.backward(self.scored), "train", "a score needs it")
        self.helpers()
        for id in self.flow.by_id:
            reason = "only shows something" if self.shows(id) else "the model does not need it"
            self.put({id}, "eda", reason)
        return self.places

    def put(self, ids: Iterable[int], stage: str, reason: str) -> None:
        """Places what has no place yet; what goes where it is used is placed last."""
        for id in sorted(ids):
            if id not in self.places and id not in self.movable:
                self.places[id] = stage, reason

    # models and predictions

    def find_models(self) -> list[Sink]:
        """The fits in cells tagged train; where there are none, those in untagged cells."""
        tagged = find_sinks(self.flow, self.types, self.given)
        if tagged:
            return tagged
        cells = {stmt.cell for stmt in self.flow.by_id.values()}
        free = {cell: ("train",) for cell in cells if not self.given.of(cell)}
        found = find_sinks(self.flow, self.types, replace(self.given, allowed=free))
        return [sink for sink in found if self.is_model(sink)]

    def is_model(self, sink: Sink) -> bool:
        """An estimator that is known, or that predicts later on: `fit` alone may be a transformer's."""
        if sink.task != "other" and (sink.y is not None or self.role(sink)):
            return True
        names = aliases(self.flow, sink)
        for id, stmt in self.flow.by_id.items():
            if id >= sink.stmt and not _is_def(stmt.node):
                for call in calls(stmt.node):
                    if method(call) in (*PREDICT_METHODS, "score") and root(call.func) in names:
                        return True
        return sink.y is not None and bool(self.role(sink))

    def role(self, sink: Sink) -> str:
        assert isinstance(sink.call.func, ast.Attribute)
        owner = sink.call.func.value
        kind = self.types.of(owner) or self.types.api_of(owner)
        fact = knowledge.lookup(kind) if kind and ":" not in kind else None
        return fact.role if fact is not None else ""

    def find_predicts(self) -> list[_Predict]:
        found = []
        for id, stmt in self.flow.by_id.items():
            plots = any(e.kind == "displays" and e.api not in SHOWS for e in self.effects[id])
            if _is_def(stmt.node) or plots or has_score(stmt.node, self.types):
                continue
            for call in calls(stmt.node):
                if method(call) in PREDICT_METHODS:
                    fitted = [s for s in self.sinks if s.stmt <= id and root(call.func) in self.names[s.stmt]]
                    if fitted and call is not fitted[-1].call:
                        found.append(_Predict(id, call, fitted[-1], self.is_new(call, id, fitted[-1])))
        return found

    def is_new(self, call: ast.Call, at: int, sink: Sink) -> bool:
        """Whether the rows predicted come from elsewhere than those of the fit."""
        if not call.args or at == sink.stmt:
            return False
        names = {n.id for n in ast.walk(call.args[0]) if isinstance(n, ast.Name)} - set(self.types.imports)
        if not names:
            return True
        ours, theirs = self.rows.origin(sink.x, sink.stmt), self.rows.origin(call.args[0], at)
        return bool(ours and theirs) and ours != theirs

    def choose(self, model: str | None) -> Sink:
        """The model that predicts new rows, else that is saved, else that predicts or is scored, else the last."""
        asked = choose(self.sinks, self.flow, self.given, model)
        decided = model is not None or any(is_marked(s, self.flow) for s in self.sinks)
        if asked is not None and (decided or any("infer" in t for t in self.given.allowed.values())):
            return asked
        new = {p.sink.stmt for p in self.predicts if p.new}
        judged = {p.sink.stmt for p in self.predicts} | {s.stmt for s in self.sinks if self.is_scored(s)}
        for wanted in (new, {s.stmt for s in self.sinks if self.is_saved(s)}, judged):
            found = [s for s in self.sinks if s.stmt in wanted]
            if found:
                return found[-1]
        return self.sinks[-1]

    def is_saved(self, sink: Sink) -> bool:
        return any(self.saves(id, sink) for id in self.flow.by_id if id > sink.stmt)

    def saves(self, id: int, sink: Sink) -> bool:
        """Whether a statement writes this model to a file."""
        if not any(e.kind == "writes-file" for e in self.effects[id]):
            return False
        return any(u.name == sink.model and sink.stmt in u.reaches for u in self.slicer.uses(id))

    def is_scored(self, sink: Sink) -> bool:
        for id, stmt in self.flow.by_id.items():
            if id >= sink.stmt and not _is_def(stmt.node):
                for call in calls(stmt.node):
                    if method(call) == "score" and call.args and root(call.func) == sink.model:
                        return True
        return False

    # slices

    def backward(self, start: Iterable[int], side: Split | None = None, of: str = "") -> set[int]:
        """What statements depend on; a random stream is no dependence here, or every draw would be one."""

        def follow(use: Use) -> bool:
            if use.name.startswith("<") and not use.name.startswith("<file"):
                return False
            return side is None or side.follows(use, of)

        return self.slicer.backward(start, follow)

    def made(self, sink: Sink) -> _Made:
        """The slices of X and y."""
        split = find_split(self.flow, self.types, self.slicer, sink)
        sides = []
        for of, node in (("x", sink.x), ("y", sink.y)):
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()
            start = self.slicer.reaching(sink.stmt, names)
            sides.append(self.backward(start, split, of) if node is not None else set())
        return _Made(sides[0], sides[1], split)

    def target_names(self, made: Iterable[_Made]) -> set[str]:
        """The names of the target: what reads them beside predictions judges these."""
        found = {s.y.id for s in self.sinks if isinstance(s.y, ast.Name)}
        for data in made:
            for array in data.split.y_arrays - data.split.x_arrays:
                found |= set(data.split.outputs[2 * array : 2 * array + 2])
        return found

    # stages

    def setup(self) -> None:
        for id, stmt in self.flow.by_id.items():
            if isinstance(stmt.node, (ast.Import, ast.ImportFrom)):
                self.places[id] = "setup", "imports"
            elif any(e.kind in OPTIONS for e in self.effects[id]) and isinstance(stmt.node, ast.Expr):
                self.places[id] = "setup", "sets options or seeds"

    def load(self, kept: set[int], own: _Made) -> None:
        """Reads, what they need, and what only gathers what they read."""
        reads = {id for id in kept if any(e.kind == "reads-file" for e in self.effects[id])}
        if not reads & (own.x | own.y):
            reads |= {self.rows.origin(self.chosen.x, self.chosen.stmt)} - {0}
        files = {id: [e.target[6:-1] for e in self.effects[id] if e.kind == "file"] for id in reads}
        for id in sorted(reads):
            named = [f"`{name}`" for name in files[id] if name != "?"]
            self.movable.discard(id)
            self.put({id}, "load", f"reads {' and '.join(named)}" if named else "the data enter here")
        self.put(self.backward(reads), "load", "reading the data needs it")
        for id in sorted(kept):
            makers = {r for use in self.slicer.uses(id) for r in use.reaches if r != id} - self.movable
            makers -= {r for r in makers if self.places.get(r, ("",))[0] == "setup"}
            parts = self.slicer.reaching(id, self.gathered(id))
            if parts & makers and all(self.places.get(r, ("",))[0] == "load" for r in makers):
                self.put({id}, "load", "gathers what was read")

    def gathered(self, id: int) -> set[str]:
        """The names that a statement reads and that hold a list."""
        lists = {
            name
            for other, stmt in self.flow.by_id.items()
            if isinstance(getattr(stmt.node, "value", None), (ast.List, ast.ListComp))
            for name in self.changes[other]
        }
        return {use.name for use in self.slicer.uses(id)} & lists

    def train(self, made: dict[int, _Made], used: bool) -> None:
        for sink in self.sinks:
            late = sink.stmt > self.chosen.stmt and not used
            data = made[sink.stmt]
            said = f"fits `{sink.model}`"
            if late:
                self.put({sink.stmt}, "eda", f"{said}, which nothing uses; the model is `{self.chosen.model}`")
                continue
            self.put({sink.stmt}, "train", said)
            self.put({data.split.stmt} - {0}, "train", "splits the rows")
            alone = self.backward({sink.stmt}) - data.x - data.y
            self.put(alone, "train", f"makes `{sink.model}` ready to fit")
            evaluation = data.split.evaluation(self.flow, self.types, self.slicer)
            wanted = self.backward({p.stmt for p in self.predicts} | self.scored)
            self.put(evaluation & wanted, "features", "evaluation rows go through the same")
            saving = {id for id in self.flow.by_id if id > sink.stmt and self.saves(id, sink)}
            self.put(saving, "train", f"saves `{sink.model}`")
        self.put(self.scored, "train", "scores")
        showing = {id for id in self.flow.by_id if self.prints(id, self.scored)}
        self.put(showing, "train", "shows a score")

    def infer(self, inferring: set[int]) -> None:
        names = {p.stmt: p.sink.model for p in self.predicts}
        new = {p.stmt for p in self.predicts if p.new}
        for id in sorted(inferring):
            if id in names:
                rows = "new rows" if id in new else "rows"
                self.put({id}, "infer", f"predicts {rows} with `{names[id]}`")
            self.put({id}, "infer", "works on predictions")
        self.put({p.stmt for p in self.predicts}, "train", "predictions that judge a model")

    def inferring(self) -> set[int]:
        """Predictions for their own sake, and what is made of them.

        Those of rows that the model was fitted or judged on count where the cell does not score them too, or
        where more is made of them than the bare prediction.  Where the chosen model has none, nothing infers:
        it would be another model's.
        """
        if any("infer" in tags for tags in self.given.allowed.values()):
            return set()
        found: set[int] = set()
        for predict in self.predicts:
            if predict.sink.stmt > self.chosen.stmt:
                continue
            after = self.follow_up(predict)
            cell = self.flow.by_id[predict.stmt].cell
            busy = any(self.flow.by_id[id].cell == cell for id in {*self.scored, *(s.stmt for s in self.sinks)})
            if predict.new or not busy or any(self.computes(id, predict) for id in after):
                found |= after
        found |= self.relabelled()
        mine = {p.stmt for p in self.predicts if p.sink is self.chosen} | self.relabelled()
        return found if found & mine else set()

    def relabelled(self) -> set[int]:
        """Work on the labels that the fit itself gave, `df["cluster"] = labels + 1`: other labels."""
        fit = self.chosen.stmt
        if method(self.chosen.call) != "fit_predict":
            return set()
        found = set()
        for id, stmt in self.flow.by_id.items():
            value = getattr(stmt.node, "value", None)
            reads = [u.name for u in self.slicer.uses(id) if fit in u.reaches and u.name in self.changes[fit]]
            labels = set(reads) - {self.chosen.model}
            if id > fit and isinstance(stmt.node, ast.Assign) and isinstance(value, ast.BinOp):
                if root(value.left) in labels or root(value.right) in labels:
                    found.add(id)
        return found

    def follow_up(self, predict: _Predict) -> set[int]:
        """The prediction and the statements that make something of it, without what judges it or shows it."""
        found = {predict.stmt}
        for id, stmt in self.flow.by_id.items():
            if id <= predict.stmt or _is_def(stmt.node) or id in self.scored:
                continue
            uses = self.slicer.uses(id)
            anew = self.flow.defined_by(id) if isinstance(stmt.node, (ast.For, ast.While)) else ()
            reads = any(
                u.name not in anew and u.name in self.results(found & set(u.reaches)) for u in uses
            )
            writes = any(e.kind == "writes-file" for e in self.effects[id])
            judges = any(u.name in self.judges for u in uses)
            if reads and not judges and not self.plots(id) and (self.changes[id] or writes):
                found.add(id)
        return found

    def results(self, ids: Iterable[int]) -> set[str]:
        return {name for id in ids for name in self.changes[id]}

    def computes(self, id: int, predict: _Predict) -> bool:
        """Whether a statement makes other values of predictions: a cut-off, an inverse, labels."""
        if id in self.scored:
            return False
        inside = set(ast.walk(predict.call))
        for node in ast.walk(self.flow.by_id[id].node):
            if node in inside:
                continue
            if isinstance(node, (ast.BinOp, ast.AugAssign, ast.Compare, ast.IfExp)):
                return True
            if isinstance(node, ast.Call) and (method(node) in DECIDES or self.is_row_wise(node)):
                return True
        return False

    def is_row_wise(self, node: ast.Call) -> bool:
        fact = self.types.fact(node)
        api = self.types.api_of(node)
        made = fact is not None and fact.effect == "row-wise" and fact.returns in ("same", "array", "column")
        return made and api.startswith("numpy.") and api not in ("numpy.array", "numpy.asarray", "numpy.ravel")

    # small questions

    def scores(self, id: int) -> bool:
        return has_score(self.flow.by_id[id].node, self.types)

    def plots(self, id: int) -> bool:
        return any(e.kind == "displays" and e.api not in SHOWS for e in self.effects[id])

    def shows(self, id: int) -> bool:
        node = self.flow.by_id[id].node
        return isinstance(node, ast.Expr) or any(e.kind == "displays" for e in self.effects[id])

    def prints(self, id: int, made: set[int]) -> bool:
        """Whether a statement shows, as text, what one of these statements made."""
        node = self.flow.by_id[id].node
        if not isinstance(node, ast.Expr) or self.plots(id) or _is_def(node):
            return False
        for use in self.slicer.uses(id):
            if made & set(use.reaches) and use.name in self.results(made & set(use.reaches)):
                return use.name not in self.judges
        return False

    # what goes where it is used

    def find_movable(self) -> set[int]:
        """Definitions, and names for values that are written out."""
        found: set[int] = set()
        for id, stmt in self.flow.by_id.items():
            value = getattr(stmt.node, "value", None)
            if _is_def(stmt.node) or (isinstance(stmt.node, ast.Assign) and self.is_literal(id, value, found)):
                found.add(id)
        return found

    def is_literal(self, id: int, value: ast.AST | None, known: set[int]) -> bool:
        if value is None or not all(isinstance(n, (*LITERAL, ast.Name)) for n in ast.walk(value)):
            return isinstance(value, ast.Lambda)
        return {r for use in self.slicer.uses(id) for r in use.reaches} <= known

    def helpers(self) -> None:
        users: defaultdict[int, set[str]] = defaultdict(set)
        for id in sorted(self.flow.by_id, reverse=True):
            if id in self.movable:
                stages = users[id] - {"eda"}
                node = self.flow.by_id[id].node
                small = not _is_def(node) and not isinstance(getattr(node, "value", None), COLLECTIONS)
                if not stages:
                    self.places[id] = "eda", "nothing that the model needs uses it"
                elif small or len(stages) > 1:
                    self.places[id] = "setup", "constants" if not _is_def(node) else "helpers"
                else:
                    self.places[id] = stages.copy().pop(), f"only {stages.copy().pop()} uses it"
            stage = self.places.get(id, ("eda", ""))[0]
            for use in self.slicer.uses(id):
                for reached in use.reaches:
                    users[reached].add(stage)


def _is_def(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))

