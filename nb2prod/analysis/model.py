"""The model of the notebook: where it is fitted, and which of several is the one in production.

model.fit(X, y)                        an estimator, or a class of the notebook
bst = xgb.train(params, dtrain)        a booster, with the rows in a DMatrix
result = sm.OLS(y, X).fit()            a model that holds its rows, and a result that predicts
w = gradient_descent(X, y)             a function of the notebook
w = np.linalg.inv(X.T @ X) @ X.T @ y   an equation
loss.backward(); optimizer.step()      a module of PyTorch, in a loop

It is long because each way to fit a model, and each to choose one, is a case.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from nb2prod import knowledge
from nb2prod.analysis.descent import learned_in_a_loop, solved
from nb2prod.analysis.ensembles import holder
from nb2prod.analysis.events import root
from nb2prod.analysis.folds import without_folds
from nb2prod.analysis.holders import definition, formula_columns, held
from nb2prod.analysis.networks import is_network, trained_module
from nb2prod.analysis.nodes import inner_calls, method, names_in
from nb2prod.analysis.own_classes import learns
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Sink

TASKS = {
    "classifier": "classification",
    "regressor": "regression",
    "clusterer": "clustering",
    "outlier": "clustering",
}
MODEL_ROLES = (*TASKS, "pipeline", "search", "ensemble", "meta", "predictor")
FIT_METHODS = ("fit", "fit_predict")
PREDICT_METHODS = ("predict", "predict_proba", "decision_function", "fit_predict", "predict_log_proba")
CLASSES = re.compile("binary|multi|cross_entropy|xentropy|softmax|Logloss|MultiClass")
ROWS_NAMES = ("x", "x_train", "xs", "features", "rows", "inputs", "data", "xtrain")
TARGET_NAMES = ("y", "y_train", "ys", "target", "targets", "labels", "ytrain")
DUMPS = {"dump", "save"}  # of pickle, joblib, torch and their like
MARK = re.compile(r"#\s*nb2prod\s*:\s*model\b")
NUMBERS = ("builtins.float", "builtins.int", "numpy.float64", "numpy.float32", "numpy.int64", "builtins.bool")


def find_sinks(flow: Flow, types: Types, tags: CellTags) -> list[Sink]:
    """All model fits in cells tagged train (or infer), in notebook order."""
    slicer = Slicer(flow)
    sinks = []
    for stmt in flow.by_id.values():
        if "train" not in tags.of(stmt.cell) or isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)):
            continue
        network = trained_module(stmt, slicer, types)
        fits = [network] if network else [_sink_of(stmt, c, slicer, types) for c in calls(stmt.node)]
        sinks += [sink for sink in fits if sink is not None]
    if not sinks:
        for stmt in (s for s in flow.by_id.values() if "train" in tags.of(s.cell)):
            learned = learned_in_a_loop(stmt, slicer, types) or solved(stmt, slicer, types)
            sinks += [learned] if learned is not None else []
    return without_folds(_without_helpers(sinks, flow, tags), flow)


def _without_helpers(sinks: list[Sink], flow: Flow, tags: CellTags) -> list[Sink]:
    """Beside a fit, a function of the notebook learns only where inference uses what it gives."""
    fits = [s for s in sinks if isinstance(s.call.func, ast.Attribute)]
    if not fits:
        return sinks
    used = {u.name for u in flow.uses if "infer" in tags.of(flow.by_id[u.stmt].cell)}
    return [s for s in sinks if s in fits or flow.defined_by(s.stmt) <= used]


def _sink_of(stmt: Stmt, call: ast.Call, slicer: Slicer, types: Types) -> Sink | None:
    """The sink where the call fits a model: a method of it, a function of a booster, one of the notebook."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in FIT_METHODS:
        made, at = definition(call.func.value, stmt.id, slicer)
        fact = types.fact(made)
        role = fact.role if fact is not None else ""
        if role == "statsmodel" and isinstance(made, ast.Call):
            sink = _of_arguments(stmt, call, made, at)
            return sink and replace(sink, task=_regression(made))
        if role == "formula" and isinstance(made, ast.Call):
            sink = _of_formula(stmt, call, made, at, slicer)
            return sink and replace(sink, task=_regression(made))
        if role == "timeseries" or not call.args:
            return None
        task = _task(types, call.func.value)
        sink = _sink(stmt, call, task, slicer, types) if task is not None else None
        rows = held(call.args[0], stmt.id, slicer, types)
        if sink is not None and rows.holders:  # model.fit(Pool(X, y))
            return replace(sink, x=rows.x, y=rows.y, data=rows.stmt)
        return sink
    own = _of_own_class(stmt, call, slicer, types)
    if own is not None:
        return own
    fact = types.fact(call)
    if fact is not None and fact.effect == "fits" and assigned_name(stmt.node) is not None:
        given = [*call.args, *[k.value for k in call.keywords]]
        found = next((f for g in given if (f := held(g, stmt.id, slicer, types)).holders), None)
        if found is not None:
            model = assigned_name(stmt.node) or ""
            task = _objective(call, stmt.id, slicer)
            return Sink(stmt.id, call, model, found.x, found.y, task, found.stmt, stmt.id)
    return _of_function(stmt, call, slicer, types)


