"""Single rows without pandas: `features_row` and the model on a plain array, used where training proved both.

`prove` compares with pandas the rows that training knows and probes of them: missing values, values that
training never saw, values of another type; and the quick form of the model with its library on all rows, or
100,000 of them.  The outcome is kept with the version.  A row for which the row
path has no answer, because it fails or a feature is missing that never was, is answered by pandas.
"""

from __future__ import annotations

import copy
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import numpy as np
import pandas as pd

from . import features_row
from .answers import Answer, Asked, Likeliest, RowPath, predictions_of, probabilities_of
from .model_row import NotCovered, NotQuick, quick
from .versions import Version

log = logging.getLogger(__name__)

# How many rows are compared, how many of them are asked one by one, how many probes, and how many rows are asked
# of the quick form of the model.
ROWS, SINGLES, PROBES, JUDGED = 2000, 10, 200, 100_000
TIMED = 500  # rows with which is measured what takes longer
# Each stands in every column of a few rows, as far as the schema lets it in.
VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    "never seen",
    "Yes",
    "NaN",
    "1",
    "12.5",
    0,
    1,
    -1,
    2,
    0.5,
    -7.25,
    1e12,
    -1e12,
    2**53 + 1,
    True,
    False,
    "2024-02-29",
    "29/02/2024",
)
# Classifiers that take the likeliest label; not those with a threshold of their own, as SVC beside its probabilities.
LIKELIEST = (
    "AdaBoostClassifier",
    "BaggingClassifier",
    "BernoulliNB",
    "CalibratedClassifierCV",
    "CategoricalNB",
    "ComplementNB",
    "ExtraTreesClassifier",
    "GaussianNB",
    "GradientBoostingClassifier",
    "HistGradientBoostingClassifier",
    "KNeighborsClassifier",
    "LinearDiscriminantAnalysis",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MLPClassifier",
    "MultinomialNB",
    "QuadraticDiscriminantAnalysis",
    "RandomForestClassifier",
)
# Probabilities and predicted numbers of a batch differ in their last bits from those of a row; models of 32 bits more.
ALIKE_32 = 1e-6


def row_path(version: Version, how: str) -> RowPath:
    """The row path of a version that asks the model in one of these ways."""
    model = WAYS[how](version.model)
    info = {name: version.info[name] for name in ("targets", "task", "labels")}
    asked = Asked(model, version.decide, version.given, info)
    features = features_row.bind(version.state)
    return RowPath(features, asked, version.state.outputs, how)


def without_names(model: Any) -> Any:
    """A copy of the model that takes an array as it is, in one thread."""
    copied = copy.copy(model)
    inner = getattr(copied, "__dict__", {})
    inner.pop("feature_names_in_", None)
    if "n_jobs" in inner:
        inner["n_jobs"] = 1
    if inner.get("steps"):
        (name, first), *others = inner["steps"]
        inner["steps"] = [(name, without_names(first)), *others]
    if "best_estimator_" in inner:
        inner["best_estimator_"] = without_names(inner["best_estimator_"])
    return copied


def asked_once(model: Any) -> Likeliest:
    """A classifier of scikit-learn whose label is the likeliest one, whatever the row."""
    last = model
    while hasattr(last, "steps") or hasattr(last, "best_estimator_"):
        last = last.steps[-1][1] if hasattr(last, "steps") else last.best_estimator_
    if (
        not type(last).__module__.startswith("sklearn.")
        or type(last).__name__ not in LIKELIEST
    ):
        raise NotQuick(
            f"{type(last).__name__} may take another label than the likeliest one"
        )
    return Likeliest(without_names(model))


# How a model is asked, the quickest first; training takes the first that says what the model says of the frame.
WAYS: dict[str, Callable[[Any], Any]] = {
    "quick": quick,
    "once": asked_once,
    "array": without_names,
    "frame": lambda model: model,
}


def prove(version: Version, main: pd.DataFrame) -> dict[str, Any]:
    """Compare the row path with pandas on rows of `main`; what it came to, as JSON."""
    told: list[str] = []
    for how in WAYS:
        try:
            path = row_path(version, how)
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message=".*feature names.*")
                found = _compared(path, version, main)
                if how in ("quick", "once") and not found["told"]:
                    found |= _judged(path, version, main)
        except NotQuick as reason:
            found = {"told": str(reason)}
        except Exception as error:  # noqa: BLE001 -- a row path that fails is none; pandas answers
            found = {"told": f"{type(error).__name__}: {error}"}
        if not found["told"]:
            asked = "model_row.py" if how == "quick" else f"its library: {told[0]}"
            until = _until(replace(version, row=path), main)
            return {"passed": True, "how": how, "asked": asked, **found, "until": until}
        told.append(found["told"])
        # the features: no other way to ask the model changes that
        if found.get("differ"):
            break
    return {"passed": False, "told": told[-1]}


