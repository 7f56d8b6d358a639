"""The model's answer for one row: the fitted model's own comparisons and sums, without what its library checks.

The library stays the truth.  Training compares both on the rows that it knows, and a version answers single rows
from here only where no decision differed.  A row that is not treated exactly as the library treats it raises
`NotCovered`, and the library answers.
"""

# Fitted models have no types.
# mypy: ignore-errors
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


class NotQuick(Exception):
    """A model has no quick form: the library's own is asked."""


class NotCovered(Exception):
    """A row that a quick form does not treat as the library does: the library is asked."""


class Model:
    """A model that answers arrays of a few rows, one row at a time.

    `row` gives the probabilities of the classes, the decisions about them, or the predicted number.
    """

    alike = 1e-9  # how far from the library's a probability or a predicted number may be, as training checks

    def __init__(self, model: Any) -> None:
        self.classes_ = getattr(model, "classes_", None)
        self.last: tuple[Any, Any] = (None, None)

    def rows(self, X: Any) -> Any:
        """What `row` gives for each row; `predict` and `predict_proba` of the same array compute it once."""
        if X is not self.last[0]:
            self.last = (
                X,
                [self.row(one) for one in np.asarray(X, dtype=np.float64).tolist()],
            )
        return self.last[1]

    def row(self, values: list[float]) -> Any:
        raise NotImplementedError

    def predict(self, X: Any) -> Any:
        """The class with the highest probability or decision, or the predicted number."""
        found = self.rows(X)
        if self.classes_ is None:
            return np.array(found)
        return self.classes_.take([choice(one) for one in found])

    def shares(self, X: Any) -> Any:
        """`predict_proba`, for models that have it."""
        return np.array(self.rows(X))


def choice(found: Any) -> int:
    """The first of the largest values; of a single decision its sign."""
    if len(found) > 1:
        return int(np.argmax(found))
    if abs(found[0]) < 1e-12:
        raise NotCovered("a decision on the border")
    return int(found[0] > 0)


def finite(values: list[float]) -> list[float]:
    """Values none of which is missing or infinite."""
    if math.isfinite(sum(values)):
        return values
    raise NotCovered("a missing or infinite value")


def narrow(row: list[float]) -> list[float]:
    """A row in 32 bits, as scikit-learn's trees and XGBoost take it."""
    found: list[float] = np.array(row, dtype=np.float32).tolist()
    return found


class Forest(Model):
    """Forests and single trees: all trees walked at once, a level at a time, and the mean of their leaves.

    All roots come first, then their children, and so on, so that what is often read lies together.  A right
    child follows its left one; a leaf is its own left child, and nothing goes right there.  Sums are added in
    the library's order.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        if model.n_outputs_ != 1:
            raise NotQuick("a forest for several targets")
        trees = [one.tree_ for one in getattr(model, "estimators_", [model])]
        sizes = [tree.node_count for tree in trees]
        starts = np.cumsum([0, *sizes[:-1]])
        left, right, feature, threshold = (
            np.concatenate([getattr(tree, name) for tree in trees])
            for name in ("children_left", "children_right", "feature", "threshold")
        )
        leaf, offset = left == -1, np.repeat(starts, sizes)
        levels = [starts]
        while len(inner := levels[-1][~leaf[levels[-1]]]):
            pairs = (
                np.stack([left[inner], right[inner]], axis=1) + offset[inner][:, None]
            )
            levels.append(pairs.ravel())
        order = np.concatenate(levels)
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        leaf, self.depth, self.roots = (
            leaf[order],
            len(levels) - 1,
            np.arange(len(trees)),
        )
        self.left = np.where(leaf, np.arange(len(order)), place[(left + offset)[order]])
        self.feature = np.where(leaf, 0, feature[order])
        self.threshold = np.where(leaf, np.inf, below(threshold)[order]).astype(
            np.float32
        )
        values = np.concatenate([tree.value[:, 0, :] for tree in trees])[order]
        if self.classes_ is not None:  # older versions keep counts, newer ones shares
            totals = values.sum(axis=1, keepdims=True)
            values = (
                values if np.allclose(totals, 1, rtol=0, atol=1e-6) else values / totals
            )
            self.predict_proba = self.shares
        self.values = values

    def row(self, values: list[float]) -> Any:
        row, node = np.array(finite(narrow(values)), dtype=np.float32), self.roots
        left, feature, threshold = self.left, self.feature, self.threshold
        for _ in range(self.depth):
            node = left[node] + (row[feature[node]] > threshold[node])
        mean = np.add.accumulate(self.values[node])[-1] / len(node)
        return mean[0] if self.classes_ is None else mean


def below(thresholds: Any) -> Any:
    """The largest numbers of 32 bits that are not above: a row of 32 bits is above both or neither."""
    found = thresholds.astype(np.float32)
    return np.where(found > thresholds, np.nextafter(found, np.float32(-np.inf)), found)


Step = Callable[[Any], Any]


def step_of(transformer: Any) -> Step:
    """The transformation of one row by a fitted transformer; NotQuick where there is none."""
    name = type(transformer).__name__
    made = STEPS.get(name)
    if made is None or not type(transformer).__module__.startswith("sklearn."):
        raise NotQuick(f"a pipeline with {name}")
    return made(transformer)


def in_order(named: Any) -> Step:
    """The steps of a pipeline, one after the other."""
    steps = [
        step_of(one) for _, one in named if one is not None and one != "passthrough"
    ]

    def transform(row: Any) -> Any:
        for step in steps:
            row = step(row)
        return row

    return transform


def inner(model: Any) -> Step:
    """A pipeline within a pipeline."""
    return in_order(model.steps)


STEPS: dict[str, Callable[[Any], Step]] = {}


def quick(model: Any) -> Any:
    """The quick form of a fitted model; NotQuick where it has none."""
    name, library = type(model).__name__, type(model).__module__.split(".")[0]
    form = FORMS.get(name)
    if form is None or library not in ("sklearn", "xgboost", "lightgbm"):
        raise NotQuick(f"{library}'s {name} has no form for single rows")
    return form(model)


FORMS: dict[str, Callable[[Any], Any]] = {"RandomForestClassifier": Forest}