def _of_own_class(stmt: Stmt, call: ast.Call, slicer: Slicer, types: Types) -> Sink | None:
    """`model.train(X, y)`, where the notebook's own class learns by a method that is not called fit."""
    if (
        not isinstance(call.func, ast.Attribute)
        or not isinstance(call.func.value, ast.Name)
        or len(call.args) < 2
    ):
        return None
    definition = types.classes.get(types.of(call.func.value).removeprefix("notebook:"))
    predicts = learns(definition, call.func.attr) if definition is not None else ()
    if not predicts:
        return None
    named = () if set(predicts) & set(PREDICT_METHODS) else predicts
    return replace(_sink(stmt, call, "other", slicer, types), predicts=named)


def _regression(made: ast.Call) -> str:
    """Least squares give numbers; what a logit or a general linear model gives, its use decides."""
    name = made.func.attr if isinstance(made.func, ast.Attribute) else getattr(made.func, "id", "")
    return "regression" if name.lower() in ("ols", "wls", "gls", "glsar", "rlm", "quantreg") else "other"


def no_sink(flow: Flow, types: Types, tags: CellTags) -> Refusal | None:
    """Why a model that a cell tagged train makes (any cell, where none is) is none that can be compiled: it
    continues a series, or its formula is not written out, or a loop of its own trains it.
    """
    tagged = any("train" in allowed for allowed in tags.allowed.values())
    for stmt in flow.by_id.values():
        for call in calls(stmt.node) if "train" in tags.of(stmt.cell) or not tagged else ():
            fact = types.fact(call)
            if fact is not None and fact.role == "timeseries":
                return Refusal("NBP409", stmt.text.span(call), ast.unparse(call))
            if method(call) == "backward" and not call.args:
                detail = "the loop shows no optimizer of one module, or no tensors of its rows and target"
                return Refusal("NBP403", stmt.text.span(call), ast.unparse(call), detail)
            if method(call) == "partial_fit":
                detail = "a model that is fitted in steps is not compiled; fit it once, with fit"
                return Refusal("NBP403", stmt.text.span(call), ast.unparse(call), detail)
            if fact is not None and fact.role == "formula":
                detail = "the columns of a formula are read from its text and from a frame with a name"
                return Refusal("NBP403", stmt.text.span(call), ast.unparse(call), detail)
    return None


