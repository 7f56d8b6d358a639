"""Refuses what cannot stay right when a notebook becomes functions that run many times.

Before:  exec("scale = 4")                 After:  Refusal NBP403
         def f(v, seen=[]): seen.append(v)          Refusal NBP403: it keeps state between calls
         df.to_csv("t.csv"); pd.read_csv("t.csv")   Refusal NBP404

A notebook runs once, top to bottom; features run once a request, in several processes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from nb2prod.analysis.events import Function, events
from nb2prod.analysis.model import calls, read_back
from nb2prod.analysis.networks import switched
from nb2prod.analysis.predictors import aliases, predict_calls
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Effect, Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Role, StageGraph

DYNAMIC = ("exec", "globals", "locals", "vars", "eval")
FOLDER_MAGICS = ("cd", "env", "set_env", "pushd", "popd")


def refuse_unsound(graph: StageGraph, flow: Flow, types: Types) -> StageGraph:
    """Adds a refusal for each construct that the emitted functions could not keep right."""
    assert graph.sink is not None
    kept = [flow.by_id[s] for stage in graph.stages for s in stage.stmts]
    last = max((s.id for s in kept), default=0)
    found = [
        *_dynamic(flow, last, {s.id for s in kept}),
        *_places(flow, types, last),
        *_files(flow, {s.id for s in kept}, set(graph.stage(Role.FEATURES).stmts)),
        *_stateful(flow, types, graph),
        *_taken_names(flow, graph),
        *_kept_functions(flow, graph),
        *_inference(flow, graph, types),
    ]
    return replace(graph, refusals=(*graph.refusals, *dict.fromkeys(found)))


def _dynamic(flow: Flow, last: int, kept: set[int]) -> Iterator[Refusal]:
    """Code that binds or reads names which its text does not show."""
    for id, stmt in flow.by_id.items():
        if id > last or (isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)) and id not in kept):
            continue
        for call in ast.walk(stmt.node):
            if not (
                isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in DYNAMIC
            ):
                continue
            binds = call.func.id == "exec" or _stores_through(stmt.node, call)
            if binds or id in kept:
                text = ast.unparse(call)
                yield Refusal(
                    "NBP403", stmt.text.span(call), text, "it binds or reads names that the text hides"
                )


def _stores_through(node: ast.stmt, call: ast.Call) -> bool:
    """`globals()["scale"] = 4`, `vars(o).update(...)`."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Subscript, ast.Attribute)) and inner.value is call:
            is_update = isinstance(inner, ast.Attribute) and inner.attr in ("update", "pop", "setdefault")
            if is_update or isinstance(inner.ctx, (ast.Store, ast.Del)):
                return True
    return False


def _places(flow: Flow, types: Types, last: int) -> Iterator[Refusal]:
    """A change of the working directory or the environment, on which later paths and reads depend."""
    for effect in flow.effects:
        if effect.stmt <= last and effect.api in ("os.chdir", "os.putenv"):
            yield Refusal(
                "NBP403", effect.span, effect.api, "paths after it depend on the order of execution"
            )
    limit = flow.by_id[last].span if last else None
    for magic in flow.program.magics:
        if (
            magic.name in FOLDER_MAGICS
            and limit is not None
            and magic.span < limit
            and "=" in magic.text + "="
        ):
            if magic.name != "env" or "=" in magic.text or len(magic.text.split()) > 2:
                yield Refusal("NBP403", magic.span, magic.text.strip(), "what follows depends on it")


def _files(flow: Flow, kept: set[int], body: set[int]) -> Iterator[Refusal]:
    """Data that leave through a file and come back: index and dtypes are not those that left.

    The features may write and read CSV: the staging runtime does as the file did.
    """
    written = {d.name for d in flow.defs if d.name.startswith("<file ") and d.stmt in kept}
    written |= {e.target for e in flow.effects if e.kind == "file" and _writes(flow, e.stmt)}
    for effect in flow.effects:
        if effect.kind == "file" and effect.stmt in kept and effect.target in written:
            reads = any(e.kind == "reads-file" for e in flow.effects_of(effect.stmt))
            if reads and effect.target != "<file ?>" and not _followed(flow, effect, body):
                yield Refusal("NBP404", effect.span, effect.target[6:-1], "")


def _followed(flow: Flow, effect: Effect, body: set[int]) -> bool:
    """Whether features read by `read_csv` what features alone wrote by `to_csv`."""
    writers = [e for e in flow.effects if e.target == effect.target and _writes(flow, e.stmt)]
    plain = all(
        e.api.endswith(".to_csv")
        and e.stmt in body
        and e.stmt < effect.stmt
        and "mode" not in _options(flow, e)
        for e in writers
    )
    return plain and effect.stmt in body and effect.api == "pandas.read_csv"


