"""How the notebook predicts: from the model and rows to what its inference cells answer.

pred = le.inverse_transform(model.predict(X_new))     the variable `pred`
out["Survived"] = model.predict(test)                 the value that is stored
np.expm1(model.predict(X_test))[:5]                   the value that is shown, for all rows

It is long because each way to write a prediction down, and each that cannot be taken over, is a case.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import replace

from nb2prod.analysis.answers import Answer, answer_in_tables, columns_of, is_table
from nb2prod.analysis.combined import refuse_combined
from nb2prod.analysis.ensembles import added_up, turns
from nb2prod.analysis.events import root
from nb2prod.analysis.holders import as_fitted, held, without_labels
from nb2prod.analysis.model import NUMBERS, PREDICT_METHODS, assigned_name, calls, has_score
from nb2prod.analysis.networks import is_network, own_answer, switched
from nb2prod.analysis.nodes import method, names_in, text_with
from nb2prod.analysis.one_row import by_hand
from nb2prod.analysis.predictors import CALLED, aliases, given_rows, method_of, predict_calls, predictions
from nb2prod.analysis.shown import shown
from nb2prod.analysis.siblings import column_of
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import Answers, answers_of
from nb2prod.analysis.sums import begun, counts_rows, row_counts
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.thresholds import found_by, judging, summing_up
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow, Use
from nb2prod.ir.program import Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Prediction, Sink

NO_ROWS = ("pandas.DataFrame", "pandas.Index", "builtins.str", "builtins.dict", *NUMBERS)
FIRST_ROWS = ("head", "tail", "tolist", "item", "sample")
SUMMARIES = ("value_counts", "describe", "unique", "hist", "plot")
AGGREGATES = ("mean", "sum", "min", "max", "std", "median", "count", "nunique", "mode")
LABELS = ("predict", "fit_predict")
NO_NEW_ROWS = tuple(
    f"sklearn.cluster.{name}"
    for name in ("AgglomerativeClustering", "DBSCAN", "HDBSCAN", "OPTICS", "SpectralClustering")
)
RECODES = ("map", "replace")  # methods that give predictions other names
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
CASTS = ("int", "float", "round", "list", "str")


def find_prediction(flow: Flow, types: Types, tags: CellTags, sink: Sink) -> Prediction:
    """The statements of the inference cells that make predictions of rows, and their result; also the
    statements of other cells whose predictions these work on.
    """
    slicer = Slicer(flow)
    names = aliases(flow, sink)
    hand = by_hand(_inference(flow, tags, sink), names, slicer, types)
    names -= {mark for function in hand for mark in function.marks}
    known = answers_of(flow, types, slicer, sink)
    judges = judging(flow, known, sink)
    cells = _with_holders(_deciding(flow, tags, sink, slicer, names, judges), names, slicer, types)
    predicts = [(s, p) for s in cells for p in predictions(s.node, names)]
    if not predicts:
        return Prediction(by_hand=tuple(function.name for function in hand if function.own))
    answers = [(s, p) for s, p in predicts if not has_score(s.node, types)]
    stmt, made = (answers or predicts)[0]
    rows = _rows(made, stmt, sink, names, slicer, types)
    found = _variable(slicer, types, cells, predicts, rows, names, known)
    value: ast.expr | None = None
    ends: list[int] = []
    last = 0
    answer = _stored(types, cells, names, found, known) or (
        _answer(types, cells, names) if found is None else None
    )
    columns: dict[str, ast.expr] = {}
    if answer is None and found is None:
        taken = _in_tables(types, cells, names, known)
        if taken is None:
            return Prediction(rows=rows)
        answer = taken.stmt, taken.value
        columns = {text: part for text, (_, part) in taken.columns.items()}
        ends += [
            end
            for made, part in taken.columns.values()
            for end in slicer.reaching(made.id, names_in(part) - names)
        ]
    if answer is not None:
        stmt, value = answer
        result, last = "", stmt.id
        own_rows = (_rows(p, stmt, sink, names, slicer, types) for p in predictions(value, names))
        rows = next((r for r in own_rows if r is not None), rows)
    elif found is not None:
        result, ends = found
    of_training = {
        s.id for s, p in predicts if _is_fitted_on(_rows(p, s, sink, names, slicer, types), s, sink, slicer)
    }
    learning = judges | summing_up(flow, slicer, of_training)
    trained = found_by(learning, slicer, (s.id for s, _ in predicts)) - {last, *ends}
    inside = {s.id for s in cells} - trained
    own = names_in(rows) | names
    if value is not None:  # only what the value reads, not what it is stored in
        tables = {text.split("[")[0].split(".")[0] for text in columns}
        ends += slicer.reaching(last, names_in(value) - own - tables)

    def of_predictions(use: Use) -> bool:
        return use.name not in own and not trained & {*use.reaches} and not inside.isdisjoint(use.reaches)

    needed = slicer.backward(set(ends) - trained, of_predictions)
    inside |= begun(slicer, types, needed - inside, rows, [s.id for s, _ in predicts])
    stmts = needed & inside | ({last} if value is not None else set())
    stmts |= {id for id in switched(cells, names) if stmts and id < max(stmts)}
    read = [*columns.values(), *([value] if value is not None else [])]
    stmts -= _unread(slicer, stmts - {last}, stmts, read)
    return Prediction(tuple(sorted(stmts)), rows, result, value=value, columns=columns)


def _unread(slicer: Slicer, stored: set[int], stmts: set[int], answer: list[ast.expr]) -> set[int]:
    """Those of `stored` that put predictions into a column which no statement, nor the answer, reads."""
    nodes = [*(slicer.flow.by_id[id].node for id in stmts), *answer]
    read: set[str] = set()
    for node in nodes:
        columns = [
            n for n in ast.walk(node) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)
        ]
        read |= {ast.unparse(n) for n in columns if isinstance(n.ctx, ast.Load)}
        bases = {id(n.value) for n in columns}
        read |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in bases}
    found = set()
    for id_ in stored:
        node = slicer.flow.by_id[id_].node
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and _column(node):
            target = node.targets[0]
            if not {ast.unparse(target), root(target)} & read:
                found.add(id_)
    return found


def _in_tables(types: Types, cells: list[Stmt], names: set[str], answers: Answers) -> Answer | None:
    """The answer among the values that go into tables, or a probability that nothing cuts."""

    def decides(node: ast.AST) -> bool:
        made = {method_of(p) for p in predictions(node, names)}
        return bool(made & {*LABELS, "labels_"}) or any(_cuts(n) for n in ast.walk(node))

    def judges(stmt: Stmt, node: ast.expr) -> bool:
        return has_score(node, types) or answers.read_by(stmt.id, node)

    found = answer_in_tables(cells, names, decides, judges)
    return replace(found, value=_whole(found.value)) if found is not None else None


def _deciding(
    flow: Flow, tags: CellTags, sink: Sink, slicer: Slicer, names: set[str], judges: set[int]
) -> list[Stmt]:
    """The statements of the inference cells; where none of them predicts, also those of other cells that make
    the predictions which they work on, but by no value that was found by judging predictions.
    """
    cells = _inference(flow, tags, sink)
    if any(True for s in cells for _ in predictions(s.node, names)):
        return cells
    if is_network(sink):  # it has no method that predicts: only the notebook says how
        return [s for s in flow.by_id.values() if s.id > sink.stmt and not isinstance(s.node, DEFINITIONS)]
    made = {
        s.id
        for s in flow.by_id.values()
        if s.id >= sink.stmt and not isinstance(s.node, DEFINITIONS)
        for p in predictions(s.node, names)
        if method_of(p) in (*LABELS, "predict_proba", "labels_")
    }
    others = judges - {s.id for s in cells}
    after = slicer.forward(made - others, lambda id: id in others)

    def of_predictions(use: Use) -> bool:
        return not use.name.startswith("<") and bool(set(use.reaches) & after)

    path = slicer.backward([s.id for s in cells], of_predictions, others)
    if not path & made:
        return cells
    inside = {s.id for s in cells} | path & after
    return [s for s in flow.by_id.values() if s.id in inside]


def _with_holders(cells: list[Stmt], names: set[str], slicer: Slicer, types: Types) -> list[Stmt]:
    """The statements with those of other cells that only put rows into what the model predicts on."""
    inside = {s.id for s in cells}
    for stmt in cells:
        for call in predict_calls(stmt.node, names):
            if call.args:
                inside |= set(held(call.args[0], stmt.id, slicer, types).stmts)
    return [s for s in slicer.flow.by_id.values() if s.id in inside]


def _rows(
    made: ast.expr, stmt: Stmt, sink: Sink, names: set[str], slicer: Slicer, types: Types
) -> ast.expr | None:
    """What is predicted on: the rows in a DMatrix, or what the model was fitted on where it gives labels."""
    if method_of(made) in ("fit_predict", "labels_"):
        return sink.x
    given = given_rows(made, names)
    return as_fitted(held(given, stmt.id, slicer, types).x, sink.x) if given is not None else None


def _is_fitted_on(rows: ast.expr | None, stmt: Stmt, sink: Sink, slicer: Slicer) -> bool:
    """Whether the rows that a statement predicts are those that the model was fitted on."""
    if rows is None or ast.dump(rows) != ast.dump(sink.x):
        return False
    names = names_in(rows)
    return rows is sink.x or slicer.reaching(stmt.id, names) == slicer.reaching(sink.data, names)


def for_new_rows(flow: Flow, types: Types, sink: Sink, prediction: Prediction) -> dict[ast.AST, str]:
    """What of the notebook's prediction is written otherwise for new rows, each with its text: the rows, what
    holds them, the model where it is no variable, and labels that the fit gave.
    """
    slicer = Slicer(flow)
    texts: dict[ast.AST, str] = {}
    wanted = ast.dump(prediction.rows) if prediction.rows is not None else ""
    model = ast.dump(sink.held) if sink.held is not None else ""
    names = aliases(flow, sink)
    nodes = [flow.by_id[id].node for id in prediction.stmts]
    columns = _variables(nodes)
    stored = {ast.dump(ast.parse(text, mode="eval").body): name for text, name in columns.items()}
    for id in prediction.stmts:
        node = flow.by_id[id].node
        for made in predictions(node, names):
            if made is sink.call or isinstance(made, ast.Attribute):
                texts[made] = f"{sink.model}.predict(X)"
            if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
                receiver = made.func.value
                if isinstance(receiver, ast.Name) and receiver.id in names - {
                    sink.model,
                    *turns(node, names),
                }:
                    texts[receiver] = sink.model  # another name for it
            if (given := given_rows(made, names)) is not None and made not in texts:
                rows = held(given, id, slicer, types)
                text = text_with(rows.x, {ast.dump(as_fitted(rows.x, sink.x)): "X"})
                if rows.holders:
                    texts[rows.holders[-1]] = without_labels(rows.holders[-1], text)
                else:
                    texts[given] = text
        for count in row_counts(slicer, types, id, prediction.rows, prediction.stmts):
            texts[count] = "len(X)"
        for inner in ast.walk(node):
            if isinstance(inner, ast.expr) and not isinstance(getattr(inner, "ctx", None), ast.Store):
                if isinstance(inner, ast.Call) and (index := _row_index(inner)) is not None:
                    texts[index] = "None"  # labels of rows that the notebook had
                if prediction.columns and (part := prediction.columns.get(ast.unparse(inner))) is not None:
                    text = text_with(part, {**stored, wanted: "X"})
                    texts[inner] = text if isinstance(part, ast.Name) else f"({text})"
                elif ast.dump(inner) == wanted:
                    texts.setdefault(inner, "X")
                elif ast.dump(inner) == model:
                    texts.setdefault(inner, sink.model)
                elif counts_rows(inner, prediction.rows):
                    texts.setdefault(inner, "len(X)")
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Subscript) and ast.unparse(inner) in columns:
                texts[inner] = columns[ast.unparse(inner)]
    return texts


def _variables(nodes: list[ast.stmt]) -> dict[str, str]:
    """The variables that stand for columns in which statements store predictions, by the texts of these."""
    taken = {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}
    columns: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and _column(node):
            name = _column(node)
            while name in taken:
                name += "_"
            if columns.setdefault(ast.unparse(node.targets[0]), name) == name:
                taken.add(name)
    return columns


def _row_index(node: ast.Call) -> ast.expr | None:
    """`test.index` of `pd.Series(labels, index=test.index)`."""
    given = [k.value for k in node.keywords if k.arg == "index"] if method(node) == "Series" else []
    return next((v for v in given if isinstance(v, ast.Attribute) and v.attr == "index"), None)


def _column(node: ast.stmt) -> str:
    """The variable that stands for a column in which predictions are stored, and from which they are read."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str() as name))]):
            plain = re.sub(r"\W+", "_", name).strip("_").lower()
            return plain if plain.isidentifier() and not keyword.iskeyword(plain) else "stored"
    return ""


