"""Values that are found by judging predictions or by summing up those of the training rows, such as a
threshold or the names of clusters: training finds, serving is given them.

p = model.predict_proba(X_valid)[:, 1]                           training
t = max(grid, key=lambda c: f1_score(y_valid, p > c))            training: it reads the answers
label = model.predict_proba(X_test)[:, 1] > t                    inference, with the `t` of training

df["cluster"] = km.fit_predict(X)                                inference, and training too
best = df.groupby("cluster")["spend"].mean().idxmax()            training: it reads all of its rows
df["best"] = df["cluster"] == best                               inference, with the `best` of training
"""

from __future__ import annotations

from collections.abc import Iterable

from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.split import Answers
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Sink


def judging(flow: Flow, answers: Answers, sink: Sink) -> set[int]:
    """The statements after the fit that read the true answers."""
    return {s.id for s in flow.by_id.values() if s.id > sink.stmt and answers.read_by(s.id, s.node)}


def summing_up(flow: Flow, slicer: Slicer, predicting: Iterable[int]) -> set[int]:
    """The statements that compute statistics of what `predicting` predict of the training rows."""
    made = slicer.forward(own := set(predicting), lambda id: False)
    return {e.stmt for e in flow.effects if e.kind == "aggregates" and e.stmt in made - own}


def found_by(judging: set[int], slicer: Slicer, predicting: Iterable[int]) -> set[int]:
    """The statements that judge or sum up, and those whose work rests on predictions by way of them alone."""
    of_rows = slicer.forward(set(predicting) - judging, lambda id: id in judging)
    return slicer.forward(judging, lambda id: id in of_rows)
