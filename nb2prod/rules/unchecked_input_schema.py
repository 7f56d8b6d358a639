"""NBP316."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

STATED = ("dtype", "usecols", "schema", "names", "columns", "converters")
CHECKS = ("assert ", "pandera", "great_expectations", "pydantic", "pa.schema", "validate(", "issubset(")


class UncheckedInputSchema(Rule):
    """A table is read and a model trained on it, and nothing checks its columns or their types.

    Why it matters: when a column is renamed or comes as text, the run fails late, or trains on something
    else.

    Instead: state `dtype=` or `usecols=` in the read, or assert the columns after it.

    One finding for each notebook, at its first read. Any `assert` is taken for a check.
    """

    code, name, severity = "NBP316", "unchecked-input-schema", Severity.INFO
    help = "state `dtype=` and `usecols=`, or assert the columns after the read"
    fires = ("import pandas as pd\ndf = pd.read_csv('a.csv')\nmodel = M().fit(df[['x']], df['y'])",)
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a.csv', dtype={'x': float})\n"
        "model = M().fit(df[['x']], df['y'])",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\nassert 'x' in df\n"
        "model = M().fit(df[['x']], df['y'])",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.head()",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        if "fit" not in every.names:
            return
        if any(word in cell.text for cell in a.notebook.code_cells() for word in CHECKS):
            return
        for call in every:
            if call.api.startswith("pandas.read_"):
                if not any(keyword.arg in STATED for keyword in call.node.keywords):
                    span = call.stmt.text.span(call.node)
                    yield self.found(a, "nothing checks the columns of this table", span)
                return