def refuse_predictions(
    flow: Flow, types: Types, tags: CellTags, sink: Sink, prediction: Prediction
) -> list[Refusal]:
    """Predictions that `find_prediction` cannot take over as they are."""
    cells = _inference(flow, tags, sink, functions=True)
    names, slicer = aliases(flow, sink), Slicer(flow)
    plain = [s for s in cells if not isinstance(s.node, DEFINITIONS)]
    hand = {h.name: h for h in by_hand(plain, names, slicer, types)}
    every, marked = plain, names
    names = names - {mark for h in hand.values() for mark in h.marks}
    plain = [s for s in plain if not hand.keys() & {getattr(c.func, "id", "") for c in calls(s.node)}]
    cells = [s for s in cells if s in plain or getattr(s.node, "name", "") not in {"", *hand}]
    known = answers_of(flow, types, slicer, sink)
    refusals = list(_reworked_columns(plain, names, prediction))
    refusals += _left_out(types, every, marked, prediction, known)
    refusals += _no_new_rows(flow, types, sink)
    if isinstance(prediction.rows, ast.Constant):  # print(predict_customer(0.2, 1.1))
        detail = "it predicts from single values; give the model a table of rows in the cell itself"
        span = flow.by_id[prediction.stmts[-1]].span if prediction.stmts else flow.by_id[sink.stmt].span
        refusals.append(Refusal("NBP403", span, sink.model, detail))
    refusals += _of_other_rows(types, prediction, names, slicer)
    for function in hand.values() if not prediction.stmts else ():
        if not function.own:
            detail = "it makes something else of the prediction of a row; predict a table in the cell itself"
            span = next(s for s in flow.by_id.values() if s.node is function.node).span
            refusals.append(Refusal("NBP403", span, function.name, detail))
    refusals += _by_turns([s for s in plain if s.id not in prediction.stmts], names)
    if not refusals:
        later = [s for s in flow.by_id.values() if s.id >= sink.stmt]
        refusals += refuse_combined(later, plain, names, types, prediction, known)
    if not refusals:
        refusals += _by_functions_of_tables(plain, names)
    own = any(True for s in plain for _ in predictions(s.node, names))
    if own and not prediction.stmts:
        refusals += _not_taken_over(flow, [s for s in plain if not known.read_by(s.id, s.node)], names)
    if not own and not prediction.stmts:
        refusals += _by_functions(types, sink, plain, slicer)
    network = is_network(sink)
    taken = bool(own_answer(sink, slicer, types)) if network else own and CALLED not in names
    if prediction.stmts or taken:
        return refusals
    if CALLED in names or network:
        span = flow.by_id[sink.stmt].text.span(sink.call)
        detail = "no inference cell predicts with it in a way that can be taken over"
        return [*refusals, Refusal("NBP403", span, sink.model, detail)]
    for stmt in cells:
        for call in calls(stmt.node):
            if method(call) not in (*PREDICT_METHODS, "forecast", "get_forecast"):
                continue
            span = stmt.text.span(stmt.node)
            if isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)):
                detail = "it predicts inside of a function; assign the prediction in the cell itself"
                return [*refusals, Refusal("NBP403", span, stmt.node.name, detail)]
            return [*refusals, Refusal("NBP405", span, f"`{root(call.func)}`, `{sink.model}`")]
    return refusals


