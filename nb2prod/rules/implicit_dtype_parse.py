"""NBP317."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Span

STATED = ("dtype", "parse_dates", "converters", "date_format")
TYPED = re.compile(
    r"(?i)(?:.*[_ ])?(?:id|zip|zipcode|postcode|plz|phone|iban|sku|ssn|date|datetime|timestamp)"
    r"|.*(?:Id|ID|Date)"
)
READS = ("pandas.read_csv", "pandas.read_table")


class ImplicitDtypeParse(Rule):
    """A CSV file with identifiers or dates is read without saying what they are.

    Why it matters: pandas guesses from the values. `00123` becomes 123, one missing value makes numbers of
    whole ones, and one odd date turns the column into text.

    Instead: `dtype={"zip": str}` and `parse_dates=["date"]`.

    The columns are those that the notebook names.
    """

    code, name, severity = "NBP317", "implicit-dtype-parse", Severity.INFO
    fires = ("import pandas as pd\ndf = pd.read_csv('a.csv')\nprint(df['zip'])",)
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a.csv', dtype={'zip': str})\nprint(df['zip'])",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\nprint(df['price'])",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        if every.apis.isdisjoint(READS):
            return
        reads = [call for call in every if call.api in READS]
        bare = [c for c in reads if not any(k.arg in STATED for k in c.node.keywords)]
        column = _column(a) if bare else None
        if column is not None:
            name, place = column
            span = bare[0].stmt.text.span(bare[0].node)
            labels = [Label(span, "read here"), Label(place, f"`{name[:40]}` is used here")]
            help = f"state what `{name[:40]}` is with `dtype=`, or with `parse_dates=` for a date"
            yield self.found(a, f"pandas guesses what `{name[:40]}` is", span, labels, help)


def _column(a: Analysis) -> tuple[str, Span] | None:
    """The first column that a notebook names and that looks like an identifier or a date."""
    for stmt, _ in a.script.stmts():
        for node in nodes(stmt.node):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                key = node.slice.value
                if isinstance(key, str) and key.isidentifier() and TYPED.fullmatch(key):
                    return key, stmt.text.head(node)
    return None
