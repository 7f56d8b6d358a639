"""The other models that a notebook fits on the same features and judges: candidates beside the chosen one.

logreg.fit(X_train, y_train); print(accuracy_score(y_test, logreg.predict(X_test)))      a candidate
forest.fit(X_train, y_train); forest.predict(new)                                        the model
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nb2prod.ir.stages import Role, Sink, StageGraph


def rivals(sinks: Sequence[Sink], chosen: Sink) -> Iterator[Sink]:
    """The last fit of each other variable, on the same X and y."""
    last = {sink.model: sink for sink in sinks if sink.held is None and sink.model.isidentifier()}
    for name, sink in last.items():
        alike = _text(sink.x) == _text(chosen.x) and _text(sink.y) == _text(chosen.y)
        if alike and name != chosen.model and sink.stmt != chosen.stmt and sink.task == chosen.task:
            yield sink


def is_candidate(graph: StageGraph, chosen: StageGraph) -> bool:
    """Whether what its training needs is what the chosen model's features hand over, and it is judged."""
    stages = (Role.LOAD, Role.FEATURES, Role.TARGET)
    same = all(graph.stage(role).stmts == chosen.stage(role).stmts for role in stages)
    handed = graph.y == chosen.y and {*graph.crossing} <= {*chosen.crossing}
    own = graph.sink is not None and graph.sink.stmt not in chosen.stage(Role.TRAIN).stmts
    return same and handed and own and bool(graph.metrics) and not graph.refusals


def with_candidates(graph: StageGraph, candidates: Sequence[StageGraph]) -> StageGraph:
    """The graph with its candidates; what only these need is not simply dropped."""
    needed = {
        stmt: f"only to compare `{other.sink.model}`"
        for other in candidates
        if other.sink is not None
        for stmt in other.stage(Role.TRAIN).stmts
    }
    dropped = (replace(one, reason=needed.get(one.stmt, one.reason)) for one in graph.dropped)
    return replace(graph, candidates=tuple(candidates), dropped=tuple(dropped))


def _text(node: ast.expr | None) -> str:
    return ast.dump(node) if node is not None else ""
