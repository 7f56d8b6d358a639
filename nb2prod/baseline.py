"""What the notebook's plain run must leave so that the project can be compared with it.

`taps` keeps what the model was fitted on, the fitted model and the notebook's metrics; `tail` lets the
notebook's model predict, in the notebook's own kernel and by the notebook's own post-processing; `script`
is the model's slice as a plain script for check V0.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nb2prod.analysis.effects import NUMPY_RANDOM, PYTHON_RANDOM, TORCH_RANDOM
from nb2prod.analysis.holders import held
from nb2prod.analysis.model import PREDICT_METHODS
from nb2prod.analysis.nodes import inner_calls, method, names_in
from nb2prod.analysis.predictors import given_rows, predict_calls
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.stages import Metric, Role, StageGraph
from nb2prod.lower import Lowering
from nb2prod.lower.rewrite import Edits, source
from nb2prod.run import Tap
from nb2prod.source import Span

PLAIN = Edits({}, frozenset(), {})
SLICE_X = "nb2prod_slice_x"
STREAMS = {
    "random": PYTHON_RANDOM,
    "numpy": NUMPY_RANDOM,
    "torch": TORCH_RANDOM,
}  # as the recorder names them


def taps(graph: StageGraph, flow: Flow, types: Types) -> list[Tap]:
    """The values to keep, under the names of their roles in verification."""
    sink = graph.sink
    assert sink is not None
    fit = flow.by_id[sink.data]
    model = sink.model if sink.held is None else ast.unparse(sink.held)
    found = [
        Tap("X_train", fit.span, "before", ast.unparse(sink.x), with_random=True),
        Tap("model", flow.by_id[_last_change(graph, flow)].span, "after", model),
    ]
    body = graph.stage(Role.FEATURES).stmts
    if body:
        found.append(Tap("features", flow.by_id[body[0]].span, "before", "0", with_random=True))
    trained = graph.stage(Role.TRAIN).stmts
    if trained:
        found.append(Tap("train", flow.by_id[trained[0]].span, "before", "0", with_random=True))
    found += _target_taps(graph, flow, fit)
    name = next((n for n, what in graph.train_names.items() if what == "X_eval"), "")
    place = _prepared(graph, flow) or _first_read(graph, flow, name)
    if place is not None and sink.frame and isinstance(sink.x, ast.Subscript):
        spans = [flow.by_id[s].span for s in graph.stage(Role.TRAIN).stmts]
        read = next(s for s in spans if s.cell == place.cell and s.line <= place.line <= s.end_line)
        found.append(Tap("X_eval", read, "before", f"{name}[{ast.unparse(sink.x.slice)}]"))
    elif place is not None:
        found.append(Tap("X_eval", place, "value"))
    found += [*_judged_rows(graph, flow, types), *_new_rows(graph, flow)]
    found += [replace(_metric_tap(metric, flow), metric=True) for metric in graph.metrics]
    for candidate in graph.candidates:
        found += _candidate_taps(candidate, flow)
    for name in _changed_by_prediction(graph, flow):
        first = flow.by_id[graph.prediction.stmts[0]]
        found.append(Tap(f"given_{name}", first.span, "before", name))
    side = prediction_side(graph, flow) or ("final" if _predicts_evaluation(graph, flow) else "")
    if side and graph.prediction.stmts:
        last = flow.by_id[graph.prediction.stmts[-1]]
        value = graph.prediction.value
        if value is None:
            found.append(Tap(f"predictions_{side}", last.span, "after", graph.prediction.result))
        else:
            found.append(Tap(f"predictions_{side}", last.text.span(value), "value"))
    return found


def asides(graph: StageGraph, flow: Flow, types: Types) -> list[Tap]:
    """Keeps what the project leaves out from moving the random streams that the notebook never seeds.

    Where such a stream stands means nothing, so each draw of the project may begin where the one before it
    ended, as in the project.  A stream that is seeded is left alone: what draws from it is kept.
    """
    seeded = {effect.target for effect in flow.effects if effect.kind == "seeds"}
    streams = tuple(name for name, resource in STREAMS.items() if resource not in seeded)
    if not streams or any(_seeds_unseen(stmt, types) for stmt in flow.by_id.values()):
        return []
    kept = {s for stage in graph.stages for s in stage.stmts} | graph.floating | set(graph.parameters)
    found = []
    begun: Stmt | None = None
    for id, stmt in flow.by_id.items():
        if id not in kept:
            begun = begun or stmt
        elif begun is not None and id not in graph.floating:
            for at in (begun, stmt):
                found.append(Tap(f"aside {begun.id}", at.span, "before", "0", streams=streams))
            begun = None
    return found


def _seeds_unseen(stmt: Stmt, types: Types) -> bool:
    """A call of which nothing is known but that its name says that it seeds: `seed_everything(1)`."""
    return any(
        "seed" in (method(call) or getattr(call.func, "id", "")).lower() and types.fact(call) is None
        for call in inner_calls(stmt.node)
    )


def _judged_rows(graph: StageGraph, flow: Flow, types: Types) -> Iterator[Tap]:
    """The rows that training judges the model on where no split gave them: chosen by hand or of another
    file.
    """
    sink = graph.sink
    assert sink is not None
    if graph.split is not None:
        return
    for id in graph.stage(Role.TRAIN).stmts:
        for call in predict_calls(flow.by_id[id].node, {sink.model}, (*PREDICT_METHODS, "score")):
            given = given_rows(call, {sink.model})
            behind = held(given, id, Slicer(flow), types) if given is not None else None  # xgb.DMatrix(rows)
            rows = behind.x if behind is not None else None
            known = rows is None or call is sink.call or ast.dump(rows) == ast.dump(sink.x)
            if behind is None or known or any(graph.train_names.get(n) for n in names_in(behind.x)):
                continue
            yield from _as_loaded("rows_judged", behind.stmt, behind.x, graph, flow)
            yield Tap("X_judged", flow.by_id[behind.stmt].text.span(behind.x), "value")
            return


def _new_rows(graph: StageGraph, flow: Flow) -> Iterator[Tap]:
    """The rows that the inference cells predict where they are none of the split's."""
    rows, slicer = graph.prediction.rows, Slicer(flow)
    if rows is None or prediction_side(graph, flow) or _predicts_evaluation(graph, flow):
        return
    predicting = [s for s in graph.prediction.stmts if slicer.reaching(s, names_in(rows))]
    if predicting:
        yield from _as_loaded("rows_new", predicting[0], rows, graph, flow)
        yield Tap("X_new", flow.by_id[predicting[0]].span, "before", ast.unparse(rows))


