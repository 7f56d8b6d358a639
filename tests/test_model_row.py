"""Quick models decide as their libraries do; a project gets those that its training names, and no others."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")

import model_laws as laws
import numpy as np
from sklearn import ensemble, linear_model, neighbors

from nb2prod.rowpath import model_path
from nb2prod.rowpath.estimators import trees
from nb2prod.rowpath.estimators.models import NotCovered, NotQuick
from nb2prod.rowpath.estimators.quick import FORMS, quick
from nb2prod.rowpath.estimators.steps import STEPS

PYTHONS = [exe for exe in os.environ.get("NB2PROD_PYTHONS", "").split(os.pathsep) if exe]


def test_every_model_decides_as_its_library_does() -> None:
    assert laws.main(rows=20)["wrong"] == []


@pytest.mark.slow
@pytest.mark.parametrize("exe", ["", *PYTHONS])
def test_every_model_decides_as_its_library_does_in_three_generations(exe: str) -> None:
    script = Path(__file__).with_name("model_laws.py")
    if exe:
        done = subprocess.run([exe, str(script)], capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
    else:
        report = laws.main(rows=60)
    assert report["wrong"] == [], report["sklearn"]


def test_the_law_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values on a threshold that go right are found, and so are features that keep their 64 bits."""
    X, Z = laws.numbers(300, 0), laws.numbers(60, 1)
    make = laws.classifiers()["DecisionTreeClassifier"]
    assert laws.compared("DecisionTreeClassifier", make(), X, laws.classes(X, 2), Z) == []
    monkeypatch.setattr(trees, "narrow", lambda row: [one + 0.4 for one in row])
    assert laws.compared("DecisionTreeClassifier", make(), X, laws.classes(X, 2), Z)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_scikit_learn_rejects_is_left_to_it(value: float) -> None:
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    for model in (ensemble.RandomForestClassifier(3), linear_model.LogisticRegression()):
        with pytest.raises(NotCovered, match="missing or infinite"):
            quick(model.fit(X, y)).predict(np.array([[value, 1.0]]))


def test_a_model_without_a_form_is_left_to_its_library() -> None:
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    with pytest.raises(NotQuick, match="KNeighborsClassifier"):
        quick(neighbors.KNeighborsClassifier(3).fit(X, y))


def test_a_project_whose_model_has_no_form_still_has_what_it_asks_for() -> None:
    space: dict[str, Any] = {}
    exec(model_path(["model = KNeighborsClassifier(3)"]), space)
    assert space["FORMS"] == {}
    with pytest.raises(space["NotQuick"]):
        space["quick"](neighbors.KNeighborsClassifier(3))
    assert issubclass(space["NotCovered"], Exception)


def test_a_project_gets_the_forms_that_its_training_names() -> None:
    text = model_path(["model = make_pipeline(StandardScaler(), linear_model.Ridge())"])
    space: dict[str, Any] = {}
    exec(text, space)
    assert set(space["FORMS"]) == {"Pipeline", "Ridge"}
    assert set(space["STEPS"]) == {"Pipeline", "StandardScaler"}
    assert "class Linear" in text
    assert "class Forest" not in text and "XGB" not in text
    X = laws.numbers(50, 0)
    model = laws.make_pipeline(laws.preprocessing.StandardScaler(), linear_model.Ridge()).fit(X, X[:, 0])
    assert space["quick"](model).predict(X[:1]) == pytest.approx(model.predict(X[:1]), rel=1e-9)


def test_every_form_has_a_law() -> None:
    """By the function or class behind a name: those that share one are alike for it."""
    text = Path(laws.__file__).read_text(encoding="utf-8")
    for table in (FORMS, STEPS):
        missing = set(table.values()) - {form for name, form in table.items() if name in text}
        assert missing == set()
