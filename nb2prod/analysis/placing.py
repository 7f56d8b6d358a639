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
from collections.abc import Iterable
from typing import NamedTuple

from nb2prod.analysis.candidates import Candidates, Predict, is_definition
from nb2prod.analysis.events import root
from nb2prod.analysis.model import assigned_name, has_score
from nb2prod.analysis.nodes import method
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow, Use
from nb2prod.ir.stages import Sink

LITERAL = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.JoinedStr,
    ast.FormattedValue, ast.Name, ast.operator, ast.unaryop, ast.expr_context,
)  # fmt: skip
COLLECTIONS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Lambda)
DECIDES = (
    "argmax", "astype", "where", "round", "idxmax", "clip", "inverse_transform", "apply", "map", "replace",
)  # fmt: skip
SAME = ("numpy.array", "numpy.asarray", "numpy.ravel")
OPTIONS = ("sets-option", "seeds", "env")


class Place(NamedTuple):
    """A stage and why; `moves` says that the statement goes where it is used."""

    stage: str
    reason: str
    moves: bool = False


def place(flow: Flow, types: Types, given: CellTags, model: str | None = None) -> dict[int, Place]:
    """The stage of each statement and why; empty where no model is found.

    `model` is the variable of the model that the user asked for.
    """
    slicer = Slicer(flow)
    candidates = Candidates(flow, types, slicer, given, model)
    if candidates.chosen is None:
        return {}
    infers = not any("infer" in tags for tags in given.allowed.values())
    return _Placing(flow, types, slicer, candidates, candidates.chosen).all(infers)


