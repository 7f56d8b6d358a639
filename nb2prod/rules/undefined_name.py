"""NBP101."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from nb2prod.analysis.values import HISTORY
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.names import Missing
from nb2prod.rules import Analysis, Label, Rule, Severity

USUAL = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
}


class UndefinedName(Rule):
    """A name is read that no cell binds: no assignment, import, magic or star import of the notebook.

    Why it matters: the cell worked because the name was still in the memory of the session, left there by
    a cell that has since been deleted or renamed.  A fresh process stops with a NameError.

    Instead: bring back the cell that made the name, or use the name that it has now.

    Functions count, called or not: no call of them can work.  After a star import of a module that nb2prod
    does not know, after `exec` and after `%run`, any name may exist, and nothing is found.
    """

    code, name, severity, blocks_compile = "NBP101", "undefined-name", Severity.ERROR, True
    fires = ("print(total)", "def f(x):\n    return x * factor", "open(__file__)")
    silent = (
        "total = 1\nprint(total)",
        "from somewhere import *\nprint(total)",
        "%run setup.py\nprint(total)",
        "files = !ls\nprint(files)",
        "from __future__ import annotations\ndef f(x: Unknown) -> Also:\n    return x\nf(1)",
        "import sympy\nsympy.var('q r')\nprint(q)",
        "try:\n    total\nexcept NameError:\n    total = 0",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        found: dict[str, list[Missing]] = {}
        for missing in a.names.missing:
            unbound = not a.names.bound.get(missing.name) and missing.deleted is None
            if unbound and not HISTORY.fullmatch(missing.name):
                found.setdefault(missing.name, []).append(missing)
        for name, places in found.items():
            first, *others = places
            labels = [Label(first.read, f"read here{a.ran(first.read.cell)}")]
            if first.call is not None and first.call.cell != first.read.cell:
                labels.append(Label(first.call, f"by this call{a.ran(first.call.cell)}"))
            labels += [Label(m.read, "and here") for m in others[:4] if m.read.cell != first.read.cell]
            yield self.found(a, f"`{name}` is not defined anywhere", first.read, labels, _help(a, name))


def _help(a: Analysis, name: str) -> str:
    if name in USUAL:
        return f"add `{USUAL[name]}`"
    if name == "__file__":
        return "a notebook has no `__file__`: use a path relative to the notebook"
    known = {bound for _, events in a.script.stmts() for bound in events.names("bind")}
    close = get_close_matches(name, sorted(known), 1, 0.8)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"bring back the cell that made `{name}`"
