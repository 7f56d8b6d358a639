"""Makes the generated part of `nb2prod/knowledge/sklearn.toml` from the installed scikit-learn.

What an estimator is comes from its own tags and methods; whether it draws from NumPy's global stream from its
signature, the documentation of `random_state`, and an experiment; what `fit` leaves in it from fitting it.
`pytest tests/test_knowledge_sklearn.py --update` writes the part anew.
"""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from estimator_laws import NOT_ROWS, attributes, data, estimators, fitted, for_each_row, made

BEGIN = "# ---- generated from scikit-learn {version} by tests/sklearn_facts.py; do not edit\n"
END = "# ---- end of the generated part\n"
# The documentation of `random_state` says that another parameter decides whether it is used.
DEPENDS = re.compile(r"(?i)^if ``|(?:^|\. )(?:only )?used (?:when|for) ?`|ignored (?:when|if) `|when ``\w+='")
OPTION = re.compile(r"`(\w+)(?: ?==? ?[^`]*)?`")
# What the documentation does not say: without restarts nothing is drawn; "auto" takes no solver that draws.
UNSAID = {
    "GaussianProcessClassifier": "n_restarts_optimizer",
    "GaussianProcessRegressor": "n_restarts_optimizer",
}
AUTO_IS_PLAIN = ("Ridge", "RidgeClassifier")


def generated() -> str:
    """The generated part, between its two marking lines."""
    sklearn = importlib.import_module("sklearn")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        known = list(estimators())
        facts = [*_constructors(known), *_splitters(), *_learned(known)]
    begin = BEGIN.format(version=".".join(sklearn.__version__.split(".")[:2]))
    return begin + "\n" + "\n".join(facts) + "\n" + END


# ---- what an estimator is


def role(kind: type) -> str:
    base = importlib.import_module("sklearn.base")
    search = importlib.import_module("sklearn.model_selection._search").BaseSearchCV
    pipeline = importlib.import_module("sklearn.pipeline").Pipeline
    types = {
        base.ClassifierMixin: "classifier",
        base.RegressorMixin: "regressor",
        base.OutlierMixin: "outlier",
    }
    for parent, name in ({search: "search", pipeline: "pipeline"} | types).items():
        if issubclass(kind, parent):
            return name
    has = set(dir(kind))
    clusters = issubclass(kind, (base.ClusterMixin, base.BiclusterMixin)) or {"fit_predict", "predict"} <= has
    if clusters and not _takes_away(kind, "fit_predict"):
        return "clusterer"
    if kind.__name__ == "FrozenEstimator":
        return "meta"  # what it holds decides
    if "transform" in has:
        return "transformer"
    if "fit_transform" in has:
        return "embedding"
    if "kneighbors" in has:
        return "neighbors"
    return "density" if {"score_samples", "sample"} <= has else "estimator"


def _takes_away(kind: type, name: str) -> bool:
    """Whether a class disables what it inherits: FeatureAgglomeration clusters columns, not rows."""
    return isinstance(inspect.getattr_static(kind, name, None), property)


# ---- whether it draws


Options = dict[str, Any]


def draws(kind: type) -> tuple[str, Options]:
    """What the fact says of the defaults, and the options with which it draws otherwise.

    An estimator with `random_state` draws, unless the documentation ties that parameter to an option; then
    the experiment with the default of the option decides.  One without may draw from the global stream too.
    """
    signature = inspect.signature(kind).parameters
    if "random_state" not in signature:
        return experiment(kind), {}
    text, name = _documented(kind, "random_state"), kind.__name__
    named = [UNSAID[name]] if name in UNSAID else [one for one in OPTION.findall(text) if one in signature]
    automatic = name not in AUTO_IS_PLAIN and any(signature[one].default == "auto" for one in named)
    if automatic or not named or not (DEPENDS.search(text) or name in UNSAID):
        return "estimator", {}
    usual = experiment(kind)
    if usual == "estimator":
        return usual, {}
    drawing: Options = {}
    for option in dict.fromkeys(one for one in named if one != "random_state"):
        choices = [one for one in _choices(kind, option) if one != signature[option].default]
        found = [one for one in choices if experiment(kind, {option: one}) != usual or f"'{one}'" in text]
        position = list(signature).index(option)
        positional = signature[option].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if found or not choices:
            drawing[f"{option}|{position}" if positional else option] = found or "given"
    return usual, drawing


def experiment(kind: type, options: dict[str, Any] | None = None) -> str:
    """`estimator`: two seeds of the global stream give two results; `advances`: they move it, and do not."""
    found = []
    for seed in (0, 1):
        estimator = _new(kind, options or {})
        if estimator is None:
            return ""
        np.random.seed(seed)
        before = np.random.get_state()
        estimator = fitted(estimator, seed=None)
        results = list(_results(estimator))
        after = np.random.get_state()
        moved = not (np.array_equal(before[1], after[1]) and before[2] == after[2])
        found.append((moved, results))
    if not found[0][0] and not found[1][0]:
        return ""
    pairs = zip(found[0][1], found[1][1], strict=False)
    return "advances" if all(np.array_equal(one, other) for one, other in pairs) else "estimator"


def _new(kind: type, options: dict[str, Any]) -> Any:
    try:
        return kind(**options)
    except TypeError:  # arguments are required
        estimator = made(kind)
        return estimator.set_params(**options, random_state=None) if estimator and options else estimator


