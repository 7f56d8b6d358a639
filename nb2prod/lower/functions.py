"""The five functions that the notebook's statements become."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nb2prod.analysis.lift import target_inputs, target_is_lifted, target_output, target_tables
from nb2prod.analysis.model import assigned_name
from nb2prod.analysis.networks import is_network, own_answer
from nb2prod.analysis.nodes import text_with
from nb2prod.analysis.prediction import for_new_rows
from nb2prod.analysis.slicing import Slicer
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Metric, Role
from nb2prod.lower.module import Context, cells_of, function, outer_names
from nb2prod.lower.reading import reads_in_place
from nb2prod.lower.rewrite import Build, indented, rebuilt, source
from nb2prod.lower.unpacking import named_texts, packed, unpacked


@dataclass(frozen=True, slots=True)
class Lowered:
    """A function's text, the names it binds itself, and for the features: where each statement came from,
    and the names that it hands over as X and y.
    """

    text: str
    bound: set[str] = field(default_factory=set)
    places: tuple[tuple[str, int, int] | None, ...] = ()
    boundary: tuple[str, str] = ("", "")
    imports: tuple[str, ...] = ()


def lower_load(context: Context) -> Lowered:
    """Reads the raw frames; paths come from the settings."""
    graph = context.graph
    stmts = _with_closures(context, graph.stage(Role.LOAD).stmts)
    texts = _texts(context, stmts)
    if len(graph.frames) > 1:
        kind = "dict[str, pd.DataFrame]"
        result = "{" + ", ".join(f'"{name}": {name}' for name in graph.frames) + "}"
    else:
        kind, result = "pd.DataFrame", packed(graph.arrays) if graph.arrays else graph.frames[0]
    head = f"def load(settings: Settings) -> {kind}:"
    lines = _parameters(context, stmts, "settings.parameters")
    body = _spaced(context, stmts, texts)
    imports: tuple[str, ...] = ()
    if reads_in_place(context, stmts):
        imports = ("from contextlib import chdir",)
        body = ["with chdir(settings.data_root):\n" + "\n".join(indented(text) for text in body)]
    text = function(head, cells_of(context, stmts), lines, body, [f"return {result}"])
    return Lowered(text, _bound(context, stmts) | {"settings", "Settings"}, imports=imports)


def lower_target(context: Context) -> Lowered:
    """What only the target needs, as a function of the frame; empty where it cannot be lifted out."""
    graph, flow = context.graph, context.flow
    stmts = graph.stage(Role.TARGET).stmts
    if not target_is_lifted(flow, graph):
        return Lowered("")
    stmts = _with_closures(context, stmts)
    frame = target_inputs(flow, graph)[0]
    name = target_output(flow, graph)
    texts = _spaced(context, stmts, _texts(context, stmts))
    shared = [n for n in graph.shared if any(n in flow.defined_by(s) for s in stmts)]
    tail = [f"st.to_inference({', '.join(f'{n}={n}' for n in shared)})"] if shared else []
    lines = _parameters(context, stmts, "")
    head = f"def target({frame}: pd.DataFrame, st: Staging) -> Any:"
    text = function(head, cells_of(context, stmts), lines, texts, [*tail, f"return {name}"])
    return Lowered(text, _bound(context, stmts) | {"st"})


def lower_features(context: Context, target: Lowered) -> Lowered:
    """The one body of the features, its sites wrapped."""
    graph, flow = context.graph, context.flow
    assert graph.sink is not None
    own = [s for s in graph.stage(Role.FEATURES).stmts if id(flow.by_id[s].node) not in graph.hidden]
    y_stmts = graph.stage(Role.TARGET).stmts
    wanted = {
        id
        for name in ast.walk(graph.sink.x)
        if isinstance(name, ast.Name)
        for id in context.constants.get(name.id, ())
    }
    stmts = _with_closures(context, tuple(sorted({*own, *wanted, *(() if target.text else y_stmts)})))
    texts = _texts(context, stmts)
    statements = _spaced(context, stmts, texts)
    places: list[tuple[str, int, int] | None] = [
        (ast.unparse(flow.by_id[s].node).split("\n")[0], flow.by_id[s].cell, flow.by_id[s].span.line)
        for s in stmts
    ]
    used = _names_in(context, stmts) | ({target_output(flow, graph)} if target.text else set())
    lifted = _free("target", used)
    if target.text:
        call = f"{target_output(flow, graph)} = st.target({lifted}, {target_inputs(flow, graph)[0]})"
        before = sum(1 for s in stmts if s < y_stmts[0])
        statements.insert(before, call)
        places.insert(before, None)
    main, *others = graph.frames
    asked = _parameter_names(context, graph.prediction.stmts)  # inference knows what was set in training
    lines = _parameters(context, (*stmts, *graph.prediction.stmts), "")
    lines += _written_by_closures(context, stmts, graph.frames)
    answers = target_tables(flow, graph)
    for name in others:
        adapter = "answers" if name in answers else "table" if name in graph.tables else "frame"
        lines.append(f'{name} = st.{adapter}("{name}")')
    lines += unpacked(graph.arrays) if graph.arrays else []
    x = rebuilt(graph.sink.x, context.edits().build)
    y, y_eval = graph.y
    tail = []
    if graph.y_eval_frame and target.text and y_eval:
        tail.append(f"{y_eval} = st.target({lifted}, {graph.y_eval_frame})")
    shared = [n for n in graph.shared if not any(n in flow.defined_by(s) for s in y_stmts) or not target.text]
    shared += asked
    if graph.crossing:
        tail.append(f"st.to_training({', '.join(f'{n}={n}' for n in graph.crossing)})")
    if shared:
        tail.append(f"st.to_inference({', '.join(f'{n}={n}' for n in shared)})")
    given = [n if n.isidentifier() else _as_target(n) for n in (y, y_eval) if n]
    tail.append(f"return st.result({', '.join([x, *given])})")
    head = f"def features({main}: pd.DataFrame, st: Staging) -> Any:"
    text = function(head, cells_of(context, stmts), lines, statements, tail)
    bound = _bound(context, stmts) | {"st", lifted, *graph.frames}
    imports = (f"from .target import target as {lifted}",) if lifted != "target" else ()
    return Lowered(text, bound, (*[None] * len(lines), *places, *[None] * len(tail)), (x, y), imports)


def _as_target(text: str) -> str:
    """A target that is no variable, such as a column: serving does not ask for it."""
    frame = next(n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name))
    return f"st.target(lambda {frame}, st: {text}, {frame})"


def lower_fit_model(context: Context, called: str = "fit_model") -> Lowered:
    """The model fit and the notebook's metrics."""
    graph, flow = context.graph, context.flow
    assert graph.sink is not None
    kept = graph.stage(Role.TRAIN).stmts
    same = ast.dump(graph.sink.x) if not isinstance(graph.sink.x, ast.Name) else ""
    nodes = [n for s in kept for n in ast.walk(flow.by_id[s].node) if isinstance(n, ast.expr)]
    stmts = _with_closures(context, kept, {*graph.eval_arguments, *(n for n in nodes if ast.dump(n) == same)})
    extra: dict[int, Build] = {}
    taken = _names_in(context, stmts) | set(graph.train_names) | set(graph.crossing)
    metrics, data, settings = (_free(name, taken) for name in ("metrics", "data", "settings"))
    lines = [f"{metrics}: dict[str, float] = {{}}"] if graph.metrics else []
    names = dict(graph.train_names)
    for argument in graph.eval_arguments:
        extra[id(argument)] = lambda _: "X_eval"
    if not isinstance(graph.sink.x, ast.Name):
        names = _replace_expressions(context, stmts, extra, names)
    for text, role in zip(graph.y, ("y_train", "y_eval"), strict=True):
        if text and not text.isidentifier():
            names[role] = role
            extra |= _expressions(context, stmts, ast.parse(text, mode="eval").body, role)
    lines = [f"{name} = {data}.{what}" for name, what in sorted(names.items(), key=_input_order)] + lines
    if graph.sink.frame:
        target = ast.literal_eval(graph.sink.y.slice) if isinstance(graph.sink.y, ast.Subscript) else ""
        lines.append(f"{graph.sink.frame} = X_train.assign(**{{{json.dumps(target)}: y_train}})")
    lines += [f'{name} = {data}.extras["{name}"]' for name in graph.crossing]
    lines += _parameters(context, stmts, f"{settings}.parameters")
    lines += _written_by_closures(context, stmts, (*names, *graph.crossing))
    by_stmt: dict[int, list[Metric]] = {}
    for metric in graph.metrics:
        by_stmt.setdefault(metric.stmt, []).append(metric)
    statements: list[str] = []
    edits = context.edits(extra)
    texts = _spaced(context, stmts, [source(flow.by_id[s], edits) for s in stmts])
    for number, own in zip(stmts, texts, strict=True):
        stmt = flow.by_id[number]
        if not (number in by_stmt and isinstance(stmt.node, ast.Expr)):
            statements.append(own)
        for metric in by_stmt.get(number, []):
            name = assigned_name(stmt.node) if metric.seen is None else None
            value = name if name is not None else _expression(stmt, metric.node, extra)
            statements.append(f'{metrics}["{metric.name}"] = {value}')
    extras = ", ".join(f'"{n}": {n}' for n in graph.model_extras)
    model = graph.sink.model if graph.sink.held is None else ast.unparse(graph.sink.held)
    result = [model, *([metrics] if graph.metrics else ["{}"] if extras else [])]
    tail = [f"return Fitted({', '.join([*result, *(['{' + extras + '}'] if extras else [])])})"]
    head = f"def {called}({data}: Training, {settings}: Settings) -> Fitted:"
    text = function(head, cells_of(context, stmts), lines, statements, tail)
    bound = _bound(context, stmts) | {metrics, data, settings, *names, *graph.crossing}
    return Lowered(text, bound, imports=_formula_imports(context) if graph.sink.frame else ())


