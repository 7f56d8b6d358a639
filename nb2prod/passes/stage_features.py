"""Stages the feature code: finds the sites that learn and the filters that only training runs.

Before:  df["Age"] = df["Age"].fillna(df["Age"].median())
After:   a Site value("age_median") on `df["Age"].median()`; lowering writes the wrap.

The reasons are binding times (`analysis/binding.py`).  A feature that cannot exist for a single row is a
Refusal.
"""

from __future__ import annotations

import ast
from collections.abc import Set as AbstractSet
from dataclasses import replace

from nb2prod.analysis.binding import Time, bind, refuse_batch_prediction
from nb2prod.analysis.lift import target_is_lifted
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Role, Sink, StageGraph


def _without_rows(sink: Sink, flow: Flow, rows: AbstractSet[str]) -> tuple[Refusal, ...]:
    """A model that is fitted on statistics alone: no row of the raw data can be predicted by it."""
    used = {node.id for node in ast.walk(sink.x) if isinstance(node, ast.Name)}
    if used & rows:
        return ()
    detail = (
        "it has no row for each row of the data; where its rows are groups, tag the cell that makes them load"
    )
    return (Refusal("NBP402", flow.by_id[sink.data].span, ast.unparse(sink.x), detail),)


def stage_features(graph: StageGraph, flow: Flow, types: Types) -> StageGraph:
    """Fills in the sites, the functions that need the staging runtime, and refusals."""
    target = set(graph.stage(Role.TARGET).stmts)
    if target_is_lifted(flow, graph) and not graph.y_eval_frame:
        target = set()  # only training runs it: there is nothing to repeat
    body = sorted(target | set(graph.stage(Role.FEATURES).stmts))
    frames = {name: Time.FIT if name in graph.tables else Time.ROW for name in graph.frames}
    if graph.arrays is not None:
        frames |= dict.fromkeys(graph.arrays.names, Time.ROW)
    assert graph.sink is not None
    hidden, written_out = graph.hidden, graph.written_out
    binding = bind(flow, types, body, target, frames, hidden, written_out, graph.sink.x, graph.sink.data)
    batch = refuse_batch_prediction(flow, types, graph.prediction, graph.sink.model, binding.rows)
    if not graph.refusals:
        batch += _without_rows(graph.sink, flow, binding.rows)
    return replace(
        graph,
        sites=binding.sites,
        refusals=tuple(dict.fromkeys((*graph.refusals, *binding.refusals, *binding.absent, *batch))),
        assumptions=(*graph.assumptions, *binding.assumptions),
        staged_functions=binding.staged_functions,
    )