def _not_taken_over(flow: Flow, cells: list[Stmt], names: set[str]) -> Iterator[Refusal]:
    """What inference cells keep of predictions where no statement of them could become the project's own."""
    made: set[int] = set()
    for stmt in cells:
        derived = any(set(u.reaches) & made for u in flow.uses_of(stmt.id))
        if not derived and not any(True for _ in predictions(stmt.node, names)):
            continue
        made.add(stmt.id)
        turns = {n for s in ast.walk(stmt.node) if isinstance(s, ast.For) for n in names_in(s.target)}
        kept = {name for name in flow.changed_by(stmt.id) - turns if not name.startswith("<")}
        if kept:
            detail = "predictions are kept in a way that cannot be taken over; make them with one expression"
            yield Refusal("NBP403", stmt.span, sorted(kept)[0], detail)


def _by_functions(types: Types, sink: Sink, cells: list[Stmt], slicer: Slicer) -> Iterator[Refusal]:
    """Calls of which nothing is known, on something that the model was put into: they may predict."""
    after = slicer.forward({sink.made}, lambda id: False)
    for stmt in cells:
        for call in calls(stmt.node) if stmt.id in after else ():
            if types.fact(call) is None and not types.api_of(call).startswith("builtins."):
                detail = "how it uses the model is not seen; predict with the model in the cell itself"
                yield Refusal("NBP403", stmt.text.span(call), ast.unparse(call.func), detail)
                return


