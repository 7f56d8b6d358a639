"""Quick models decide as their libraries do; a project gets those that its training names, and no others."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")

import model_laws as laws
import numpy as np
from sklearn import (
    ensemble,
    linear_model,
    model_selection,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    tree,
)

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


@pytest.mark.parametrize(
    "make",
    [
        ensemble.RandomForestClassifier(40, random_state=0),
        ensemble.RandomForestClassifier(40, max_depth=1, random_state=0),
        ensemble.ExtraTreesClassifier(7, random_state=0),
        tree.DecisionTreeClassifier(random_state=0),
        tree.DecisionTreeClassifier(max_depth=1, random_state=0),
    ],
    ids=str,
)
def test_leaves_that_are_ruled_out_and_trees_that_are_walked_agree(make: Any) -> None:
    """Also where values lie on thresholds, and the same as the library's own walk."""
    X, Z = laws.numbers(400, 0), laws.numbers(100, 1)
    model = make.fit(X, laws.classes(X, 3))
    grown = [one.tree_ for one in getattr(model, "estimators_", [model])]
    nodes = trees.Nodes(grown)
    thresholds = nodes.threshold[~nodes.leaf]
    Z[::2, 0] = thresholds[np.arange(len(Z[::2])) % len(thresholds)]
    walked, ruled_out = trees.walked(nodes), trees.ruled_out(nodes)
    assert trees.is_small(nodes)
    for row in Z.astype(np.float32):
        found = walked(row.tolist())
        assert ruled_out(row.tolist()).tolist() == found.tolist()
        held = [one.value[one.apply(row[None])[0], 0].tolist() for one in grown]
        assert nodes.values[found].tolist() == held


def test_a_large_forest_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rules out its leaves would grow with their square."""
    X = laws.numbers(300, 0)
    model = ensemble.RandomForestClassifier(5, random_state=0).fit(X, laws.classes(X, 2))
    for bound in ("SMALL", "FEW"):
        with monkeypatch.context() as patch:
            patch.setattr(trees, bound, 10)
            large = quick(model)
            assert large.reached.__qualname__.startswith("walked")
            np.testing.assert_allclose(large.predict_proba(X), model.predict_proba(X), rtol=1e-12)


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


@pytest.mark.parametrize(
    "model",
    [neighbors.KNeighborsClassifier(4), naive_bayes.GaussianNB(), neural_network.MLPClassifier(max_iter=30)],
    ids=lambda model: type(model).__name__,
)
def test_a_classifier_that_is_asked_once_takes_the_same_labels(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With four neighbours, many rows have two labels that are as likely."""
    rows = generated_rows(monkeypatch)
    X, Z = laws.numbers(300, 0), laws.numbers(500, 1)
    for classes in (2, 3):
        model.fit(X, laws.classes(X, classes))
        once = rows.asked_once(model)
        assert once.predict(Z).tolist() == model.predict(Z).tolist()
        assert once.predict_proba(Z).tolist() == model.predict_proba(Z).tolist()


def test_a_label_between_equal_chances_is_the_librarys_and_one_call_gives_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Sure:
        classes_ = np.array(["no", "yes"])
        asked = 0

        def predict_proba(self, X: Any) -> Any:
            self.asked += 1
            return np.column_stack([1 - X[:, 0], X[:, 0]])

        def predict(self, X: Any) -> Any:
            return np.where(X[:, 0] >= 0.5, "yes", "no")

    generated_rows(monkeypatch)
    answers = importlib.import_module("churn.answers")
    X = np.array([[0.2], [0.5], [0.8]])
    once = answers.Likeliest(Sure())
    assert (once.predict(X).tolist(), once.predict_proba(X).tolist()) == (
        ["no", "yes", "yes"], [[0.8, 0.2], [0.5, 0.5], [1 - 0.8, 0.8]],
    )  # fmt: skip
    assert once.model.asked == 1


def test_a_classifier_with_a_threshold_of_its_own_is_asked_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = generated_rows(monkeypatch)
    X = laws.numbers(60, 0)
    own = model_selection.FixedThresholdClassifier(naive_bayes.GaussianNB(), threshold=0.3)
    for model in (own, pipeline.make_pipeline(preprocessing.StandardScaler(), own)):
        with pytest.raises(rows.NotQuick, match="another label"):
            rows.asked_once(model.fit(X, laws.classes(X, 2)))


def generated_rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "generated" / "churn" / "src"))
    return importlib.import_module("churn.rows")
