"""Every fact against its library, where that is installed: the name exists, and the example obeys the law.

*Row-wise*: for every row, computing on the frame and taking the row equals taking the row and computing.
What *learns* or *needs other rows* gives one row for each row, and breaks that law.  An *aggregate* is not
one row for each row.  What *filters* gives some of the rows, in any order, unchanged.
"""

from __future__ import annotations

import importlib
import math
import random
import statistics
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nb2prod import knowledge
from nb2prod.knowledge import Fact, library
from nb2prod.knowledge.read import read

pd = pytest.importorskip("pandas")
np = pytest.importorskip("numpy")

FOLDER = Path(knowledge.__file__).parent
STDLIB = {api.partition(".")[0] for api in read(FOLDER / "stdlib.toml").names}
NAMES = sorted({path.stem for path in FOLDER.glob("*.toml")} - {"stdlib", "star"} | STDLIB)
FACTS = [fact for name in NAMES for fact in library(name)]
# What instances of scikit-learn's roles do: not names of the library.
ROLES = {f"sklearn.{fact.role}." for fact in library("sklearn") if fact.role} | {"sklearn.estimator."}


def frame() -> Any:
    return _frame().copy()


@cache
def _frame() -> Any:
    """Twelve rows of the kinds that notebooks have, with gaps; no index label equals a position."""
    ages = [22.0, 38.0, None, 35.0, 35.0, 54.0, 2.0, 27.0, 14.0, None, 58.0, 20.0]
    fares = [7.25, 71.28, 7.92, 53.1, 8.05, 51.86, 21.07, 11.13, 30.07, 16.7, 26.55, 8.06]
    cities = ["Bern", "Oslo", "Rome", None, "Bern", "Oslo", "Bern", "Rome", "Oslo", "Bern", "Bern", "Oslo"]
    return pd.DataFrame(
        {
            "age": ages,
            "fare": fares,
            "rooms": [3, 1, 4, 1, 5, 2, 2, 6, 5, 3, 5, 4],
            "size": [1.5, 2.5, 0.5, 3.5, 4.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            "floor": [0, 2, 1, 3, 0, 1, 2, 4, 1, 0, 2, 3],
            "city": cities,
            "sex": list("mfmfmfmfmfff"),
            "note": ["a", "a b", "b", "a b c", "c", "c d", "d", "e f", "a", "b b", "x", "y z"],
            "code": ["1", "2.5", "x", "4", "", "6", "7", "8", "9", "ten", "11", "12"],
            "day": [f"2024-{month:02}-1{month % 3}" for month in range(1, 13)],
            "joined": pd.date_range("2023-11-29 07:30", periods=12, freq="17D"),
            "grade": pd.Categorical(list("abcabcabcabc"), categories=list("abcd"), ordered=True),
        },
        index=range(100, 112),
    )


def names() -> dict[str, Any]:
    """The modules and classes that examples use; a missing library leaves its names out."""
    found: dict[str, Any] = {"pd": pd, "np": np, "random": random, "math": math, "statistics": statistics}
    wanted = {
        "sklearn.preprocessing": "StandardScaler",
        "sklearn.cluster": "KMeans",
        "sklearn.manifold": "MDS",
        "sklearn.model_selection": "KFold train_test_split",
        "scipy.stats.mstats": "",
        "scipy.special": "",
        "statsmodels.api": "",
    }
    for module, inner in wanted.items():
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue
        found[module.partition(".")[0]] = importlib.import_module(module.partition(".")[0])
        found |= {name: getattr(loaded, name) for name in inner.split()}
    return found


MODULES = names()


def run(example: str, rows: Any) -> tuple[Any, dict[str, Any]]:
    """The value of an example on some rows, and the objects that it was given, as they are then."""
    given = {"frame": rows, "numbers": list(range(20)), "lookup": {"a": 1}, "names": {"x"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(example, {**MODULES, **given}), given


def value(example: str, rows: Any) -> Any:
    """What the example computes; the frame itself where it works in place."""
    result, given = run(example, rows.copy())
    return given["frame"] if result is None else result


def lines(result: Any) -> list[Any] | None:
    """The result as one item a row, or None where it is no table, column, array or list."""
    if isinstance(result, pd.DataFrame):
        columns = [lines(result.iloc[:, position]) for position in range(result.shape[1])]
        return [tuple(zip(map(str, result.columns), row, strict=True)) for row in zip(*columns, strict=True)]
    if isinstance(result, pd.Series) and isinstance(result.dtype, pd.CategoricalDtype):
        return [(one, tuple(result.cat.categories)) for one in result]
    if isinstance(result, pd.Series | pd.Index | list | pd.api.extensions.ExtensionArray):
        return list(result)
    if isinstance(result, np.ndarray) and result.ndim:
        return list(result.tolist())
    return None


def same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple | list | dict) and type(one) is type(other):
        pairs = zip(*(x.items() if isinstance(x, dict) else x for x in (one, other)), strict=False)
        return len(one) == len(other) and all(same(a, b) for a, b in pairs)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return bool(one is other or (pd.isna(one) and pd.isna(other)) or one == other)


def aligned(result: Any) -> bool:
    found = lines(result)
    return found is not None and len(found) == len(frame())


def is_row_wise(example: str) -> bool:
    whole = frame()
    together = lines(value(example, whole))
    if together is None or len(together) != len(whole):
        return False
    for position, expected in enumerate(together):
        alone = lines(value(example, whole.iloc[[position]]))
        if alone is None or len(alone) != 1 or not same(alone[0], expected):
            return False
    return True


def breaks_the_law(example: str) -> bool:
    try:
        return not is_row_wise(example)
    except Exception:  # a row alone is too little for many learners
        return True


# ---- the law of each effect


def row_wise(example: str) -> bool:
    return is_row_wise(example)


def aggregates(example: str) -> bool:
    return not aligned(value(example, frame()))


def needs_all_rows(example: str) -> bool:
    return aligned(value(example, frame())) and breaks_the_law(example)


def schema(example: str) -> bool:
    """Names and dtypes, or a choice of columns."""
    result, whole = value(example, frame()), frame()
    if isinstance(result, pd.DataFrame):
        return set(result.columns) < set(whole.columns) and result.equals(whole[list(result.columns)])
    return not aligned(result)


def filters(example: str) -> bool:
    result, whole = value(example, frame()), frame()
    result = result.to_frame() if isinstance(result, pd.Series) else result
    rows = whole.loc[result.index, list(result.columns)]
    return bool(result.equals(rows.astype(result.dtypes)))


def splits(example: str) -> bool:
    """The parts of each pair are all rows, each once."""
    parts, whole = list(value(example, frame())), frame()
    if not isinstance(parts[0], tuple):
        parts = [tuple(whole.index.get_indexer(part.index) for part in parts)]
    return all(sorted(i for part in pair for i in part) == list(range(len(whole))) for pair in parts)


def draws(example: str) -> bool:
    def seeded() -> list[Any]:
        np.random.seed(3)
        random.seed(3)
        results = [run(example, frame()) for _ in range(2)]
        return [given["numbers"] if result is None else result for result, given in results]

    first, second = seeded()
    return not same(first, second) and same(first, seeded()[0])


def seeds(example: str) -> bool:
    def drawn() -> list[float]:
        run(example, frame())
        return [np.random.random(), random.random()]

    return any(same(one, other) for one, other in zip(drawn(), drawn(), strict=True))


LAWS: dict[str, Callable[[str], bool]] = {
    "row-wise": row_wise,
    "aggregates": aggregates,
    "learns": needs_all_rows,
    "needs-other-rows": needs_all_rows,
    "schema": schema,
    "filters": filters,
    "splits": splits,
    "draws": draws,
    "seeds": seeds,
    "mutates": lambda example: True,  # the test of all examples looks at what they change
    "pure": lambda example: True,
}


def mutated(example: str) -> bool:
    rows = frame()
    _, given = run(example, rows)
    fresh = run("None", frame())[1]
    return not rows.equals(frame()) or any(
        given[name] != fresh[name] for name in ("numbers", "lookup", "names")
    )


def examples() -> list[Any]:
    """The facts whose examples use nothing that is not installed."""
    facts = [fact for fact in FACTS if fact.example and fact.api.partition(".")[0] not in missing()]
    return [pytest.param(fact, id=f"{fact.api} {fact.example}") for fact in facts]


@cache
def missing() -> frozenset[str]:
    return frozenset(name for name in NAMES if module_of(name) is None)


@cache
def module_of(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            return None


@pytest.mark.parametrize("fact", examples())
def test_the_example_obeys_the_fact(fact: Fact) -> None:
    assert LAWS[fact.effect](fact.example)
    changes = any(target in ("self", "0") for target in fact.mutates) or "inplace=True" in fact.example
    if not fact.api.startswith("sklearn."):  # examples of estimators change an estimator made on the spot
        assert mutated(fact.example) == changes


def test_the_law_is_not_empty() -> None:
    """Facts with the wrong effect fail."""
    assert not row_wise("frame['age'].fillna(frame['age'].mean())")
    assert not row_wise("frame['age'].mean()")
    assert not aggregates("frame['age'] + 1")
    assert not needs_all_rows("frame['age'] + 1")
    assert not filters("frame['age'] + 1")
    assert not draws("1.0")
    assert not mutated("frame.dropna()") and mutated("frame.dropna(inplace=True)")


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
    "plotly.graph_objs.",
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
