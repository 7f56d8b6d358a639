"""The model's answer for one row: the fitted model's own comparisons and sums, without what its library checks.

The library stays the truth.  Training compares both on the rows that it knows, and a version answers single rows
from here only where no decision differed.  A row that is not treated exactly as the library treats it raises
`NotCovered`, and the library answers.
"""

# Fitted models have no types.
# mypy: ignore-errors
# ruff: noqa: PLR0124 -- the notebook's own style

from __future__ import annotations

import math
from bisect import bisect_left
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


def leaves(trees: list[Any], row: list[float]) -> list[Any]:
    """The leaf of each tree for a row."""
    found = []
    for node in trees:
        while type(node) is tuple:
            value = row[node[0]]
            node = (
                node[2] if value <= node[1] else node[3] if value == value else node[4]
            )
        found.append(node)
    return found


def narrow(row: list[float]) -> list[float]:
    """A row in 32 bits, as scikit-learn's trees and XGBoost take it."""
    found: list[float] = np.array(row, dtype=np.float32).tolist()
    return found


class Forest(Model):
    """Forests and single trees: the leaves that a row reaches in all trees at once, and their mean.

    Sums are added in the library's order.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        if model.n_outputs_ != 1:
            raise NotQuick("a forest for several targets")
        nodes = Nodes([one.tree_ for one in getattr(model, "estimators_", [model])])
        values = nodes.values
        if self.classes_ is not None:  # older versions keep counts, newer ones shares
            totals = values.sum(axis=1, keepdims=True)
            values = (
                values if np.allclose(totals, 1, rtol=0, atol=1e-6) else values / totals
            )
            self.predict_proba = self.shares
        self.values = np.ascontiguousarray(values.T)
        self.reached = ruled_out(nodes) if is_small(nodes) else walked(nodes)

    def row(self, values: list[float]) -> Any:
        leaves = self.reached(finite(narrow(values)))
        mean = np.add.accumulate(self.values.take(leaves, axis=1), axis=1)[:, -1] / len(
            leaves
        )
        return mean[0] if self.classes_ is None else mean


class Nodes:
    """The nodes of all trees: first the roots, then their children, so that what is often read lies together.

    A right child follows its left one; a leaf is its own left child, and nothing goes right there.
    """

    def __init__(self, trees: list[Any]) -> None:
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
        self.levels = np.split(
            np.arange(len(order)), np.cumsum([len(one) for one in levels])[:-1]
        )
        self.tree = np.repeat(np.arange(len(trees)), sizes)[order]
        self.leaf = leaf[order]
        self.left = np.where(
            self.leaf, np.arange(len(order)), place[(left + offset)[order]]
        )
        self.feature = np.where(self.leaf, 0, feature[order])
        self.threshold = np.where(self.leaf, np.inf, below(threshold)[order]).astype(
            np.float32
        )
        self.values = np.concatenate([tree.value[:, 0, :] for tree in trees])[order]
        self.features = trees[0].n_features


def below(thresholds: Any) -> Any:
    """The largest numbers of 32 bits that are not above: a row of 32 bits is above both or neither."""
    found = thresholds.astype(np.float32)
    return np.where(found > thresholds, np.nextafter(found, np.float32(-np.inf)), found)


def walked(nodes: Nodes) -> Callable[[list[float]], Any]:
    """The leaf of each tree for a row, one level of all trees after the other."""
    left, feature, threshold = nodes.left, nodes.feature, nodes.threshold

    def reached(values: list[float]) -> Any:
        row, node = np.array(values, dtype=np.float32), nodes.levels[0]
        for _ in nodes.levels[1:]:
            node = left.take(node) + (
                row.take(feature.take(node)) > threshold.take(node)
            )
        return node

    return reached


# Up to so many leaves times features it is faster to rule out leaves than to walk.
SMALL = 2_000_000


FEW = 50_000  # leaves, for which that takes 25 MB at most


GROUPS = 16


def is_small(nodes: Nodes) -> bool:
    """Whether leaves can be ruled out."""
    leaves = int(nodes.leaf.sum())
    return leaves <= FEW and leaves * nodes.features <= SMALL


def ruled_out(nodes: Nodes) -> Callable[[list[float]], Any]:
    """The same without walking: each value of a row rules out leaves, and one of each tree is left.

    The thresholds of a feature cut its values into ranges.  For each range, `kept` has a bit for each leaf:
    whether a row with such a value may get there.  The leaves of a tree begin at a byte of their own, so that
    of the bits that all features keep no two share a byte.  Each of some groups of trees has its own ranges,
    because together they have many more; `places` says where in `kept` the groups have a range of all trees.
    """
    cuts, low, high = ranges(nodes)
    leaf = np.flatnonzero(nodes.leaf)
    leaf = leaf[np.argsort(nodes.tree[leaf], kind="stable")]
    trees = np.array_split(np.arange(len(nodes.levels[0])), GROUPS)
    members = [np.flatnonzero(np.isin(nodes.tree[leaf], of)) for of in trees]
    bits = [bit_of(nodes.tree[leaf[one]]) for one in members]
    width = 64 * (max(int(one.max(initial=0)) for one in bits) // 64 + 1)
    at_bit = np.zeros(GROUPS * width, dtype=np.intp)
    kept: list[Any] = []
    places = np.zeros((sum(len(one) + 1 for one in cuts), GROUPS), dtype=np.intp)
    firsts = np.cumsum([0, *(len(one) + 1 for one in cuts)])[:-1].tolist()
    rows = 0
    for group, (own, bit) in enumerate(zip(members, bits, strict=True)):
        at_bit[group * width + bit] = leaf[own]
        for of, (first, cut) in enumerate(zip(firsts, cuts, strict=True)):
            begins = np.unique(np.append(low[leaf[own], of], 0))
            ranks = np.arange(len(cut) + 1)
            places[first + ranks, group] = (
                rows + np.searchsorted(begins, ranks, side="right") - 1
            )
            may = np.zeros((len(begins), width), dtype=bool)
            may[:, bit] = (low[leaf[own], of] <= begins[:, None]) & (
                begins[:, None] <= high[leaf[own], of]
            )
            kept.append(np.packbits(may, axis=1, bitorder="little"))
            rows += len(begins)
    table = np.concatenate(kept).view(np.uint64)
    first_bit = np.array(
        [max(0, (byte & -byte).bit_length() - 1) for byte in range(256)]
    )
    ends = [(first, cut.tolist()) for first, cut in zip(firsts, cuts, strict=True)]

    def reached(values: list[float]) -> Any:
        range_of = [
            first + bisect_left(cut, value)
            for (first, cut), value in zip(ends, values, strict=True)
        ]
        left = (
            np.bitwise_and.reduce(table.take(places.take(range_of, axis=0), axis=0))
            .view(np.uint8)
            .ravel()
        )
        byte = (left != 0).nonzero()[0]
        return at_bit.take(8 * byte + first_bit.take(left.take(byte)))

    return reached


def ranges(nodes: Nodes) -> tuple[list[Any], Any, Any]:
    """The thresholds of each feature in order, and the first and last range of each that lead to a node."""
    cuts = [
        np.unique(nodes.threshold[~nodes.leaf & (nodes.feature == of)])
        for of in range(nodes.features)
    ]
    low = np.zeros((len(nodes.leaf), nodes.features), dtype=np.int32)
    high = np.tile(
        np.array([len(one) for one in cuts], dtype=np.int32), (len(nodes.leaf), 1)
    )
    rank = np.zeros(len(nodes.leaf), dtype=np.int32)
    for of, cut in enumerate(cuts):
        own = ~nodes.leaf & (nodes.feature == of)
        rank[own] = np.searchsorted(cut, nodes.threshold[own])
    for level in nodes.levels:
        node = level[~nodes.leaf[level]]
        left, of = nodes.left[node], nodes.feature[node]
        for child in (left, left + 1):
            low[child], high[child] = low[node], high[node]
        high[left, of], low[left + 1, of] = rank[node], rank[node] + 1
    return cuts, low, high


def bit_of(tree: Any) -> Any:
    """The bits of leaves that are in the order of their trees, each tree from a byte of its own."""
    _, first, count = np.unique(tree, return_index=True, return_counts=True)
    whole = 8 * -(-count // 8)
    begins = np.cumsum(whole) - whole
    return np.arange(len(tree)) + np.repeat(begins - first, count)


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


def level(value: Any, places: dict[Any, int]) -> int:
    """The place of a value, -1 where training never saw it."""
    if value is None or value != value or isinstance(value, bool | np.bool_):
        raise NotCovered(f"{value!r} as a category")
    at = places.get(value, -1)
    if (
        at == -1
        and places
        and isinstance(value, str) != isinstance(next(iter(places)), str)
    ):
        raise NotCovered(f"{value!r} as a category")
    return at


STEPS: dict[str, Callable[[Any], Step]] = {}


def quick(model: Any) -> Any:
    """The quick form of a fitted model; NotQuick where it has none."""
    name, library = type(model).__name__, type(model).__module__.split(".")[0]
    form = FORMS.get(name)
    if form is None or library not in ("sklearn", "xgboost", "lightgbm"):
        raise NotQuick(f"{library}'s {name} has no form for single rows")
    return form(model)


FORMS: dict[str, Callable[[Any], Any]] = {"RandomForestClassifier": Forest}
