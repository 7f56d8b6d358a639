"""Which expressions of a notebook predict, given the variables that hold the fitted model.

model.predict(X)   grid.best_estimator_.predict(X)   km.labels_   X @ weights + bias   predict(X, weights)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.analysis.descent import beside
from nb2prod.analysis.effects import FORWARD
from nb2prod.analysis.ensembles import turns
from nb2prod.analysis.events import root
from nb2prod.analysis.model import PREDICT_METHODS, assigned_name, calls, read_back
from nb2prod.analysis.networks import is_network
from nb2prod.analysis.nodes import method
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Sink

SCORES = re.compile("score|error|accuracy|auc|report|matrix|loss|plot|cross_val")
CALLED = "()"  # among the names of a model: no object with methods, weights that functions are given


def aliases(flow: Flow, sink: Sink) -> set[str]:
    """The variables that hold the fitted model: its own, `reg` of `model = reg.fit(X, y)`, and `best =
    grid.best_estimator_`."""
    names = {sink.model, *({root(sink.held)} if sink.held is not None else set())}
    fit = sink.call.func
    if isinstance(fit, ast.Attribute) and not is_network(sink) and not isinstance(fit.value, ast.Call):
        names |= {root(fit)} - {""}
    names |= {f".{name}" for name in sink.predicts}
    if isinstance(sink.call.func, ast.Name):
        names |= {*flow.defined_by(sink.stmt), CALLED}
    if is_network(sink):
        names |= {f"{name}()" for name in names}
    for stmt in flow.by_id.values():
        restored, dumped = read_back(flow, stmt.id)
        if stmt.id > sink.stmt and dumped in names:
            names.add(restored)
        target = assigned_name(stmt.node)
        value = getattr(stmt.node, "value", None)
        if target is None:
            continue
        if stmt.id < sink.stmt:
            if target == sink.model and isinstance(value, ast.Name):
                names.add(value.id)  # regressor = model; regressor.fit(...)
            continue
        if isinstance(value, ast.Attribute) and value.attr == "best_estimator_":
            value = value.value
        if sink.held is not None and isinstance(value, ast.expr) and ast.dump(value) == ast.dump(sink.held):
            names.add(target)
        if isinstance(value, ast.Name) and value.id in names:
            names.add(target)
    return names | set(_functions(flow, names))


def _functions(flow: Flow, names: set[str]) -> Iterator[str]:
    """Functions of the notebook that give predictions: `f()` among the names where it predicts with one of
    these variables, `f(1)` where it does so with its second argument.
    """
    is_called = any(f"{name}()" in names for name in names)  # a module of PyTorch
    for stmt in flow.by_id.values():
        match stmt.node:
            case ast.FunctionDef(name=name) as node if _gives(node):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as node):
                pass
            case _:
                continue
        given = [a.arg for a in node.args.args]
        if given and any(True for _ in predict_calls(node, names - {*given})):
            yield f"{name}()"
        for position, argument in enumerate(given):
            given_as = {argument, f"{argument}()"} if is_called else {argument}
            if any(True for _ in predict_calls(node, given_as)):
                yield f"{name}({position})"


def _gives(node: ast.FunctionDef) -> bool:
    """Whether a function returns something, and no score."""
    called = [getattr(c.func, "attr", getattr(c.func, "id", "")) for c in calls(node)]
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(node))
    return returns and not any(SCORES.search(name) for name in called)


def predictions(node: ast.AST, names: set[str]) -> Iterator[ast.expr]:
    """Where one of these variables predicts: a call, the labels that a fitted clustering keeps, or what is
    computed with learned weights.
    """
    yield from predict_calls(node, names)
    for inner in ast.walk(node):
        kept = isinstance(inner, ast.Attribute) and inner.attr == "labels_" and root(inner) in names
        learned = CALLED in names and isinstance(inner, ast.expr) and beside(inner, names) is not None
        if isinstance(inner, ast.expr) and (kept or learned):
            yield inner


def given_rows(made: ast.expr, names: set[str]) -> ast.expr | None:
    """What is predicted on."""
    if CALLED in names and not any(True for _ in predict_calls(made, names)):
        return beside(made, names)
    given = made.args if isinstance(made, ast.Call) else []
    return next((a for a in given if not (isinstance(a, ast.Name) and a.id in names)), None)


def method_of(made: ast.expr) -> str:
    """How it is predicted; with learned weights it is a prediction like that of a model."""
    if isinstance(made, ast.Attribute):
        return made.attr
    name = method(made) if isinstance(made, ast.Call) else ""
    return name if name in PREDICT_METHODS else "predict"


def predict_calls(
    node: ast.AST, names: set[str], methods: tuple[str, ...] = PREDICT_METHODS
) -> Iterator[ast.Call]:
    """Calls by which one of these variables predicts, or each of the models that one holds."""
    names = names | turns(node, names)
    methods = (*methods, *(name[1:] for name in names if name.startswith(".")))
    for call in calls(node):
        named = call.func.id if isinstance(call.func, ast.Name) else ""
        models = [n for n, a in enumerate(call.args) if isinstance(a, ast.Name) and a.id in names]
        by_function = f"{named}()" in names or any(f"{named}({n})" in names for n in models)
        forward = method(call) == FORWARD and f"{root(call.func)}()" in names
        by_method = forward or (method(call) in methods and root(call.func) in names)
        if by_method or (named and call.args and by_function):
            yield call
