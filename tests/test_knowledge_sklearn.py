"""scikit-learn: the generated facts are current, and every estimator obeys what is said of it."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from nb2prod import knowledge
from nb2prod.knowledge import library

sklearn = pytest.importorskip("sklearn")

import sklearn_facts  # noqa: E402

FILE = Path(knowledge.__file__).parent / "sklearn.toml"
PYTHONS = [sys.executable, *(exe for exe in os.environ.get("NB2PROD_PYTHONS", "").split(os.pathsep) if exe)]


@pytest.mark.slow
def test_the_generated_facts_are_current(update: bool) -> None:
    text = FILE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(sklearn_facts.BEGIN.partition("{")[0])
    old, end, after = rest.partition(sklearn_facts.END)
    assert begin and end
    version = old.partition(" ")[0]
    if not update and version != ".".join(sklearn.__version__.split(".")[:2]):
        pytest.skip(f"generated from scikit-learn {version}")
    generated = sklearn_facts.generated()
    if update:
        FILE.write_text(before + generated + after, encoding="utf-8")
    else:
        assert begin + old + end == generated


@pytest.mark.parametrize("exe", PYTHONS)
def test_every_estimator_obeys_its_facts(exe: str) -> None:
    """In this Python, and in those that NB2PROD_PYTHONS names."""
    script = Path(__file__).with_name("estimator_laws.py")
    done = subprocess.run([exe, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["broken"] == [], report["sklearn"]
    assert report["checked"] > 150


def test_every_estimator_splitter_function_and_plot_is_known() -> None:
    """By name; experimental ones and what an older scikit-learn has besides are the laws' matter."""
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9):
        pytest.skip("names of an older scikit-learn")
    known = {fact.api for fact in library("sklearn")}
    names = {fact.name for fact in library("sklearn")}
    discovery = importlib.import_module("sklearn.utils.discovery")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = [name for name, _ in [*discovery.all_estimators(), *discovery.all_displays()]]
        functions = [
            f"{module}.{name}"
            for module, loaded in ((module, importlib.import_module(module)) for module in PUBLIC)
            for name in getattr(loaded, "__all__", ())
            if callable(vars(loaded).get(name)) and not name.startswith("_") and not NO_CALL.search(name)
        ]
    assert [name for name in kinds if name not in names] == []
    assert [api for api in functions if api not in known] == []


NO_CALL = re.compile(r"Tags$|Warning$|^Base\w+Tree$")
PUBLIC = [
    f"sklearn.{name}"
    for name in """base calibration cluster compose covariance datasets decomposition feature_extraction
    feature_selection inspection isotonic kernel_approximation linear_model manifold metrics model_selection
    neighbors pipeline preprocessing random_projection svm tree utils""".split()
]
