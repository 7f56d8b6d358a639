"""The transformation of one row by a fitted transformer of scikit-learn.

A row is a list of values on its way through the steps of a pipeline, and an array of numbers for the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nb2prod.rowpath.estimators.models import NotCovered, NotQuick

Step = Callable[[Any], Any]


def step_of(transformer: Any) -> Step:
    """The transformation of one row by a fitted transformer; NotQuick where there is none."""
    name = type(transformer).__name__
    made = STEPS.get(name)
    if made is None or not type(transformer).__module__.startswith("sklearn."):
        raise NotQuick(f"a pipeline with {name}")
    return made(transformer)


def numbers(row: Any) -> Any:
    """A row of numbers, none of them infinite."""
    if not isinstance(row, np.ndarray) and any(isinstance(one, str) or one is None for one in row):
        raise NotCovered("text among numbers")
    found = np.asarray(row, dtype=np.float64)
    if np.isinf(found).any():
        raise NotCovered("an infinite value")
    return found


def in_order(named: Any) -> Step:
    """The steps of a pipeline, one after the other."""
    steps = [step_of(one) for _, one in named if one is not None and one != "passthrough"]

    def transform(row: Any) -> Any:
        for step in steps:
            row = step(row)
        return row

    return transform


def inner(model: Any) -> Step:
    """A pipeline within a pipeline."""
    return in_order(model.steps)


def side_by_side(model: Any) -> Step:
    """`ColumnTransformer`: what each part makes of its columns, one behind the other."""
    parts = []
    places = model._transformer_to_input_indices
    for name, transformer, columns in model.transformers_:
        indices = list(places[name])
        if transformer == "drop" or not indices:
            continue
        one = isinstance(columns, str | int)  # a column as such and not a table of one
        same = transformer == "passthrough" or _does_nothing(transformer)
        parts.append((numbers if same else step_of(transformer), indices[0] if one else indices))
    if not parts or getattr(model, "transformer_weights", None):
        raise NotQuick("a transformer of columns without parts, or with weights")

    def transform(row: Any) -> Any:
        found = [step(row[at] if isinstance(at, int) else [row[i] for i in at]) for step, at in parts]
        return np.concatenate(found)

    return transform


def _does_nothing(transformer: Any) -> bool:
    return type(transformer).__name__ == "FunctionTransformer" and transformer.func is None


def scaled(model: Any) -> Step:
    """`StandardScaler`, `RobustScaler` and `MaxAbsScaler`: take off the middle, divide by the scale."""
    centred = getattr(model, "with_mean", getattr(model, "with_centering", False))
    middle = getattr(model, "mean_", getattr(model, "center_", None)) if centred else None
    divided = getattr(model, "with_std", getattr(model, "with_scaling", True))
    scale = model.scale_ if divided else None

    def transform(row: Any) -> Any:
        found = numbers(row)
        found = found if middle is None else found - middle
        return found if scale is None else found / scale

    return transform


def stretched(model: Any) -> Step:
    """`MinMaxScaler`."""
    scale, start, clip, ends = model.scale_, model.min_, getattr(model, "clip", False), model.feature_range

    def transform(row: Any) -> Any:
        found = numbers(row) * scale + start
        return np.clip(found, *ends) if clip else found

    return transform


def imputed(model: Any) -> Step:
    """`SimpleImputer` of NaN."""
    known = np.asarray(model.statistics_).tolist()
    if model.missing_values == model.missing_values or model.add_indicator:
        raise NotQuick("an imputer with another mark for what is missing, or that adds a column")
    if any(one is None or one != one for one in known):
        raise NotQuick("an imputer of an empty column")

    def transform(row: Any) -> Any:
        if any(one is None for one in row):
            raise NotCovered("None, which is not NaN")
        return [new if one != one else one for one, new in zip(row, known, strict=True)]

    return transform


def levels_of(model: Any) -> list[dict[Any, int]]:
    """The place of each category of each column."""
    found = [list(levels.tolist()) for levels in model.categories_]
    if any(one is None or one != one or isinstance(one, bool) for levels in found for one in levels):
        raise NotQuick("categories of this kind")
    return [{level: at for at, level in enumerate(levels)} for levels in found]


def level(value: Any, places: dict[Any, int]) -> int:
    """The place of a value, -1 where training never saw it."""
    if value is None or value != value or isinstance(value, bool | np.bool_):
        raise NotCovered(f"{value!r} as a category")
    at = places.get(value, -1)
    if at == -1 and places and isinstance(value, str) != isinstance(next(iter(places)), str):
        raise NotCovered(f"{value!r} as a category")
    return at


def one_hot(model: Any) -> Step:
    """`OneHotEncoder`: an unseen category is an error or all zero."""
    places = levels_of(model)
    dropped = [None] * len(places) if model.drop_idx_ is None else list(model.drop_idx_)
    if getattr(model, "_infrequent_enabled", False) or model.handle_unknown not in ("error", "ignore"):
        raise NotQuick("an encoder that puts rare categories together")
    sizes = [len(known) - (gone is not None) for known, gone in zip(places, dropped, strict=True)]
    starts = np.cumsum([0, *sizes]).tolist()
    parts = list(zip(places, dropped, starts, strict=False))

    def transform(row: Any) -> Any:
        found = np.zeros(starts[-1])
        for value, (known, gone, start) in zip(row, parts, strict=True):
            at = level(value, known)
            if at == -1 and (model.handle_unknown == "error" or gone is not None):
                raise NotCovered(f"{value!r} as a category")
            if at not in (-1, gone):
                found[start + at - (gone is not None and at > gone)] = 1
        return found

    return transform


def ordinal(model: Any) -> Step:
    """`OrdinalEncoder`: an unseen category is an error or a number of its own."""
    places = levels_of(model)
    if getattr(model, "_infrequent_enabled", False):
        raise NotQuick("an encoder that puts rare categories together")

    def transform(row: Any) -> Any:
        found = [level(value, known) for value, known in zip(row, places, strict=True)]
        if -1 in found and model.handle_unknown != "use_encoded_value":
            raise NotCovered("a value as a category")
        return np.array([model.unknown_value if at == -1 else at for at in found], dtype=np.float64)

    return transform


def powers(model: Any) -> Step:
    """`PolynomialFeatures`."""
    exponents = model.powers_
    return lambda row: np.prod(numbers(row) ** exponents, axis=1)


def chosen(model: Any) -> Step:
    """Selectors of features."""
    kept = model.get_support()
    return lambda row: numbers(row)[kept]


def turned(model: Any) -> Step:
    """`PCA` without whitening."""
    if model.whiten:
        raise NotQuick("components that are whitened")
    return lambda row: (numbers(row) - model.mean_) @ model.components_.T


def worded(model: Any) -> Step:
    """`CountVectorizer` and `TfidfVectorizer`: words are counted, weighted, and scaled to length one."""
    weighted = type(model).__name__ == "TfidfVectorizer"
    words, analyse, size = model.vocabulary_, model.build_analyzer(), len(model.vocabulary_)
    weights = model.idf_ if weighted and model.use_idf else None
    norm = model.norm if weighted else None
    if norm not in (None, "l2"):
        raise NotQuick("texts scaled in another way")

    def transform(text: Any) -> Any:
        if type(text) is not str:
            raise NotCovered(f"{text!r} as text")
        found = np.zeros(size)
        for word in analyse(text):
            if word in words:
                found[words[word]] += 1
        if model.binary:
            found = (found > 0).astype(np.float64)
        if weighted and model.sublinear_tf:
            found[found > 0] = np.log(found[found > 0]) + 1
        found = found if weights is None else found * weights
        length = np.sqrt((found**2).sum()) if norm else 0.0
        return found / length if length else found

    return transform


# A project gets the entries that its training names.
STEPS: dict[str, Callable[[Any], Step]] = {
    "Pipeline": inner,
    "ColumnTransformer": side_by_side,
    "StandardScaler": scaled,
    "RobustScaler": scaled,
    "MaxAbsScaler": scaled,
    "MinMaxScaler": stretched,
    "SimpleImputer": imputed,
    "OneHotEncoder": one_hot,
    "OrdinalEncoder": ordinal,
    "PolynomialFeatures": powers,
    "PCA": turned,
    "VarianceThreshold": chosen,
    "SelectKBest": chosen,
    "SelectFromModel": chosen,
    "RFE": chosen,
    "CountVectorizer": worded,
    "TfidfVectorizer": worded,
}
