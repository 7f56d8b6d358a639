"""What the notebook expects of its data: the types it met, and the checks of it that the project drops.

`assert`, `isnull().sum()`, `describe()` and `value_counts()` compute nothing that the model needs, so slicing
drops them; what they say of the raw data goes into `contract.toml`.  Only what the data of the compile
confirm counts: a check may have been about a frame that was changed before.

    assert (df["age"] >= 0).all()     ->   [columns.age] min = 0
    df["plan"].value_counts()         ->   [columns.plan] values = ["basic", "pro"]
    df[["age"]].describe()            ->   [columns.age] range = [18, 90]
    df.isnull().sum()                 ->   the reason for `nulls = false` of columns that have none
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nb2prod.ir.project import Column, Project

Bound = str | int | float | bool | tuple[str, ...] | tuple[float, float]

# Calls that only show something, and the rule about what they show.
SHOWN = {"value_counts": "looked", "describe": "range", "isnull": "nulls", "isna": "nulls"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One rule for a column, and the statement that it comes from."""

    rule: str
    value: Bound
    because: str


def expectations(project: Project) -> list[tuple[str, list[Expectation]]]:
    """The rules for each raw column, in the order of the columns."""
    told = list(_told(project))
    return [
        (column.name, _rules(column, [one for name, one in told if name == column.name]))
        for column in project.columns
    ]


def fewest_rows(project: Project) -> int:
    """The fewest rows that the notebook asserts its main frame to have."""
    found = [1]
    for test, _ in _asserted(project):
        if isinstance(test, ast.Compare) and ast.unparse(test.left) == f"len({project.frames[0]})":
            limit = _number(test.comparators[0])
            if isinstance(limit, int) and isinstance(test.ops[0], ast.Gt | ast.GtE):
                found.append(limit + isinstance(test.ops[0], ast.Gt))
    return max(found)


def _rules(column: Column, told: list[Expectation]) -> list[Expectation]:
    rules = [Expectation("type", column.type, "")]
    if column.gaps is False:
        rules.append(
            Expectation("nulls", False, next((one.because for one in told if one.rule == "nulls"), ""))
        )
    for one in told:
        if _confirmed(column, one) and one.rule not in {rule.rule for rule in rules}:
            rules.append(one)
    if any(one.rule == "looked" for one in told) and column.categories:
        because = next(one.because for one in told if one.rule == "looked")
        rules.append(Expectation("values", column.categories, because))
    described = next((one.because for one in told if one.rule == "range"), "")
    if described and column.minimum is not None and column.maximum is not None:
        low, high = column.minimum, column.maximum
        whole = column.type == "int"
        rules.append(Expectation("range", (int(low), int(high)) if whole else (low, high), described))
    return rules


def _confirmed(column: Column, one: Expectation) -> bool:
    """Whether the data that the notebook had obey the rule."""
    if isinstance(one.value, int | float) and one.rule == "min":
        return column.minimum is not None and column.minimum >= one.value
    if isinstance(one.value, int | float) and one.rule == "max":
        return column.maximum is not None and column.maximum <= one.value
    return False


def _told(project: Project) -> Iterator[tuple[str, Expectation]]:
    """The rules in dropped statements, each with its column."""
    for test, because in _asserted(project):
        for part in test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]:
            for column, rule, value in _rule(part):
                yield column, Expectation(rule, value, because)
    for entry in project.provenance:
        if entry.function or not any(name in entry.text for name in SHOWN):
            continue
        for node in _nodes(entry.text):
            if isinstance(node, ast.Attribute) and node.attr in SHOWN:
                for column in _columns(node.value, project):
                    yield column, Expectation(SHOWN[node.attr], True, f"cell {entry.cell}: {entry.text}")


def _asserted(project: Project) -> Iterator[tuple[ast.expr, str]]:
    for entry in project.provenance:
        if not entry.function and entry.text.startswith("assert "):
            for node in _nodes(entry.text):
                if isinstance(node, ast.Assert):
                    yield node.test, f"cell {entry.cell}: {entry.text}"


def _nodes(text: str) -> Iterator[ast.AST]:
    """The nodes of a statement; none where its text was cut."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    yield from ast.walk(tree)


def _columns(node: ast.expr, project: Project) -> list[str]:
    """The columns of `df`, `df["age"]` and `df[["age", "plan"]]`."""
    if isinstance(node, ast.Name):
        return [column.name for column in project.columns] if node.id == project.frames[0] else []
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.List):
        return [
            one.value
            for one in node.slice.elts
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
    return [_column(node)]


def _column(node: ast.AST) -> str:
    """`age` for `df["age"]`."""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
    ):
        return node.slice.value if isinstance(node.slice.value, str) else ""
    return ""


def _rule(test: ast.expr) -> Iterator[tuple[str, str, Bound]]:
    """The rules in `(df["age"] >= 0).all()`, `df["age"].between(0, 9).all()`, `df["age"].notna().all()`."""
    if isinstance(test, ast.Compare):
        yield from _bound(test)
    if not (isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "all"):
        return
    inner = test.func.value
    if isinstance(inner, ast.Compare):
        yield from _bound(inner)
    elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
        column = _column(inner.func.value)
        if inner.func.attr in ("notna", "notnull"):
            yield column, "nulls", False
        elif inner.func.attr == "between" and len(inner.args) == 2:
            for rule, limit in zip(("min", "max"), map(_number, inner.args), strict=True):
                if limit is not None:
                    yield column, rule, limit


def _bound(test: ast.Compare) -> Iterator[tuple[str, str, Bound]]:
    """`df["age"] >= 0` and `df["age"].max() <= 120`; a strict bound counts as the other."""
    left, limit = test.left, _number(test.comparators[0])
    if (
        isinstance(left, ast.Call)
        and isinstance(left.func, ast.Attribute)
        and left.func.attr in ("min", "max")
    ):
        left = left.func.value
    if len(test.ops) == 1 and limit is not None:
        if isinstance(test.ops[0], ast.Gt | ast.GtE):
            yield _column(left), "min", limit
        elif isinstance(test.ops[0], ast.Lt | ast.LtE):
            yield _column(left), "max", limit


def _number(node: ast.expr) -> int | float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return value if type(value) in (int, float) else None
