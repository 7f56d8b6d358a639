"""Trees, forests and gradient boosting of scikit-learn.

A forest is walked in arrays, all trees at once.  Many small trees, as in boosting, are faster as tuples: a
node is (feature, threshold, left, right, where a missing value goes), a leaf what it holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nb2prod.rowpath.estimators.models import Model, NotCovered, NotQuick, finite, sigmoid, softmax


def leaves(trees: list[Any], row: list[float]) -> list[Any]:
    """The leaf of each tree for a row."""
    found = []
    for node in trees:
        while type(node) is tuple:
            value = row[node[0]]
            node = node[2] if value <= node[1] else node[3] if value == value else node[4]
        found.append(node)
    return found


def narrow(row: list[float]) -> list[float]:
    """A row in 32 bits, as scikit-learn's trees and XGBoost take it."""
    found: list[float] = np.array(row, dtype=np.float32).tolist()
    return found


def grown(nodes: list[tuple[Any, ...]], root: int = 0) -> Any:
    """A tree from its nodes: (feature, threshold, left, right, missing) with numbers of nodes, or (leaf,)."""
    made: dict[int, Any] = {}
    todo = [root]
    while todo:
        at = todo[-1]
        if len(nodes[at]) == 1:
            made[at] = nodes[at][0]
        elif nodes[at][2] in made and nodes[at][3] in made:
            feature, threshold, *others = nodes[at]
            made[at] = (feature, threshold, *(made[other] for other in others))
        else:
            todo += nodes[at][2:4]
            continue
        todo.pop()
    return made[root]


def nodes_of(tree: Any, held: list[Any]) -> list[tuple[Any, ...]]:
    """The nodes of a tree of scikit-learn; missing values are not taken, whichever way it would send them."""
    names = ("feature", "threshold", "children_left", "children_right")
    parts = zip(*(getattr(tree, name).tolist() for name in names), held, strict=True)
    return [(leaf,) if left == -1 else (f, t, left, right, right) for f, t, left, right, leaf in parts]


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
            pairs = np.stack([left[inner], right[inner]], axis=1) + offset[inner][:, None]
            levels.append(pairs.ravel())
        order = np.concatenate(levels)
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        leaf, self.depth, self.roots = leaf[order], len(levels) - 1, np.arange(len(trees))
        self.left = np.where(leaf, np.arange(len(order)), place[(left + offset)[order]])
        self.feature = np.where(leaf, 0, feature[order])
        self.threshold = np.where(leaf, np.inf, below(threshold)[order]).astype(np.float32)
        values = np.concatenate([tree.value[:, 0, :] for tree in trees])[order]
        if self.classes_ is not None:  # older versions keep counts, newer ones shares
            totals = values.sum(axis=1, keepdims=True)
            values = values if np.allclose(totals, 1, rtol=0, atol=1e-6) else values / totals
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


class Boosted(Model):
    """A sum of leaves for each class, and what makes probabilities of it."""

    def __init__(self, model: Any, start: list[float], trees: list[list[Any]]) -> None:
        super().__init__(model)
        self.start, self.trees = start, trees
        if self.classes_ is not None:
            self.predict_proba = self.shares

    def sums(self, row: list[float]) -> list[float]:
        """The sums, added in the library's order."""
        found = []
        for total, trees in zip(self.start, self.trees, strict=True):
            for leaf in leaves(trees, row):
                total += leaf
            found.append(total)
        return found

    def row(self, values: list[float]) -> Any:
        found = self.sums(self.taken(values))
        if self.classes_ is None:
            return found[0]
        if len(found) > 1:
            return softmax(found)
        if abs(found[0]) < 1e-12:
            raise NotCovered("a decision on the border")
        share = sigmoid(found[0])
        return [1 - share, share]

    def taken(self, values: list[float]) -> list[float]:
        """A row as the library takes it."""
        raise NotImplementedError


class GradientBoosted(Boosted):
    """`GradientBoostingClassifier` and `GradientBoostingRegressor`."""

    def __init__(self, model: Any) -> None:
        constant = model.init_ == "zero" or type(model.init_).__name__.startswith("Dummy")
        if not constant or model.loss == "exponential":
            raise NotQuick("boosting that starts from another model, or with another loss")
        example = np.zeros((1, model.n_features_in_), dtype=np.float32)
        start = np.asarray(model._raw_predict_init(example), dtype=np.float64)[0].tolist()
        trees = [
            [
                grown(nodes_of(one.tree_, (model.learning_rate * one.tree_.value[:, 0, 0]).tolist()))
                for one in stages
            ]
            for stages in model.estimators_.T
        ]
        super().__init__(model, start, trees)

    def taken(self, values: list[float]) -> list[float]:
        return finite(narrow(values))


class HistogramBoosted(Boosted):
    """`HistGradientBoostingClassifier` and its regressor, without features of categories."""

    def __init__(self, model: Any) -> None:
        losses = ("log_loss", "auto", "binary_crossentropy", "categorical_crossentropy", "squared_error")
        if model.loss not in (*losses, "least_squares", "absolute_error", "quantile"):
            raise NotQuick(f"boosting for {model.loss}")
        start = np.ravel(model._baseline_prediction).tolist()
        stages = [[self.nodes(one.nodes) for one in stage] for stage in model._predictors]
        super().__init__(model, start, [list(trees) for trees in zip(*stages, strict=True)])

    @staticmethod
    def nodes(table: Any) -> Any:
        if table["is_categorical"].any():
            raise NotQuick("boosting with features of categories")
        parts = zip(*(table[name].tolist() for name in table.dtype.names), strict=True)
        rows = [dict(zip(table.dtype.names, part, strict=True)) for part in parts]
        return grown(
            [
                (one["value"],)
                if one["is_leaf"]
                else (
                    one["feature_idx"],
                    one["num_threshold"],
                    one["left"],
                    one["right"],
                    one["left"] if one["missing_go_to_left"] else one["right"],
                )
                for one in rows
            ]
        )

    def taken(self, values: list[float]) -> list[float]:
        finite([0.0 if value != value else value for value in values])
        return values