def _formula_imports(context: Context) -> tuple[str, ...]:
    """The modules that a formula names: `np` of `y ~ np.log(a)`."""
    nodes = [n for s in context.flow.by_id.values() for n in ast.walk(s.node)]
    texts = [str(n.value) for n in nodes if isinstance(n, ast.Constant) and "~" in str(n.value)]
    used = {name for text in texts for name in re.findall(r"\b([A-Za-z_]\w*)\.", text)}
    modules = {name: path for name, path in context.types.imports.items() if name in used}
    return tuple(sorted(f"import {path} as {name}  # noqa: F401" for name, path in modules.items()))


def lower_decide(context: Context) -> Lowered:
    """From the model and features to predictions, as the notebook does it."""
    graph = context.graph
    assert graph.sink is not None
    model = graph.sink.model
    prediction = graph.prediction
    head = f"def decide({model}: Any, X: Any, given: Mapping[str, Any]) -> Any:"
    if not prediction.stmts:
        if is_network(graph.sink):
            answer = own_answer(graph.sink, Slicer(context.flow), context.types)
            doc = f"What the module gives for these rows; {context.name} keeps no predictions of a table."
            lines = [f"{model}.eval()", f"with torch.no_grad():\n    return {answer}"]
            own = function(head, doc, [], lines, [])
            return Lowered(own, {model, "X", "given"}, imports=("import torch",))
        predict = next(iter(graph.sink.predicts), "predict")
        doc = f"{context.name} has no inference cell: the model's own prediction."
        if prediction.by_hand:
            hand = " and ".join(f"`{name}`" for name in prediction.by_hand)
            doc = f"The model's own prediction, as {hand} of {context.name} answers it for rows made by hand."
        return Lowered(function(head, doc, [], [], [f"return {model}.{predict}(X)"]), {model, "X", "given"})
    replaced = for_new_rows(context.flow, context.types, graph.sink, prediction)
    extra: dict[int, Build] = {id(node): _as(text) for node, text in replaced.items()}
    for id_ in prediction.stmts:
        node = context.flow.by_id[id_].node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            if node.targets[0] in replaced and node.value is not prediction.value:
                text = replaced.get(node.value)  # a column is a Series, whatever is stored there
                extra[id(node.value)] = _as_series(text)
    stmts = _with_closures(context, prediction.stmts, set(replaced))
    edits = context.edits(extra)
    texts = [source(context.flow.by_id[id], edits) for id in stmts]
    changed = {d.name for d in context.flow.defs if d.stmt in prediction.stmts and d.kind == "mutate"}
    copied = [name for name in prediction.given if name in changed]
    lines = [
        f'{name} = copy.deepcopy(given["{name}"])' if name in copied else f'{name} = given["{name}"]'
        for name in prediction.given
    ]
    lines += [f'{name} = given["{name}"]' for name in _parameter_names(context, prediction.stmts)]
    imports = ("import copy",) if copied else ()
    if prediction.value is not None:
        texts_of = {ast.dump(node): text for node, text in replaced.items()}
        answer = text_with(prediction.value, {**named_texts(graph, prediction.value), **texts_of})
        text = function(head, cells_of(context, stmts), lines, texts[:-1], [f"return {answer}"])
        bound = _bound(context, stmts[:-1]) | {model, "X", "given", *prediction.given}
        return Lowered(text, bound, imports=imports)
    prefix = f"{prediction.result} = "
    rows_of_last = texts[-1].split("\n")
    at = next((i for i, row in enumerate(rows_of_last) if not row.startswith("#")), 0)
    if rows_of_last[at].startswith(prefix):
        rows_of_last[at] = "return " + rows_of_last[at][len(prefix) :]
        texts, tail = [*texts[:-1], "\n".join(rows_of_last)], []
    else:
        tail = [f"return {prediction.result}"]
    text = function(head, cells_of(context, stmts), lines, texts, tail)
    bound = _bound(context, stmts) | {model, "X", "given", *prediction.given}
    return Lowered(text, bound, imports=imports)


