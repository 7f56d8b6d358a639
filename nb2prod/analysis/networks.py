"""Modules of PyTorch that a loop of the notebook trains.

optimizer = torch.optim.Adam(model.parameters())      the optimizer says which module learns
for epoch in range(20):                               the loop is the fit
    for xb, yb in loader:                             X and y are what the loader holds
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from nb2prod.analysis.events import root
from nb2prod.analysis.holders import ROWS, Held, definition, held
from nb2prod.analysis.nodes import inner_calls, method, text_with, valued
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Sink

TRAINED = "trained_in_a_loop"  # how the loop is written as a call: model.trained_in_a_loop(X, y)
OF_CLASSES = (".CrossEntropyLoss", ".NLLLoss", ".cross_entropy", ".nll_loss")  # losses of scores of classes
EVALUATES = "eval"  # `model.eval()`: dropout and batch norms stop learning


def trained_module(stmt: Stmt, slicer: Slicer, types: Types) -> Sink | None:
    """The sink where a statement goes backward through a loss and steps an optimizer over rows."""
    bodies = [stmt.node, *_called(stmt.node, types)]
    if not any(_goes_back(body) for body in bodies):
        return None
    model = next((m for n in chain(*map(_read, bodies)) if (m := _optimised(n, stmt, slicer))), "")
    model = model or next(_given_to_train(stmt.node, types), "")
    if not model:
        return None
    found: list[Held] = []
    for part in _learning(stmt.node, types):
        nodes = sorted([*_read(part), *inner_calls(part)], key=lambda n: (n.lineno, n.col_offset))
        found = [h for n in nodes if (h := held(n, stmt.id, slicer, types, own=True)).holders]
        if any(h.y is not None for h in found) or len({ast.dump(h.x) for h in found}) > 1:
            break  # rows and a target
    found = found or list(_made_inside(stmt, types))
    if not found:
        return None
    rows = next((h for h in found if h.y is not None), None) or found[0]
    y = rows.y if rows.y is not None else next((h.x for h in found if not _same(h, rows)), None)
    x, y = _whole(rows.x), _whole(y) if y is not None else None
    if y is None or not (_is_one(x, types) and _is_one(y, types)):
        return None
    fit = ast.Call(ast.Attribute(ast.Name(model, ast.Load()), TRAINED, ast.Load()), [x, y], [])
    ast.fix_missing_locations(ast.copy_location(fit, stmt.node))
    return Sink(stmt.id, fit, model, x, y, "other", rows.stmt, stmt.id)


def is_network(sink: Sink) -> bool:
    """Whether the model is a module that is called, as `model(X)`, to predict."""
    return isinstance(sink.call.func, ast.Attribute) and sink.call.func.attr == TRAINED


def own_answer(sink: Sink, slicer: Slicer, types: Types) -> str:
    """What the module gives for rows `X`, where no inference says how it predicts: the class with the highest
    score where the loss compares scores of classes.  Empty where the tensor of the rows is not seen.
    """
    stmt = slicer.flow.by_id[sink.stmt]
    for node in _read(stmt.node):
        rows = _tensor_of(node, sink, slicer, types)
        if rows is not None:
            scores = f"{sink.model}({text_with(rows, {ast.dump(sink.x): 'X'})})"
            every = (call for s in slicer.flow.by_id.values() for call in inner_calls(s.node))
            of_classes = any(types.api_of(call).endswith(OF_CLASSES) for call in every)
            return f"{scores}.argmax(dim=1)" if of_classes else scores
    return ""


def _tensor_of(node: ast.expr, sink: Sink, slicer: Slicer, types: Types) -> ast.expr | None:
    """The tensor that the rows of the fit are made into: `torch.tensor(X).float()`."""
    at = sink.stmt
    rows = held(node, at, slicer, types, own=True)
    if not rows.holders or ast.dump(_whole(rows.x)) != ast.dump(sink.x):
        return None
    made, at = definition(node, at, slicer)
    while any(made is holder for holder in rows.holders[:-1]) and isinstance(made, ast.Call):
        made, at = definition(made.args[0], at, slicer)  # DataLoader(TensorDataset(...))
    return made if any(n is rows.holders[-1] for n in ast.walk(made)) else None


def switched(cells: list[Stmt], names: set[str]) -> set[int]:
    """The statements that only put the module into the state in which it predicts."""
    found = set()
    for stmt in cells:
        value = stmt.node.value if isinstance(stmt.node, ast.Expr) else None
        if isinstance(value, ast.Call) and method(value) == EVALUATES and root(value.func) in names:
            found.add(stmt.id)
    return found


def _called(node: ast.AST, types: Types) -> Iterator[ast.AST]:
    """The notebook's functions that a statement calls."""
    for call in inner_calls(node):
        function = types.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if isinstance(function, ast.FunctionDef):
            yield function


