"""The name of the generated package: from the notebook's file name, or as the user gave it.

01 Churn (final).ipynb -> nb_01_churn_final        pandas.ipynb -> pandas_project
"""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Collection
from pathlib import PurePath

MAX_LENGTH = 80  # folders made from it must stay far below what file systems allow

# What a generated project depends on, by import and by distribution name, and its own top level.
_PROJECT = (
    "src tests conftest setup nb2prod pip setuptools hatchling pytest httpx uv "
    "pandas numpy scipy sklearn scikit_learn joblib mlflow pydantic pydantic_core fastapi starlette uvicorn "
    "pyarrow prometheus_client typer click rich jinja2 yaml dateutil pytz requests"
).split()
_NOTEBOOK = (
    "matplotlib seaborn plotly bokeh altair xgboost lightgbm catboost statsmodels imblearn imbalanced_learn "
    "category_encoders feature_engine optuna shap torch tensorflow keras nltk spacy gensim polars dask "
    "IPython ipykernel jupyter notebook_shim tqdm"
).split()
# Modules of the standard library in some Python that a notebook may run in, but not in every one.
_PAST_STDLIB = (
    "aifc asynchat asyncore audioop cgi cgitb chunk compression crypt distutils imghdr imp lib2to3 mailcap "
    "msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib tomllib uu xdrlib"
).split()
_DEVICES = "aux con nul prn com1 com2 com3 com4 lpt1 lpt2 lpt3".split()  # no file names on Windows
_TAKEN = frozenset(
    name.lower() for name in (*sys.stdlib_module_names, *_PROJECT, *_NOTEBOOK, *_PAST_STDLIB, *_DEVICES)
)

_VALID = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")


class NameRefused(ValueError):
    """A name that a package cannot have; the message says why."""


def package_name(notebook: PurePath | str, imported: Collection[str] = ()) -> str:
    """The package for a notebook file; `imported` are modules of the notebook, which it must not hide."""
    stem = PurePath(notebook).name
    if stem.lower().endswith(".ipynb"):
        stem = stem[: -len(".ipynb")]
    ascii_text = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", ascii_text).strip("_") or "notebook"
    if name[0].isdigit():
        name = f"nb_{name}"
    name = name[:MAX_LENGTH].rstrip("_")
    return f"{name}_project" if _hides(name, imported) else name


def check_name(name: str, imported: Collection[str] = ()) -> str:
    """The name as given, if a package can have it: it is never altered."""
    if not _VALID.fullmatch(name):
        raise NameRefused(
            f"{name!r} cannot name a package: use letters, digits and _, beginning with a letter"
            " and not ending with _"
        )
    if len(name) > MAX_LENGTH:
        raise NameRefused(f"{name[:20]!r}... is too long for a package: use at most {MAX_LENGTH} characters")
    if keyword.iskeyword(name) or keyword.iskeyword(name.lower()):
        raise NameRefused(f"{name!r} is a keyword of Python")
    if _hides(name, imported):
        raise NameRefused(f"{name!r} would hide a module that the project needs")
    return name


def _hides(name: str, imported: Collection[str]) -> bool:
    """Whether a package of that name would stand in the way of Python or of a library."""
    return keyword.iskeyword(name) or name.lower() in _TAKEN or name in imported
