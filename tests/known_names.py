"""What the knowledge base lacks of the libraries installed here, by class and module: a plain script.

    python tests/known_names.py

prints a JSON object: the classes and modules looked at, and the public names in them that have no fact and
are not in `LEFT_OUT`.  A class whose objects notebooks pass around is known whole, not by the methods that
were seen.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from nb2prod.knowledge import lookup

# Public dotted name, and the expression for the class or for an object of it.
CLASSES = {
    "pandas.DataFrame": "pandas.DataFrame",
    "pandas.Series": "pandas.Series",
    "pandas.Index": "pandas.Index",
    "pandas.DataFrameGroupBy": "pandas.DataFrame({'_a': [1]}).groupby('_a')",
    "pandas.SeriesGroupBy": "pandas.DataFrame({'_a': [1], 'b': [1]}).groupby('_a')['b']",
    "pandas.StringMethods": "pandas.Series.str",
    "pandas.DatetimeProperties": "pandas.Series(pandas.to_datetime(['2020-01-01'])).dt",
    "pandas.CategoricalAccessor": "pandas.Series.cat",
    "pandas.Rolling": "pandas.Series([1]).rolling(1)",
    "pandas.Timestamp": "pandas.Timestamp",
    "pandas.Timedelta": "pandas.Timedelta",
    "numpy.ndarray": "numpy.ndarray",
    "numpy.random.Generator": "numpy.random.Generator",
    "numpy.random.RandomState": "numpy.random.RandomState",
    "datetime.datetime": "datetime.datetime",
    "datetime.timedelta": "datetime.timedelta",
    "re.Pattern": "re.Pattern",
    "re.Match": "re.Match",
    **{f"xgboost.{name}": f"xgboost.{name}" for name in ("Booster", "DMatrix", "XGBClassifier", "XGBRanker")},
    **{f"lightgbm.{name}": f"lightgbm.{name}" for name in ("Booster", "Dataset", "LGBMClassifier")},
    **{f"catboost.{name}": f"catboost.{name}" for name in ("CatBoostClassifier", "CatBoostRanker", "Pool")},
    **{f"seaborn.{name}": f"seaborn.{name}" for name in ("FacetGrid", "PairGrid", "JointGrid")},
    "plotly.graph_objects.Figure": "plotly.graph_objects.Figure",
    "imblearn.over_sampling.SMOTE": "imblearn.over_sampling.SMOTE",
    "imblearn.ensemble.BalancedRandomForestClassifier": "imblearn.ensemble.BalancedRandomForestClassifier",
}
MODULES = """
pandas numpy numpy.random numpy.linalg numpy.fft xgboost lightgbm catboost statsmodels.api
statsmodels.formula.api statsmodels.tsa.api imblearn.over_sampling imblearn.under_sampling
imblearn.combine imblearn.ensemble imblearn.pipeline imblearn.metrics category_encoders
plotly.express plotly.graph_objects plotly.figure_factory
plotly.io seaborn missingno nltk.tokenize nltk.stem re datetime math random statistics collections itertools
functools scipy.stats
""".split()
# Names that a notebook has no use for, by module: internals, tests, exceptions, and the like.
LEFT_OUT = {
    "pandas": "test Flags",
    "re": "template",
    "numpy": "test show_runtime info get_include compare_chararrays chararray DataSource add_newdoc"
    " add_docstring add_newdoc_ufunc deprecate_with_doc",
    "lightgbm": "Sequence",
    "xgboost": "DataIter",
    "statsmodels.api": "test",
    "pandas.Index": "sort",  # raises
    "scipy.stats": "NumericalInverseHermite",
    "plotly.io": "get_chrome to_templated",
    "plotly.express": "IdentityMap Constant Range",
}


def unknown() -> tuple[list[str], list[str]]:
    """What was looked at, and the names without a fact."""
    looked, found = [], []
    for api, owner in [*_classes(), *_modules()]:
        looked.append(api)
        left_out = LEFT_OUT.get(api, "").split()
        for name in _names(owner):
            if name not in left_out and lookup(f"{api}.{name}", {}) is None:
                found.append(f"{api}.{name}")
    return looked, found


def _classes() -> Iterator[tuple[str, Any]]:
    for api, expression in CLASSES.items():
        top = expression.partition(".")[0]
        try:
            module = importlib.import_module(top)
            importlib.import_module(expression.rpartition(".")[0].partition("(")[0])
        except ImportError:
            pass
        try:
            yield api, eval(expression, {top: module})
        except (AttributeError, NameError, UnboundLocalError):
            continue


def _modules() -> Iterator[tuple[str, Any]]:
    for name in MODULES:
        try:
            yield name, importlib.import_module(name)
        except ImportError:
            continue


def _names(owner: Any) -> Iterator[str]:
    if not inspect.ismodule(owner):
        yield from (name for name in dir(owner) if not name.startswith("_"))
        return
    for name in getattr(owner, "__all__", None) or [n for n in dir(owner) if not n.startswith("_")]:
        found = getattr(owner, name, None)
        exception = inspect.isclass(found) and issubclass(found, BaseException)
        if callable(found) and not name.startswith("_") and not inspect.ismodule(found) and not exception:
            yield name


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    looked, found = unknown()
    print(json.dumps({"looked": looked, "unknown": found}, indent=1))
