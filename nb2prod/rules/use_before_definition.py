"""NBP102."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.values import HISTORY
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.names import Missing
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Span


class UseBeforeDefinition(Rule):
    """A name is read before any cell has bound it; a later cell does.

    Why it matters: the cells were run in another order than they are written.  Run from top to bottom, as
    production does, the notebook stops with a NameError.

    Instead: move the cell that defines the name above the one that reads it.

    What a function reads is read when it is called, so the finding is at the call.  Reads that may never
    happen, such as behind an `if` inside of a function, are not reported.
    """

    code, name, severity, blocks_compile = "NBP102", "use-before-definition", Severity.ERROR, True
    fires = (
        "# %% run=2\nprint(x)\n# %% run=1\nx = 1",
        "def scaled(v):\n    return v * factor\n# %%\nscaled(2)\n# %%\nfactor = 3",
        "count += 1",
        "hits = 0\ndef bump():\n    hits += 1\n# %%\nbump()",
        "def outer():\n    n = inner()\n    def inner():\n        return 2\n    return n\nouter()",
        "def used():\n    print(n)\n    n = 2\nused()",
        "class A:\n    def run(self):\n        return step\nclass B(A):\n    pass\n# %%\n"
        "B().run()\n# %%\nstep = 1",
    )
    silent = (
        "# %% run=1\nx = 1\n# %% run=2\nprint(x)",
        "def scaled(v):\n    return v * factor\n# %%\nfactor = 3\n# %%\nscaled(2)",
        "rows = (n * k for n in range(3))\nk = 2\nprint(list(rows))",
        "def total(rows):\n    for row in rows:\n        n = row\n    return n\ntotal([1])",
        "if 'x' not in globals():\n    x = 1",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for missing in a.names.missing:
            name = missing.name
            bound = a.names.bound.get(name, ())
            if bound and missing.deleted is None and name not in seen and not HISTORY.fullmatch(name):
                seen.add(name)
                yield self.one(a, missing, bound)

    def one(self, a: Analysis, missing: Missing, bound: tuple[Span, ...]) -> Diagnostic:
        name, place = missing.name, missing.place
        ran = a.ran(place.cell)
        if missing.call is None:
            labels = [Label(place, f"read here{ran}")]
        else:
            labels = [
                Label(place, f"called here{ran}"),
                Label(missing.read, f"read here, in `{missing.function}`"),
            ]
        later = next((span for span in bound if span.cell > place.cell), None)
        definition = later or next((span for span in bound if span != missing.read), None)
        if definition is not None:
            labels.append(Label(definition, f"defined here{a.ran(definition.cell)}"))
        if later is not None:
            help = f"move cell {later.cell} above cell {place.cell}"
        elif definition is not None and definition.cell == place.cell:
            help = f"define `{name}` above line {place.line}"
        elif definition is not None:
            help = f"call what defines `{name}` above cell {place.cell}"
        else:
            help = f"give `{name}` a first value in a cell above"
        where = "the cell" if later else "anything"
        message = (
            f"`{name}` is read before {where} that defines it"
            if later
            else f"`{name}` is read before it is defined"
        )
        return self.found(a, message, place, labels, help)
