"""The passes StageGraph -> StageGraph, in their order."""

from __future__ import annotations

from collections.abc import Callable

from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import StageGraph
from nb2prod.passes.drop_display import drop_display
from nb2prod.passes.hoist_parameters import hoist_parameters
from nb2prod.passes.refuse_unsound import refuse_unsound
from nb2prod.passes.stage_features import stage_features
from nb2prod.passes.write_out_groups import write_out_groups

Pass = Callable[[StageGraph, Flow, Types], StageGraph]

PASSES: tuple[Pass, ...] = (
    drop_display,  # first: what only shows something must not be staged
    hoist_parameters,
    refuse_unsound,
    write_out_groups,
    stage_features,  # last: it looks at the statements that are left
)


def run_passes(graph: StageGraph, flow: Flow, types: Types, after: str | None = None) -> StageGraph:
    """All passes in order, each followed by `check()`; `after` names the last one to run."""
    for step in PASSES:
        if graph.sink is None:
            return graph
        graph = step(graph, flow, types)
        graph.check()
        if step.__name__ == after:
            break
    return graph