def _as_loaded(role: str, at: int, rows: ast.expr, graph: StageGraph, flow: Flow) -> Iterator[Tap]:
    """The table of another file that these rows of statement `at` come from, as it is loaded."""
    slicer = Slicer(flow)
    kept = {s for stage in graph.stages for s in stage.stmts}
    made = sorted(slicer.backward(slicer.reaching(at, names_in(rows))))
    read = [s for s in made if any(e.kind == "reads-file" for e in flow.effects_of(s))]
    read = [s for s in read if graph.frames[0] not in flow.defined_by(s)]
    read = read if len(read) == 1 else [s for s in read if s not in kept]  # tables to look up are needed too
    match [flow.by_id[s].node for s in read]:
        case [ast.Assign(targets=[ast.Name(id=name)])]:
            cell = flow.by_id[read[0]].cell
            loading = "load" in graph.tags.get(cell, "").split(",")  # else the cell prepares them too
            loaded = [s for s in flow.by_id if flow.by_id[s].cell == cell and name in flow.changed_by(s)]
            yield Tap(role, flow.by_id[loaded[-1] if loading else read[0]].span, "after", name)


def _metric_tap(metric: Metric, flow: Flow) -> Tap:
    stmt = flow.by_id[metric.stmt]
    if metric.seen is None:
        return Tap(metric.name, stmt.text.span(metric.node), "value")
    return Tap(metric.name, stmt.span, "after", ast.unparse(metric.node))


def _candidate_taps(graph: StageGraph, flow: Flow) -> Iterator[Tap]:
    """The metrics of a model that is only compared, and where its random numbers start."""
    trained = graph.stage(Role.TRAIN).stmts
    if graph.sink is None or not trained:
        return
    name = f"candidate {graph.sink.model}"
    yield Tap(name, flow.by_id[trained[0]].span, "before", "0", with_random=True)
    for metric in graph.metrics:
        tap = _metric_tap(metric, flow)
        yield replace(tap, name=f"{name} {metric.name}")


def _last_change(graph: StageGraph, flow: Flow) -> int:
    """The statement after which the model is what training hands over: its fit, or a later change of it."""
    assert graph.sink is not None
    name = graph.sink.model
    changes = [s for s in graph.stage(Role.TRAIN).stmts if name in flow.changed_by(s)]
    return max(graph.sink.made, *changes) if changes else graph.sink.made


def _changed_by_prediction(graph: StageGraph, flow: Flow) -> list[str]:
    """Values of earlier stages that the inference cells change: predictions start from them as they were."""
    changed = {d.name for d in flow.defs if d.stmt in graph.prediction.stmts}
    return [name for name in graph.prediction.given if name in changed]


def _target_taps(graph: StageGraph, flow: Flow, fit: Stmt) -> Iterator[Tap]:
    y, y_eval = graph.y
    if not y:
        return
    prepares = sorted({*graph.stage(Role.TARGET).stmts, *graph.stage(Role.FEATURES).stmts})
    where = next((s for s in reversed(prepares) if y in flow.defined_by(s)), None)
    if where is None:
        yield Tap("y_train", fit.span, "before", y)
        return
    yield Tap("y_train", flow.by_id[where].span, "after", y)
    if y_eval:
        made = next((s for s in flow.by_id if s >= where and y_eval in flow.defined_by(s)), None)
        if made is not None:
            yield Tap("y_eval", flow.by_id[made].span, "after", y_eval)


