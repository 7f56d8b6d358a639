"""What the knowledge base says of scikit-learn's estimators, against each of them: a plain script.

    python tests/estimator_laws.py

prints a JSON object: the version, how many estimators were checked, and what is broken.  For each public
estimator of the installed scikit-learn: it is known; what it computes for new rows once fitted is row-wise;
each public method and each attribute that `fit` leaves is known; one value for each fitted row is known as
such; and a fit with default parameters takes no numbers from NumPy's global stream unless the fact says so.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import itertools
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from nb2prod.knowledge import Fact, lookup

ROWS = 61  # no number of columns, classes or components
FOR_NEW_ROWS = ("transform", "predict", "predict_proba", "decision_function", "score_samples")
# As long as the rows in a small example only: at most `n_quantiles` or `n_components`.
NOT_ROWS = ("quantiles_", "references_", "components_", "component_indices_")


def estimators() -> Iterator[tuple[str, type]]:
    """Public dotted name and class of each estimator, the experimental ones too."""
    for name in ("enable_halving_search_cv", "enable_iterative_imputer"):
        with contextlib.suppress(ImportError):
            importlib.import_module(f"sklearn.experimental.{name}")
    discovery = importlib.import_module("sklearn.utils.discovery" if _has_discovery() else "sklearn.utils")
    for name, made in discovery.all_estimators():
        yield f"{public_module(made)}.{name}", made


def public_module(made: type) -> str:
    """`sklearn.linear_model` of a class of `sklearn.linear_model._glm.glm`."""
    return ".".join(itertools.takewhile(lambda part: not part.startswith("_"), made.__module__.split(".")))


def _has_discovery() -> bool:
    with contextlib.suppress(ImportError):
        return bool(importlib.import_module("sklearn.utils.discovery"))
    return False


def made(kind: type) -> Any:
    """An instance that fits on `data`, as scikit-learn's own tests make it; None where they cannot."""
    try:
        generator = importlib.import_module("sklearn.utils._test_common.instance_generator")
    except ImportError:
        generator = None
    with contextlib.suppress(Exception):  # unittest.SkipTest among them
        if generator is not None:
            return next(iter(generator._construct_instances(kind)))
        return importlib.import_module("sklearn.utils.estimator_checks")._construct_instance(kind)
    return None


@functools.cache
def data() -> tuple[Any, Any, Any]:
    """Positive numbers, three classes, a target."""
    rng = np.random.RandomState(5)
    x = np.abs(rng.normal(size=(ROWS, 5))) + 0.1
    x[:, 0] += np.arange(ROWS) % 3 * 3
    classes = (x[:, 0] > 4).astype(int) + (x[:, 1] > 0.9)
    return x, classes, x @ [1, 2, 3, 4, 5] + rng.normal(size=ROWS) * 0.3


def fitted(estimator: Any, seed: int | None = 0) -> Any:
    """The estimator, fitted to the data with the target that it takes; None where it takes none of them."""
    x, classes, target = data()
    if seed is not None and "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    regresses = hasattr(estimator, "predict") and not hasattr(estimator, "classes_")
    first = target if regresses and "Regress" in type(estimator).__name__ else classes
    for y in (first, target, (classes > 0).astype(int), np.c_[classes, classes], None):
        with contextlib.suppress(Exception):
            estimator.fit(x, y)
            return estimator
    with contextlib.suppress(Exception):
        estimator.fit(x @ x.T, classes)  # what asks for distances between all rows
    return None


def broken() -> tuple[int, list[str]]:
    count, problems = 0, []
    for api, kind in estimators():
        fact = lookup(api, {})
        if fact is None or not fact.role:
            problems.append(f"{api}: not known")
            continue
        estimator = made(kind)
        if estimator is None or (fitted(estimator)) is None:
            continue
        count += 1
        for problem in (
            *_not_row_wise(api, estimator),
            *_not_known(api, estimator),
            *_draws_unsaid(fact, kind),
        ):
            problems.append(f"{api}: {problem}")
    return count, problems


def _not_row_wise(api: str, estimator: Any) -> Iterator[str]:
    x = data()[0]
    for name in FOR_NEW_ROWS:
        fact = lookup(f"{api}.{name}", {})
        drawn = not fact or fact.effect not in ("row-wise", "predicts") or api.endswith("DummyClassifier")
        if drawn or not hasattr(estimator, name):
            continue
        try:
            whole = _plain(getattr(estimator, name)(x))
            if len(whole) != len(x):
                yield f"{name} is not one value for each row"
                continue
            alone = np.concatenate([_plain(getattr(estimator, name)(x[i : i + 1])) for i in range(12)])
        except Exception:
            continue
        if alone.shape != whole[:12].shape:
            yield f"{name} gives another shape for a single row"
        elif not np.allclose(
            whole[:12].astype(float), alone.astype(float), rtol=1e-4, atol=1e-6, equal_nan=True
        ):
            yield f"{name} is not row-wise"


def _plain(result: Any) -> Any:
    result = result[0] if isinstance(result, (tuple, list)) and len(result) else result
    return result.toarray() if hasattr(result, "toarray") else np.asarray(result)


def attributes(estimator: Any) -> Iterator[tuple[str, Any]]:
    """The public names of a fitted estimator that are no parameters, with their values."""
    parameters = estimator.get_params(deep=False)
    for name in dir(estimator):
        if name.startswith(("_", "set_", "get_")) or name in parameters:
            continue
        try:
            yield name, getattr(estimator, name)
        except Exception:  # properties of other options
            continue


def for_each_row(found: Any) -> bool:
    """Whether a fitted attribute holds one value for each row that it was fitted on."""
    return getattr(found, "shape", ())[:1] == (ROWS,) and not isinstance(found, type)


def _not_known(api: str, estimator: Any) -> Iterator[str]:
    for name, found in attributes(estimator):
        fact = lookup(f"{api}.{name}", {})
        if fact is None:
            if callable(found) or name.endswith("_"):
                yield f"{name} is not known"
        elif (
            name not in NOT_ROWS
            and for_each_row(found)
            and fact.effect not in ("predicts", "needs-other-rows")
        ):
            yield f"{name} is one value for each row, not {fact.effect}"


def _draws_unsaid(fact: Fact, kind: type) -> Iterator[str]:
    # the parameters of scikit-learn's own tests may draw where the defaults do not
    with contextlib.suppress(TypeError):
        if not fact.random and moved(kind()):
            yield "moves NumPy's global stream"


def moved(estimator: Any) -> bool:
    """Whether a fit takes numbers from NumPy's global stream."""
    np.random.seed(0)
    before = np.random.get_state()
    estimator = fitted(estimator, seed=None)
    with contextlib.suppress(Exception):
        estimator.predict(data()[0])
    after = np.random.get_state()
    return not (np.array_equal(before[1], after[1]) and before[2] == after[2])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        count, problems = broken()
    import sklearn

    print(json.dumps({"sklearn": sklearn.__version__, "checked": count, "broken": problems}, indent=1))