def _as(text: str) -> Build:
    return lambda _: text


def _as_series(text: str | None) -> Build:
    return lambda own: f"pd.Series({own if text is None else text})"


def _with_closures(
    context: Context,
    stmts: tuple[int, ...],
    replaced: set[ast.AST] = frozenset(),  # type: ignore[assignment]
) -> tuple[int, ...]:
    """The statements with the constants that they read, and the functions that must be defined among
    them because of what those read.
    """
    found = set(stmts)
    gone = {
        id(inner) for node in {*replaced, *(p.node for p in context.graph.paths)} for inner in ast.walk(node)
    }
    nodes = [n for s in stmts for n in ast.walk(context.flow.by_id[s].node) if id(n) not in gone]
    todo = [n.id for n in nodes if isinstance(n, ast.Name)]
    found |= {id_ for name in todo for id_ in context.constants.get(name, ())}
    found |= {id_ for id_ in context.options if stmts and id_ < max(stmts)}
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for id_ in context.floating:
            if name in context.flow.defined_by(id_):
                node = context.flow.by_id[id_].node
                if id_ in context.closures:
                    found.add(id_)
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    todo += sorted(outer_names(node))
    return tuple(sorted(found))


def _texts(context: Context, stmts: tuple[int, ...]) -> list[str]:
    edits = context.edits()
    return [source(context.flow.by_id[id], edits) for id in stmts]


