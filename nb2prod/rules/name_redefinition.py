"""NBP114."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.objects import objects
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity

WORDS = {"frame": "a table", "list": "a list", "dict": "a dictionary", "set": "a set", "estimator": "a model"}


class NameRedefinition(Rule):
    """One name is a table in one cell and a model, a list or a dictionary in another.

    Why it matters: which of them a later step gets depends on what ran last, and the wrong artefact is wired
    without an error.

    Instead: two names.

    A value that is made from the old one (`rows = pd.DataFrame(rows)`) is not reported.
    """

    code, name, severity = "NBP114", "name-redefinition", Severity.WARNING
    fires = (
        "import pandas as pd\nresult = pd.read_csv('a')\nresult.head()\n# %%\nresult = {'a': 1}\n# %%\n"
        "print(result)",
    )
    silent = (
        "import pandas as pd\nrows = [1]\n# %%\nrows = pd.DataFrame(rows)",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\ndf = pd.read_csv('b')",
        "x = [1]\nx = {'a': 1}",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(objects)
        first: dict[str, tuple[str, int]] = {}
        seen: set[str] = set()
        for name, id, number in every.bindings:
            kind, action = every.kinds[number], every.actions[id]
            if kind not in WORDS or action.stmt is None:
                continue
            before = first.setdefault(name, (kind, id))
            old = every.actions[before[1]]
            if before[0] == kind or name in seen or old.cell == action.cell or name in action.names:
                continue
            assert old.stmt is not None
            seen.add(name)
            span = action.stmt.text.head(action.node)
            labels = [
                Label(span, f"{WORDS[kind]}{a.ran(span.cell)}"),
                Label(old.stmt.text.head(old.node), f"{WORDS[before[0]]}{a.ran(old.cell)}"),
            ]
            message = f"`{name}` is {WORDS[before[0]]} in cell {old.cell} and {WORDS[kind]} here"
            yield self.found(a, message, span, labels, f"give one of them another name than `{name}`")
