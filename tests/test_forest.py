"""The forest that a generated project walks itself answers as scikit-learn does, to the last bit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("sklearn")

import jinja2
import numpy as np
from sklearn import ensemble
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nb2prod.emit import templates_dir

KINDS = ("RandomForest", "ExtraTrees")


@pytest.fixture(scope="module")
def forest() -> dict[str, Any]:
    text = (templates_dir() / "package/src/__package__/forest.py.jinja").read_text(encoding="utf-8")
    space: dict[str, Any] = {}
    exec(jinja2.Template(text).render(project=SimpleNamespace(row_path="x")), space)
    return space


@pytest.mark.parametrize(
    "name", ["RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"]
)
@pytest.mark.parametrize("piped", [False, True])
def test_a_forest_answers_as_scikit_learn_does(forest: dict[str, Any], name: str, piped: bool) -> None:
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(2, 300, 6)).round(2)
    y = (X[:, 0] * 3).round().astype(int) if name.endswith("Classifier") else X[:, 0] * 3.3 + X[:, 1]
    model = getattr(ensemble, name)(12, random_state=0)
    model = (make_pipeline(StandardScaler(), model) if piped else model).fit(X, y)
    quick = forest["quick"](model)
    assert quick is not model
    assert (quick.predict(Z) == model.predict(Z)).all()
    if name.endswith("Classifier"):
        assert (quick.predict_proba(Z) == model.predict_proba(Z)).all()
        assert (quick.predict_proba(Z[:1]) == model.predict_proba(Z[:1])).all()


def test_a_missing_value_and_other_models_are_left_to_scikit_learn(forest: dict[str, Any]) -> None:
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    quick = forest["quick"](ensemble.RandomForestClassifier(3, random_state=0).fit(X, y))
    with pytest.raises(ValueError, match="missing"):
        quick.predict(np.array([[np.nan, 1.0]]))
    other = LogisticRegression().fit(X, y)
    assert forest["quick"](other) is other