def _by_turns(cells: list[Stmt], names: set[str]) -> Iterator[Refusal]:
    """An inference cell in which one model after the other predicts."""
    for stmt in cells:
        for node in ast.walk(stmt.node):
            if not isinstance(node, (ast.For, ast.comprehension)):
                continue
            turns = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
            if any(root(p) in turns for p in predict_calls(stmt.node, names | turns)):
                models = f"those of `{ast.unparse(node.iter)}`"
                yield Refusal("NBP405", stmt.text.span(stmt.node), models)
                return


def _of_other_rows(
    types: Types, prediction: Prediction, names: set[str], slicer: Slicer
) -> Iterator[Refusal]:
    """Predictions of two sets of rows, such as a cut among those of the training rows."""
    own, by_id = prediction.rows, slicer.flow.by_id
    if own is None:
        return
    for id in prediction.stmts:
        for made in predictions(by_id[id].node, names):
            given = given_rows(made, names)
            behind = held(given, id, slicer, types) if given is not None else None
            rows = behind.x if behind is not None else None
            if behind is not None and behind.y is not None and len(behind.holders) > 1:
                detail = "what holds the rows holds the target as well, which is not there when serving"
                yield Refusal("NBP403", by_id[id].text.span(made), ast.unparse(behind.holders[0]), detail)
            elif rows is not None and root(rows) != root(own):
                detail = f"what is predicted for `{root(own)}` would depend on these rows as well"
                yield Refusal("NBP402", by_id[id].text.span(made), ast.unparse(made), detail)