def _of_arguments(stmt: Stmt, call: ast.Call, made: ast.Call, at: int) -> Sink | None:
    """`sm.OLS(y, X).fit()`: the model holds its rows, the result predicts."""
    named = {k.arg: k.value for k in made.keywords}
    y, x = [*made.args, None, None][:2]
    y, x = y or named.get("endog"), x or named.get("exog")
    model = assigned_name(stmt.node)
    if x is None or y is None or model is None:
        return None
    return Sink(stmt.id, call, model, x, y, "other", at, stmt.id)


def _of_formula(stmt: Stmt, call: ast.Call, made: ast.Call, at: int, slicer: Slicer) -> Sink | None:
    """`smf.ols("y ~ a + b", data=df).fit()`: X and y are the columns that the formula names."""
    named = {k.arg: k.value for k in made.keywords}
    text, data = [*made.args, None, None][:2]
    text, data = text or named.get("formula"), data or named.get("data")
    model = assigned_name(stmt.node)
    if text is None or not isinstance(data, ast.Name) or model is None:
        return None
    constant = definition(text, at, slicer)[0]
    columns = formula_columns(constant.value) if isinstance(constant, ast.Constant) else None
    if columns is None:
        return None
    target, features = columns
    features = list(dict.fromkeys([*features, *_columns_beside(made, data.id)]))
    x = ast.parse(f"{data.id}[{features!r}]", mode="eval").body
    y = ast.parse(f"{data.id}[{target!r}]", mode="eval").body
    return Sink(stmt.id, call, model, x, y, "other", at, stmt.id, frame=data.id)


def _columns_beside(made: ast.Call, frame: str) -> Iterator[str]:
    """The columns that other arguments of a formula's model read: `offset=np.log(df["exposure"])`."""
    for node in (n for k in made.keywords for n in ast.walk(k.value)):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as column)):
                if name == frame:
                    yield column


def _objective(call: ast.Call, at: int, slicer: Slicer) -> str:
    """The task of a booster, from the objective among its parameters."""
    made = definition(call.args[0], at, slicer)[0] if call.args else None
    parameters = list(ast.walk(made)) if isinstance(made, (ast.Dict, ast.Call)) else []
    for node in parameters:
        named = []
        if isinstance(node, ast.Dict):
            named = [(getattr(k, "value", ""), v) for k, v in zip(node.keys, node.values, strict=True)]
        elif isinstance(node, ast.Call):
            named = [(k.arg, k.value) for k in node.keywords]
        for name, value in named:
            if name in ("objective", "application", "loss_function") and isinstance(value, ast.Constant):
                return "classification" if CLASSES.match(str(value.value)) else "regression"
    return "other"


