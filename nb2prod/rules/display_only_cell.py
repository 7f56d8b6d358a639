"""NBP308."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import Called, calls
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

SHOWS = frozenset(
    """
    print display head tail describe info value_counts sample corr nunique unique isnull isna sum mean
    hist plot boxplot bar barh scatter show pie line duplicated count median type len notnull any max
    min std sort_values groupby
    """.split()
)
LIBRARIES = ("matplotlib.", "seaborn.", "plotly.", "missingno.", "IPython.display.", "pprint.")


class DisplayOnlyCell(Rule):
    """A cell that only shows something: a plot, a print, the head of a table.

    Why it matters: in production nobody looks, and it costs time; the code that matters is harder to find.

    Instead: nothing, while you explore. `nb2prod compile` drops such cells.

    A cell counts where every statement is an expression of a kind that only shows, in a notebook that fits a
    model or has stages.
    """

    code, name, severity = "NBP308", "display-only-cell", Severity.INFO
    help = "drop it, or tag it `eda`"
    fires = (
        "# %% tags=load\nimport pandas as pd\ndf = pd.read_csv('a')\n# %%\ndf.head()",
        "import matplotlib.pyplot as plt\nm = Model().fit([1])\n# %%\nplt.plot([1])\nplt.show()",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nn = len(df)\nprint(n)",
        "print(1)",
        "m = Model().fit([1])\nrows = [3]\n# %%\nrows.append(1)",
        "# %% tags=eda\nprint(1)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        if "fit" not in a.once(calls).names and not any(a.script.tags.allowed.values()):
            return
        by_node = {id(call.node): call for call in a.once(calls)}
        for index, steps in a.script.cells.items():
            stmts = [step[0] for step in steps if isinstance(step, tuple)]
            tags = a.notebook.cells[index].tags
            if not stmts or len(stmts) < len(steps) or {"eda", "skip"} & set(tags):
                continue
            if all(isinstance(s.node, ast.Expr) and _shows(s.node, by_node) for s in stmts):
                yield self.found(a, "this cell only shows something", a.first_line(index))


def _shows(node: ast.Expr, by_node: dict[int, Called]) -> bool:
    if any(isinstance(inner, (ast.Await, ast.NamedExpr, ast.Yield)) for inner in nodes(node)):
        return False
    for inner in nodes(node):
        if isinstance(inner, ast.Call):
            call = by_node.get(id(inner))
            if call is None or not (call.name in SHOWS or call.api.startswith(LIBRARIES)):
                return False
            if any(keyword.arg == "inplace" for keyword in inner.keywords):
                return False
    return True
