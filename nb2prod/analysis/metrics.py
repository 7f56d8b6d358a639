"""The numbers that judge the model, under the names that the notebook gives them.

print("auc", roc_auc_score(y_test, p))           roc_auc_score
accuracy = (pred == y_test).mean()               accuracy, computed by hand and shown later
evaluate(model, X_test, y_test)                  what that function of the notebook shows or gives back
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nb2prod.analysis.holders import definition
from nb2prod.analysis.metric_names import metric_name, unique
from nb2prod.analysis.model import assigned_name, calls, has_score
from nb2prod.analysis.predictors import aliases, predictions
from nb2prod.analysis.reports import Reported, reported
from nb2prod.analysis.shown import labelled, shown
from nb2prod.analysis.single_numbers import is_number
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import Answers, Split, answers_of, find_split
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.turns import kept_by_turns
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Metric, Sink

Named = tuple[str, Metric]  # with the text that stands before it


def find_metrics(flow: Flow, types: Types, tags: CellTags, sink: Sink) -> list[Metric]:
    """Numbers that judge the model and that the notebook shows or keeps, under their own names."""
    slicer = Slicer(flow)
    scored: set[int] = set()
    metrics: list[Named] = []
    hand = _ByHand(sink, answers_of(flow, types, slicer, sink), aliases(flow, sink))
    for stmt in flow.by_id.values():
        allowed = tags.of(stmt.cell)
        if not {"train", "infer"} & set(allowed) or isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)):
            continue
        names = {u.name for u in slicer.uses(stmt.id) if set(u.reaches) & scored}
        found = list(_score_expressions(stmt, types, names)) or list(hand.expressions(stmt, types))
        if found or has_score(stmt.node, types):
            scored.add(stmt.id)
        metrics += found or [*_reports(stmt, hand, types), *kept_by_turns(stmt, slicer, types)]
    return unique(_with_sides(_of_model(metrics, slicer, sink), find_split(flow, types, slicer, sink)))


class _ByHand:
    """Numbers made by comparing predictions with the answers, without a function that scores."""

    def __init__(self, sink: Sink, answers: Answers, models: set[str]) -> None:
        self.slicer = slicer = answers.slicer
        self.answers = answers
        self.models = models
        self.judging: set[int] = set()
        for id in sorted(answers.after - {sink.stmt}) if answers.names | answers.texts else ():
            made = any(set(u.reaches) & self.judging - {id} for u in slicer.uses(id))
            if made or answers.read_by(id, slicer.flow.by_id[id].node):
                self.judging.add(id)
        self.shown = {
            r
            for id in self.judging
            for part in _parts_shown(slicer.flow.by_id[id].node)
            for u in slicer.uses(id)
            if any(isinstance(n, ast.Name) and n.id == u.name for n in ast.walk(part))
            for r in u.reaches
        }

    def expressions(self, stmt: Stmt, types: Types) -> Iterator[Named]:
        """The numbers that the statement shows, or keeps to show them later."""
        if stmt.id not in self.judging:
            return
        target = assigned_name(stmt.node)
        if target is not None:
            assert isinstance(stmt.node, ast.Assign)
            if stmt.id in self.shown and is_number(stmt.node.value, types):
                yield "", Metric(target, stmt.id, stmt.node.value)
            return
        compared = {u.name for u in self.slicer.uses(stmt.id) if set(u.reaches) & self.judging}
        for label, part in labelled(stmt.node.value) if isinstance(stmt.node, ast.Expr) else ():
            names = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
            judges = names & compared or self.judges(stmt.id, part)
            if judges and not isinstance(part, ast.Name) and is_number(part, types):
                yield label, Metric(metric_name(part, label), stmt.id, part)

    def judges(self, id: int, part: ast.expr) -> bool:
        """Whether an expression of a statement has both the answers and predictions in it."""
        names = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
        predicted = {u.name for u in self.slicer.uses(id) if set(u.reaches) & self.answers.after}
        made = bool(names & predicted) or any(True for _ in predictions(part, self.models))
        return made and self.answers.read_by(id, part)


def _parts_shown(node: ast.stmt) -> list[ast.expr]:
    return list(shown(node.value)) if isinstance(node, ast.Expr) else []


def _of_model(metrics: list[Named], slicer: Slicer, sink: Sink) -> Iterator[Named]:
    """The metrics that concern the chosen model: those that its fit reaches, or that it is named in, and
    scores of another model that is made by the same words: `cross_val_score(Ridge(0.1), X, y)`.
    """
    receiver = sink.call.func.value if isinstance(sink.call.func, ast.Attribute) else None
    made = definition(receiver, sink.stmt, slicer)[0] if receiver is not None else None
    words = ast.dump(made) if isinstance(made, ast.Call) else ""
    for label, metric in metrics:
        node = metric.node if metric.seen is None else slicer.flow.by_id[metric.stmt].node
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        direct = slicer.backward(slicer.reaching(metric.stmt, names))
        reads = {u.name for id in direct for u in slicer.uses(id)} | names
        given = [
            a for n in (node, *(slicer.flow.by_id[id].node for id in direct)) for a in _first_arguments(n)
        ]
        same = any(ast.dump(argument) == words for argument in given)
        if sink.stmt in direct or sink.stmt == metric.stmt or sink.model in reads or same:
            yield label, metric


def _first_arguments(node: ast.AST) -> Iterator[ast.expr]:
    for call in calls(node):
        yield from call.args[:1]


def _with_sides(metrics: Iterable[Named], split: Split) -> Iterator[Named]:
    """Metrics that nothing is printed before are told apart by the side of the split that they judge."""
    sides = {"train": {*split.outputs[::2]} - {""}, "test": {*split.outputs[1::2]} - {""}}
    for label, metric in metrics:
        names = {n.id for n in ast.walk(metric.node) if isinstance(n, ast.Name)}
        read = [side for side, outputs in sides.items() if names & outputs]
        yield label or (read[0] if len(read) == 1 else ""), metric


def _score_expressions(stmt: Stmt, types: Types, names: set[str]) -> Iterator[Named]:
    """The largest numeric expressions with a score in them, each with its name."""
    node = stmt.node
    target = assigned_name(node)
    if target is not None:
        assert isinstance(node, ast.Assign)
        if _scores(node.value, types, names) and is_number(node.value, types):
            yield "", Metric(target, stmt.id, node.value)
        return
    if not isinstance(node, ast.Expr):
        return
    for label, part in labelled(node.value):
        found = _largest(part, types, names)
        if found is not None and not isinstance(found, ast.Name):
            yield label, Metric(metric_name(found, label), stmt.id, found)


def _reports(stmt: Stmt, hand: _ByHand, types: Types) -> Iterator[Named]:
    """The numbers that functions of the notebook, called by the statement, show or give back."""
    node = stmt.node
    if not isinstance(node, (ast.Assign, ast.Expr)):
        return
    for call in [node.value] if isinstance(node, ast.Assign) else list(shown(node.value)):
        if not isinstance(call, ast.Call):
            continue
        texts = [getattr(a, "value", None) for a in (*call.args, *(k.value for k in call.keywords))]
        label = next((text for text in texts if isinstance(text, str)), "")
        found = [r for r in reported(call, types) if is_number(r.own[0], types)]
        told = {r.name for r in found if not r.kept}
        for each in found:
            scores = any(has_score(own, types) for own in each.own)
            once = not each.kept or (isinstance(node, ast.Expr) and each.name not in told)
            if once and (scores or hand.judges(stmt.id, each.said)):
                name, said = _given_back(each, node)
                yield label, Metric(name or metric_name(each.own[0], each.label), stmt.id, said, each.own[0])


def _given_back(each: Reported, node: ast.Assign | ast.Expr) -> tuple[str, ast.expr]:
    """The name and the expression of what a function reports, by the variable that takes its result."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    match target, each.place:
        case ast.Tuple(elts=parts), int() as position if position < len(parts):
            part = parts[position]
            if isinstance(part, ast.Name):
                return part.id, ast.Name(part.id, ast.Load())
        case ast.Name(id=name), str() | int():
            taken = ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(each.place), ast.Load())
            return each.name, taken
    return each.name, each.said


def _largest(node: ast.expr, types: Types, names: set[str]) -> ast.expr | None:
    if _scores(node, types, names) and is_number(node, types):
        return node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            found = _largest(child, types, names)
            if found is not None:
                return found
    return None


def _scores(node: ast.AST, types: Types, names: set[str]) -> bool:
    """Whether a score is in an expression, and not what scored best: `max(cuts, key=score_of)` is a cut."""
    match node:
        case ast.Call(func=ast.Name(id="max" | "min")) if any(k.arg == "key" for k in node.keywords):
            return False
    return has_score(node, types) or any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))