def _until(version: Version, main: pd.DataFrame) -> int:
    """How many rows take as long one by one as together with pandas, of `TIMED` at most; measured here and now."""
    rows = list(islice(cycle(main.iloc[:TIMED].to_dict("records")), TIMED))
    alone, score = version.module("answers").score_alone, version.module("infer").score
    each = _seconds(lambda: [alone(row, version) for row in rows[:SINGLES]]) / SINGLES
    first = _seconds(lambda: score(rows[:1], version, alone=False))
    further = (_seconds(lambda: score(rows, version, alone=False)) - first) / (
        TIMED - 1
    )
    return (
        TIMED
        if each <= further
        else max(1, min(TIMED, int((first - further) / (each - further))))
    )


def _seconds(work: Callable[[], Any]) -> float:
    """The least of some tries: what else the machine does is not the work's."""
    tried = []
    for _ in range(3):
        begin = time.perf_counter()
        work()
        tried.append(time.perf_counter() - begin)
    return min(tried)


def _compared(path: RowPath, version: Version, main: pd.DataFrame) -> dict[str, Any]:
    valid, _ = version.module("schema").check(main.iloc[:ROWS].to_dict("records"))
    rows = list(valid.values())
    X = version.module("features").transform(pd.DataFrame(rows), version.state)
    told, found = _same_features(path, version, rows, X)
    if told:
        return {"told": told, "differ": bool(found)}
    told = _same_answers(path, version, rows, X, found)
    probed, alone = 0, 0
    for row in () if told else _probes(version, rows):
        got = _features(path, row)
        probed, alone = probed + 1, alone + (got is not None)
        expected = None if got is None else _features_by_pandas(version, row)
        if got is not None and (expected is None or _bits(got) != _bits(expected)):
            return {
                "told": f"features {got} where pandas gives {expected}, for {row}",
                "differ": True,
            }
    return {
        "told": told,
        "rows": len(rows),
        "alone": len(found),
        "probes": probed,
        "probes_alone": alone,
    }


def _features(path: RowPath, row: Mapping[str, Any]) -> Any:
    """The features of a row that the row path would answer; else None."""
    try:
        with np.errstate(all="ignore"):
            found = path.features(row)
            return None if path.matrix(found) is None else found
    except Exception:  # noqa: BLE001
        return None


def _features_by_pandas(version: Version, row: Mapping[str, Any]) -> Any:
    """What the pandas body gives; None where it rejects the row."""
    try:
        X = version.module("features").transform(pd.DataFrame([row]), version.state)
        return None if version.state.unexpected_missing(X) else _row(X, 0)
    except Exception:  # noqa: BLE001 -- the notebook's code may raise anything
        return None


def _same_features(
    path: RowPath, version: Version, rows: Sequence[Mapping[str, Any]], X: Any
) -> tuple[str, dict[int, Any]]:
    """Where the features of a row differ from those of pandas, bit by bit; and the features by row."""
    found = {
        at: one
        for at, row in enumerate(rows)
        if (one := _features(path, row)) is not None
    }
    for at, one in found.items():
        if _bits(one) != _bits(_row(X, at)):
            single = _features_by_pandas(version, rows[at])
            if single is None or _bits(one) != _bits(single):
                return (
                    f"features {one} where pandas gives {single}, for {rows[at]}",
                    found,
                )
    return ("" if found else "it answers no row"), found