class _Placing:
    def __init__(
        self, flow: Flow, types: Types, slicer: Slicer, candidates: Candidates, chosen: Sink
    ) -> None:
        self.flow, self.types, self.slicer = flow, types, slicer
        self.candidates, self.chosen = candidates, chosen
        self.sinks, self.predicts = candidates.sinks, candidates.predicts
        self.effects: defaultdict[int, set[str]] = defaultdict(set)
        for effect in flow.effects:
            self.effects[effect.stmt].add(effect.kind)
        self.changes: defaultdict[int, set[str]] = defaultdict(set)
        for d in flow.defs:
            self.changes[d.stmt].add(d.name)
        self.scored = {stmt.id for stmt in candidates.running() if has_score(stmt.node, types)}
        self.data = candidates.data
        self.busy = {flow.by_id[id].cell for id in {*self.scored, *self.data}}
        self.targets = self.target_names()
        self.movable = self.find_movable()
        self.places: dict[int, Place] = {}

    def all(self, infers: bool) -> dict[int, Place]:
        """All places; `infers` says whether there may be inference that no tag says."""
        model, own = _name(self.chosen), self.data[self.chosen.stmt]
        inferring = self.inferring() if infers else set()
        needed = self.candidates.backward(inferring)
        self.setup()
        self.load(needed.union(*(data.x | data.y for data in self.data.values())))
        self.put((own.x | own.y) - {own.split.stmt}, "features", f"{model} is fitted on what it makes")
        self.train(bool(inferring))
        self.infer(inferring)
        for sink in self.sinks:
            data = self.data[sink.stmt]
            self.put(data.x | data.y, "features", f"{_name(sink)} is fitted on what it makes")
        early = {id for id in needed if id < self.chosen.stmt}
        self.put(early, "features", "prepares rows that are predicted")
        busy = {id for id in needed if self.flow.by_id[id].cell in self.busy}
        self.put(busy, "train", f"a prediction of {model} needs it")
        self.put(needed, "infer", f"a prediction of {model} needs it")
        self.put(self.candidates.backward(self.scored), "train", "a score needs it")
        self.helpers()
        for id in self.flow.by_id:
            self.put({id}, "eda", "only shows something" if self.shows(id) else "the model does not need it")
        return self.places

    def put(self, ids: Iterable[int], stage: str, reason: str) -> None:
        """Places what has no place yet; what goes where it is used is placed last."""
        for id in sorted(ids):
            if id not in self.places and id not in self.movable:
                self.places[id] = Place(stage, reason)

    def target_names(self) -> set[str]:
        """The names of the target: what reads them beside predictions judges these."""
        found = {sink.y.id for sink in self.sinks if isinstance(sink.y, ast.Name)}
        for data in self.data.values():
            for array in data.split.y_arrays - data.split.x_arrays:
                found |= set(data.split.outputs[2 * array : 2 * array + 2])
        return found

    # stages

    def setup(self) -> None:
        for id, stmt in self.flow.by_id.items():
            if isinstance(stmt.node, (ast.Import, ast.ImportFrom)):
                self.places[id] = Place("setup", "imports")
            elif isinstance(stmt.node, ast.Expr) and self.effects[id] & set(OPTIONS):
                self.places[id] = Place("setup", "sets options or seeds")

    def load(self, kept: set[int]) -> None:
        """Reads, what they need, and what only gathers what they read."""
        reads = {id for id in kept if "reads-file" in self.effects[id]}
        own = self.data[self.chosen.stmt]
        if not reads & (own.x | own.y):  # the data are written out, or made by a call that is not known
            reads |= {self.candidates.rows.origin(self.chosen.x, self.chosen.stmt)[0]} - {0}
        self.movable -= reads
        files: defaultdict[int, list[str]] = defaultdict(list)
        for effect in self.flow.effects:
            if effect.kind == "file" and effect.target != "<file ?>":
                files[effect.stmt].append(f"`{effect.target[6:-1]}`")
        for id in reads:
            self.put({id}, "load", f"reads {', '.join(files[id])}" if files[id] else "the data enter here")
        self.put(self.candidates.backward(reads), "load", "reading the data needs it")
        lists = {
            assigned_name(stmt.node)
            for stmt in self.candidates.running()
            if isinstance(getattr(stmt.node, "value", None), (ast.List, ast.ListComp))
        }
        for id in sorted(kept):
            reached = {r for use in self.slicer.uses(id) for r in use.reaches if r != id} - self.movable
            stages = {self.stage_of(r) for r in reached} - {"setup"}
            listed = (set(use.reaches) & reached for use in self.slicer.uses(id) if use.name in lists)
            if stages == {"load"} and any(listed):
                self.put({id}, "load", "gathers what was read")

    def train(self, used: bool) -> None:
        """What fits and judges the models; `used` says that the chosen one infers."""
        judging = self.candidates.backward({p.stmt for p in self.predicts} | self.scored)
        for sink in self.sinks:
            data = self.data[sink.stmt]
            if sink.stmt > self.chosen.stmt and not used:
                reason = f"fits {_name(sink)}, which nothing uses; the model is {_name(self.chosen)}"
                self.put({sink.stmt}, "eda", reason)
                continue
            self.put({sink.stmt}, "train", f"fits {_name(sink)}")
            self.put({data.split.stmt} - {0}, "train", "splits the rows")
            alone = self.candidates.backward({sink.stmt}) - data.x - data.y
            self.put(alone, "train", f"makes {_name(sink)} ready to fit")
            saving = {id for id in self.flow.by_id if self.candidates.saves(id, sink)}
            self.put(saving, "train", f"saves {_name(sink)}")
        splits = {(data.split.stmt, data.split.x_arrays): data.split for data in self.data.values()}
        for split in splits.values():
            evaluation, _ = split.evaluation(self.flow, self.types, self.slicer)
            self.put(evaluation & judging, "features", "evaluation rows go through the same")
        self.put(self.scored, "train", "scores")
        self.put({id for id in self.flow.by_id if self.shows_score(id)}, "train", "shows a score")

    def infer(self, inferring: set[int]) -> None:
        names = {p.stmt: _name(p.sink) for p in self.predicts}
        new = {p.stmt for p in self.predicts if p.new}
        for id in sorted(inferring):
            if id in names:
                rows = "new rows" if id in new else "rows"
                self.put({id}, "infer", f"predicts {rows} with {names[id]}")
            self.put({id}, "infer", "works on predictions")
        self.put({p.stmt for p in self.predicts}, "train", "predictions that judge a model")

    def inferring(self) -> set[int]:
        """Predictions for their own sake, and what is made of them.

        Those of rows that the model was fitted or judged on count where nothing in their cell fits or scores;
        else only where nothing else infers and more is made of them than the bare prediction.  Where the
        chosen model has none, nothing infers: it would be another model's.
        """
        relabelled = self.relabelled()
        found, late = set(relabelled), set()
        for predict in self.predicts:
            if predict.sink.stmt <= self.chosen.stmt and not self.judges(predict):
                after = self.follow_up(predict)
                if predict.new or self.flow.by_id[predict.stmt].cell not in self.busy:
                    found |= after
                elif any(self.computes(id, predict) for id in after):
                    late |= after
        own = {p.stmt for p in self.predicts if p.sink is self.chosen} | relabelled
        return next((ids for ids in (found, found | late) if ids & own), set())

    def relabelled(self) -> set[int]:
        """Work on the labels that the fit itself gave, `df["cluster"] = labels + 1`: other labels."""
        fit = self.chosen.stmt
        labels = self.changes[fit] - {self.chosen.model}
        found = set()
        for stmt in self.candidates.running() if method(self.chosen.call) == "fit_predict" else ():
            value = stmt.node.value if isinstance(stmt.node, ast.Assign) else None
            if isinstance(value, ast.BinOp) and labels & {root(value.left), root(value.right)}:
                if any(fit in use.reaches and use.name in labels for use in self.slicer.uses(stmt.id)):
                    found.add(stmt.id)
        return found

    def follow_up(self, predict: Predict) -> set[int]:
        """The prediction and the statements that make something of it, without what judges it or shows it."""
        found = {predict.stmt}
        left_out = self.scored | self.candidates.plotting
        for stmt in self.candidates.running():
            if stmt.id <= predict.stmt or stmt.id in left_out:
                continue
            uses = self.slicer.uses(stmt.id)
            # a loop that binds the name anew does not go on with the prediction
            anew = self.flow.defined_by(stmt.id) if isinstance(stmt.node, (ast.For, ast.While)) else set()
            reads = any(use.name not in anew and self.reads_result(use, found) for use in uses)
            lasting = self.changes[stmt.id] or "writes-file" in self.effects[stmt.id]
            if reads and lasting and not any(use.name in self.targets for use in uses):
                found.add(stmt.id)
        return found

    def judges(self, predict: Predict) -> bool:
        """Whether the target is read beside the prediction: `(model.predict(X) == y).mean()`."""
        value = getattr(self.flow.by_id[predict.stmt].node, "value", None)
        nodes = ast.walk(value) if isinstance(value, ast.expr) else ()
        return any(isinstance(node, ast.Name) and node.id in self.targets for node in nodes)

    def reads_result(self, use: Use, made: set[int]) -> bool:
        """Whether it reads what one of these statements binds or changes."""
        return any(use.name in self.changes[id] for id in made & set(use.reaches))

    def computes(self, id: int, predict: Predict) -> bool:
        """Whether a statement makes other values of predictions: a cut-off, an inverse, labels."""
        inside = set(ast.walk(predict.made))
        nodes = [node for node in ast.walk(self.flow.by_id[id].node) if node not in inside]
        if any(isinstance(node, (ast.BinOp, ast.AugAssign, ast.Compare, ast.IfExp)) for node in nodes):
            return True
        return any(isinstance(n, ast.Call) and (method(n) in DECIDES or self.is_row_wise(n)) for n in nodes)

    def is_row_wise(self, node: ast.Call) -> bool:
        """A function of numpy that makes other values: `np.expm1(...)`."""
        fact, api = self.types.fact(node), self.types.api_of(node)
        return fact is not None and fact.effect == "row-wise" and api.startswith("numpy.") and api not in SAME

    def stage_of(self, id: int) -> str:
        return self.places[id].stage if id in self.places else ""

    # what is shown

    def shows(self, id: int) -> bool:
        return isinstance(self.flow.by_id[id].node, ast.Expr) or "displays" in self.effects[id]

    def shows_score(self, id: int) -> bool:
        """Whether a statement shows, as text, a score that was kept."""
        if not isinstance(self.flow.by_id[id].node, ast.Expr) or id in self.candidates.plotting:
            return False
        uses = self.slicer.uses(id)
        return any(use.name not in self.targets and self.reads_result(use, self.scored) for use in uses)

    # what goes where it is used

    def find_movable(self) -> set[int]:
        """Definitions, and names for values that are written out."""
        found: set[int] = set()
        for id, stmt in self.flow.by_id.items():
            value = stmt.node.value if isinstance(stmt.node, ast.Assign) else None
            if is_definition(stmt.node) or isinstance(value, ast.Lambda):
                found.add(id)
            elif value is not None and all(isinstance(node, LITERAL) for node in ast.walk(value)):
                if {r for use in self.slicer.uses(id) for r in use.reaches} <= found:
                    found.add(id)
        return found

    def helpers(self) -> None:
        """Definitions and constants: to the one stage that uses them; numbers and texts are settings."""
        users: defaultdict[int, set[str]] = defaultdict(set)
        for id, stmt in reversed(self.flow.by_id.items()):
            if id in self.movable:
                stages = users[id] - {"eda", ""}
                single = is_definition(stmt.node) or isinstance(
                    getattr(stmt.node, "value", None), COLLECTIONS
                )
                if not stages:
                    self.places[id] = Place("eda", "nothing that the model needs uses it")
                elif single and len(stages) == 1:
                    (stage,) = stages
                    self.places[id] = Place(stage, f"only {stage} uses it", moves=True)
                else:
                    what = "helpers" if is_definition(stmt.node) else "constants"
                    self.places[id] = Place("setup", what)
            for use in self.slicer.uses(id):
                for reached in use.reaches:
                    users[reached].add(self.stage_of(id))


def _name(sink: Sink) -> str:
    return f"`{sink.model}`" if sink.model else "a model"
