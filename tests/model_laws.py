"""The law of quick models: they decide as the library does, with the same numbers up to a stated bound.

    python model_laws.py      in any Python with scikit-learn, with XGBoost and LightGBM if it has them

`EXACT` are the models whose numbers must be equal to the last bit.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from sklearn import (
    cluster,
    compose,
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    impute,
    linear_model,
    model_selection,
    naive_bayes,
    preprocessing,
    svm,
    tree,
)
from sklearn.pipeline import make_pipeline

sys.path.insert(0, str(Path(__file__).parents[1]))

from nb2prod.rowpath.estimators.models import NotCovered
from nb2prod.rowpath.estimators.quick import quick

COLUMNS = [f"x{at}" for at in range(6)]


def numbers(count: int, seed: int) -> Any:
    """Features with few decimals, so that many values lie on a threshold."""
    return np.random.default_rng(seed).normal(size=(count, 6)).round(1) * [1, 10, 1, 100, 1, 1]


def table(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(numbers(count, seed)[:, :3], columns=["a", "b", "c"])
    frame.loc[rng.random(count) < 0.1, "a"] = np.nan
    return frame.assign(city=rng.choice(["x", "y", "z"], count), size=rng.choice(["s", "m", "l"], count))


def texts(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    words = ["good", "bad", "The", "film", "not", "very", "plot", "dull", "fine", "I"]
    return [" ".join(rng.choice(words, rng.integers(0, 12))) for _ in range(count)]


def classes(X: Any, count: int) -> Any:
    scores = np.asarray(X)[:, 0] * 2 + np.asarray(X)[:, 2] + np.random.default_rng(5).normal(size=len(X))
    return np.array(["no", "yes", "maybe"])[np.clip(np.digitize(scores, [0.0, 1.5]), 0, count - 1)]


def amount(X: Any) -> Any:
    return X[:, 0] * 3.3 + np.abs(X[:, 1]) + X[:, 2] * X[:, 4]


def holed(X: Any) -> Any:
    found = X.copy()
    found[np.random.default_rng(3).random(X.shape) < 0.1] = np.nan
    return found


def classifiers() -> dict[str, Callable[[], Any]]:
    e, lm, search = ensemble, linear_model, model_selection.GridSearchCV
    return {
        "RandomForestClassifier": lambda: e.RandomForestClassifier(12, random_state=0),
        "ExtraTreesClassifier": lambda: e.ExtraTreesClassifier(12, random_state=0, class_weight="balanced"),
        "DecisionTreeClassifier": lambda: tree.DecisionTreeClassifier(min_samples_leaf=3, random_state=0),
        "GradientBoostingClassifier": lambda: e.GradientBoostingClassifier(n_estimators=15, random_state=0),
        "HistGradientBoostingClassifier": lambda: e.HistGradientBoostingClassifier(max_iter=8),
        "LogisticRegression": lambda: lm.LogisticRegression(max_iter=500),
        "LogisticRegression liblinear": lambda: one_each(lm.LogisticRegression(solver="liblinear")),
        "RidgeClassifier": lambda: lm.RidgeClassifier(),
        "SGDClassifier": lambda: lm.SGDClassifier(random_state=0),
        "Perceptron": lambda: lm.Perceptron(random_state=0),
        "LinearSVC": lambda: svm.LinearSVC(random_state=0, dual=True),
        "a search": lambda: search(tree.DecisionTreeClassifier(), {"max_depth": [2, 3]}),
        "scaled": lambda: make_pipeline(preprocessing.StandardScaler(), e.ExtraTreesClassifier(5)),
        "steps": lambda: make_pipeline(
            preprocessing.MinMaxScaler(), preprocessing.PolynomialFeatures(2), preprocessing.RobustScaler(),
            feature_selection.VarianceThreshold(), decomposition.PCA(5), lm.LogisticRegression(max_iter=500),
        ),
    }  # fmt: skip


def one_each(model: Any) -> Any:
    """A regression for each class, which newer versions want said."""
    model.one_each = True
    return model


def regressors() -> dict[str, Callable[[], Any]]:
    e, lm = ensemble, linear_model
    return {
        "RandomForestRegressor": lambda: e.RandomForestRegressor(12, random_state=0),
        "ExtraTreesRegressor": lambda: e.ExtraTreesRegressor(12, random_state=0),
        "DecisionTreeRegressor": lambda: tree.DecisionTreeRegressor(random_state=0),
        "GradientBoostingRegressor": lambda: e.GradientBoostingRegressor(n_estimators=15, random_state=0),
        "HistGradientBoostingRegressor": lambda: e.HistGradientBoostingRegressor(max_iter=8, random_state=0),
        "LinearRegression": lambda: lm.LinearRegression(),
        "Ridge": lambda: lm.Ridge(),
        "Lasso": lambda: lm.Lasso(0.01),
        "ElasticNet": lambda: lm.ElasticNet(0.01),
        "SVR": lambda: svm.SVR(),
    }


EXACT = frozenset(
    """RandomForestClassifier ExtraTreesClassifier DecisionTreeClassifier RandomForestRegressor
    ExtraTreesRegressor DecisionTreeRegressor GradientBoostingRegressor HistGradientBoostingRegressor
    LGBMRegressor XGBRegressor""".split()
)


def boosters() -> dict[str, tuple[Callable[[], Any], bool]]:
    """Those that are installed: the model, and whether it classifies."""
    found: dict[str, tuple[Callable[[], Any], bool]] = {}
    try:
        import xgboost

        found["XGBClassifier"] = (lambda: xgboost.XGBClassifier(n_estimators=8, n_jobs=1), True)
        found["XGBRegressor"] = (lambda: xgboost.XGBRegressor(n_estimators=8, n_jobs=1), False)
    except ImportError:
        pass
    try:
        import lightgbm

        found["LGBMClassifier"] = (
            lambda: lightgbm.LGBMClassifier(n_estimators=8, n_jobs=1, verbose=-1),
            True,
        )
        found["LGBMRegressor"] = (
            lambda: lightgbm.LGBMRegressor(n_estimators=8, n_jobs=1, verbose=-1),
            False,
        )
    except ImportError:
        pass
    return found


def compared(name: str, model: Any, X: Any, y: Any, Z: Any) -> list[str]:
    """What a fitted model's quick form says otherwise than the library, for rows alone."""
    if name.startswith("XGB") and y is not None and y.dtype.kind in "UO":
        y = np.unique(y, return_inverse=True)[1]
    model.fit(X, y)
    fast, wrong, left = quick(model), [], 0
    has = hasattr(model, "predict_proba")
    answers, odds = model.predict(Z), model.predict_proba(Z) if has else None
    if hasattr(fast, "predict_proba") != has:
        return [f"{name}: predict_proba is {'missing' if has else 'there'}"]
    for at in range(len(Z)):
        row = Z.iloc[at : at + 1] if hasattr(Z, "iloc") else Z[at : at + 1]
        alone = row.to_numpy(dtype=object) if hasattr(row, "iloc") else row
        try:
            got = fast.predict(alone)
            shares = fast.predict_proba(alone) if has else None
        except NotCovered:
            left += 1
            continue
        want = answers[at : at + 1]
        if got.dtype.kind == "f":
            bound = 0.0 if name.split(" ")[0] in EXACT else fast.alike
            if not np.allclose(got, want, rtol=bound, atol=0):
                wrong.append(f"{name}: {got} and not {want}")
        elif got.tolist() != want.tolist():
            wrong.append(f"{name}: {got} and not {want}")
        if has:
            bound = 0.0 if name.split(" ")[0] in EXACT else fast.alike
            off = np.abs(shares - odds[at]).max()
            if off > bound:
                wrong.append(f"{name}: probabilities {off} off")
    if left > 0.02 * len(Z):
        wrong.append(f"{name}: {left} of {len(Z)} rows left to the library")
    return wrong[:3]


