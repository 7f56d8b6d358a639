"""Drops what only shows something from the statements that are kept.

Before:  for ds in [train, test]:             After:  for ds in [train, test]:
             ds["Age"] = ...                              ds["Age"] = ...
             print(ds.shape)

Top-level displays are not in the slice, unless an unknown call keeps them there; those inside a kept
compound statement are found here.  A display that assigns something, draws random numbers or carries a
metric stays.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Dropped, Role, Stage, StageGraph


def drop_display(graph: StageGraph, flow: Flow, types: Types) -> StageGraph:
    """Removes display statements from the stages and hides those nested in kept statements."""
    metrics = {metric.stmt for metric in graph.metrics}
    stages: list[Stage] = []
    dropped = list(graph.dropped)
    hidden: set[int] = set()
    for stage in graph.stages:
        kept = []
        for id in stage.stmts:
            node = flow.by_id[id].node
            draws = any(e.kind in ("draws", "seeds", "option") for e in flow.effects_of(id))
            if id not in metrics and not draws and stage.role is not Role.INFER and _shows(node, types):
                dropped.append(Dropped(id, "only shows something"))
                continue
            kept.append(id)
            if not draws:
                hidden |= _nested(node, types)
        stages.append(replace(stage, stmts=tuple(kept)))
    for definition in types.functions.values():
        if isinstance(definition, ast.FunctionDef):
            hidden |= _nested(definition, types)
    return replace(
        graph,
        stages=tuple(s for s in stages if s.stmts),
        dropped=tuple(dropped),
        hidden=frozenset(hidden),
        candidates=tuple(drop_display(candidate, flow, types) for candidate in graph.candidates),
    )


def _nested(node: ast.stmt, types: Types) -> set[int]:
    """Display statements inside a compound statement, by `id(node)`."""
    found = set()
    for inner in ast.walk(node):
        if inner is not node and isinstance(inner, ast.Expr) and _shows(inner, types):
            found.add(id(inner))
    return found


def _shows(node: ast.stmt, types: Types) -> bool:
    """An expression statement whose value nobody takes and whose calls change nothing."""
    if not isinstance(node, ast.Expr) or isinstance(
        node.value, (ast.Constant, ast.Yield, ast.YieldFrom, ast.Await)
    ):
        return False
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    if isinstance(node.value, ast.Call):
        fact = types.fact(node.value)
        if fact is None:
            return False
    return all(_harmless(call, types) for call in calls)


def _harmless(call: ast.Call, types: Types) -> bool:
    fact = types.fact(call)
    if fact is None:
        return False
    return not fact.mutates and fact.effect not in (
        "fits",
        "writes-file",
        "mutates",
        "seeds",
        "sets-option",
        "env",
    )
