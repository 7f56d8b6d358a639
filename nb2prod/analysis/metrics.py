"""The numbers that judge the model, under the names that the notebook gives them.

print("auc", roc_auc_score(y_test, p))           roc_auc_score
accuracy = (pred == y_test).mean()               accuracy, computed by hand and shown later
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.events import root
from nb2prod.analysis.model import NUMBERS, assigned_name, calls, has_score, method
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import Answers, answers_of
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Metric, Sink

ROOTS = ("0.5", "1 / 2")


def find_metrics(flow: Flow, types: Types, tags: CellTags, sink: Sink) -> list[Metric]:
    """Numbers that judge the model and that the notebook shows or keeps, under their own names."""
    slicer = Slicer(flow)
    scored: set[int] = set()
    metrics: list[Metric] = []
    hand = _ByHand(sink, answers_of(flow, types, slicer, sink))
    for stmt in flow.by_id.values():
        allowed = tags.of(stmt.cell)
        if not {"train", "infer"} & set(allowed) or isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)):
            continue
        names = {u.name for u in slicer.uses(stmt.id) if set(u.reaches) & scored}
        found = list(_score_expressions(stmt, types, names)) or list(hand.expressions(stmt, types))
        if found or has_score(stmt.node, types):
            scored.add(stmt.id)
        for label, node in found:
            metrics.append(Metric(label, stmt.id, node))
    return _unique(_of_model(metrics, slicer, sink, flow))


class _ByHand:
    """Numbers made by comparing predictions with the answers, without a function that scores."""

    def __init__(self, sink: Sink, answers: Answers) -> None:
        self.slicer = slicer = answers.slicer
        self.answers = answers
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

    def expressions(self, stmt: Stmt, types: Types) -> Iterator[tuple[str, ast.expr]]:
        """The numbers that the statement shows, or keeps to show them later."""
        if stmt.id not in self.judging:
            return
        target = assigned_name(stmt.node)
        if target is not None:
            assert isinstance(stmt.node, ast.Assign)
            if stmt.id in self.shown and _is_number(stmt.node.value, types):
                yield target, stmt.node.value
            return
        predicted = {u.name for u in self.slicer.uses(stmt.id) if set(u.reaches) & self.answers.after}
        compared = {u.name for u in self.slicer.uses(stmt.id) if set(u.reaches) & self.judging}
        for part in _parts_shown(stmt.node):
            names = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
            judges = names & compared or (names & predicted and self.answers.read_by(stmt.id, part))
            if judges and not isinstance(part, ast.Name) and _is_number(part, types):
                yield _metric_name(part), part


def _parts_shown(node: ast.stmt) -> list[ast.expr]:
    return list(shown(node.value)) if isinstance(node, ast.Expr) else []


def _of_model(metrics: list[Metric], slicer: Slicer, sink: Sink, flow: Flow) -> list[Metric]:
    """The metrics that concern the chosen model: those that its fit reaches, or that it is named in."""
    kept = []
    for metric in metrics:
        names = {n.id for n in ast.walk(metric.node) if isinstance(n, ast.Name)}
        direct = slicer.backward(slicer.reaching(metric.stmt, names))
        reads = {u.name for id in direct for u in slicer.uses(id)} | names
        if sink.stmt in direct or sink.stmt == metric.stmt or sink.model in reads:
            kept.append(metric)
    return kept


def _score_expressions(stmt: Stmt, types: Types, names: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """The largest numeric expressions with a score in them, each with its name."""
    node = stmt.node
    target = assigned_name(node)
    if target is not None:
        assert isinstance(node, ast.Assign)
        if _scores(node.value, types, names) and _is_number(node.value, types):
            yield target, node.value
        return
    if not isinstance(node, ast.Expr):
        return
    for part in shown(node.value):
        found = _largest(part, types, names)
        if found is not None and not isinstance(found, ast.Name):
            yield _metric_name(found), found


def shown(node: ast.expr) -> Iterator[ast.expr]:
    """What a display statement shows: the arguments of print, the parts of f-strings and formats."""
    match node:
        case ast.Call(func=ast.Name(id="print" | "display")):
            for argument in node.args:
                yield from shown(argument)
        case ast.JoinedStr():
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from shown(part.value)
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod() | ast.Add()):
            yield from shown(node.right)
        case ast.Tuple():
            for element in node.elts:
                yield from shown(element)
        case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant())):
            for argument in node.args:
                yield from shown(argument)
        case ast.Call(func=ast.Name(id="round" | "str" | "float"), args=[inner, *_]):
            yield from shown(inner)
        case _:
            yield node


def _largest(node: ast.expr, types: Types, names: set[str]) -> ast.expr | None:
    if _scores(node, types, names) and _is_number(node, types):
        return node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            found = _largest(child, types, names)
            if found is not None:
                return found
    return None


def _scores(node: ast.AST, types: Types, names: set[str]) -> bool:
    return has_score(node, types) or any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))


def _is_number(node: ast.expr, types: Types) -> bool:
    """By the run, else by what the knowledge base says the call returns."""
    site = types.site(node)
    if site is not None:
        return all(kind in NUMBERS for kind in site.types)
    if isinstance(node, ast.BinOp):
        return _is_number(node.left, types) and _is_number(node.right, types)
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand, types)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    if isinstance(node, ast.Attribute):
        return node.attr in ("best_score_", "inertia_")
    if isinstance(node, ast.Call):
        fact = types.fact(node)
        if fact is not None and fact.effect == "row-wise" and types.api_of(node).startswith("numpy."):
            return bool(node.args) and all(_is_number(a, types) for a in node.args)
        if fact is not None:
            return fact.returns == "scalar" or types.of(node) in NUMBERS
        return method(node) in ("score", "mean", "std", "max", "min", "sum", "item")
    return types.of(node) in NUMBERS


def _metric_name(node: ast.expr) -> str:
    """`accuracy_score(...)` is accuracy_score; `scores.mean()` is scores_mean."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        inner = next((c for a in node.args for c in calls(a)), None)
        if node.func.id in ("round", "float", "abs") and inner is not None:
            return _metric_name(inner)
        return node.func.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        base = node.func.value
        if node.func.attr == "mean" and isinstance(base, ast.Compare):
            return "accuracy"
        owner = root(base) if not isinstance(base, ast.Call) else _metric_name(base)
        if "_score" in node.func.attr or "_error" in node.func.attr:
            return node.func.attr
        if node.func.attr == "sqrt" and node.args:
            return f"root_{_metric_name(node.args[0])}"
        return f"{owner}_{node.func.attr}" if owner else node.func.attr
    if isinstance(node, ast.Attribute):
        return f"{root(node)}_{node.attr}".strip("_")
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and ast.unparse(node.right) in ROOTS:
        return f"root_{_metric_name(node.left)}"
    inner = next(iter(calls(node)), None)
    return _metric_name(inner) if inner is not None else "metric"


def _unique(metrics: list[Metric]) -> list[Metric]:
    seen: dict[str, int] = {}
    named = []
    for metric in metrics:
        seen[metric.name] = count = seen.get(metric.name, 0) + 1
        name = metric.name if count == 1 else f"{metric.name}_{count}"
        named.append(Metric(name, metric.stmt, metric.node))
    return named
