"""XGBoost and LightGBM, from the models that they write themselves."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from nb2prod.rowpath.estimators.models import NotQuick, choice, finite
from nb2prod.rowpath.estimators.trees import Boosted, grown, leaves, narrow


class XGBoosted(Boosted):
    """XGBoost's trees: compared and added in 32 bits."""

    alike = 1e-6
    links = {"binary:logistic": "sigmoid", "multi:softprob": "softmax", "multi:softmax": "softmax"}

    def __init__(self, model: Any) -> None:
        booster = model.get_booster()
        learner = json.loads(booster.save_raw("json"))["learner"]
        gradient, objective = learner["gradient_booster"], learner["objective"]["name"]
        missing = getattr(model, "missing", None)
        if gradient["name"] != "gbtree" or (missing is not None and missing == missing):
            raise NotQuick("boosting of another kind, or with another mark for what is missing")
        self.link = self.links.get(objective, "")
        if not self.link and objective not in ("reg:squarederror", "reg:absoluteerror", "reg:linear"):
            raise NotQuick(f"boosting for {objective}")
        parts = gradient["model"]
        count = max(1, int(learner["learner_model_param"]["num_class"]))
        given = learner["learner_model_param"]["base_score"].strip("[]").split(",")
        base = [float(np.float32(one)) for one in given] * (count if len(given) == 1 else 1)
        if self.link == "sigmoid":
            base = [-math.log(1 / one - 1) for one in base]
        trees: list[list[Any]] = [[] for _ in range(count)]
        used = self._used(model, booster, len(parts["trees"]), count)
        for tree, group in zip(parts["trees"][:used], parts["tree_info"], strict=False):
            trees[group].append(self.tree(tree))
        super().__init__(model, [float(np.float32(one)) for one in base], trees)

    @staticmethod
    def _used(model: Any, booster: Any, trees: int, count: int) -> int:
        """How many trees answer: those up to the best round, where fitting stopped early."""
        best = booster.attr("best_iteration")
        if best is None:
            return trees
        return (int(best) + 1) * count * int(model.get_params().get("num_parallel_tree") or 1)

    @staticmethod
    def tree(found: dict[str, Any]) -> Any:
        if any(found.get("categories_nodes") or ()):
            raise NotQuick("boosting with features of categories")
        down = np.float32(-np.inf)
        names = ("left_children", "right_children", "split_indices", "split_conditions", "default_left")
        return grown(
            [
                (float(np.float32(at)),)
                if left == -1
                else (
                    feature,
                    float(np.nextafter(np.float32(at), down)),  # XGBoost asks for less, not for at most
                    left,
                    right,
                    left if missing else right,
                )
                for left, right, feature, at, missing in zip(*(found[n] for n in names), strict=True)
            ]
        )

    def taken(self, values: list[float]) -> list[float]:
        row = narrow(values)
        finite([0.0 if value != value else value for value in row])
        return row

    def row(self, values: list[float]) -> Any:
        row = self.taken(values)
        sums = [
            np.add.accumulate(np.array([start, *leaves(trees, row)], dtype=np.float32))[-1]
            for start, trees in zip(self.start, self.trees, strict=True)
        ]
        if self.link == "softmax":
            powers = np.exp(np.array(sums) - max(sums))
            return powers / powers.sum(dtype=np.float32)
        if self.link == "sigmoid":
            share = np.float32(1) / (np.float32(1) + np.exp(-sums[0]))
            return np.array([np.float32(1) - share, share])
        return sums[0]

    def predict(self, X: Any) -> Any:
        found = self.rows(X)
        if self.classes_ is None:
            return np.array(found, dtype=np.float32)
        return np.asarray(self.classes_).take([choice(one) for one in found])


class LightBoosted(Boosted):
    """LightGBM's trees of numbers."""

    def __init__(self, model: Any) -> None:
        found = model.booster_.dump_model()
        objective, *options = (found.get("objective") or "").split()
        known = ("regression", "regression_l1", "huber", "quantile", "mape", "binary", "multiclass")
        if objective not in known or set(options) - {"sigmoid:1"} - set(found_classes(options)):
            raise NotQuick(f"boosting for {found.get('objective')}")
        if found.get("average_output") or found.get("pandas_categorical"):
            raise NotQuick("boosting of another kind, or with features of categories")
        count = found["num_tree_per_iteration"]
        trees: list[list[Any]] = [[] for _ in range(count)]
        for at, tree in enumerate(found["tree_info"]):
            trees[at % count].append(self.tree(tree["tree_structure"]))
        super().__init__(model, [0.0] * count, trees)

    @classmethod
    def tree(cls, node: dict[str, Any]) -> Any:
        if "leaf_coeff" in node:
            raise NotQuick("trees with models in their leaves")
        if "split_feature" not in node:
            return float(node["leaf_value"])
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise NotQuick("boosting with features of categories")
        left, right = cls.tree(node["left_child"]), cls.tree(node["right_child"])
        to_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        return (node["split_feature"], node["threshold"], left, right, left if to_left else right)

    def taken(self, values: list[float]) -> list[float]:
        finite([0.0 if value != value else value for value in values])
        return values


def found_classes(options: list[str]) -> list[str]:
    """Options of an objective that only say how many classes there are."""
    return [one for one in options if one.startswith("num_class:")]