def _goes_back(node: ast.AST) -> bool:
    return any(method(call) == "backward" for call in inner_calls(node))


def _learning(node: ast.stmt, types: Types) -> Iterator[ast.AST]:
    """The parts that learn, the inner ones first: another loop may only judge, before or after them."""
    loops = [loop for loop in ast.walk(node) if isinstance(loop, ast.For) and _goes_back(loop)]
    yield from (loop.iter for loop in reversed(loops))
    yield from (call for call in inner_calls(node) if any(map(_goes_back, _called(call, types))))
    yield node


def _is_one(node: ast.expr, types: Types) -> bool:
    """Whether an expression is made of one variable, as `y.values` and `df[columns]`, and not of several."""
    read = {n.id for n in valued(node) if isinstance(n.ctx, ast.Load)}
    return len(read - set(types.imports)) == 1


def _read(node: ast.AST) -> list[ast.Name]:
    """The variables that are read, in the order of the text."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return sorted(names, key=lambda n: (n.lineno, n.col_offset))


def _optimised(node: ast.Name, stmt: Stmt, slicer: Slicer) -> str:
    """The module whose parameters an optimizer holds; empty for all else."""
    match definition(node, stmt.id, slicer)[0]:
        case ast.Call(args=[ast.Call(func=ast.Attribute(value=ast.Name(id=model), attr="parameters")), *_]):
            return model
    return ""


def _given_to_train(node: ast.AST, types: Types) -> Iterator[str]:
    """The module that a function of the notebook is given, and whose parameters it optimises itself."""
    for function, given in _training_calls(node, types):
        for inner in inner_calls(function):
            owner = root(inner.func) if method(inner) == "parameters" else ""
            module = given.get(owner, None if owner in _parameters(function) else ast.Name(owner))
            if owner and isinstance(module, ast.Name):
                yield module.id


def _made_inside(stmt: Stmt, types: Types) -> Iterator[Held]:
    """The rows that a function of the notebook is given, and which it makes tensors of itself."""
    for function, given in _training_calls(stmt.node, types):
        for call in sorted(inner_calls(function), key=lambda c: (c.lineno, c.col_offset)):
            fact = types.fact(call)
            if fact is not None and fact.role == ROWS and call.args and root(call.args[0]) in given:
                yield Held(given[root(call.args[0])], None, stmt.id, (call,), (stmt.id,))


def _training_calls(node: ast.AST, types: Types) -> Iterator[tuple[ast.FunctionDef, dict[str, ast.expr]]]:
    """The notebook's functions that go backward, as a statement calls them, and what they are given."""
    for call in inner_calls(node):
        for function in filter(_goes_back, _called(call, types)):
            assert isinstance(function, ast.FunctionDef)
            given = dict(zip(_parameters(function), call.args, strict=False))
            yield function, given | {k.arg: k.value for k in call.keywords if k.arg}


def _parameters(function: ast.FunctionDef) -> list[str]:
    return [a.arg for a in [*function.args.posonlyargs, *function.args.args]]


def _whole(node: ast.expr) -> ast.expr:
    """The rows that a batch is cut from: X of `X[start:end]`."""
    while isinstance(node, ast.Subscript) and not isinstance(node.slice, (ast.Constant, ast.List)):
        node = node.value
    return node


def _same(one: Held, other: Held) -> bool:
    return ast.dump(one.x) == ast.dump(other.x)
