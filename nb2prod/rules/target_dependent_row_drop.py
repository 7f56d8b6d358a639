"""NBP213."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.rules.row_filter import filtered
from nb2prod.source import Span


class TargetDependentRowDrop(Rule):
    """Rows are taken out by a rule about the target: `df = df[df["price"] < 500000]`.

    Why it matters: in production the target is not known, so the rule cannot run. The model is asked about
    rows that it was never meant for, and its score on the rest is too good.

    Instead: filter by what is known when the model is asked, or say in the project for which rows it holds.

    Rows without a target (`dropna(subset=["price"])`) cannot be trained on, and are fine.
    """

    code, name, severity = "NBP213", "target-dependent-row-drop", Severity.WARNING
    help = "filter by columns that are known when the model is asked"
    fires = (
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df[df['price'] < 500]\n"
        "X, y = df[['x']], df['price']\nmodel.fit(X, y)",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df[df['x'] < 500]\n"
        "X, y = df[['x']], df['price']\nmodel.fit(X, y)",
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df.dropna(subset=['price'])\n"
        "X, y = df[['x']], df['price']\nmodel.fit(X, y)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        targets = _targets(a)
        if not targets:
            return
        for stmt, _ in a.script.stmts():
            found = filtered(stmt.node)
            if found is None or isinstance(found[1], ast.Call) or _missing(found[1]):
                continue
            for node in nodes(found[1]):
                column = _column(node)
                if column in targets:
                    span = stmt.text.head(stmt.node)
                    labels = [Label(span, "taken out here"), Label(targets[column], "the target")]
                    message = f"rows are taken out by the target `{column}`, which production does not know"
                    yield self.found(a, message, span, labels)
                    break


def _targets(a: Analysis) -> dict[str, Span]:
    """The columns that a model's y is: by `fit(X, y)` or a split, and `y = df["price"]`."""
    names: dict[str, Span] = {}
    used: set[str] = set()
    every = a.once(calls)
    if "fit" not in every.names and not any(name.endswith("train_test_split") for name in every.names):
        return {}
    for call in every:
        if (call.name == "fit" or call.name.endswith("train_test_split")) and len(call.node.args) > 1:
            used |= {n.id for n in nodes(call.node.args[1]) if isinstance(n, ast.Name)}
            if column := _column(call.node.args[1]):
                names[column] = call.stmt.text.span(call.node)
    for stmt, _ in a.script.stmts():
        if isinstance(stmt.node, ast.Assign) and len(stmt.node.targets) == 1:
            target, value = stmt.node.targets[0], stmt.node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            for name, part in pairs:
                if isinstance(name, ast.Name) and name.id in used and (column := _column(part)):
                    names[column] = stmt.text.head(stmt.node)
    return names


def _column(node: ast.AST) -> str:
    match node:
        case ast.Attribute(value=inner, attr="values"):
            return _column(inner)
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str() as key)):
            return key
        case ast.Attribute(value=ast.Name(), attr=key):
            return key
    return ""


def _missing(mask: ast.expr) -> bool:
    """`df["price"].notna()`."""
    return any(
        isinstance(n, ast.Attribute) and n.attr in ("notna", "notnull", "isna", "isnull") for n in nodes(mask)
    )