def _no_new_rows(flow: Flow, types: Types, sink: Sink) -> Iterator[Refusal]:
    """A clustering that only labels the rows that it was made of: DBSCAN, agglomerative."""
    if not isinstance(sink.call.func, ast.Attribute):
        return
    receiver = sink.call.func.value
    kind = types.of(receiver) or types.api_of(receiver)
    if kind in NO_NEW_ROWS:
        detail = "it labels only the rows that it was fitted on and cannot predict new ones"
        stmt = flow.by_id[sink.stmt]
        yield Refusal("NBP403", stmt.text.span(sink.call), kind.rpartition(".")[2], detail)


def _inference(flow: Flow, tags: CellTags, sink: Sink, functions: bool = False) -> list[Stmt]:
    return [
        s
        for s in flow.by_id.values()
        if "infer" in tags.of(s.cell)
        and s.id > sink.stmt
        and (functions or not isinstance(s.node, (ast.FunctionDef, ast.ClassDef)))
    ]


def _variable(
    slicer: Slicer,
    types: Types,
    cells: list[Stmt],
    predicts: list[tuple[Stmt, ast.expr]],
    rows: ast.expr | None,
    names: set[str],
    answers: Answers,
) -> tuple[str, list[int]] | None:
    """The last variable with a prediction for each row, and the statements that make and change it."""
    flow = slicer.flow
    touched = {s.id for s, _ in predicts}
    labels = any(method_of(p) == "predict" for _, p in predicts)
    best: tuple[str, int] | None = None
    for stmt in cells:
        if stmt.id < predicts[0][0].id or answers.read_by(stmt.id, stmt.node):
            continue
        reads = stmt.id in touched or any(set(u.reaches) & touched for u in slicer.uses(stmt.id))
        value = getattr(stmt.node, "value", None)
        if isinstance(value, ast.Lambda):
            continue
        target, value = added_up(stmt.node) or _assigned(stmt.node)
        if not reads or target is None:
            continue
        if not _is_row_result(value, types, rows):
            table = value is not None and types.of(value) == "pandas.DataFrame"
            if table and _only(value, names, touched, slicer, stmt.id):
                touched.add(stmt.id)  # predictions in a frame of their own
            continue
        touched.add(stmt.id)
        made = slicer.backward([stmt.id], lambda use: any(r in touched for r in use.reaches)) & touched
        nodes = [flow.by_id[id].node for id in made]
        if _is_label(nodes, stmt.node, labels, names):
            best = (target, stmt.id)
    if best is None:
        return None
    result, last = best
    inside = {s.id for s in cells}
    changes = [d.stmt for d in flow.defs if d.name == result and d.kind == "mutate" and d.stmt in inside]
    return result, [last, *(s for s in changes if s > last)]


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    """The variable that a statement assigns and its value; the last one of a `with` block."""
    while isinstance(node, ast.With):
        node = node.body[-1]
    name, value = assigned_name(node), getattr(node, "value", None)
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="_"), ast.Name(id=name)])]):
            return name, value  # _, predicted = torch.max(scores, 1)
    return name, value