def _of_function(stmt: Stmt, call: ast.Call, slicer: Slicer, types: Types) -> Sink | None:
    """`weights = train(X_train, y_train)`, a function of the notebook that learns from rows and target."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    function = types.functions.get(name)
    node = stmt.node
    if (
        not isinstance(function, ast.FunctionDef)
        or not isinstance(node, ast.Assign)
        or node.value is not call
    ):
        return None
    given = dict(zip((a.arg for a in function.args.args), call.args, strict=False))
    given |= {k.arg: k.value for k in call.keywords if k.arg}
    x = next((v for p, v in given.items() if p.lower() in ROWS_NAMES), None)
    y = next((v for p, v in given.items() if p.lower() in TARGET_NAMES), None)
    ends = [r for r in ast.walk(function) if isinstance(r, ast.Return)]
    values = [e for r in ends for e in (r.value.elts if isinstance(r.value, ast.Tuple) else [r.value])]
    returned = {e.id for e in values if isinstance(e, ast.Name)}
    if returned & {p.arg for p in function.args.args if p.arg.lower() in (*ROWS_NAMES, *TARGET_NAMES)}:
        return None  # it gives the rows back
    target = node.targets[0].elts[0] if isinstance(node.targets[0], ast.Tuple) else node.targets[0]
    if x is None or y is None or not isinstance(target, ast.Name):
        return None
    return Sink(stmt.id, call, target.id, x, y, "other", stmt.id, stmt.id)


def choose(sinks: list[Sink], flow: Flow, tags: CellTags, name: str | None) -> Sink | None:
    """The sink asked for by name; else the one whose model makes the last prediction of the inference cells,
    or the prediction that they use; else the last.
    """
    if name is not None:
        found = next((s for s in reversed(sinks) if name in (s.model, root(s.call.func))), None)
        entries = (_entry(s, name, Slicer(flow)) for s in reversed(sinks))
        return found or next((e for e in entries if e is not None), None)
    marked = [s for s in sinks if is_marked(s, flow)]
    if marked:
        return marked[-1]
    slicer = Slicer(flow)
    inference = [s for s in flow.by_id.values() if "infer" in tags.of(s.cell)]
    for stmt in reversed(inference):
        written = read_back(flow, stmt.id)[1]  # only read back, it predicts elsewhere
        loaded = next((s for s in reversed(sinks) if written and s.model == written), None)
        behind = [] if loaded is not None else [*_predicting_for(stmt, sinks, slicer)]
        own = (_predictor(predicting, sinks, slicer, tags) for predicting in (stmt, *behind))
        sink = next((found for found in own if found is not None), loaded)
        if sink is not None:
            return sink
    used = {u.name for s in inference for u in slicer.uses(s.id)}
    fits = [s for s in sinks if isinstance(s.call.func, ast.Attribute)] or sinks
    chosen = next((s for s in reversed(sinks) if s.model in used), fits[-1] if fits else None)
    return of_many(chosen, flow, slicer, tags) if chosen is not None else None


def of_many(sink: Sink, flow: Flow, slicer: Slicer, tags: CellTags) -> Sink:
    """Of models that a loop fits, the one that a later statement takes to predict."""
    if undecided(sink, flow, tags):
        for stmt in reversed([s for s in flow.by_id.values() if s.id > sink.stmt]):
            taken = _predictor(stmt, [sink], slicer, tags)
            if taken is not None and taken.model != sink.model:
                return taken
    return sink


def undecided(sink: Sink, flow: Flow, tags: CellTags) -> list[Refusal]:
    """A loop fits one model after another, and nothing that follows says which one it takes."""
    node = flow.by_id[sink.stmt].node
    if not isinstance(node, ast.For) or sink.held is not None or is_marked(sink, flow):
        return []
    turns = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    used = {u.name for u in flow.uses if "infer" in tags.of(flow.by_id[u.stmt].cell)}
    if sink.model not in turns or sink.model in used:
        return []
    return [Refusal("NBP405", flow.by_id[sink.stmt].span, f"those of `{ast.unparse(node.iter)}`")]


def _entry(sink: Sink, name: str, slicer: Slicer) -> Sink | None:
    """The model that a dictionary or a list of pairs, over which a loop fits, holds under this name."""
    node = slicer.flow.by_id[sink.stmt].node
    iterated = node.iter if isinstance(node, ast.For) else None
    if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Attribute):
        iterated = iterated.func.value  # models.items()
    if not isinstance(iterated, ast.Name):
        return None
    made, _ = definition(iterated, sink.stmt, slicer)
    match made:
        case ast.Dict(keys=keys):
            places = [f"{iterated.id}[{ast.unparse(k)}]" for k in keys if k is not None]
            named = [getattr(k, "value", None) for k in keys if k is not None]
        case ast.List(elts=pairs):
            places = [f"{iterated.id}[{at}][1]" for at in range(len(pairs))]
            named = [getattr(p.elts[0], "value", None) if isinstance(p, ast.Tuple) else None for p in pairs]
        case _:
            return None
    if name not in named:
        return None
    held_at = ast.parse(places[named.index(name)], mode="eval").body
    return replace(sink, model="model", held=held_at)


def _predicting_for(stmt: Stmt, sinks: list[Sink], slicer: Slicer) -> Iterator[Stmt]:
    """The statements that make predictions which this one works on, the last first; what comes before a fit
    that it depends on only made what that model learned from.
    """
    behind = slicer.backward([stmt.id]) - {stmt.id}
    fitted = max((s.stmt for s in sinks if s.stmt in behind), default=0)
    for id in sorted((id for id in behind if id >= fitted), reverse=True):
        made = slicer.flow.by_id[id]
        if not isinstance(made.node, ast.FunctionDef) and any(
            True for _ in _predicting_calls(made, slicer.flow)
        ):
            yield made


def _predictor(stmt: Stmt, sinks: list[Sink], slicer: Slicer, tags: CellTags) -> Sink | None:
    """The sink of the model that predicts in a statement, under the name that it has there."""
    found: Sink | None = None
    for node, call in _predicting_calls(stmt, slicer.flow):
        if not isinstance(call.func, ast.Attribute):
            continue
        receiver, at = _outside(call.func.value, stmt.id, slicer, tags)
        together = holder(node, root(receiver)) if stmt.id not in {s.stmt for s in sinks} else ""
        if together:
            receiver = ast.Name(together, ast.Load())
        name = root(receiver)
        reached = slicer.reaching(at, {name})
        behind = slicer.backward(reached)
        own = [s for s in sinks if s.stmt in behind or s.stmt == stmt.id or _fits_each(s, name, slicer)]
        exact = [s for s in own if ast.dump(_receiver(s)) == ast.dump(receiver)]
        if not name or not own:
            continue
        sink = (exact or own)[-1]
        if found is None or sink.stmt >= found.stmt:
            found = _under_name(sink, receiver, max({*reached, sink.stmt}))
    return found


def _predicting_calls(stmt: Stmt, flow: Flow) -> Iterator[tuple[ast.AST, ast.Call]]:
    """The calls by which a statement predicts, or a function of the notebook that it calls, each with the
    statement or function that it stands in.
    """
    named = {getattr(call.func, "id", "") for call in calls(stmt.node)} - {""}
    defined = (s.node for s in flow.by_id.values() if named and isinstance(s.node, ast.FunctionDef))
    functions = {node.name: node for node in defined if node.name in named}  # of several the last
    for body in (stmt.node, *functions.values()):
        given = {a.arg for a in ast.walk(body) if isinstance(a, ast.arg)} if body is not stmt.node else set()
        for call in calls(body):
            if method(call) in PREDICT_METHODS and root(call.func) not in given:
                yield body, call


def _fits_each(sink: Sink, models: str, slicer: Slicer) -> bool:
    """Whether the fit stands in a loop through the list of models with this name."""
    return bool(models) and holder(slicer.flow.by_id[sink.stmt].node, sink.model) == models


def _under_name(sink: Sink, receiver: ast.expr, made: int) -> Sink:
    """The sink with its model as inference reads it: a variable, or an entry of a dictionary or list."""
    if ast.dump(_receiver(sink)) == ast.dump(receiver) or isinstance(receiver, ast.Call):
        return sink if isinstance(receiver, ast.Name) else _named(sink, receiver)
    if isinstance(receiver, ast.Name):
        return replace(sink, model=receiver.id, made=max(made, sink.stmt))
    return replace(_named(sink, receiver), made=max(made, sink.stmt))


def _named(sink: Sink, receiver: ast.expr) -> Sink:
    if not isinstance(receiver, ast.Subscript):
        return replace(sink, model=root(receiver) or sink.model)
    return replace(sink, model="model", held=receiver)


def _receiver(sink: Sink) -> ast.expr:
    """What the model is called where it is fitted."""
    if isinstance(sink.call.func, ast.Attribute) and not is_network(sink):
        if root(sink.call.func.value) == sink.model or not isinstance(sink.call.func.value, ast.Name):
            return sink.call.func.value
    return ast.Name(sink.model, ast.Load())


def _outside(node: ast.expr, at: int, slicer: Slicer, tags: CellTags) -> tuple[ast.expr, int]:
    """What a model is called outside of the inference cells, which may give it another name."""
    while isinstance(node, ast.Name):
        restored = {s: read_back(slicer.flow, s) for s in slicer.reaching(at, {node.id})}
        stmt, dumped = next(((s, d) for s, (name, d) in restored.items() if name == node.id), (at, ""))
        made: ast.expr = ast.Name(dumped, ast.Load())
        if not dumped:
            made, stmt = definition(node, at, slicer)
        if stmt == at or "infer" not in tags.of(slicer.flow.by_id[stmt].cell):
            break
        if not isinstance(made, (ast.Name, ast.Subscript, ast.Attribute)):
            break
        node, at = made, stmt
    return node, at


def read_back(flow: Flow, stmt: int) -> tuple[str, str]:
    """A variable and the one that it is read back from: `joblib.dump(model, path)`, `m = joblib.load(path)`.

    With `pickle`, the files may be opened by `with` statements.  Empty names where there are none, and where
    what was written has changed since.
    """
    node = flow.by_id[stmt].node
    node = node.body[0] if isinstance(node, ast.With) and len(node.body) == 1 else node
    target, files = assigned_name(node), flow.read_back(stmt)
    if target is None or not files or not isinstance(getattr(node, "value", None), ast.Call):
        return "", ""
    writers = {d.stmt for d in flow.defs if d.name in files and d.stmt < stmt}
    dumps = [
        c
        for id in writers
        for c in calls(flow.by_id[id].node)
        if {method(c), getattr(c.func, "id", "")} & DUMPS
    ]
    match dumps:
        case [ast.Call(args=[ast.Name(id=source), *_])]:
            changes = [d for d in flow.defs if d.name == source and max(writers) < d.stmt < stmt]
            return ("", "") if changes else (target, source)
    return "", ""


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


def _sink(stmt: Stmt, call: ast.Call, task: str, slicer: Slicer, types: Types) -> Sink:
    assert isinstance(call.func, ast.Attribute)
    model = root(call.func.value)
    node = stmt.node
    if isinstance(node, ast.Assign) and node.value is call and isinstance(node.targets[0], ast.Name):
        if call.func.attr == "fit":
            model = node.targets[0].id
    y = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg == "y"), None)
    if task == "other":
        task = "clustering" if y is None else _task_of_steps(stmt, call, slicer, types)
    y = _whole(y, node) if y is not None and task != "clustering" else None
    return Sink(stmt.id, call, model, _whole(call.args[0], node), y, task, stmt.id, stmt.id)


def _whole(node: ast.expr, stmt: ast.stmt) -> ast.expr:
    """The data themselves where a loop fits on parts of them: X of `X.iloc[fold]`."""
    stored = [n for n in ast.walk(stmt) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    bound = {n.id for n in stored} if isinstance(stmt, ast.For) else set()
    while names_in(node) & bound:
        made = next(
            (v for name, v in _assignments(stmt) if isinstance(node, ast.Name) and name == node.id), None
        )
        if made is not None and not names_in(made) & names_in(node):
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


def _task_of_steps(stmt: Stmt, call: ast.Call, slicer: Slicer, types: Types) -> str:
    """The task of a pipeline or search, from the estimators that it is made of."""
    assert isinstance(call.func, ast.Attribute)
    made = slicer.backward(slicer.reaching(stmt.id, {root(call.func.value)}) | {stmt.id})
    tasks = set()
    for id in made:
        for inner in calls(slicer.flow.by_id[id].node):
            fact = types.fact(inner)
            if fact is not None and fact.effect == "constructs" and fact.role in TASKS:
                tasks.add(TASKS[fact.role])
    return tasks.pop() if len(tasks) == 1 else "other"


def assigned_name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


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


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return iter(inner_calls(node))
