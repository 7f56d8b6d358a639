"""Models of one turn of a loop, fitted on a part of the rows to be judged there and forgotten.

for train, test in folds.split(X):
    model = LogisticRegression()
    model.fit(X.iloc[train], y.iloc[train])      says how good such a model is,
    scores.append(model.score(X.iloc[test], y.iloc[test]))     but none of them goes into production
"""

from __future__ import annotations

import ast

from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Sink


def without_folds(sinks: list[Sink], flow: Flow) -> list[Sink]:
    """The sinks without those of folds, where there are others."""
    return [sink for sink in sinks if not _of_a_fold(sink, flow)] or sinks


def _of_a_fold(sink: Sink, flow: Flow) -> bool:
    """A loop makes the model, fits it on what the loop chooses, and nothing keeps it."""
    loop = flow.by_id[sink.stmt].node
    if not isinstance(loop, ast.For) or not isinstance(sink.call.func, ast.Attribute):
        return False
    made = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    rows = {n.id for arg in sink.call.args for n in ast.walk(arg) if isinstance(n, ast.Name)}
    if sink.model not in made or not rows & made or _kept(sink.model, loop):
        return False
    return not any(u.name == sink.model and sink.stmt in u.reaches and u.stmt > sink.stmt for u in flow.uses)


def _kept(model: str, loop: ast.For) -> bool:
    """Whether the model itself is put somewhere, and not only asked for something."""
    asked = {id(n.value) for n in ast.walk(loop) if isinstance(n, ast.Attribute)}
    loads = (n for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return any(n.id == model and id(n) not in asked for n in loads)