def _only(value: object, names: set[str], touched: set[int], slicer: Slicer, at: int) -> bool:
    """Whether a table is made of predictions alone: `pd.DataFrame(p)`."""
    if not isinstance(value, ast.Call) or method(value) != "DataFrame" or len(value.args) != 1:
        return False
    given = value.args[0]
    if any(True for _ in predictions(given, names)):
        return True
    return isinstance(given, ast.Name) and bool(slicer.reaching(at, {given.id}) & touched)


def _is_row_result(value: object, types: Types, rows: ast.expr | None) -> bool:
    """A value with one entry a row: a column, an array or a list, as long as the rows predicted."""
    assert isinstance(value, ast.expr)
    product = isinstance(value, ast.BinOp) and isinstance(value.op, ast.MatMult)
    if (types.of(value) in NO_ROWS and not product) or _whole(value) is not value:
        return False
    site = types.site(value)
    seen = types.site(rows) if rows is not None else None
    if site is not None and site.shape and seen is not None and seen.shape:
        is_call = isinstance(value, ast.Call) and "predict" in method(value)
        return site.shape[0] == seen.shape[0] and (site.shape[1:] in ((), (1,)) or is_call)
    return True


def _is_label(made: list[ast.stmt], last: ast.stmt, labels: bool, names: set[str]) -> bool:
    """Whether it is a prediction; a bare probability is none where the model's labels are used too."""
    used = {method_of(p) for node in made for p in predictions(node, names)}
    if used & {*LABELS, "labels_"}:
        return True
    return not labels and any(_cuts(n) for n in ast.walk(last))


def _answer(types: Types, cells: list[Stmt], names: set[str]) -> tuple[Stmt, ast.expr] | None:
    """The last value that an inference cell stores in a column, shows, or takes one row of."""
    found: tuple[Stmt, ast.expr] | None = None
    for stmt in cells:
        node = stmt.node
        values: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            values = [node.value]
        elif isinstance(node, ast.Expr):
            values = list(shown(node.value))
        for value in values:
            whole = _whole(value)
            made = {method_of(p) for p in predictions(whole, names)}
            if not made or has_score(whole, types) or isinstance(whole, (ast.Dict, ast.List, ast.Tuple)):
                continue
            if types.of(whole) == "pandas.DataFrame" or is_table(whole):
                continue
            if made & {*LABELS, "labels_"} or any(_cuts(n) for n in ast.walk(whole)):
                found = (stmt, whole)
    return found


