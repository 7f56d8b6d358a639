"""NBP204."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity


def filtered(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """`df = df[df.age > 0]`, `df = df.dropna()`, `df.dropna(inplace=True)`: the table and the condition."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
                if value.func.attr in ("dropna", "query"):
                    break
                if value.func.attr not in ("copy", "reset_index"):
                    return None
                value = value.func.value
            match value:
                case ast.Subscript(
                    value=ast.Name(id=source), slice=ast.Compare() | ast.BinOp() | ast.UnaryOp() as mask
                ):
                    return (name, mask) if source == name else None
                case ast.Call(func=ast.Attribute(value=ast.Name(id=source), attr="dropna" | "query")):
                    return (name, value) if source == name else None
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="dropna")) as call):
            if any(keyword.arg == "inplace" for keyword in call.keywords):
                return name, call
    return None


class RowFilter(Rule):
    """Rows are taken out on the way to the features.

    Why it matters: training never sees such rows, but in production they come. Somebody must decide what the
    answer is then.

    Instead: decide: refuse the row, fill the value, or predict anyway. `nb2prod compile` makes it a check of
    the rows that are served.

    Found where the notebook fits a model, for a table that keeps its name.
    """

    code, name, severity = "NBP204", "row-filter", Severity.INFO
    help = "decide what happens to such a row in production"
    fires = (
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df[df['age'] > 0]\nmodel.fit(df[['age']], df['y'])",
        "import pandas as pd\ndf = pd.read_csv('a')\ndf.dropna(inplace=True)\n"
        "model.fit(df[['age']], df['y'])",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a')\nold = df[df['age'] > 60]\n"
        "model.fit(df[['age']], df['y'])",
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df[df['age'] > 0]",
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df.dropna(axis=1)\nmodel.fit(df[['age']], df['y'])",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        if "fit" not in a.once(calls).names:
            return
        for stmt, _ in a.script.stmts():
            found = filtered(stmt.node)
            if found is not None and not _columns(found[1]):
                message = f"rows of `{found[0]}` are taken out, and in production such rows come"
                yield self.found(a, message, stmt.text.head(stmt.node))


def _columns(node: ast.expr) -> bool:
    """`dropna(axis=1)` takes out columns."""
    return isinstance(node, ast.Call) and any(
        k.arg == "axis" and isinstance(k.value, ast.Constant) and k.value.value in (1, "columns")
        for k in node.keywords
    )