def _spaced(context: Context, stmts: tuple[int, ...], texts: list[str]) -> list[str]:
    """A blank line where the notebook has one, or where another cell begins."""
    spaced: list[str] = []
    for position, (id, text) in enumerate(zip(stmts, texts, strict=True)):
        stmt = context.flow.by_id[id]
        if position:
            before = context.flow.by_id[stmts[position - 1]]
            blank = stmt.first_line > 1 and not stmt.text.lines[stmt.first_line - 2].strip()
            if before.cell != stmt.cell or blank:
                text = "\n" + text
        spaced.append(text)
    return spaced


def _parameters(context: Context, stmts: tuple[int, ...], owner: str) -> list[str]:
    """Settings that the statements read, bound under the notebook's names."""
    names = _parameter_names(context, stmts)
    if owner:
        return [f"{name} = {owner}.{name.lower()}" for name in names]
    return [f'{name} = st.parameter("{name.lower()}")' for name in names]


def _written_by_closures(context: Context, stmts: tuple[int, ...], given: Iterable[str]) -> list[str]:
    """Bindings of the globals that only functions write here: a `nonlocal` needs one, which nobody reads."""
    nested = [context.flow.by_id[s].node for s in stmts if s in context.closures]
    written = {name for f in nested for n in ast.walk(f) if isinstance(n, ast.Global) for name in n.names}
    nodes = [n for s in stmts if s not in context.closures for n in ast.walk(context.flow.by_id[s].node)]
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return [f"{name} = None" for name in sorted(written - bound - {*given, *context.parameters})]