def of_tables() -> dict[str, Any]:
    """Pipelines that take the columns of a table."""
    one_hot = preprocessing.OneHotEncoder(handle_unknown="ignore")
    ordinal = preprocessing.OrdinalEncoder()
    whole = make_pipeline(impute.SimpleImputer(strategy="median"), preprocessing.StandardScaler())
    words = make_pipeline(impute.SimpleImputer(strategy="most_frequent"), one_hot)
    first = compose.ColumnTransformer([("n", whole, ["a", "b"]), ("c", words, ["city", "size"])])
    other = compose.ColumnTransformer(
        [
            ("c", preprocessing.OneHotEncoder(drop="first"), ["city"]),
            ("o", ordinal, ["size"]),
            ("d", "drop", ["a"]),
        ],
        remainder="passthrough",
    )
    return {
        "table, linear": make_pipeline(first, linear_model.LogisticRegression(max_iter=500)),
        "table, forest": make_pipeline(first, ensemble.RandomForestClassifier(8, random_state=0)),
        "table, boosted": make_pipeline(
            other, ensemble.GradientBoostingClassifier(n_estimators=8, random_state=0)
        ),
    }


def main(rows: int = 60) -> dict[str, Any]:
    """Every model on so many rows alone."""
    warnings.simplefilter("ignore")
    X, Z, wrong = numbers(300, 0), numbers(rows, 1), []
    for name, make in classifiers().items():
        for count in (2, 3):
            model = make()
            if getattr(model, "one_each", False) and count == 3:
                continue
            wrong += compared(name, model, X, classes(X, count), Z)
    for name, make in regressors().items():
        wrong += compared(name, make(), X, amount(X), Z)
    for name in ("HistGradientBoostingClassifier",):
        wrong += compared(f"{name} with gaps", classifiers()[name](), holed(X), classes(X, 2), holed(Z))
    for name, (make, classifies) in boosters().items():
        for count in (2, 3) if classifies else (0,):
            y = classes(X, count) if classifies else amount(X)
            wrong += compared(name, make(), X, y, Z)
            wrong += compared(f"{name} with gaps", make(), holed(X), y, holed(Z))
    for name, model in of_tables().items():
        T = table(300, 2)
        wrong += compared(name, model, T, classes(T.fillna(0).to_numpy(), 2), table(rows, 3))
    wrong += compared("SVC", svm.SVC(), X, classes(X, 2), Z)
    wrong += compared("KMeans", cluster.KMeans(4, n_init=2, random_state=0), X, None, Z)
    wrong += of_texts(rows)
    return {"sklearn": sklearn.__version__, "wrong": wrong}


def of_texts(rows: int) -> list[str]:
    known, new = texts(300, 0), np.array(texts(rows, 1), dtype=object)
    y = np.array([("good" in text) + 2 * ("very" in text) for text in known])
    tfidf = feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    counts = feature_extraction.text.CountVectorizer(stop_words="english")
    found = compared("tf-idf", make_pipeline(tfidf, linear_model.LogisticRegression()), known, y, new)
    return found + compared("counts", make_pipeline(counts, naive_bayes.MultinomialNB()), known, y, new)


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