def _results(estimator: Any) -> Iterator[Any]:
    for name in (
        "predict_proba",
        "decision_function",
        "predict",
        "transform",
        "embedding_",
        "labels_",
        "coef_",
    ):
        try:
            found = getattr(estimator, name)
            found = found(data()[0]) if callable(found) else found
        except Exception:
            continue
        yield found.toarray() if hasattr(found, "toarray") else np.asarray(found)


def _documented(kind: type, parameter: str) -> str:
    found = re.search(rf"\n    {parameter} ?:.*?\n((?:        .*\n|\n)+)", kind.__doc__ or "")
    return " ".join(found.group(1).split()) if found else ""


def _choices(kind: type, parameter: str) -> list[str | bool]:
    choices: list[str | bool] = []
    for one in getattr(kind, "_parameter_constraints", {}).get(parameter, ()):
        choices += sorted(getattr(one, "options", ()), key=str) if hasattr(one, "options") else []
        choices += [True, False] if one == "boolean" else []
    return [one for one in choices if isinstance(one, (str, bool))]


# ---- the facts


def _constructors(known: list[tuple[str, type]]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    special: dict[tuple[str, str], list[str]] = defaultdict(list)
    for api, kind in known:
        random, drawing = draws(kind)
        groups[role(kind), random].append(api)
        for option, values in drawing.items():
            special[role(kind), f"{_toml(option)} = {_toml(values)}"].append(api)
    for (name, random), apis in sorted(groups.items()):
        yield _fact(apis, "constructs", "estimator", role=name, random=random)
    for (name, when), apis in sorted(special.items()):
        yield _fact(apis, "constructs", "estimator", when, role=name, random="estimator")


def _splitters() -> Iterator[str]:
    module = importlib.import_module("sklearn.model_selection")
    groups: dict[tuple[bool, bool], list[str]] = defaultdict(list)
    for name in sorted(module.__all__):
        kind = getattr(module, name)
        if not inspect.isclass(kind) or not hasattr(kind, "split") or name.startswith("Base"):
            continue
        parameters = inspect.signature(kind).parameters
        groups["random_state" in parameters, "shuffle" in parameters].append(
            f"sklearn.model_selection.{name}"
        )
    for (random, optional), apis in sorted(groups.items()):
        drawing = "estimator" if random and not optional else ""
        yield _fact(apis, "constructs", "estimator", role="splitter", random=drawing)
        if random and optional:
            when = 'shuffle = "true"'
            yield _fact(apis, "constructs", "estimator", when, role="splitter", random="estimator")


def _learned(known: list[tuple[str, type]]) -> Iterator[str]:
    """What `fit` leaves, by what it holds; where that differs between estimators, by estimator."""
    holds: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for api, kind in known:
        estimator = made(kind)
        if estimator is None or fitted(estimator) is None:
            continue
        for name, found in attributes(estimator):
            if hasattr(found, "fit") or (name.endswith("_") and not callable(found)):
                holds[name][_held(name, found)].append(api)
    usual: dict[str, list[str]] = defaultdict(list)
    for name, by in sorted(holds.items()):
        most = max(sorted(by), key=lambda one: len(by[one]))
        usual[most].append(name)
        for other in sorted(by):
            if other != most:
                yield _fact([f"{api}.{name}" for api in by[other]], *_effect(other))
    for what, found in sorted(usual.items()):
        yield _fact([f"sklearn.estimator.{name}" for name in found], *_effect(what))


def _held(name: str, found: Any) -> str:
    if hasattr(found, "fit") and hasattr(found, "get_params"):
        return "estimator"
    if name in ("feature_names_in_", "vocabulary_", "feature_names_"):
        return "columns"
    if for_each_row(found) and name not in NOT_ROWS:
        return "rows"
    return "score" if re.search(r"score_$|^inertia_$|_err_$", name) and np.ndim(found) == 0 else "learned"


def _effect(what: str) -> tuple[str, str]:
    return {
        "estimator": ("pure", "estimator"),
        "columns": ("schema", "schema"),
        "rows": ("predicts", "array"),
        "score": ("scores", "scalar"),
        "learned": ("pure", "stat"),
    }[what]


def _fact(apis: list[str], effect: str, returns: str, when: str = "", **keys: str) -> str:
    found = ["[[fact]]", _api(apis), *([f"when = {{{when}}}"] if when else [])]
    found += [
        f'{key} = "{text}"' for key, text in {"effect": effect, "returns": returns, **keys}.items() if text
    ]
    return "\n".join(found) + "\n"


def _api(apis: list[str]) -> str:
    modules: dict[str, list[str]] = defaultdict(list)
    for api in sorted(set(apis)):
        owner, _, name = api.rpartition(".")
        modules[owner].append(name)
    names = [_toml(f"{owner}.{_braces(owner, inner)}") for owner, inner in modules.items()]
    return (
        f"api = {names[0]}" if len(names) == 1 else "api = [\n" + "".join(f"    {n},\n" for n in names) + "]"
    )


def _braces(owner: str, names: list[str]) -> str:
    """`{A,B,C}` in lines of at most 100 signs."""
    if len(names) == 1:
        return names[0]
    lines = [f"{owner}.{{"]
    for name in names:
        if len(lines[-1]) + len(name) > 95:
            lines.append("")
        lines[-1] += f"{name},"
    return "\n".join(lines).removeprefix(f"{owner}.").removesuffix(",") + "}"


def _toml(found: Any) -> str:
    match found:
        case bool():
            return "true" if found else "false"
        case list():
            return "[" + ", ".join(map(_toml, found)) + "]"
    return f'"""{found}"""' if "\n" in found else f'"{found}"'
