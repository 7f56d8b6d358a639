"""Every fact against its library, where that is installed: the name exists, and the example obeys the law.

The laws are in `knowledge_laws.py`, a plain script.  Other generations of the libraries are checked with
the Pythons that the environment variable NB2PROD_PYTHONS names, separated by `:`.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest

from nb2prod.knowledge import Fact, library

pd = pytest.importorskip("pandas")

import knowledge_laws as laws  # noqa: E402
from knowledge_laws import FACTS, fixed, missing, module_of  # noqa: E402

# What instances of scikit-learn's roles do: not names of the library.
ROLES = {f"sklearn.{fact.role}." for fact in library("sklearn") if fact.role} | {"sklearn.estimator."}
PYTHONS = [exe for exe in os.environ.get("NB2PROD_PYTHONS", "").split(os.pathsep) if exe]


@pytest.mark.parametrize("fact", [pytest.param(f, id=f"{f.api} {f.example}") for f in laws.examples()])
def test_the_example_obeys_the_fact(fact: Fact) -> None:
    assert laws.broken(fact, frames=1) == ""


@pytest.mark.skipif(not PYTHONS, reason="NB2PROD_PYTHONS names no other Python")
@pytest.mark.parametrize("exe", PYTHONS)
def test_the_facts_hold_in_another_generation(exe: str) -> None:
    script = Path(__file__).with_name("knowledge_laws.py")
    done = subprocess.run([exe, str(script), "3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["broken"] == [], report["versions"]
    assert report["checked"] > 500


def test_the_law_is_not_empty() -> None:
    """Facts with the wrong effect fail, on the fixed frame and on a random one."""
    for whole in (fixed(), laws.drawn(0)):
        assert not laws.row_wise("frame['age'].fillna(frame['age'].mean())", whole)
        assert not laws.row_wise("frame['age'].mean()", whole)
        assert not laws.aggregates("frame['age'] + 1", whole)
        assert not laws.needs_all_rows("frame['age'] + 1", whole)
        assert not laws.filters("frame['age'] + 1", whole)
        assert not laws.draws("1.0", whole)
        assert laws.mutated("frame.dropna(inplace=True)", whole)
        assert not laws.mutated("frame.dropna()", whole)


def test_random_frames_hold_what_real_ones_do() -> None:
    frames = [laws.drawn(seed) for seed in range(3)]
    assert all(frame["age"].isna().any() and frame["city"].isna().any() for frame in frames)
    assert all(frame["grade"].isna().any() for frame in frames)
    assert len({len(frame) for frame in frames}) > 1
    assert all(set(frame.columns) == set(fixed().columns) for frame in frames)


def test_most_facts_of_pandas_and_numpy_have_an_example() -> None:
    for name in ("pandas", "numpy"):
        facts = [
            fact for fact in library(name) if fact.effect in ("row-wise", "aggregates", "filters", "learns")
        ]
        assert sum(bool(fact.example) for fact in facts) > len(facts) / 2, name


# ---- the names

# Names that no class shows: of instances, of IPython's shell, of our classes for what models return.
NOT_LOOKED_UP = (
    "sklearn.utils.Bunch.",
    "builtins.display",
    "builtins.get_ipython",
    "IPython.get_ipython.",
    "matplotlib.axes.Axes.",
    "statsmodels.Model.",
    "statsmodels.Results.",
    "nltk.corpus.",  # is there once nltk.download has fetched it
    "nltk.stem.Stemmer.",
    "nltk.tokenize.Tokenizer.",
    "plotly.graph_objs.",
    "numpy.ndarray.",  # sparse arrays too
    "scipy.stats.rv_continuous.",  # discrete distributions too
    "lightgbm.LGBM",  # attributes of objects
    "lightgbm.Booster.",
    "lightgbm.CVBooster.",
    "lightgbm.Dataset.",
    "xgboost.XGB",
    "xgboost.Booster.",
    "catboost.",  # loaded on request
    "pandas.DataFrameGroupBy.plot.",
    "pandas.DataFrame.progress_",
    "pandas.Series.progress_",
    "pandas.SeriesGroupBy.plot.",
)
ABSENT = object()


@pytest.mark.skipif(pd.__version__ < "3", reason="older versions lack names that are new")
def test_names_exist() -> None:
    """A name that the installed library does not have must say which version removed it, and the reverse."""
    gone: list[str] = []
    back: list[str] = []
    for api, removed in {fact.api: fact.removed for fact in FACTS}.items():
        if api.partition(".")[0] in missing() or api.startswith((*NOT_LOOKED_UP, *ROLES)):
            continue
        if api.startswith("sklearn.") and api.endswith("_"):
            continue  # what `fit` leaves: `estimator_laws.py` fits
        if bool(removed) == exists(api):
            (back if removed else gone).append(api)
    assert (gone, back) == ([], [])


def exists(api: str) -> bool:
    top, *parts = api.split(".")
    found, path = module_of(top), top
    for part in parts:
        path += f".{part}"
        inner = _attribute(found, part)
        for other in (pandas_class, module_of) if inner is ABSENT else ():
            inner = ABSENT if (loaded := other(path)) is None else loaded
            if inner is not ABSENT:
                break
        found = inner
    return found is not ABSENT


def _attribute(owner: Any, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(owner, name, ABSENT)
        except ImportError as error:  # scikit-learn's experimental names ask for another import first
            return name if "experimental" in str(error) else ABSENT


def pandas_class(path: str) -> Any:
    """Our receiver classes that pandas keeps elsewhere, and what only some kinds of Index and .dt have."""
    library, _, name = path.partition(".")
    if library != "pandas":
        return None
    dates, spans = pd.Series(dtype="datetime64[ns]"), pd.Series(dtype="timedelta64[ns]")
    owner, _, inner = name.partition(".")
    kinds: dict[str, tuple[Any, ...]] = {
        "StringMethods": (pd.Series.str,),
        "CategoricalAccessor": (pd.Series.cat,),
        "DatetimeProperties": (type(dates.dt), type(spans.dt)),
        "Rolling": (pd.Series([1]).rolling(1),),
        "Index": (pd.Index, pd.DatetimeIndex, pd.MultiIndex, pd.CategoricalIndex),
    }
    for kind in kinds.get(owner, (getattr(pd.api.typing, owner, None),)):
        found = getattr(kind, inner, None) if inner else kind
        if found is not None:
            return found
    return None


def test_roles_are_those_of_scikit_learn() -> None:
    pytest.importorskip("sklearn", minversion="1.9")
    discovery = importlib.import_module("sklearn.utils.discovery")
    base = importlib.import_module("sklearn.base")
    mixins = {
        "classifier": base.ClassifierMixin,
        "regressor": base.RegressorMixin,
        "outlier": base.OutlierMixin,
    }
    facts = {fact.name: fact for fact in library("sklearn") if fact.role and not fact.when}
    for name, made in discovery.all_estimators():
        assert name in facts, name
        for role, mixin in mixins.items():
            assert (facts[name].role == role) == issubclass(made, mixin), name