def _same_answers(
    path: RowPath,
    version: Version,
    rows: Sequence[Mapping[str, Any]],
    X: Any,
    found: Mapping[int, Any],
) -> str:
    """Where the model says something else of an array than of the frame, or of a row than of all."""
    places = list(found)
    chosen = X.iloc[places] if hasattr(X, "iloc") else X[places]
    expected = _answers(version, chosen)
    if isinstance(found[places[0]], list):
        table = pd.DataFrame(list(found.values()), columns=path.columns)
        chosen = (
            table.astype(path.types)
            if path.how == "frame"
            else table.to_numpy(dtype=path.dtype)
        )
    got = _quick_answers(path, chosen)
    singles = range(0, len(places), max(1, len(places) // SINGLES))
    alone = [path.answer(rows[places[at]]) for at in singles]
    if None in alone and path.how != "quick":
        return f"the model does not answer {rows[places[list(singles)[alone.index(None)]]]}"
    return _difference(
        path, [*got, *alone], [*expected, *(expected[at] for at in singles)]
    )


def _judged(path: RowPath, version: Version, main: pd.DataFrame) -> dict[str, Any]:
    """Whether another way to ask the model says what it says of all rows, and how many it leaves."""
    judged, left = main.iloc[:: -(-len(main) // JUDGED)], 0
    for start in range(0, len(judged), ROWS):
        X = version.module("features").transform(
            judged.iloc[start : start + ROWS], version.state
        )
        got = _quick_answers(
            path, X.to_numpy(dtype=path.dtype) if hasattr(X, "iloc") else X
        )
        left += got.count(None)
        told = _difference(path, got, _answers(version, X))
        if told:
            return {"told": told}
    told = (
        f"model_row.py leaves {left} of {len(judged)} rows to the library"
        if left > len(judged) // 2
        else ""
    )
    return {"told": told, "judged": len(judged), "left": left}


def _answers(version: Any, X: Any) -> list[Answer]:
    return list(
        zip(predictions_of(version, X), probabilities_of(version, X), strict=True)
    )


def _quick_answers(path: RowPath, X: Any) -> list[Answer | None]:
    """What the row path's model says of rows; its quick form of each alone, and None where it leaves the row to pandas."""
    if path.how != "quick":
        return list(_answers(path.asked, X))
    found: list[Answer | None] = []
    for at in range(X.shape[0]):
        try:
            found += _answers(path.asked, X[at : at + 1])
        except NotCovered:
            found.append(None)
    return found


def _difference(
    path: RowPath, got: Sequence[Answer | None], expected: Sequence[Answer]
) -> str:
    """The first answer that is another than pandas and the library give."""
    for one, other in zip(got, expected, strict=True):
        if one is not None and not same_answer(one, other, path.alike):
            return f"{one} where pandas gives {other}"
    return ""


def _row(X: Any, at: int) -> Any:
    return (
        [X.iat[at, column] for column in range(X.shape[1])]
        if hasattr(X, "iat")
        else X[at : at + 1]
    )


def _bits(found: Any) -> Any:
    """Something that is equal for equal features only: floats to the last bit, whole numbers as such or as floats."""
    if hasattr(found, "tocsr"):
        found = found.tocsr()
        return found.shape, found.indices.tolist(), found.data.tobytes()
    values = (
        found if isinstance(found, list) else np.asarray(found).reshape(-1).tolist()
    )
    return [_bit(value) for value in values]


def _bit(value: Any) -> Any:
    if value is None or value != value:  # noqa: PLR0124 -- only NaN is not itself
        return "missing"
    return value if isinstance(value, str) else np.float64(value).tobytes()


def same_answer(got: Answer, expected: Answer, alike: float = ALIKE_32) -> bool:
    """Whether two answers are one: the same decision, and numbers that differ in their last bits at most."""
    if (got[1] is None) != (expected[1] is None):
        return False
    if isinstance(got[0], float) and isinstance(expected[0], float):
        same = bool(np.isclose(got[0], expected[0], rtol=alike, atol=0, equal_nan=True))
    else:
        same = bool(got[0] == expected[0])
    labels = got[1] or {}
    return same and all(
        abs(p - (expected[1] or {})[label]) <= alike for label, p in labels.items()
    )


def _probes(
    version: Version, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """Rows with one column changed or left out, as the schema lets them through."""
    bases = (
        [rows[at] for at in sorted({0, len(rows) // 2, len(rows) - 1})] if rows else []
    )
    changed = [
        {**row, column: value} for row in bases for column in row for value in VALUES
    ]
    changed += [
        {c: v for c, v in row.items() if c != column} for row in bases for column in row
    ]
    changed = changed[:: max(1, len(changed) // (4 * PROBES))]
    schema = version.module("schema")
    valid, _ = schema.check(
        changed, frozenset(schema.COLUMNS)
    )  # as the policies may let in
    found = list(valid.values())
    yield from found[:: max(1, len(found) // PROBES)]