def _prepared(graph: StageGraph, flow: Flow) -> Span | None:
    """Where training first predicts on rows that it prepares on the spot."""
    wanted = {id(argument) for argument in graph.eval_arguments}
    for stmt in (flow.by_id[s] for s in graph.stage(Role.TRAIN).stmts):
        for node in ast.walk(stmt.node):
            if id(node) in wanted and isinstance(node, ast.expr):
                return stmt.text.span(node)
    return None


def _first_read(graph: StageGraph, flow: Flow, name: str) -> Span | None:
    """Where training first reads the evaluation rows."""
    for id in graph.stage(Role.TRAIN).stmts:
        stmt = flow.by_id[id]
        for node in ast.walk(stmt.node):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                split_first = any(e.kind == "splits" for e in flow.effects_of(id))
                return None if split_first else stmt.text.span(node)
    return None


def prediction_side(graph: StageGraph, flow: Flow) -> str:
    """Which rows the notebook's inference cell predicts on: eval, train, or empty for others."""
    rows = graph.prediction.rows
    if not isinstance(rows, ast.Name) or graph.sink is None:
        return ""
    stmts = [s for s in graph.prediction.stmts if any(u.name == rows.id for u in flow.uses_of(s))]
    if not stmts:
        return ""
    reaches = {r for u in flow.uses_of(stmts[0]) if u.name == rows.id for r in u.reaches}
    what = graph.train_names.get(rows.id, "")
    known = {
        r
        for s in graph.stage(Role.TRAIN).stmts
        for u in flow.uses_of(s)
        if u.name == rows.id
        for r in u.reaches
    }
    if not reaches or not reaches <= known:
        return ""
    return {"X_eval": "eval", "X_train": "train"}.get(what, "")


def _predicts_evaluation(graph: StageGraph, flow: Flow) -> bool:
    """Whether the rows that the inference cells predict come from the evaluation side of the split."""
    if graph.split is None or graph.prediction.rows is None:
        return False
    target = getattr(flow.by_id[graph.split].node, "targets", [None])[0]
    held = {e.id for e in getattr(target, "elts", [])[1::2] if isinstance(e, ast.Name)}
    own = names_in(graph.prediction.rows)
    slicer = Slicer(flow)
    made = {s for id in graph.prediction.stmts for s in slicer.reaching(id, own)}
    chain = slicer.backward(made) | set(graph.prediction.stmts)
    return any(u.name in held and graph.split in u.reaches for id in chain for u in slicer.uses(id))


def tail(graph: StageGraph, flow: Flow, lowering: Lowering) -> str:
    """Code for after the last cell: the notebook's own prediction for the rows that the model was fitted on.

    It leaves nothing behind but what it saves; a failure is no failure of the notebook.
    """
    assert graph.sink is not None
    model = graph.sink.model if graph.sink.held is None else ast.unparse(graph.sink.held)
    changed = _changed_by_prediction(graph, flow)
    settings = sorted(name for id in graph.parameters for name in flow.defined_by(id))
    given = ", ".join(
        f'"{name}": _kept("given_{name}")' if name in changed else f'"{name}": {name}'
        for name in (*graph.prediction.given, *settings)
    )
    already = prediction_side(graph, flow) if graph.prediction.stmts else ""
    lines = [
        "from __future__ import annotations",
        "import pickle as _pickle",
        "def _kept(name):",
        "    entry = __nb2prod__.index['values'].get(name) or {}",
        "    file = entry.get('file')",
        "    if not file:",
        "        return None",
        "    import os",
        "    with open(os.path.join(__nb2prod__.config['baseline'], file), 'rb') as stream:",
        "        return _pickle.load(stream)",
        "import copy",
        lowering.decide,
        "_model = _kept('model')",
        f"_model = {model} if _model is None else _model",
        "for _side in ('train', 'eval'):",
        f"    if 'predictions_' + _side == 'predictions_{already}':",
        "        continue",
        "    _X = _kept('X_' + _side)",
        "    if _X is not None:",
        "        try:",
        f"            _y = decide(_model, _X, {{{given}}})",
        "            __nb2prod__.save('predictions_' + _side, lambda: _y)",
        "        except Exception as _error:",
        "            print('nb2prod: no predictions:', _error)",
    ]
    return "\n".join(lines)


def script(graph: StageGraph, flow: Flow) -> str:
    """The statements that X depends on, as the notebook has them, as one script."""
    assert graph.sink is not None
    wanted = {s for role in (Role.LOAD, Role.FEATURES, Role.TARGET) for s in graph.stage(role).stmts}
    wanted |= {id for id in graph.floating if id < graph.sink.stmt}
    wanted |= {d.stmt for d in flow.defs if d.name.endswith(" options>") and d.stmt < graph.sink.stmt}
    texts = [source(flow.by_id[id], PLAIN) for id in sorted(wanted)]
    return "\n".join([*texts, f"{SLICE_X} = {ast.unparse(graph.sink.x)}", ""])


def write_script(graph: StageGraph, flow: Flow, folder: Path) -> Path:
    path = folder / "slice.py"
    path.write_text(script(graph, flow), encoding="utf-8")
    return path
