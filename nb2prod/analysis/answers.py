"""What inference cells answer where no variable of theirs is the prediction: values that go into tables.

X_test.assign(risk=model.predict_proba(X_test)[:, 1])            that value
out = pd.DataFrame({"id": ids, "p": proba})                      `proba`
out["flag"] = (out.p > 0.4).astype(int)                          what is made of the column, so of `proba`

A decision (a label, or a probability that is cut) is the answer rather than a probability beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nb2prod.analysis.ensembles import added_up, turns
from nb2prod.analysis.model import assigned_name, calls
from nb2prod.analysis.nodes import method
from nb2prod.analysis.predictors import predictions
from nb2prod.analysis.shown import shown
from nb2prod.ir.program import Stmt

TABLES = ("DataFrame", "assign", "concat")


@dataclass(frozen=True, slots=True)
class Answer:
    """A value of statement `stmt`; `columns` are the texts of columns of tables of predictions that were made
    before, each with the value that went into it and its statement.
    """

    stmt: Stmt
    value: ast.expr
    columns: dict[str, tuple[Stmt, ast.expr]] = field(default_factory=dict)


def answer_in_tables(
    cells: list[Stmt],
    names: set[str],
    decides: Callable[[ast.AST], bool],
    judges: Callable[[Stmt, ast.expr], bool],
) -> Answer | None:
    """The last decision that these statements make, else the last probability; `names` hold the model,
    `judges` tells of a value that compares predictions with true answers.
    """
    columns: dict[str, tuple[Stmt, ast.expr]] = {}
    derived: dict[str, bool] = {}  # variables and columns of predictions, and whether they are decisions
    found: tuple[bool, Answer] | None = None
    for stmt in cells:
        models = names | turns(stmt.node, names)
        for target, part in _parts(stmt.node) if not _defines(stmt.node) else ():
            known = [derived[text] for text in _texts(part) if text in derived]
            if not (known or any(True for _ in predictions(part, models))) or judges(stmt, part):
                continue
            decision = decides(part) or (bool(known) and known[-1])
            if target:
                derived[target] = decision
                owner, _, column = target.partition("['")
                if column:
                    attribute = f"{owner}.{column[:-2]}"
                    derived[attribute] = decision
                    columns |= dict.fromkeys((target, attribute), (stmt, part))
            if found is None or decision >= found[0]:
                read = {text: columns[text] for text in _texts(part) if text in columns}
                found = decision, Answer(stmt, part, read)
    return found[1] if found is not None else None


def is_table(value: ast.expr) -> bool:
    """Whether a call makes a table of several columns."""
    return isinstance(value, ast.Call) and method(value) in TABLES


def _defines(node: ast.stmt) -> bool:
    return isinstance(getattr(node, "value", None), ast.Lambda)


def _parts(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The values of a statement, those in tables first, each with the text of what holds it then."""
    total = added_up(node)
    if total is not None:
        yield total
        return
    values = [node.value] if isinstance(node, ast.Assign) else []
    values += shown(node.value) if isinstance(node, ast.Expr) else []
    name = assigned_name(node) or ""
    target = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
    for value in values:
        tables = [call for call in calls(value) if is_table(call)]
        for call in tables:
            for column, part in columns_of(call):
                yield (f"{name}[{column!r}]" if name and call is value else ""), part
            if method(call) == "DataFrame" and call.args and isinstance(call.args[0], ast.Call):
                yield (name if call is value else ""), call.args[0]  # all columns at once
        if not tables:
            yield target, value


def columns_of(call: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The columns that a call gives a table, each with its values."""
    if not isinstance(call, ast.Call):
        return
    for table in call.args:
        if isinstance(table, ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                yield str(getattr(key, "value", "")), value
    for keyword in call.keywords:
        if keyword.arg not in ("index", "columns", "data", "axis", None):
            yield str(keyword.arg), keyword.value


def _texts(node: ast.AST) -> Iterator[str]:
    """Variables and columns that an expression reads, as text."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Name, ast.Subscript, ast.Attribute)):
            yield ast.unparse(inner)
