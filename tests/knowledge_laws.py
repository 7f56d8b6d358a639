"""The laws of library facts, as a plain script: any Python that has pandas and NumPy runs it, without pytest.

    python tests/knowledge_laws.py [FRAMES]     FRAMES random frames besides the fixed one (3)

prints a JSON object: the versions, how many facts were checked, and each fact whose example breaks its law.

*Row-wise*: for every row, computing on the frame and taking the row equals taking the row and computing.
What *learns* or *needs other rows* gives one row for each row, and breaks that law.  An *aggregate* is not
one row for each row.  What *filters* gives some of the rows, in any order, unchanged.
"""

from __future__ import annotations

import importlib
import json
import math
import random
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from nb2prod import knowledge
from nb2prod.knowledge import Fact, library
from nb2prod.knowledge.read import read

FOLDER = Path(knowledge.__file__).parent
STDLIB = {api.partition(".")[0] for api in read(FOLDER / "stdlib.toml").names}
NAMES = sorted({path.stem for path in FOLDER.glob("*.toml")} - {"stdlib", "star"} | STDLIB)
FACTS = [fact for name in NAMES for fact in library(name)]


# ---- the frames


@cache
def fixed() -> Any:
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


@cache
def drawn(seed: int) -> Any:
    """Eight to 24 rows of the same columns: more gaps, other values, other scripts, rare categories."""
    rng = random.Random(seed)
    rows = rng.randrange(8, 25)

    def column(one: Callable[[], Any], gaps: float = 0.0) -> list[Any]:
        found = [None if rng.random() < gaps else one() for _ in range(rows)]
        return found if any(value is not None for value in found) else [one(), *found[1:]]

    words = ["a", "b", "über", "日本", "x y", "", "Z", "a b c"]
    days = pd.date_range("1999-12-31 23:59", periods=4000, freq="7h")
    return pd.DataFrame(
        {
            "age": np.array(column(lambda: float(rng.randrange(1, 90)), 0.3), dtype=float),
            "fare": column(lambda: rng.choice([0.5, 7.25, 8.05, 13.0, 26.55, 71.28, 512.33])),
            "rooms": column(lambda: rng.randrange(1, 9)),
            "size": column(lambda: rng.randrange(1, 20) / 2),
            "floor": column(lambda: rng.randrange(0, 5)),
            "city": column(lambda: rng.choice(["Bern", "Oslo", "Oslo", "Rome", "Łódź"]), 0.2),
            "sex": column(lambda: rng.choice("mf")),
            "note": column(lambda: " ".join(rng.choices(words, k=rng.randrange(1, 4)))),
            "code": column(lambda: rng.choice(["1", "2.5", "x", "-3", "", "1e3", "seven"])),
            "day": column(lambda: str(rng.choice(days).date())),
            "joined": [rng.choice(days) for _ in range(rows)],
            "grade": pd.Categorical(column(lambda: rng.choice("abc"), 0.1), list("abcd"), ordered=True),
        },
        index=range(200, 200 + rows),
    )


@cache
def names() -> dict[str, Any]:
    """The modules and classes that examples use; a missing library leaves its names out."""
    found: dict[str, Any] = {"pd": pd, "np": np, "random": random, "math": math, "statistics": statistics}
    wanted = {
        "sklearn.preprocessing": "StandardScaler",
        "sklearn.cluster": "KMeans",
        "sklearn.manifold": "MDS",
        "sklearn.linear_model": "LinearRegression",
        "sklearn.model_selection": "KFold train_test_split",
        "scipy.stats.mstats": "",
        "scipy.special": "",
        "statsmodels.api": "",
        "patsy": "",
        "datetime": "",
        "re": "",
        "string": "",
        "unicodedata": "",
        "textwrap": "",
    }
    for module, inner in wanted.items():
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue
        found[module.partition(".")[0]] = importlib.import_module(module.partition(".")[0])
        found |= {name: getattr(loaded, name) for name in inner.split()}
    return found


