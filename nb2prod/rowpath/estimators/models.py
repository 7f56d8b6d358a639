"""What the quick forms of all models share."""

from __future__ import annotations

import math
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
            self.last = (X, [self.row(one) for one in np.asarray(X, dtype=np.float64).tolist()])
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


def sigmoid(found: float) -> float:
    return 1 / (1 + math.exp(-found)) if found > -700 else 0.0


def softmax(found: list[float]) -> list[float]:
    top = max(found)
    powers = [math.exp(one - top) for one in found]
    return [one / sum(powers) for one in powers]