def _options(flow: Flow, effect: Effect) -> set[str | None]:
    calls = [n for n in ast.walk(flow.by_id[effect.stmt].node) if isinstance(n, ast.Call)]
    return {keyword.arg for call in calls for keyword in call.keywords}


def _writes(flow: Flow, stmt: int) -> bool:
    return any(e.kind == "writes-file" for e in flow.effects_of(stmt))


def _stateful(flow: Flow, types: Types, graph: StageGraph) -> Iterator[Refusal]:
    """Functions and classes that remember earlier calls: in two stages there would be two memories."""
    needed = {u.name for stage in graph.stages for s in stage.stmts for u in flow.uses_of(s)}
    for stmt in flow.by_id.values():
        if not isinstance(stmt.node, (ast.FunctionDef, ast.ClassDef)) or stmt.node.name not in needed:
            continue
        for function in events(stmt.node).functions:
            memory = _memory(stmt, function)
            if memory:
                yield Refusal(
                    "NBP403", stmt.text.span(stmt.node), stmt.node.name, f"`{memory}` outlives a call"
                )


def _taken_names(flow: Flow, graph: StageGraph) -> Iterator[Refusal]:
    """A variable of the notebook that is named as the staging runtime."""
    features = set(graph.stage(Role.FEATURES).stmts)
    constants = {r for id in features for u in flow.uses_of(id) if u.name == "st" for r in u.reaches}
    for id in sorted(features | constants):
        if "st" in flow.defined_by(id):
            span = flow.by_id[id].span
            yield Refusal("NBP403", span, "st", "the staging runtime has that name; rename the variable")


def _kept_functions(flow: Flow, graph: StageGraph) -> Iterator[Refusal]:
    """Functions without a name in a container that is kept with the features or the model."""
    handed = {*graph.shared, *graph.crossing, *graph.model_extras}
    for stage in graph.stages:
        for stmt in (flow.by_id[s] for s in stage.stmts if handed & flow.defined_by(s)):
            value = getattr(stmt.node, "value", None)
            displays = (ast.Dict, ast.List, ast.Tuple, ast.Set)
            if isinstance(value, displays) and any(isinstance(n, ast.Lambda) for n in ast.walk(value)):
                name = sorted(handed & flow.defined_by(stmt.id))[0]
                detail = "a lambda cannot be kept with the model; define the function with def"
                yield Refusal("NBP403", stmt.span, name, detail)


def _memory(stmt: Stmt, function: Function) -> str:
    """What lives on between calls of a function: a changed default, an attribute of it or its class."""
    if isinstance(function.node, ast.Lambda):
        return ""
    arguments = function.node.args
    positional = (
        [*arguments.posonlyargs, *arguments.args][-len(arguments.defaults) :] if arguments.defaults else []
    )
    pairs = [
        *zip(positional, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    mutable = {a.arg for a, d in pairs if isinstance(d, (ast.List, ast.Dict, ast.Set, ast.Call))}
    own = getattr(stmt.node, "name", "")
    for event in function.every_event():
        if event.kind == "mutate" and event.name in {*mutable, own}:
            return event.name
        if event.kind == "call" and event.name in mutable and isinstance(event.node, ast.Call):
            method = event.node.func
            if isinstance(method, ast.Attribute) and method.attr in (
                "append",
                "add",
                "update",
                "extend",
                "pop",
            ):
                return event.name
    return ""


def _inference(flow: Flow, graph: StageGraph, types: Types) -> Iterator[Refusal]:
    """An inference cell that changes the model, or predicts inside of a function."""
    assert graph.sink is not None
    cells = {c for c, tags in graph.tags.items() if "infer" in tags.split(",")}
    names = aliases(flow, graph.sink)
    for stmt in flow.by_id.values():
        if stmt.cell not in cells or stmt.id <= graph.sink.stmt:
            continue
        changes = [d for d in flow.defs if d.stmt == stmt.id and d.name == graph.sink.model]
        predicts = any(e.kind == "predicts" for e in flow.effects_of(stmt.id))
        # A class of the notebook may keep intermediate results where it predicts.
        predicts |= any(True for _ in predict_calls(stmt.node, names))
        predicts |= bool(switched([stmt], {graph.sink.model}))
        if not changes or predicts or read_back(flow, stmt.id)[1] in names:
            continue
        inside = [
            c for c in calls(stmt.node) if isinstance(c.func, ast.Name) and c.func.id in types.functions
        ]
        given = {n.id for call in inside for n in call.args if isinstance(n, ast.Name)}
        if graph.sink.model in given:
            detail = "it predicts inside of a function; assign the prediction in the cell itself"
            yield Refusal("NBP403", stmt.span, ast.unparse(inside[0].func), detail)
        elif not isinstance(stmt.node, ast.FunctionDef):
            yield Refusal("NBP502", stmt.span, str(Role.INFER), "it changes the model after training")