def _stored(
    types: Types,
    cells: list[Stmt],
    names: set[str],
    found: tuple[str, list[int]] | None,
    answers: Answers,
) -> tuple[Stmt, ast.expr] | None:
    """What is made of the predictions on the way into a table: `DataFrame({"price": np.expm1(p)})`,
    `df["cluster"] = labels + 1`.
    """
    made = {found[0]} if found is not None else set()
    answer: tuple[Stmt, ast.expr] | None = None
    for stmt in cells:
        value = getattr(stmt.node, "value", None)
        if not isinstance(value, ast.expr) or (found is not None and stmt.id <= max(found[1])):
            continue
        parts = [part for call in calls(value) if is_table(call) for _, part in columns_of(call)]
        if isinstance(stmt.node, ast.Assign) and isinstance(stmt.node.targets[0], ast.Subscript):
            parts.append(value)
        if isinstance(stmt.node, ast.Assign) and _column(stmt.node) and _touches(value, names, made):
            made.add(ast.unparse(stmt.node.targets[0]))
        for part in parts:
            computed = _computes(part, names, made, types) and not has_score(part, types)
            if computed and not answers.read_by(stmt.id, part):
                answer = (stmt, _whole(part))
    return answer


def _left_out(
    types: Types, cells: list[Stmt], names: set[str], prediction: Prediction, answers: Answers
) -> Iterator[Refusal]:
    """Computations on predictions that are no part of what is taken over: the answer would be another."""
    derived = {prediction.result} - {""}
    if prediction.value is not None:
        steps = [s for s in cells if s.id in prediction.stmts]
        derived |= {name for s in steps if (name := assigned_name(s.node)) is not None}
    gathered: set[str] = set()
    for stmt in cells:
        if answers.read_by(stmt.id, stmt.node):
            continue  # it judges predictions
        target = assigned_name(stmt.node)
        value = getattr(stmt.node, "value", None)
        taken = stmt.id in prediction.stmts
        if not taken:
            gathered |= _gathered(stmt.node, names, derived)
        if isinstance(stmt.node, ast.Assign) and any(_stores(stmt.node)) and names_in(value) & gathered:
            detail = "one value after another is made of the predictions; make them with one expression"
            yield Refusal("NBP403", stmt.text.span(stmt.node), ast.unparse(stmt.node.targets[0]), detail)
            return
        if not taken and not has_score(stmt.node, types):
            for part in ast.walk(stmt.node):
                if isinstance(part, ast.expr) and _transforms(part, names, derived, types):
                    detail = (
                        "what it does with the prediction is not taken over; assign it to a variable first"
                    )
                    yield Refusal("NBP403", stmt.text.span(stmt.node), ast.unparse(part), detail)
                    return
        if target is not None and isinstance(value, ast.expr) and _touches(value, names, derived):
            derived.add(target)


def _by_functions_of_tables(cells: list[Stmt], names: set[str]) -> Iterator[Refusal]:
    """`df.assign(p=model.predict(X)).assign(label=lambda t: t.p > 0.5)`, of which only `p` would be taken."""
    for stmt in cells:
        for call in calls(stmt.node):
            lambdas = any(isinstance(k.value, ast.Lambda) for k in call.keywords)
            if method(call) == "assign" and lambdas and any(True for _ in predictions(call.func, names)):
                detail = "a function makes a column of predictions; assign it in a statement of its own"
                yield Refusal("NBP403", stmt.text.span(stmt.node), "assign", detail)
                return


def _gathered(node: ast.stmt, names: set[str], derived: set[str]) -> set[str]:
    """The lists and dictionaries that a loop over predictions fills."""
    found: set[str] = set()
    for loop in ast.walk(node):
        if isinstance(loop, ast.For) and _touches(loop.iter, names, derived):
            for part in ast.walk(loop):
                if isinstance(part, ast.Call) and method(part) in ("append", "extend", "insert"):
                    found.add(root(part.func))
                elif isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store):
                    found.add(root(part))
        elif isinstance(node, ast.Assign) and isinstance(loop, ast.ListComp):
            if any(_touches(part.iter, names, derived) for part in loop.generators):
                found.add(assigned_name(node) or "")
    return found - {""}


def _touches(node: ast.AST, names: set[str], derived: set[str]) -> bool:
    """Whether an expression is about predictions."""
    if any(method_of(p) in (*LABELS, "labels_") for p in predictions(node, names)):
        return True
    return any(isinstance(n, (ast.Name, ast.Subscript)) and ast.unparse(n) in derived for n in ast.walk(node))


