"""Finds the first statement of the generated `features` at which two runs of it part ways.

Both runs go through the body side by side, one statement at a time; after each, the variables that hold rows
are compared.  Two runs are, for example, training and one row alone, or the same rows with two targets.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .compare import count, difference, form, take, tolerance


@dataclass
class Run:
    """One run: its staging, and which rows of a value are the compared ones (None: it holds no rows)."""

    st: Any
    rows: Callable[[Any], Any]


@dataclass(frozen=True)
class Parting:
    """Where the runs part: the statement's place in the body without its docstring, its line, and how."""

    index: int
    line: int
    text: str


def batch(st: Any) -> Run:
    """All rows of a serving run."""
    n = count(st.main)
    return Run(st, lambda value: value if count(value) == n else None)


def trained(st: Any, row: int) -> Run:
    """The row at position `row` of the raw data, in a fitting run, through filters and splits."""

    def rows(value: Any) -> Any:
        ids = st._ids.get(count(value))
        at = np.flatnonzero(ids == row) if ids is not None else np.array([], dtype=int)
        return take(value, at[:1]) if len(at) else None

    return Run(st, rows)


def part(module: Any, left: Run, right: Run, ignored: tuple[str, ...] = ()) -> Parting | None:
    """The first statement after which the two runs hold different rows; columns in `ignored` do not count."""
    names, body = body_of(module.features)
    spaces = [{**vars(module), names[0]: run.st.main, names[1]: run.st} for run in (left, right)]
    known = {name: id(value) for name, value in vars(module).items()}
    for index, statement in enumerate(body):
        line = statement.lineno
        errors = [_execute(statement, space) for space in spaces]
        if any(errors):
            text = next(filter(None, errors))
            return None if all(errors) else Parting(index, line, text)
        for name, value in spaces[0].items():
            if known.get(name) == id(value) or name not in spaces[1]:
                continue
            found = _compared(left.rows, value, right.rows, spaces[1][name], ignored)
            if found:
                return Parting(index, line, f"`{name}`: {found}")
    return None


def body_of(function: Any) -> tuple[list[str], list[ast.stmt]]:
    """A function's arguments and its statements without the docstring, with the line numbers of its file."""
    lines, first_line = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    ast.increment_lineno(tree, first_line - 1)
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    return [argument.arg for argument in tree.args.args], body


def _execute(statement: ast.stmt, space: dict[str, Any]) -> str:
    """Run one statement; returns the error that it raises, or nothing."""
    if isinstance(statement, ast.Return):
        value = statement.value or ast.Constant(None)
        statement = ast.copy_location(ast.Expr(value), statement)
    module = ast.fix_missing_locations(ast.Module([statement], type_ignores=[]))
    try:
        exec(compile(module, "<features>", "exec"), space)
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"
    return ""


def _compared(
    left: Callable[[Any], Any], a: Any, right: Callable[[Any], Any], b: Any, ignored: tuple[str, ...]
) -> str:
    if not isinstance(a, pd.DataFrame | pd.Series | np.ndarray) and form(a) != "sparse matrix":
        return ""
    if form(a) != form(b) or getattr(a, "ndim", 2) == 0:
        return ""
    a, b = left(a), right(b)
    if a is None or b is None:
        return ""
    if isinstance(a, pd.DataFrame):
        a, b = (frame.loc[:, ~frame.columns.isin(ignored)] for frame in (a, b))
    elif isinstance(a, pd.Series) and a.name in ignored:
        return ""
    found = difference(a, b, tolerance(a))
    return str(found) if found else ""