def run(example: str, rows: Any) -> tuple[Any, dict[str, Any]]:
    """The value of an example on some rows, and the objects that it was given, as they are then."""
    given = {"frame": rows, "numbers": list(range(20)), "lookup": {"a": 1}, "names": {"x"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(example, {**names(), **given}), given


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


def aligned(result: Any, whole: Any) -> bool:
    """Whether there is one item for each row: as many, and, where it has an index, under the rows' labels."""
    found = lines(result)
    if found is None or len(found) != len(whole):
        return False
    return not isinstance(result, pd.DataFrame | pd.Series) or set(result.index) == set(whole.index)


# ---- the law of each effect, on one frame


def row_wise(example: str, whole: Any) -> bool:
    """Also where it raises: then some row alone makes it raise too."""
    rows = [whole.iloc[[position]] for position in range(len(whole))]
    try:
        together = lines(value(example, whole))
    except Exception:
        return any(_raises(example, row) for row in rows)
    if together is None or len(together) != len(whole):
        return False
    for row, expected in zip(rows, together, strict=True):
        if _raises(example, row):
            return False
        alone = lines(value(example, row))
        if alone is None or len(alone) != 1 or not same(alone[0], expected):
            return False
    return True


def _raises(example: str, rows: Any) -> bool:
    try:
        value(example, rows)
    except Exception:
        return True
    return False


def aggregates(example: str, whole: Any) -> bool:
    return not aligned(value(example, whole), whole)


def one_for_each_row(example: str, whole: Any) -> bool:
    """Of what learns or needs other rows; `needs_all_rows` says that it is not row-wise besides."""
    return aligned(value(example, whole), whole)


def needs_all_rows(example: str, whole: Any) -> bool:
    return one_for_each_row(example, whole) and not row_wise(example, whole)


def schema(example: str, whole: Any) -> bool:
    """Names and dtypes, or a choice of columns."""
    result = value(example, whole)
    if isinstance(result, pd.DataFrame):
        return set(result.columns) < set(whole.columns) and result.equals(whole[list(result.columns)])
    return not aligned(result, whole)


def filters(example: str, whole: Any) -> bool:
    result = value(example, whole)
    result = result.to_frame() if isinstance(result, pd.Series) else result
    rows = whole.loc[result.index, list(result.columns)]
    return bool(result.equals(rows.astype(result.dtypes)))


def splits(example: str, whole: Any) -> bool:
    """The parts of each pair are all rows, each once."""
    parts = list(value(example, whole))
    if not isinstance(parts[0], tuple):
        parts = [tuple(whole.index.get_indexer(part.index) for part in parts)]
    return all(sorted(i for part in pair for i in part) == list(range(len(whole))) for pair in parts)


def draws(example: str, whole: Any) -> bool:
    def seeded() -> list[Any]:
        np.random.seed(3)
        random.seed(3)
        results = [run(example, whole.copy()) for _ in range(2)]
        return [given["numbers"] if result is None else result for result, given in results]

    first, second = seeded()
    return not same(first, second) and same(first, seeded()[0])


def seeds(example: str, whole: Any) -> bool:
    def numbers() -> list[float]:
        run(example, whole.copy())
        return [np.random.random(), random.random()]

    return any(same(one, other) for one, other in zip(numbers(), numbers(), strict=True))


Law = Callable[[str, Any], bool]
LAWS: dict[str, Law] = {
    "row-wise": row_wise,
    "aggregates": aggregates,
    "learns": needs_all_rows,
    "needs-other-rows": needs_all_rows,
    "schema": schema,
    "filters": filters,
    "splits": splits,
    "draws": draws,
    "seeds": seeds,
    "mutates": lambda example, whole: True,  # what an example changes is looked at for every fact
    "pure": lambda example, whole: True,
}
# A random frame may by chance be one that a learner learns nothing from.
ANY_FRAME: dict[str, Law] = LAWS | {"learns": one_for_each_row, "needs-other-rows": one_for_each_row}


def mutated(example: str, whole: Any) -> bool:
    rows = whole.copy()
    _, given = run(example, rows)
    fresh = run("None", whole)[1]
    return not rows.equals(whole) or any(
        given[name] != fresh[name] for name in ("numbers", "lookup", "names")
    )


def broken(fact: Fact, frames: int) -> str:
    """What is wrong with a fact on the fixed frame and so many random ones, or nothing."""
    if not LAWS[fact.effect](fact.example, fixed()):
        return f"not {fact.effect} on the fixed frame"
    changes = any(target in ("self", "0") for target in fact.mutates) or "inplace=True" in fact.example
    if not fact.api.startswith("sklearn."):  # examples of estimators change an estimator made on the spot
        if mutated(fact.example, fixed()) != changes:
            return f"mutates: {changes} claimed"
    for seed in range(frames):
        whole = drawn(seed)
        if fact.effect != "row-wise" and _raises(fact.example, whole):
            continue  # some need what this frame lacks; a row-wise fact says more
        if not ANY_FRAME[fact.effect](fact.example, whole):
            return f"not {fact.effect} on random frame {seed}"
        if not changes and mutated(fact.example, whole) and not fact.api.startswith("sklearn."):
            return f"mutates random frame {seed}"
    return ""


def examples() -> Iterator[Fact]:
    """The facts whose examples use nothing that is not installed."""
    for fact in FACTS:
        if fact.example and fact.api.partition(".")[0] not in missing():
            yield fact


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


def checked(frames: int) -> dict[str, Any]:
    found, count = [], 0
    for fact in examples():
        try:
            problem = broken(fact, frames)
        except Exception as error:
            if isinstance(error, AttributeError | TypeError) and newer(fact, error):
                continue
            problem = f"raises {type(error).__name__}: {error}"
        count += 1
        if problem:
            found.append({"fact": fact.api, "example": fact.example, "problem": problem})
    versions = {"pandas": pd.__version__, "numpy": np.__version__}
    return {"versions": versions, "checked": count, "broken": found}


def newer(fact: Fact, error: Exception) -> bool:
    """Whether the name, or an option of the example, came with a later version than is installed."""
    return f"no attribute '{fact.name}'" in str(error) or "unexpected keyword argument" in str(error)


if __name__ == "__main__":
    print(json.dumps(checked(int(sys.argv[1]) if len(sys.argv) > 1 else 3), indent=1, ensure_ascii=False))
