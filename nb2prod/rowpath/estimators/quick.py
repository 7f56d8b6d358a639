"""Which fitted models have a quick form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nb2prod.rowpath.estimators.boosters import LightBoosted, XGBoosted
from nb2prod.rowpath.estimators.linear import Centres, Kernel, Linear, NaiveBayes
from nb2prod.rowpath.estimators.models import NotQuick
from nb2prod.rowpath.estimators.steps import in_order
from nb2prod.rowpath.estimators.trees import Forest, GradientBoosted, HistogramBoosted


def quick(model: Any) -> Any:
    """The quick form of a fitted model; NotQuick where it has none."""
    name, library = type(model).__name__, type(model).__module__.split(".")[0]
    form = FORMS.get(name)
    if form is None or library not in ("sklearn", "xgboost", "lightgbm"):
        raise NotQuick(f"{library}'s {name} has no form for single rows")
    return form(model)


class Piped:
    """A pipeline: what its steps make of a row, and the last step's answer."""

    def __init__(self, model: Any) -> None:
        last = quick(model.steps[-1][1])
        self.model, self.transform = last, in_order(model.steps[:-1])
        self.classes_, self.alike = last.classes_, last.alike
        self.last: tuple[Any, Any] = (None, None)
        if hasattr(last, "predict_proba"):
            self.predict_proba = lambda X: last.predict_proba(self.through(X))
        if hasattr(last, "decision_function"):
            self.decision_function = lambda X: last.decision_function(self.through(X))

    def through(self, X: Any) -> Any:
        """What the last step is given; computed once for `predict` and `predict_proba` of the same array."""
        if X is not self.last[0]:
            found = [self.transform(one) for one in np.asarray(X).tolist()]
            self.last = (X, np.array(found, dtype=np.float64))
        return self.last[1]

    def predict(self, X: Any) -> Any:
        return self.model.predict(self.through(X))


def best(model: Any) -> Any:
    """The best model of a search."""
    return quick(model.best_estimator_)


# A project gets the entries that its training names.
FORMS: dict[str, Callable[[Any], Any]] = {
    "Pipeline": Piped,
    "GridSearchCV": best,
    "RandomizedSearchCV": best,
    "RandomForestClassifier": Forest,
    "RandomForestRegressor": Forest,
    "ExtraTreesClassifier": Forest,
    "ExtraTreesRegressor": Forest,
    "DecisionTreeClassifier": Forest,
    "DecisionTreeRegressor": Forest,
    "ExtraTreeClassifier": Forest,
    "ExtraTreeRegressor": Forest,
    "GradientBoostingClassifier": GradientBoosted,
    "GradientBoostingRegressor": GradientBoosted,
    "HistGradientBoostingClassifier": HistogramBoosted,
    "HistGradientBoostingRegressor": HistogramBoosted,
    "XGBClassifier": XGBoosted,
    "XGBRegressor": XGBoosted,
    "LGBMClassifier": LightBoosted,
    "LGBMRegressor": LightBoosted,
    "MultinomialNB": NaiveBayes,
    "KMeans": Centres,
    "MiniBatchKMeans": Centres,
    "SVC": Kernel,
    "SVR": Kernel,
    "LinearRegression": Linear,
    "Ridge": Linear,
    "RidgeCV": Linear,
    "Lasso": Linear,
    "LassoCV": Linear,
    "ElasticNet": Linear,
    "ElasticNetCV": Linear,
    "SGDRegressor": Linear,
    "HuberRegressor": Linear,
    "BayesianRidge": Linear,
    "LinearSVR": Linear,
    "LogisticRegression": Linear,
    "LogisticRegressionCV": Linear,
    "LinearSVC": Linear,
    "SGDClassifier": Linear,
    "RidgeClassifier": Linear,
    "RidgeClassifierCV": Linear,
    "Perceptron": Linear,
}