def _parameter_names(context: Context, stmts: tuple[int, ...]) -> list[str]:
    read = {u.name for s in stmts for u in context.flow.uses_of(s)}
    return sorted(name for name in context.parameters if name in read)


def _bound(context: Context, stmts: tuple[int, ...]) -> set[str]:
    return {name for s in stmts for name in context.flow.defined_by(s) if not name.startswith("<")}


def _names_in(context: Context, stmts: tuple[int, ...]) -> set[str]:
    """All names that the statements mention."""
    nodes = [n for s in stmts for n in ast.walk(context.flow.by_id[s].node)]
    return {n.id for n in nodes if isinstance(n, ast.Name)}


def _free(name: str, taken: set[str]) -> str:
    """A name of ours that the notebook does not use itself."""
    while name in taken:
        name += "_"
    return name


def _input_order(item: tuple[str, str]) -> int:
    return ("X_train", "y_train", "X_eval", "y_eval").index(item[1])


def _replace_expressions(
    context: Context, stmts: tuple[int, ...], extra: dict[int, Build], names: dict[str, str]
) -> dict[str, str]:
    """Where the model is fitted on an expression, that expression is X_train."""
    sink = context.graph.sink
    assert sink is not None
    extra |= _expressions(context, stmts, sink.x, "X_train")
    kept = {name: what for name, what in names.items() if what != "X_train"}
    return {"X_train": "X_train", **kept}


def _expressions(context: Context, stmts: tuple[int, ...], same: ast.expr, role: str) -> dict[int, Build]:
    """Edits that put a variable in the place of an expression."""
    wanted = ast.dump(same)
    nodes = [n for id_ in stmts for n in ast.walk(context.flow.by_id[id_].node) if isinstance(n, ast.expr)]
    return {id(n): _as(role) for n in nodes if ast.dump(n) == wanted}


def _expression(stmt: Stmt, node: ast.expr, edited: Mapping[int, Build]) -> str:
    """The text of an expression; inside f-strings positions are not to be trusted."""
    if any(id(inner) in edited for inner in ast.walk(node)):
        return rebuilt(node, edited)
    text = ast.get_source_segment(stmt.text.code, node)
    try:
        same = text is not None and ast.dump(ast.parse(text, mode="eval").body) == ast.dump(node)
    except SyntaxError:
        same = False
    return text if same and text is not None else ast.unparse(node)
