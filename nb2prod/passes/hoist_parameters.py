"""Turns paths and constants into settings.

Before:  TEST_SIZE = 0.25                      After:  settings.parameters.test_size
         df = pd.read_csv("data/churn.csv")            pd.read_csv(settings.data_path("churn"))

A constant becomes a setting where a statement of a stage reads it; one that a function of the notebook
reads stays a constant of the module, because functions do not get the settings.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import PurePosixPath

from nb2prod.analysis.effects import paths_read
from nb2prod.analysis.events import events
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import DataPath, Role, StageGraph

FILE_OF_A_DATABASE = re.compile(r"sqlite(\+\w+)?:///(?=.)(?!:memory:)")


def hoist_parameters(graph: StageGraph, flow: Flow, types: Types) -> StageGraph:
    """Keeps the parameters that stages read, and finds the files that are loaded."""
    in_functions: set[str] = set()
    for stmt in flow.by_id.values():
        for function in events(stmt.node).functions:
            in_functions |= {event.name for event in function.outer_reads()}
    paths = _paths(graph, flow, types)
    replaced = {id(inner) for path in paths for inner in ast.walk(path.node)}
    kept = [flow.by_id[stmt].node for stage in graph.stages for stmt in stage.stmts]
    names = [node for stmt in kept for node in ast.walk(stmt) if isinstance(node, ast.Name)]
    read = {name.id for name in names if id(name) not in replaced}
    parameters = tuple(
        stmt
        for stmt in graph.parameters
        if (flow.defined_by(stmt) & read) and not flow.defined_by(stmt) & in_functions
    )
    return replace(graph, parameters=parameters, paths=tuple(paths))


def _paths(graph: StageGraph, flow: Flow, types: Types) -> list[DataPath]:
    found: list[DataPath] = []
    keys: set[str] = set()
    judged = [s for s in graph.stage(Role.TRAIN).stmts if not flow.read_back(s)]  # read to judge
    for id in (*graph.stage(Role.LOAD).stmts, *judged):
        for call in ast.walk(flow.by_id[id].node):
            for node in paths_read(call, types) if isinstance(call, ast.Call) else ():
                path = _text(node, flow)
                if path is not None:
                    scheme = database.group() if (database := FILE_OF_A_DATABASE.match(path)) else ""
                    path = path.removeprefix(scheme)
                    key = _key(path, keys)
                    keys.add(key)
                    found.append(DataPath(node, key, path, id, scheme))
    return found


def _text(node: ast.expr, flow: Flow) -> str | None:
    """The path that an expression of constants gives: `DATA + "churn.csv"`, `f"{DATA}/churn.csv"`."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            defined = [s.node for s in flow.by_id.values() if name in flow.defined_by(s.id)]
            if len(defined) == 1 and isinstance(defined[0], ast.Assign):
                return _text(defined[0].value, flow)
            return None
        case ast.BinOp(left=left, op=ast.Add() | ast.Div() as op, right=right):
            parts = [_text(left, flow), _text(right, flow)]
            separator = "/" if isinstance(op, ast.Div) else ""
        case ast.JoinedStr(values=values):
            parts = [_text(v.value if isinstance(v, ast.FormattedValue) else v, flow) for v in values]
            separator = ""
        case (
            ast.Call(func=ast.Attribute(attr="join" | "joinpath"), args=args)
            | ast.Call(func=ast.Name(id="Path"), args=args)
            | ast.Call(func=ast.Attribute(attr="Path"), args=args)
        ):
            parts = [_text(a, flow) for a in args]
            separator = "/"
        case _:
            return None
    known = [part for part in parts if part is not None]
    return separator.join(known) if known and len(known) == len(parts) else None


def _key(path: str, taken: set[str]) -> str:
    stem = PurePosixPath(path.replace("\\", "/")).name.split(".")[0]
    base = re.sub(r"\W+", "_", stem.lower(), flags=re.ASCII).strip("_") or "data"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key
