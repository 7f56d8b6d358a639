"""Lowering: a StageGraph becomes a Project of functions with parameters and returns.

load(settings) -> raw frames          cells tagged load
features(df, st) -> X                 the model's slice, its sites wrapped
target(df, st) -> y                   what only y needs
fit_model(data, settings) -> Fitted   the model and the notebook's metrics
decide(model, X, given)               the notebook's own way from model to prediction
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.project import Column, Module, Project
from nb2prod.ir.stages import StageGraph
from nb2prod.ir.trace import Trace
from nb2prod.lower.facts import project
from nb2prod.lower.functions import (
    Lowered,
    lower_decide,
    lower_features,
    lower_fit_model,
    lower_load,
    lower_target,
)
from nb2prod.lower.module import Context, assemble
from nb2prod.lower.renamed import renamed

__all__ = ["Lowering", "lower"]

SHARED = ("parameters", "paths", "sites", "staged_functions")  # what passes found out for the chosen model


@dataclass(frozen=True, slots=True)
class Lowering:
    """The project; `body` says where each statement of `features` came from (text, cell, line), None for
    those that lowering added; `decide` is the text of that function, `boundary` the names of X and y.
    """

    project: Project
    body: tuple[tuple[str, int, int] | None, ...]
    decide: str
    boundary: tuple[str, str]


def lower(
    graph: StageGraph,
    flow: Flow,
    types: Types,
    *,
    name: str,
    notebook: str,
    data_root: str,
    trace: Trace | None = None,
    columns: tuple[Column, ...] = (),
) -> Lowering:
    """The project for a graph that was not refused; `columns` is what is known of the raw rows."""
    assert graph.sink is not None and not graph.refusals
    context = Context(flow, types, graph, notebook)
    target = lower_target(context)
    load, features = lower_load(context), lower_features(context, target)
    fit_model, decide = lower_fit_model(context), lower_decide(context)
    candidates = _candidates(context)
    modules = {
        "load": _module(context, load),
        "features": _module(context, features),
        "target": _module(context, target) if target.text else Module(),
        "train": _joined(_module(context, fit_model), [_module(context, c) for c in candidates.values()]),
        "infer": _module(context, decide),
    }
    modules = {role: renamed(role, module) for role, module in modules.items()}
    made = project(context, modules, trace, columns, name=name, notebook=notebook, data_root=data_root)
    made = replace(made, candidates=tuple(candidates))
    context.wraps.save()
    return Lowering(made, features.places, decide.text, features.boundary)


def _candidates(context: Context) -> dict[str, Lowered]:
    """The fits of the models that are compared with the chosen one, by their names."""
    chosen, found = context.graph, {}
    for graph in chosen.candidates:
        assert graph.sink is not None
        shared = {name: getattr(chosen, name) for name in SHARED}
        own = Context(context.flow, context.types, replace(graph, **shared), context.name, context.wraps)
        found[graph.sink.model] = lower_fit_model(own, f"fit_{graph.sink.model}")
    taken = {name for stmt in context.flow.by_id for name in context.flow.defined_by(stmt)}
    return {name: lowered for name, lowered in found.items() if f"fit_{name}" not in taken | {"fit_model"}}


def _joined(module: Module, others: list[Module]) -> Module:
    """One module of several; helpers and imports that they share stand in it once."""
    every = (module, *others)
    return Module(
        tuple(dict.fromkeys(line for one in every for line in one.imports)),
        tuple(dict.fromkeys(text for one in every for text in one.helpers)),
        tuple(text for one in every for text in one.functions),
    )


def _module(context: Context, lowered: Lowered) -> Module:
    tree = ast.parse(lowered.text)
    made = assemble(context, [lowered.text], [tree], lowered.bound | set(context.parameters))
    return replace(made, imports=(*made.imports, *lowered.imports))
