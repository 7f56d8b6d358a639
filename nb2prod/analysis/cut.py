"""Cuts the model's slice of a notebook into load, features, target, train and infer.

Before:  a Flow.
After:   a StageGraph: every statement that the model, its metrics or its predictions need belongs to one
         stage; all others are dropped, with the reason.

The features stage is the backward slice of what the model is fitted on, as far as the loaded frames; the
side of a split that the model does not see is not part of it, because evaluation rows go through the same
features as any other row.

It is long because every name that crosses between stages is decided on the same few sets.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nb2prod.analysis.arrays import named
from nb2prod.analysis.events import bound_names, root
from nb2prod.analysis.holders import ROWS, as_fitted, held
from nb2prod.analysis.metrics import find_metrics
from nb2prod.analysis.model import (
    FIT_METHODS,
    PREDICT_METHODS,
    calls,
    choose,
    find_sinks,
    is_marked,
    no_sink,
    undecided,
)
from nb2prod.analysis.networks import is_network
from nb2prod.analysis.nodes import method, names_in
from nb2prod.analysis.prediction import find_prediction, for_new_rows, refuse_predictions
from nb2prod.analysis.predictors import aliases, given_rows, predict_calls
from nb2prod.analysis.raw_rows import RawRows
from nb2prod.analysis.rivals import is_candidate, rivals, with_candidates
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import find_split, fits_other_side, renamed
from nb2prod.analysis.suggest import complete
from nb2prod.analysis.tags import CellTags, cell_tags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow, Use
from nb2prod.ir.program import Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Arrays, Dropped, Metric, Prediction, Role, Sink, Stage, StageGraph

PURE = ("pure", "constructs", "row-wise", "aggregates")
NO_FRAME_NODES = (
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.GeneratorExp, ast.ListComp, ast.DictComp,
    ast.SetComp, ast.Compare, ast.BoolOp, ast.JoinedStr, ast.Lambda,
)  # fmt: skip
STREAMS = ("numpy.random.", "random.Random", "torch.")
FLOATING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def cut(flow: Flow, types: Types, model: str | None = None) -> StageGraph:
    """The stage graph of the model that the notebook uses, or of `model`."""
    tags = complete(flow, types, cell_tags(flow.program), model)
    refusals = list(tags.refusals)
    sinks = find_sinks(flow, types, tags)
    sink = choose(sinks, flow, tags, model)
    if sink is None:
        refusals.append(no_sink(flow, types, tags) or _no_sink(flow, tags, model, sinks))
        return StageGraph(refusals=tuple(refusals))
    if model is None:
        refusals += [*_undecided(sinks, flow, tags), *undecided(sink, flow, tags)]
    graph = _Cut(flow, types, tags, sink, refusals).graph()
    others = (_Cut(flow, types, tags, other, [], compared=True).graph() for other in rivals(sinks, sink))
    graph = with_candidates(graph, [other for other in others if is_candidate(other, graph)])
    return replace(graph, assumptions=(*_inferred_model(sinks, sink, flow, tags), *graph.assumptions))


def _inferred_model(sinks: list[Sink], sink: Sink, flow: Flow, tags: CellTags) -> list[str]:
    """Which model was chosen where the notebook does not say it."""
    stmt = flow.by_id[sink.stmt]
    others = [f"`{name}`" for name in sorted({other.model for other in sinks} - {"", sink.model})]
    if not others or stmt.cell not in tags.inferred or is_marked(sink, flow):
        return []
    place = f"cell {stmt.cell}, line {stmt.span.line}"
    chosen = ast.unparse(sink.held) if sink.held is not None else sink.model
    return [f"the model is `{chosen}` ({place}), not {', '.join(others)}; --model chooses another"]


def _undecided(sinks: list[Sink], flow: Flow, tags: CellTags) -> list[Refusal]:
    """Models on different features, none of which an inference cell or a comment chooses."""
    used = {u.name for u in flow.uses if "infer" in tags.of(flow.by_id[u.stmt].cell)}
    models = {s.model: ast.dump(s.x) for s in sinks}
    if len(set(models.values())) < 2 or used & set(models) or any(is_marked(s, flow) for s in sinks):
        return []
    last = sinks[-1]
    listed = ", ".join(f"`{name}`" for name in models)
    return [Refusal("NBP405", flow.by_id[last.stmt].span, listed)]


def _no_sink(flow: Flow, tags: CellTags, model: str | None, sinks: list[Sink]) -> Refusal:
    if not any("train" in allowed for allowed in tags.allowed.values()):
        subject = "no cell is tagged train, and no statement fits a model that nb2prod recognises"
        return Refusal("NBP505", None, subject)
    if model is not None:
        return Refusal("NBP406", None, model, ", ".join(sorted({s.model for s in sinks})))
    functions = [(s, s.node) for s in flow.by_id.values() if isinstance(s.node, ast.FunctionDef)]
    for stmt, function in functions:
        for call in calls(function):
            if method(call) == "backward" and not call.args:
                detail = "no call of its function shows a module, an optimizer, and tensors of its rows"
                return Refusal("NBP403", stmt.text.span(call), ast.unparse(call), detail)
            if method(call) in FIT_METHODS:
                return Refusal("NBP406", stmt.text.span(call), "", function.name)
    return Refusal("NBP406", None, "")


@dataclass
class _Cut:
    flow: Flow
    types: Types
    tags: CellTags
    sink: Sink
    refusals: list[Refusal]
    compared: bool = False  # a model that is trained and judged, but never used
    eval_arguments: list[ast.expr] = field(default_factory=list)
    grouped_by: Stmt | None = None
    arrays: Arrays | None = None

    def graph(self) -> StageGraph:
        self.slicer = Slicer(self.flow)
        self.models = aliases(self.flow, self.sink)
        self.floating = self.find_floating()
        self.split = find_split(self.flow, self.types, self.slicer, self.sink)
        if fits_other_side(self.split, self.slicer, self.sink):
            detail = (
                f"the model is fitted on `{ast.unparse(self.sink.x)}`, the side that is split off to judge it"
            )
            span = self.flow.by_id[self.sink.data].span
            self.refusals.append(Refusal("NBP403", span, ast.unparse(self.sink.call), detail))
        x_slice, target = self.features_and_target()
        load = self.load(x_slice | target)
        load -= self.no_frames(load, x_slice | target)
        load = self.sources(load)
        load = self.made_rows(load, x_slice | target)
        body, target = x_slice - load - self.floating, target - load - self.floating
        self.target = target
        metrics = find_metrics(self.flow, self.types, self.tags, self.sink)
        prediction = Prediction()
        if not self.compared:
            prediction = find_prediction(self.flow, self.types, self.tags, self.sink)
            self.refusals += refuse_predictions(self.flow, self.types, self.tags, self.sink, prediction)
        self.eval_stmts, self.again = self.split.evaluation(self.flow, self.types, self.slicer)
        train, names, crossing = self.train(body, target, load, metrics, set())
        if again := self.bound_again(train, names):  # an earlier model of the same name, on other rows
            metrics = [m for m in metrics if not self.slicer.backward({m.stmt}) & again]
            train, names, crossing = self.train(body, target, load, metrics, set())
        prediction, shared, extras, late = self.infer(prediction, body, target | load, train)
        if late:
            train, names, crossing = self.train(body, target, load, metrics, late)
        load |= self.needed_for_load(load)
        target_inputs = self.inputs(target, body | load)
        frames = self.frames(body | target, load)
        body -= self.idle(body, frames)
        learned = {n for n in shared if any(n in self.flow.defined_by(s) for s in body)}
        stages = (
            Stage(Role.LOAD, tuple(sorted(load)), (), frames),
            Stage(Role.FEATURES, tuple(sorted(body)), frames, tuple(sorted({"X", *crossing, *learned}))),
            Stage(Role.TARGET, tuple(sorted(target)), target_inputs, self.outputs(target)),
            Stage(
                Role.TRAIN,
                tuple(sorted(train)),
                tuple(sorted({*names, *crossing})),
                (self.sink.model, *extras),
            ),
            Stage(Role.INFER, prediction.stmts, (self.sink.model, *prediction.given), (prediction.result,)),
        )
        kept = {s for stage in stages for s in stage.stmts}
        self.check_order(stages)
        self.check_versions(stages, (*frames, *crossing, *shared, *extras))
        return StageGraph(
            stages=tuple(
                stage for stage in stages if stage.stmts or (frames and stage.role is Role.FEATURES)
            ),
            sink=self.sink,
            prediction=prediction,
            metrics=tuple(metrics),
            frames=frames,
            tables=self.tables(frames, body),
            arrays=self.arrays,
            split=self.split.stmt or None,
            y=self.y_names(target, names),
            y_eval_frame=self.y_eval_frame(names),
            train_names=names,
            eval_arguments=tuple(self.eval_arguments),
            crossing=crossing,
            shared=shared,
            model_extras=extras,
            parameters=tuple(sorted(s for s in self.floating if self.is_parameter(s))),
            floating=frozenset(self.floating),
            spans=tuple(self.flow.by_id[id].span for id in sorted(kept)),
            dropped=tuple(self.dropped(kept)),
            refusals=tuple(self.refusals),
            tags={c: ",".join(t) for c, t in self.tags.allowed.items() if t},
            inferred=self.tags.inferred,
            assumptions=tuple(self.assumptions(kept, prediction)),
        )

    # what goes where it is used

    def find_floating(self) -> set[int]:
        """Imports, definitions and constants: they belong to no stage and go where they are used."""
        floating = {id for id, stmt in self.flow.by_id.items() if isinstance(stmt.node, FLOATING)}
        counts = Counter(d.name for d in self.flow.defs)
        changes = {d.stmt for d in self.flow.defs if d.kind == "mutate"}
        changed = {r for u in self.flow.uses if changes & set(u.reaches) for r in u.reaches}
        constants = {
            id
            for id, stmt in self.flow.by_id.items()
            if isinstance(stmt.node, ast.Assign)
            and not self.effects(id)
            # through another name: `also = model; also.fit(X, y)`
            and (id not in changed - changes or _unchangeable(stmt.node.value))
            and all(counts[name] == 1 for name in self.flow.changed_by(id))
            and self.is_constant(stmt.node.value)
        }
        while constants:  # a function may read a constant that stands below it
            more = {id for id in constants if self.depends(id) <= floating | {id}}
            if not more:
                break
            floating |= more
            constants -= more
        return floating

    def depends(self, id: int) -> set[int]:
        return {r for use in self.slicer.uses(id) for r in use.reaches}

    def effects(self, id: int) -> bool:
        return any(e.kind not in PURE for e in self.flow.effects_of(id))

    def is_constant(self, node: ast.expr) -> bool:
        """A literal, a display, or a call of a known pure function."""
        bodies = {id(n) for f in ast.walk(node) if isinstance(f, ast.Lambda) for n in ast.walk(f)}
        for inner in ast.walk(node):
            if id(inner) in bodies:
                continue  # runs when it is called
            if isinstance(inner, ast.Call):
                fact = self.types.fact(inner)
                named = {k.arg for k in inner.keywords}
                if fact is None or fact.effect not in PURE or fact.random:
                    return False
                if set(fact.mutates) - ({"out"} - named):  # out=... is given by few
                    return False
                if self.types.api_of(inner).startswith(STREAMS):
                    return False  # two copies would be two streams
            elif isinstance(inner, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
                return False
        return True

    def is_parameter(self, id: int) -> bool:
        stmt = self.flow.by_id[id]
        node = stmt.node
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            return False
        simple = isinstance(node.value, ast.Constant) and isinstance(
            node.value.value, (int, float, str, bool)
        )
        allowed = self.tags.of(stmt.cell)
        return simple and ("parameters" in allowed or ("setup" in allowed and node.targets[0].id.isupper()))

    # stages

    def features_and_target(self) -> tuple[set[int], set[int]]:
        """The slice of X and what only y needs; what y needs after a split of y belongs to training."""
        sink, slicer, split = self.sink, self.slicer, self.split
        x_start = slicer.reaching(sink.data, names_in(sink.x))
        x_slice = slicer.backward(x_start, lambda use: split.follows(use, "x"))
        if sink.y is None:
            return x_slice, set()
        y_start = slicer.reaching(sink.data, names_in(sink.y))
        y_slice = slicer.backward(y_start, lambda use: split.follows(use, "y"))
        only_y = y_slice - x_slice
        if split.stmt and split.splits_y:
            only_y = {s for s in only_y if s < split.stmt}
        return x_slice, only_y

    def load(self, needed: set[int]) -> set[int]:
        """Statements tagged load, and reads of files wherever they stand if nothing else feeds them."""
        load: set[int] = set()
        for id in sorted(needed - self.floating):
            allowed = self.tags.of(self.flow.by_id[id].cell)
            tagged = "load" in allowed and "features" not in allowed
            reads = any(e.kind == "reads-file" for e in self.flow.effects_of(id))
            depends = {r for u in self.slicer.uses(id) for r in u.reaches if r != id} - self.floating
            # a path may be set in any cell
            constants = {r for r in depends if not self.slicer.uses(r)} if reads else set()
            if (tagged or reads) and depends <= load | constants:
                load |= {id, *constants}
            elif tagged and len(allowed) == 1:
                late = sorted(depends - load)
                if any("load" not in self.tags.of(self.flow.by_id[r].cell) for r in late):
                    self.refuse_order(id, late[0], "load")
        return load

    def no_frames(self, load: set[int], needed: set[int]) -> set[int]:
        """Statements tagged load whose result is no frame (`full = [train, test]`): features make them."""
        moved: set[int] = set()
        others = {n for s in load for n in self.flow.defined_by(s) if not self.makes_no_frame(s)}
        for id in sorted(load, reverse=True):
            rest = load - moved - {id}
            used_by_load = any(id in u.reaches for s in rest for u in self.slicer.uses(s))
            names = self.flow.changed_by(id)
            if names and not names & others and not used_by_load and not self.reads_file(id):
                moved.add(id)
        return moved & needed

    def sources(self, load: set[int]) -> set[int]:
        """Those of the statements tagged load that raw data take; what is done to one frame is a feature.

        So a row to predict is one of the file, before the notebook renames its columns or drops rows.
        """
        literal = {s for s in load if not names_in(self.flow.by_id[s].node) - self.flow.changed_by(s)}
        taking = {
            id
            for id in load - literal
            if not self.flow.read_back(id)
            and (self.reads_file(id) or not self.of_one_frame(id, load - literal))
        }
        return self.slicer.backward(taking) & load

    def made_rows(self, load: set[int], needed: set[int]) -> set[int]:
        """`load` with the statements that make the rows of the raw data, where those are none of a file."""
        rows = RawRows(self.types, self.slicer, load, needed - load - self.floating, self.sink.data)
        start = self.slicer.reaching(self.sink.data, names_in(self.sink.x))
        grouped = rows.grouped(start, lambda use: self.split.follows(use, "x"))
        self.grouped_by = self.flow.by_id[max(grouped)] if grouped else None
        made = grouped or rows.contained() or rows.written()
        self.arrays = None if made else rows.arrays()
        if self.arrays is not None:
            return self.slicer.backward({self.arrays.stmt}) - self.floating
        if not made and (name := rows.container()):
            detail = f"`{name}` is no frame; make one of it, with the target as one of its columns"
            span = self.flow.by_id[self.sink.stmt].span
            self.refusals.append(Refusal("NBP407", span, ast.unparse(self.sink.x), detail))
        return load | made

    def of_one_frame(self, id: int, load: set[int]) -> bool:
        """Whether all that a statement takes from others tagged load is one frame."""
        used = {u.name for u in self.slicer.uses(id) if set(u.reaches) & load - {id}}
        nodes = [n for n in ast.walk(self.flow.by_id[id].node) if isinstance(n, ast.Name) and n.id in used]
        frames = {n.id for n in nodes if self.types.of(n) == "pandas.DataFrame"}
        return len(used) == 1 and frames == used

    def makes_no_frame(self, id: int) -> bool:
        """Whether a statement binds a value that is known to be something else than a frame."""
        value = getattr(self.flow.by_id[id].node, "value", None)
        if isinstance(value, ast.Tuple) and {self.types.of(e) for e in value.elts} == {"pandas.DataFrame"}:
            return False  # train, test = pd.read_csv(...), pd.read_csv(...)
        if isinstance(value, NO_FRAME_NODES):
            return True
        kind = self.types.of(value) if value is not None else ""
        return bool(kind) and kind != "pandas.DataFrame" and not kind.startswith(("notebook:", "api:"))

    def reads_file(self, id: int) -> bool:
        return any(e.kind == "reads-file" for e in self.flow.effects_of(id))

    def idle(self, body: set[int], frames: tuple[str, ...]) -> set[int]:
        """Statements that only give a secondary frame a column which nothing reads there."""
        tables = self.tables(frames, body)
        idle: set[int] = set()
        for id in body:
            node = self.flow.by_id[id].node
            match node:
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Name(id=frame), slice=ast.Constant(value=column))]
                ):
                    others = [self.flow.by_id[s].node for s in body - {id}]
                    if frame in frames[1:] and frame not in tables:
                        if not any(_mentions(other, column, frames[0]) for other in others):
                            idle.add(id)
        if not idle:
            return idle
        start = self.slicer.reaching(self.sink.data, names_in(self.sink.x))
        needed = self.slicer.backward(start, lambda use: self.split.follows(use, "x"), idle)
        return idle | (body - needed)

    def needed_for_load(self, load: set[int]) -> set[int]:
        return self.slicer.backward(load) - self.floating - load

    def train(
        self, body: set[int], target: set[int], load: set[int], metrics: list[Metric], also: set[int]
    ) -> tuple[set[int], dict[str, str], tuple[str, ...]]:
        """The training statements, those in `also` among them, where their inputs come from, and the extra
        values they need.
        """
        before = body | target | load
        self.eval_arguments = []
        names: dict[str, str] = {}
        crossing: set[str] = set()
        train: set[int] = set()
        todo = [self.sink.stmt, self.sink.made, *(m.stmt for m in metrics), *also]
        x_names, y_names = names_in(self.sink.x), names_in(self.sink.y)
        while todo:
            id = todo.pop()
            if id in train or id in before or id in self.floating:
                continue
            train.add(id)
            prepared = self.prepared_arguments(id)
            if prepared:
                self.eval_arguments += prepared
                names["X_eval"] = "X_eval"
            parts = self.parts(self.flow.by_id[id].node)
            names |= {role: role for role in parts.values()}
            node = self.flow.by_id[id].node
            inside_only = _only_inside(node, [*prepared, *parts, *named(self.arrays, node)])
            for use in self.slicer.uses(id):
                if use.name in inside_only:
                    continue
                reaches = set(use.reaches) - {id} - self.floating
                reaches = self.by_name(reaches, use.name)
                inside = reaches & before
                part = self.split_again(use)
                if part:
                    todo.append(part)
                    continue
                known = self.by_name(self.slicer.reaching(self.sink.data, {use.name}) & before, use.name)
                whole = isinstance(self.sink.x, ast.Name) or use.name == self.sink.frame
                if whole and use.name in x_names and inside and inside == known:
                    names[use.name] = "X_train"
                    todo += reaches - before
                    continue
                evaluation = self.evaluation_name(use, inside | (reaches & self.eval_stmts))
                if evaluation and not (evaluation == "X_eval" and self.is_before_features(use, x_names)):
                    names[use.name] = evaluation
                    todo += reaches - before - self.eval_stmts
                    continue
                todo += reaches - before
                if not any(use.name in self.flow.defined_by(r) for r in inside):
                    continue  # it only holds something that was made before, as a model holds its data
                if self.is_target(use, inside, y_names, target):
                    names[use.name] = "y_train"
                elif not use.name.startswith("<"):
                    crossing.add(use.name)
        return train, names, tuple(sorted(crossing - set(names)))

    def bound_again(self, train: set[int], names: dict[str, str]) -> set[int]:
        """Training statements before the fit that give other values to names of what it is given."""
        given = {name for name, role in names.items() if role in ("X_train", "y_train")}
        before = {id for id in train if id < self.sink.data and self.flow.defined_by(id) & given}
        return before - self.slicer.backward({self.sink.data})

    def by_name(self, reaches: set[int], name: str) -> set[int]:
        """These statements without those that prepare evaluation rows under another name: an unknown call may
        give back what it was given, but such rows come by their name.
        """
        return {r for r in reaches if r not in self.eval_stmts or name in self.flow.changed_by(r)}

    def split_again(self, use: Use) -> int:
        """The statement that split the evaluation rows once more, where `use` reads a part that was prepared.

        Evaluation rows go through the features before they are split, so that the parts are prepared too.
        """
        todo = [r for r in use.reaches if r in self.eval_stmts]
        seen: set[int] = set()
        while todo:
            id = todo.pop()
            seen.add(id)
            for inner in self.slicer.uses(id):
                if inner.name == use.name:
                    split = [r for r in inner.reaches if r in self.again]
                    if split:
                        return split[0]
                    todo += [r for r in inner.reaches if r in self.eval_stmts and r not in seen]
        return 0

    def parts(self, node: ast.AST) -> dict[ast.AST, str]:
        """What in a statement is the X or the y of the fit, where these are no variables: `df["price"]`."""
        roles = self.roles()
        return {
            n: roles[d] for n in ast.walk(node) if isinstance(n, ast.expr) and (d := ast.dump(n)) in roles
        }

    def roles(self) -> dict[str, str]:
        """X_train, y_train and y_eval by the expressions that stand for them."""
        sink = self.sink
        roles = {} if isinstance(sink.x, ast.Name) else {ast.dump(sink.x): "X_train"}
        for node, role in zip(self.y_expressions(), ("y_train", "y_eval"), strict=False):
            roles[ast.dump(node)] = role
        return roles

    def y_expressions(self) -> list[ast.expr]:
        """The target where no statement makes it: a column of a frame, of both sides where that is split."""
        sink, split = self.sink, self.split
        if sink.y is None or isinstance(sink.y, ast.Name) or split.splits_y or self.target:
            return []
        if not split.stmt:
            return [sink.y]
        mates = dict(zip(split.outputs[::2], split.outputs[1::2], strict=False))
        return [sink.y, renamed(sink.y, mates)]

    def prepared_arguments(self, id: int) -> list[ast.expr]:
        """`model.predict(scaler.transform(X_test))`: what is predicted on is prepared on the spot.

        Evaluation rows go through the features, so that the whole argument is X_eval.
        """
        stmt = self.flow.by_id[id]
        uses = {u.name: u for u in self.slicer.uses(id)}
        found = []
        predicting = list(predict_calls(stmt.node, self.models, (*PREDICT_METHODS, "score")))
        if is_network(self.sink):  # Xv = torch.tensor(X_test.values), of which a later statement predicts
            predicting += [c for c in calls(stmt.node) if (f := self.types.fact(c)) and f.role == ROWS]
        for call in predicting:
            given = given_rows(call, self.models)
            if given is None or call is self.sink.call:
                continue
            argument = as_fitted(held(given, id, self.slicer, self.types).x, self.sink.x)
            if isinstance(argument, ast.Name):
                continue
            for name in names_in(argument) & set(uses):
                reaches = set(uses[name].reaches) - {id} - self.floating
                if self.evaluation_name(uses[name], reaches) == "X_eval":
                    found.append(argument)
                    break
        return found

    def evaluation_name(self, use: Use, reaches: set[int]) -> str:
        """`X_eval` or `y_eval` where the use reads the side of the split that the model does not see."""
        # What an unknown call gave back may be what others hold as well: the statements that name it count.
        own = {r for r in reaches if use.name in self.flow.changed_by(r)} or reaches
        if not self.split.stmt or not own or not own <= self.eval_stmts | {self.split.stmt}:
            return ""
        return self.split.evaluation_name(use.name, own & self.eval_stmts, self.flow)

    def is_before_features(self, use: Use, x_names: set[str]) -> bool:
        """Whether evaluation rows are read as the split left them, while X was made into something else."""
        split = self.split
        if not split.splits_y or use.name not in split.outputs or set(use.reaches) & self.eval_stmts:
            return False
        return split.outputs[split.outputs.index(use.name) - 1] not in x_names

    def is_target(self, use: Use, reaches: set[int], y_names: set[str], target: set[int]) -> bool:
        made = {r for r in reaches if use.name in self.flow.defined_by(r)}
        if self.arrays is not None and made == {self.arrays.stmt}:
            return use.name in y_names and use.name in self.arrays.names[1:]
        if self.split.stmt in reaches:
            return use.name in self.split.y_outputs
        if self.split.splits_y:  # resampled after the split, it is still the target
            return use.name in y_names and bool(use.name in self.split.y_outputs or self.resampled(reaches))
        return use.name in y_names and bool(reaches & target)

    def resampled(self, stmts: set[int]) -> bool:
        """Whether these statements make X and y together: `X_res, y_res = SMOTE().fit_resample(X, y)`."""
        known = self.slicer.reaching(self.sink.data, names_in(self.sink.x))
        return bool(stmts & known) and bool(self.split.stmt)

    def y_names(self, target: set[int], names: dict[str, str]) -> tuple[str, str]:
        """The names of the target as the features hand it over: for training and for evaluation."""
        if self.sink.y is None:
            return "", ""
        if self.split.splits_y:
            position = 2 * min(self.split.y_arrays - self.split.x_arrays)
            y, y_eval = self.split.outputs[position : position + 2]
            made = self.slicer.reaching(self.sink.data, names_in(self.sink.y))
            if isinstance(self.sink.y, ast.Name) and self.resampled(made):
                y = self.sink.y.id
            return y, y_eval
        found = self.y_expressions()
        if found:
            judged = "y_eval" in names
            return ast.unparse(found[0]), ast.unparse(found[1]) if judged and len(found) > 1 else ""
        for use in self.slicer.backward([self.sink.stmt]):
            for name in sorted(names_in(self.sink.y)):
                if use in target and name in self.flow.defined_by(use):
                    return name, next((n for n, what in names.items() if what == "y_eval"), "")
        return next(iter(sorted(names_in(self.sink.y))), ""), ""

    def y_eval_frame(self, names: dict[str, str]) -> str:
        """The evaluation side of a split frame, where the target is taken from it."""
        if not self.split.stmt or self.split.splits_y or "y_eval" not in names.values():
            return ""
        return self.split.outputs[2 * min(self.split.x_arrays) + 1] if self.split.x_arrays else ""

    def infer(
        self, prediction: Prediction, body: set[int], made: set[int], train: set[int]
    ) -> tuple[Prediction, tuple[str, ...], tuple[str, ...], set[int]]:
        """The names that the prediction takes from the features (shared) and from training (extras).

        What only the prediction needs is added to `body`; the last result is what training makes for it.
        """
        made_late: set[int] = set()
        before = body | made
        shared: set[str] = set()
        extras: set[str] = set()
        rows = names_in(prediction.rows)
        inside = set(prediction.stmts)
        rewritten = for_new_rows(self.flow, self.types, self.sink, prediction)
        for id in prediction.stmts:
            node = self.flow.by_id[id].node
            gone = _only_inside(node, [*rewritten, *named(self.arrays, node)])
            for use in self.slicer.uses(id):
                if use.name in gone:
                    continue
                reaches = set(use.reaches) - inside - self.floating
                own = {*rows, self.sink.model, *names_in(self.sink.held)}
                elsewhere = prediction.value is not None and id == prediction.stmts[-1]
                if elsewhere and use.name not in names_in(prediction.value):
                    continue  # what the answer is stored in
                if not any(use.name in self.flow.defined_by(r) for r in reaches) or use.name in own:
                    continue
                needed = self.slicer.backward(reaches) - before - self.floating
                late = needed & train or self.sink.stmt in needed
                (made_late if late else body).update(reaches - before - self.floating if late else needed)
                (extras if late else shared).add(use.name)
        given = tuple(sorted(shared | extras))
        full = replace(prediction, given=given)
        return full, tuple(sorted(shared)), tuple(sorted(extras)), made_late

    # names between stages

    def inputs(self, stmts: set[int], before: set[int]) -> tuple[str, ...]:
        uses = [u for s in stmts for u in self.slicer.uses(s)]
        made = [(u.name, r) for u in uses for r in set(u.reaches) & before - self.floating]
        names = {name for name, r in made if name in self.flow.defined_by(r)}
        return tuple(sorted(name for name in names if not name.startswith("<")))

    def outputs(self, stmts: set[int]) -> tuple[str, ...]:
        """The names that a later statement outside of `stmts` reads."""
        names = {
            u.name
            for u in self.flow.uses
            if u.stmt not in stmts and set(u.reaches) & stmts and u.stmt > min(stmts)
        }
        return tuple(sorted(names)) if stmts else ()

    def frames(self, after: set[int], load: set[int]) -> tuple[str, ...]:
        """The loaded frames, the one whose rows the model sees first."""
        names = set(self.inputs(after, load)) | self.fitted_on(load)
        if self.arrays is not None:
            return self.arrays.names[:1]
        if not names:
            own = bound_names([self.flow.by_id[self.sink.data].node]) & names_in(self.sink.x)
            anew = "each turn of its loop makes them anew; fit the model for production after it"
            detail = anew if own else ""
            span = self.flow.by_id[self.sink.stmt].span
            self.refusals.append(Refusal("NBP407", span, ast.unparse(self.sink.x), detail))
            return ()
        main = self.main_frame(self.sink.x, self.sink.data, names, load, set())
        main = self.frame_by_rows(names, main, load) or main
        rest = sorted(names - {main})
        if main and self.is_array(main):
            detail = (
                f"`{main}` is an array; keep the frame that is read, for rows to predict have named columns"
            )
            span = self.flow.by_id[self.sink.stmt].span
            self.refusals.append(Refusal("NBP407", span, ast.unparse(self.sink.x), detail))
        return (main, *rest) if main else tuple(rest)

    def is_array(self, name: str) -> bool:
        """Whether all that is known of a variable is that it is an array."""
        nodes = (n for s in self.flow.by_id.values() for n in ast.walk(s.node) if isinstance(n, ast.Name))
        return {self.types.of(n) for n in nodes if n.id == name} - {""} == {"numpy.ndarray"}

    def fitted_on(self, load: set[int]) -> set[str]:
        """The loaded frames that the model is fitted on as they are: `model.fit(df[columns], df["y"])`."""
        names = names_in(self.sink.x)
        reached = self.slicer.reaching(self.sink.data, names) & load
        return {name for name in names if any(name in self.flow.defined_by(r) for r in reached)}

    def frame_by_rows(self, names: set[str], followed: str, load: set[int]) -> str:
        """The one frame that had as many rows in the run as the model was fitted on; not where `followed`, to
        which the definitions lead, holds them and more: `load` made it of several, and a filter cuts it.
        """
        wanted = self.types.site(self.sink.x)
        if wanted is None or not wanted.shape:
            return ""
        rows: dict[str, int] = {}
        for stmt in self.flow.by_id.values():
            for node in ast.walk(stmt.node):
                if isinstance(node, ast.Name) and node.id in names and node.id not in rows:
                    site = self.types.site(node)
                    if site is not None and site.shape and "pandas.DataFrame" in site.types:
                        rows[node.id] = site.shape[0]
        found = [name for name, count in rows.items() if count == wanted.shape[0]]
        if len(found) != 1 or (
            rows.get(followed, 0) > wanted.shape[0] and self.is_made_of(followed, found[0], load)
        ):
            return ""
        return found[0]

    def is_made_of(self, name: str, part: str, load: set[int]) -> bool:
        made = {s for s in load if name in self.flow.defined_by(s)}
        return any(part in self.flow.defined_by(s) for s in self.slicer.backward(made) if s not in made)

    def main_frame(
        self, node: ast.expr, at: int, frames: set[str], load: set[int], seen: set[tuple[int, str]]
    ) -> str:
        """Follows the first operand of each definition back to a loaded frame."""
        for name in _first_names(node):
            if (at, name) in seen:
                continue
            seen.add((at, name))
            binds = [d.stmt for d in self.flow.defs if d.name == name and d.kind == "bind" and d.stmt < at]
            reaching = self.slicer.reaching(at, {name})
            binds = [b for b in binds if b in reaching] or binds
            if name in frames and (not binds or binds[-1] in load):
                return name
            columns = sorted(reaching - set(binds), reverse=True)  # what was stored into it
            for b in (*reversed(binds), *columns):
                for value in _values_of(self.flow.by_id[b].node, name):
                    found = self.main_frame(value, b, frames, load, seen)
                    if found:
                        return found
            if name in frames:
                return name
        return ""

    def tables(self, frames: tuple[str, ...], body: set[int]) -> tuple[str, ...]:
        """Frames that rows are looked up in, the right side of a merge, join or map, and what is no frame."""
        looked_up = {name for name in frames[1:] if self.is_no_table(name, body)}
        for id in body:
            for call in ast.walk(self.flow.by_id[id].node):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                    if call.func.attr in ("merge", "join", "map", "merge_asof"):
                        is_method = self.types.of(call.func.value) in ("pandas.DataFrame", "pandas.Series")
                        given = call.args if is_method else call.args[1:]
                        looked_up |= {root(a) for a in [*given, *[k.value for k in call.keywords]]}
        return tuple(name for name in frames[1:] if name in looked_up)

    def is_no_table(self, name: str, body: set[int]) -> bool:
        """Whether a loaded value is known to be no table: a number, a list or a dictionary from a file."""
        read = [n for id in body for n in ast.walk(self.flow.by_id[id].node) if isinstance(n, ast.Name)]
        kinds = {self.types.of(n) for n in read if n.id == name and isinstance(n.ctx, ast.Load)}
        return bool(kinds) and all(kind.startswith("builtins.") for kind in kinds)

    # reports

    def check_order(self, stages: tuple[Stage, ...]) -> None:
        """A stage that reads what a later one makes cannot be cut off."""
        order = {Role.LOAD: 0, Role.FEATURES: 1, Role.TARGET: 1, Role.TRAIN: 2, Role.INFER: 3}
        place = {s: order[stage.role] for stage in reversed(stages) for s in stage.stmts}
        fitted = {self.sink.stmt}
        for stage in stages:
            for id in stage.stmts:
                if order[stage.role] < 2 and self.slicer.backward([id]) & fitted:
                    self.refuse_order(id, self.sink.stmt, stage.role)
                    return
                for use in self.slicer.uses(id) if stage.role is not Role.INFER else []:
                    late = [r for r in use.reaches if place.get(r, 0) > order[stage.role]]
                    if late:
                        self.refuse_order(id, late[0], stage.role)
                        return

    def check_versions(self, stages: tuple[Stage, ...], crossing: tuple[str, ...]) -> None:
        """A stage hands over names as they are at its end; a later one must not mean an earlier value."""
        for position, stage in enumerate(stages):
            made = set(stage.stmts)
            writers = {name: {s for s in made if name in self.flow.changed_by(s)} for name in crossing}
            for later in stages[position + 1 :]:
                for id in later.stmts:
                    for use in self.slicer.uses(id) if later.role is not Role.TARGET else []:
                        known = set(use.reaches) & made
                        if use.name not in crossing or not known or id in made:
                            continue
                        newer = {s for s in writers[use.name] if s > max(use.reaches)}
                        if newer:
                            self.refuse_order(id, max(newer), later.role)
                            return

    def refuse_order(self, id: int, other: int, role: str) -> None:
        stmt, late = self.flow.by_id[id], self.flow.by_id[other]
        self.refusals.append(
            Refusal("NBP502", stmt.span, str(role), f"cell {late.cell}, line {late.span.line}")
        )

    def dropped(self, kept: set[int]) -> list[Dropped]:
        found = []
        for id, stmt in self.flow.by_id.items():
            if id in kept or id in self.floating or self.sets_option(id):
                continue
            allowed = self.tags.of(stmt.cell)
            shows = any(e.kind == "displays" for e in self.flow.effects_of(id)) or isinstance(
                stmt.node, ast.Expr
            )
            if id in self.eval_stmts and "infer" not in allowed:
                reason = "evaluation rows go through the same features"
            elif set(allowed) & {"eda", "skip"} and stmt.cell not in self.tags.inferred:
                reason = f"tagged {allowed[0]}"
            else:
                reason = "only shows something" if shows else "the model does not need it"
            found.append(Dropped(id, reason))
        return found

    def sets_option(self, id: int) -> bool:
        return any(d.stmt == id and d.name.endswith(" options>") for d in self.flow.defs)

    def assumptions(self, kept: set[int], prediction: Prediction) -> list[str]:
        found = []
        if self.grouped_by is not None:
            place = f"cell {self.grouped_by.cell}, line {self.grouped_by.span.line}"
            found.append(
                f"a row to predict is one of the groups that load makes ({place}), not one of the file"
            )
        for name in prediction.by_hand:
            found.append(f"`{name}` makes a row by hand: the project makes the features of rows itself")
        for id in sorted(kept):
            stmt = self.flow.by_id[id]
            if self.tags.of(stmt.cell) == ("eda",) and stmt.cell not in self.tags.inferred:
                place = f"cell {stmt.cell}, line {stmt.span.line}"
                found.append(f"{place} is tagged eda, but the model needs what it makes; it was kept")
        return found


def _unchangeable(node: ast.expr) -> bool:
    """A number, a text or a tuple of these: an object that holds it shares nothing with it."""
    allowed = (ast.Constant, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.Tuple, ast.expr_context)
    return all(isinstance(inner, allowed) for inner in ast.walk(node))


def _only_inside(node: ast.stmt, parts: Sequence[ast.AST]) -> set[str]:
    """The names that a statement mentions in these parts of it and nowhere else."""
    inside = {id(n) for part in parts for n in ast.walk(part)}
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    return {n.id for n in names if id(n) in inside} - {n.id for n in names if id(n) not in inside}


def _mentions(node: ast.stmt, column: object, main: str) -> bool:
    """Whether a statement names the column other than as one of the main frame."""
    own = {
        id(inner.slice)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Subscript) and isinstance(inner.value, ast.Name) and inner.value.id == main
    }
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and inner.value == column and id(inner) not in own:
            return True
        if isinstance(inner, ast.Attribute) and inner.attr == column:
            return True
    return False


def _values_of(node: ast.stmt, name: str) -> list[ast.expr]:
    """What a statement, or one inside of it, stores under a name or into its object."""
    found = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and any(name in names_in(target) for target in inner.targets):
            found.append(inner.value)
    value = getattr(node, "value", None)
    return found or ([value] if isinstance(value, ast.expr) else [])


def _first_names(node: ast.expr) -> list[str]:
    """The variables that the rows of an expression come from, the likeliest first."""
    name = root(node)
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    inner = [root(a) for call in calls for a in call.args]
    lists = [root(e) for n in ast.walk(node) if isinstance(n, (ast.List, ast.Tuple)) for e in n.elts]
    return [n for n in [name, *inner, *lists, *sorted(names_in(node))] if n]
