"""The text of `model_row.py`: the quick forms of the models that a project's training names."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from nb2prod.rowpath import texts

ESTIMATORS = Path(__file__).parent / "estimators"
ASKED_FOR = ("quick", "NotQuick", "NotCovered")  # what the project takes from the module
FILES = ("models", "trees", "boosters", "linear", "steps", "quick")
TABLES = ("FORMS", "STEPS")
MADE_BY = {"make_pipeline": "Pipeline", "make_column_transformer": "ColumnTransformer"}


def model_path(modules: Iterable[str]) -> str:
    """The forms of all models and transformers that these texts of Python mention."""
    used = {word for text in modules for word in _words(text)}
    used |= {MADE_BY[word] for word in used if word in MADE_BY}
    known = texts.definitions(ESTIMATORS, FILES)
    tables = {table: _only(known.texts[table], used) for table in TABLES}
    return "\n\n\n".join(["\n".join(known.imports), *known.needed(ASKED_FOR, tables)])


def _words(text: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(text)))
    found = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    return found | {n.id for n in nodes if isinstance(n, ast.Name)}


def _only(table: str, used: set[str]) -> str:
    """A table with the entries for the names in `used`."""
    (statement,) = ast.parse(table).body
    assert isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict)
    entries = zip(statement.value.keys, statement.value.values, strict=True)
    kept = [(key, form) for key, form in entries if isinstance(key, ast.Constant) and key.value in used]
    statement.value = ast.Dict([key for key, _ in kept], [form for _, form in kept])
    return ast.unparse(statement)
