"""Forests and trees of scikit-learn for one row: all trees walked at once, a level at a time.

The same comparisons as scikit-learn's (32-bit features, 64-bit thresholds) and the same sums in the same order,
without the cost of a call for each tree.  The proof of the row path compares it with scikit-learn's own.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

FORESTS = (
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
)


def quick(model: Any) -> Any:
    """A copy of a forest, or of a pipeline that ends in one, that answers rows quickly; any other as it is."""
    inner = getattr(model, "__dict__", {})
    if inner.get("steps") and type(model).__name__ == "Pipeline":
        *before, (name, last) = model.steps
        copied = copy.copy(model)
        copied.steps = [*before, (name, quick(last))]
        return copied
    if (
        type(model).__name__ not in FORESTS
        or not type(model).__module__.startswith("sklearn.")
        or model.n_outputs_ != 1
    ):
        return model
    forest, copied = Forest(model), copy.copy(model)
    copied.predict = forest.predict
    if forest.classes is not None:
        copied.predict_proba = forest.means
    return copied


class Forest:
    """The trees of a forest, one behind the other; a leaf is its own child."""

    def __init__(self, model: Any) -> None:
        trees = [one.tree_ for one in model.estimators_]
        sizes = [tree.node_count for tree in trees]
        self.classes = getattr(model, "classes_", None)
        self.roots = np.cumsum([0, *sizes[:-1]])
        self.depth = max(tree.max_depth for tree in trees)
        leaf = np.concatenate([tree.children_left == -1 for tree in trees])
        own = np.arange(len(leaf))
        start = np.repeat(self.roots, sizes)
        sides = [
            np.concatenate([getattr(tree, side) for tree in trees])
            for side in ("children_left", "children_right")
        ]
        self.children = np.array([np.where(leaf, own, side + start) for side in sides])
        self.feature = np.where(
            leaf, 0, np.concatenate([tree.feature for tree in trees])
        )
        self.threshold = np.concatenate([tree.threshold for tree in trees])
        self.values = np.concatenate([tree.value[:, 0, :] for tree in trees])
        if self.classes is not None:  # older versions keep counts, newer ones shares
            totals = self.values.sum(axis=1, keepdims=True)
            self.values = (
                self.values
                if np.allclose(totals, 1, rtol=0, atol=1e-6)
                else self.values / totals
            )
        self.last: tuple[Any, Any] = (None, None)

    def means(self, X: Any) -> Any:
        """The mean over the trees for each row: shares of the classes, or one number."""
        if X is not self.last[0]:
            self.last = (
                X,
                np.array([self.mean(row) for row in np.asarray(X, dtype=np.float32)]),
            )
        return self.last[1]

    def mean(self, row: Any) -> Any:
        if np.isnan(row).any():
            raise ValueError("a forest cannot take a missing value here")
        node = self.roots
        for _ in range(self.depth):
            right = row[self.feature[node]] > self.threshold[node]
            node = self.children[right.astype(np.intp), node]
        return np.add.accumulate(self.values[node])[-1] / len(self.roots)

    def predict(self, X: Any) -> Any:
        """The class with the largest share, or the mean."""
        found = self.means(X)
        return (
            found[:, 0]
            if self.classes is None
            else self.classes.take(found.argmax(axis=1), axis=0)
        )
