"""Models whose answer is a weighted sum of the features, and the nearest of some centres."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb2prod.rowpath.estimators.models import Model, NotCovered, NotQuick, choice, sigmoid, softmax


class Linear(Model):
    """Linear regression and classification; the product of a row and the weights is NumPy's or SciPy's."""

    probable = ("LogisticRegression", "LogisticRegressionCV")

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.weights = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64)).T
        self.flat = self.classes_ is None and np.ndim(model.intercept_) == 0 and np.ndim(model.coef_) == 1
        self.intercept = np.asarray(model.intercept_, dtype=np.float64)
        self.each = False
        name, loss = type(model).__name__, getattr(model, "loss", "")
        if name in self.probable:
            several = getattr(model, "multi_class", "auto")
            if several == "multinomial" and len(model.classes_) == 2:
                raise NotQuick("a regression with weights for both of two classes")
            self.each = several == "ovr" or getattr(model, "solver", "") == "liblinear"
        if name in self.probable or (name == "SGDClassifier" and loss in ("log", "log_loss")):
            self.each = self.each or name == "SGDClassifier"
            self.predict_proba = self.shares

    def rows(self, X: Any) -> Any:
        if X is not self.last[0]:
            found = X if hasattr(X, "tocsr") else np.asarray(X, dtype=np.float64)
            sums = np.asarray(found @ self.weights) + self.intercept
            if not np.isfinite(sums).all():
                raise NotCovered("a missing or infinite value")
            self.last = (X, sums)
        return self.last[1]

    def predict(self, X: Any) -> Any:
        found = self.rows(X)
        if self.classes_ is None:
            return found[:, 0] if self.flat else found
        return self.classes_.take([choice(one) for one in found])

    def decision_function(self, X: Any) -> Any:
        found = self.rows(X)
        return found[:, 0] if found.shape[1] == 1 else found

    def shares(self, X: Any) -> Any:
        return np.array([self.share(one) for one in self.rows(X).tolist()])

    def share(self, sums: list[float]) -> list[float]:
        if len(sums) == 1:
            one = sigmoid(sums[0])
            return [1 - one, one]
        if not self.each:
            return softmax(sums)
        found = [sigmoid(one) for one in sums]
        return [one / sum(found) for one in found]


class NaiveBayes(Model):
    """`MultinomialNB`: the likelihood of counts."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.weights, self.start = model.feature_log_prob_.T, model.class_log_prior_
        self.predict_proba = self.shares

    def rows(self, X: Any) -> Any:
        if X is not self.last[0]:
            found = X if hasattr(X, "tocsr") else np.asarray(X, dtype=np.float64)
            sums = np.asarray(found @ self.weights) + self.start
            if not np.isfinite(sums).all() or found.min() < 0:
                raise NotCovered("a missing or negative value")
            self.last = (X, [softmax(one) for one in sums.tolist()])
        return self.last[1]


class Centres(Model):
    """`KMeans`: the nearest centre."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.classes_, self.centres = None, np.asarray(model.cluster_centers_, dtype=np.float64)

    def row(self, values: list[float]) -> Any:
        distances = ((self.centres - values) ** 2).sum(axis=1)
        order = np.sort(distances)
        if not np.isfinite(order[-1]):
            raise NotCovered("a missing or infinite value")
        if len(order) > 1 and order[1] - order[0] <= 1e-9 * order[1]:
            raise NotCovered("a row between two centres")
        return int(distances.argmin())


class Kernel(Model):
    """`SVC` of two classes and `SVR`, with the usual kernels."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        several = self.classes_ is not None and len(self.classes_) != 2
        if model.kernel not in ("rbf", "linear") or getattr(model, "probability", False) is True or several:
            raise NotQuick("a support vector machine of this kind")
        if hasattr(model.support_vectors_, "tocsr"):
            raise NotQuick("a support vector machine of sparse rows")
        self.kernel, self.gamma, self.vectors = model.kernel, model._gamma, model.support_vectors_
        self.weights, self.intercept = model.dual_coef_[0], float(model.intercept_[0])

    def row(self, values: list[float]) -> Any:
        if self.kernel == "linear":
            near = self.vectors @ np.array(values)
        else:
            near = np.exp(-self.gamma * ((self.vectors - values) ** 2).sum(axis=1))
        total = float(self.weights @ near) + self.intercept
        if not np.isfinite(near).all():
            raise NotCovered("a missing or infinite value")
        return total if self.classes_ is None else [total]