def _transforms(node: ast.expr, names: set[str], derived: set[str], types: Types) -> bool:
    """A call or an operation with a number that makes other values of predictions."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RECODES:
        if not isinstance(node.func.value, ast.Call) or method(node.func.value) in ("Series", "DataFrame"):
            return _touches(node.func.value, names, derived)
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        about = [side for side in sides if _touches(side, names, derived)]
        return len(about) == 1 and all(isinstance(s, ast.Constant) for s in sides if s not in about)
    if not isinstance(node, ast.Call) or any(True for _ in [node] if method(node) in PREDICT_METHODS):
        return False
    if not any(_touches(a, names, derived) for a in node.args):
        return False
    if method(node) in ("inverse_transform",) or types.api_of(node).startswith("notebook:"):
        return True
    fact = types.fact(node)
    return fact is not None and fact.effect == "row-wise" and types.api_of(node).startswith("numpy.")


def _computes(node: ast.expr, names: set[str], made: set[str], types: Types) -> bool:
    """More than the bare prediction: the table holds what is made of it."""
    whole = _whole(node)
    return any(_transforms(n, names, made, types) for n in ast.walk(whole) if isinstance(n, ast.expr))


def _whole(value: ast.expr) -> ast.expr:
    """The predictions of all rows, of which the notebook shows the first: `p[:5]`, `int(p[0])`."""
    while True:
        match value:
            case ast.Subscript(
                value=inner, slice=ast.Slice(lower=None, step=None) | ast.Constant(value=int())
            ):
                value = inner
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in (*FIRST_ROWS, *SUMMARIES):
                value = inner
            case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[], keywords=[]) if (
                name in AGGREGATES
            ):
                value = inner
            case ast.Call(func=ast.Name(id=name), args=[ast.Subscript() as inner, *_]) if name in CASTS:
                value = inner
            case _:
                return value


def _reworked_columns(cells: list[Stmt], names: set[str], prediction: Prediction) -> Iterator[Refusal]:
    """A prediction that is stored in a column and changed there: the column is no variable of its own."""
    stored: dict[tuple[str, str], None] = {}  # in their order: the first that is changed is told
    derived: set[str] = set()
    for stmt in cells:
        node = stmt.node
        for owner, column in stored if stmt.id not in prediction.stmts else ():
            if any(_changes(inner, owner, column) for inner in ast.walk(node)):
                detail = "it changes predictions in a column; change them in a variable, then store them"
                yield Refusal("NBP403", stmt.text.span(node), f"{owner}[{column!r}]", detail)
                return
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign) or not isinstance(value, ast.expr):
            continue
        about = any(True for _ in predictions(value, names)) or bool(names_in(value) & derived)
        about |= any(column_of(p) in stored for p in ast.walk(value) if isinstance(p, ast.expr))
        target = node.targets[0]
        if isinstance(target, ast.Name) and not is_table(value):
            copied = [(target.id, column) for owner, column in stored if owner == root(value) != target.id]
            stored |= dict.fromkeys(copied)
            if about:
                derived.add(target.id)
        if about:
            stored |= dict.fromkeys(_stores(node))


def _stores(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """The columns that a statement fills: of a frame that is there, or of one that it makes."""
    target, value = node.targets[0], node.value
    match target:
        case ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value=str() as column)):
            yield owner, column
        case ast.Name(id=owner) if is_table(value):
            yield from ((owner, column) for column, _ in columns_of(value))


def _changes(node: ast.AST, owner: str, column: str) -> bool:
    """Whether a store or a call in place changes a column: `df.loc[mask, "y"] = 1`, `df["y"] *= 2`."""
    part: ast.AST | None = None
    if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
        part = node
    elif isinstance(node, ast.Call) and any(k.arg == "inplace" for k in node.keywords):
        part = node.func
    if part is None or root(part) != owner:
        return False
    named = {n.value for n in ast.walk(part) if isinstance(n, ast.Constant)}
    named |= {n.attr for n in ast.walk(part) if isinstance(n, ast.Attribute)}
    return column in named


def _cuts(node: ast.AST) -> bool:
    """A comparison, `argmax` or the like, which makes a label of a probability."""
    if isinstance(node, ast.Compare):
        return True
    return isinstance(node, ast.Call) and method(node) in ("argmax", "astype", "where", "round", "idxmax")
