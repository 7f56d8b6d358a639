"""The model of the notebook: where it is fitted, and which numbers judge it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod import knowledge
from nb2prod.analysis.events import root
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Metric, Sink

TASKS = {
    "classifier": "classification",
    "regressor": "regression",
    "clusterer": "clustering",
    "outlier": "clustering",
}
MODEL_ROLES = (*TASKS, "pipeline", "search", "ensemble", "meta", "predictor")
FIT_METHODS = ("fit", "fit_predict")
PREDICT_METHODS = ("predict", "predict_proba", "decision_function", "fit_predict", "predict_log_proba")
MARK = re.compile(r"#\s*nb2prod\s*:\s*model\b")
ROOTS = ("0.5", "1 / 2")
NUMBERS = ("builtins.float", "builtins.int", "numpy.float64", "numpy.float32", "numpy.int64", "builtins.bool")


def find_sinks(flow: Flow, types: Types, tags: CellTags) -> list[Sink]:
    """All model fits in cells tagged train (or infer), in notebook order."""
    sinks = []
    for stmt in flow.by_id.values():
        allowed = tags.of(stmt.cell)
        if "train" not in allowed:
            continue
        for call in calls(stmt.node):
            if isinstance(call.func, ast.Attribute) and call.func.attr in FIT_METHODS and call.args:
                task = _task(types, call.func.value)
                if task is not None:
                    sinks.append(_sink(stmt, call, task, flow, types))
    return sinks


def choose(sinks: list[Sink], flow: Flow, tags: CellTags, name: str | None) -> Sink | None:
    """The sink asked for by name; else the last one whose model is used to infer; else the last."""
    if name is not None:
        return next((s for s in reversed(sinks) if s.model == name), None)
    marked = [s for s in sinks if is_marked(s, flow)]
    if marked:
        return marked[-1]
    used = {u.name for u in flow.uses if "infer" in tags.of(flow.by_id[u.stmt].cell)}
    return next((s for s in reversed(sinks) if s.model in used), sinks[-1] if sinks else None)


def is_marked(sink: Sink, flow: Flow) -> bool:
    """Whether a comment `# nb2prod: model` stands on the fit or on the line above it."""
    stmt = flow.by_id[sink.stmt]
    lines = stmt.text.lines[stmt.first_line - 1 : stmt.span.end_line]
    return any(MARK.search(line) for line in lines)


def _task(types: Types, receiver: ast.expr) -> str | None:
    """The task of an estimator; None where the receiver is a transformer or no estimator at all."""
    kind = types.of(receiver)
    if isinstance(receiver, ast.Call) and not kind:
        kind = types.api_of(receiver)
    fact = knowledge.lookup(kind, extra=types.extra) if kind and ":" not in kind else None
    role = fact.role if fact is not None else ""
    if role in TASKS:
        return TASKS[role]
    if role in MODEL_ROLES:
        return "other"
    return None if role or kind.startswith(("pandas.", "numpy.", "builtins.")) else "other"


def _sink(stmt: Stmt, call: ast.Call, task: str, flow: Flow, types: Types) -> Sink:
    assert isinstance(call.func, ast.Attribute)
    model = root(call.func.value)
    node = stmt.node
    if isinstance(node, ast.Assign) and node.value is call and isinstance(node.targets[0], ast.Name):
        if call.func.attr == "fit":
            model = node.targets[0].id
    y = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg == "y"), None)
    if task == "other":
        task = "clustering" if y is None else _task_of_steps(stmt, call, flow, types)
    y = _whole(y, node) if y is not None and task != "clustering" else None
    return Sink(stmt.id, call, model, _whole(call.args[0], node), y, task)


def _whole(node: ast.expr, stmt: ast.stmt) -> ast.expr:
    """The data themselves where a loop fits on parts of them: X of `X.iloc[fold]`."""
    stored = [n for n in ast.walk(stmt) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    bound = {n.id for n in stored} if isinstance(stmt, ast.For) else set()
    while _names(node) & bound:
        made = next(
            (v for name, v in _assignments(stmt) if isinstance(node, ast.Name) and name == node.id), None
        )
        if made is not None and not _names(made) & _names(node):
            node = made
        elif isinstance(node, ast.Subscript):
            located = isinstance(node.value, ast.Attribute) and node.value.attr in ("loc", "iloc")
            node = node.value.value if located and isinstance(node.value, ast.Attribute) else node.value
        else:
            break
    return node


def _assignments(stmt: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The names that are assigned inside of a statement, each with its value."""
    for inner in ast.walk(stmt):
        if not isinstance(inner, ast.Assign):
            continue
        for target in inner.targets:
            pairs = [(target, inner.value)]
            if isinstance(target, ast.Tuple) and isinstance(inner.value, ast.Tuple):
                pairs = list(zip(target.elts, inner.value.elts, strict=False))
            yield from ((part.id, value) for part, value in pairs if isinstance(part, ast.Name))


def _task_of_steps(stmt: Stmt, call: ast.Call, flow: Flow, types: Types) -> str:
    """The task of a pipeline or search, from the estimators that it is made of."""
    slicer = Slicer(flow)
    assert isinstance(call.func, ast.Attribute)
    made = slicer.backward(slicer.reaching(stmt.id, {root(call.func.value)}) | {stmt.id})
    tasks = set()
    for id in made:
        for inner in calls(flow.by_id[id].node):
            fact = types.fact(inner)
            if fact is not None and fact.effect == "constructs" and fact.role in TASKS:
                tasks.add(TASKS[fact.role])
    return tasks.pop() if len(tasks) == 1 else "other"


def method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def assigned_name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def find_metrics(flow: Flow, types: Types, tags: CellTags, sink: Sink) -> list[Metric]:
    """Numbers that judge the model and that the notebook shows or keeps, under their own names."""
    slicer = Slicer(flow)
    scored: set[int] = set()
    metrics: list[Metric] = []
    for stmt in flow.by_id.values():
        allowed = tags.of(stmt.cell)
        if not {"train", "infer"} & set(allowed) or isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)):
            continue
        reads_score = any(set(u.reaches) & scored for u in slicer.uses(stmt.id))
        names = {u.name for u in slicer.uses(stmt.id) if set(u.reaches) & scored}
        found = list(_score_expressions(stmt, types, names if reads_score else set()))
        if found or has_score(stmt.node, types):
            scored.add(stmt.id)
        for label, node in found:
            metrics.append(Metric(label, stmt.id, node))
    return _unique(_of_model(metrics, slicer, sink, flow))


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


def has_score(node: ast.AST, types: Types) -> bool:
    for call in calls(node):
        fact = types.fact(call)
        if fact is not None and fact.effect == "scores":
            return True
        helper = types.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if helper is not None and not _within(helper, node) and has_score(helper, types):
            return True
        if method(call) == "score" and call.args:
            return True
    return any(isinstance(n, ast.Attribute) and n.attr in ("best_score_", "inertia_") for n in ast.walk(node))


def _within(helper: ast.AST, node: ast.AST) -> bool:
    """Whether a function calls itself: its body is being looked at already."""
    return helper is node or any(inner is helper for inner in ast.walk(node))


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
        if fact is not None:
            return fact.returns == "scalar" or types.of(node) in NUMBERS
        return method(node) in ("score", "mean", "std", "max", "min")
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


def _names(node: ast.AST | None) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return (n for n in ast.walk(node) if isinstance(n, ast.Call))
