"""NBP108."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.values import HISTORY
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class OutputHistoryReference(Rule):
    """A cell reads IPython's history: `_`, `__`, `_12`, `Out`, `In`, `_i`, `_ih`, `_oh`.

    Why it matters: what these names hold depends on which cells were run before, and in what order.
    Outside of IPython they do not exist.

    Instead: give the value a name in the cell that makes it.

    A `_` that the notebook binds itself, as in `for _ in range(3)`, is an ordinary name.
    """

    code, name, severity, blocks_compile = "NBP108", "output-history-reference", Severity.ERROR, True
    fires = ("1 + 1\n# %%\nx = _", "total = Out[3] + 1", "print(_i2)")
    silent = (
        "for _ in range(3):\n    print(_)",
        "first, _ = (1, 2)\nprint(_)",
        "def f():\n    Out = 1\n    return Out",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seen: set[tuple[str, int]] = set()
        for missing in a.names.missing:
            key = missing.name, missing.read.cell
            if HISTORY.fullmatch(missing.name) and key not in seen:
                seen.add(key)
                what = "input" if missing.name.startswith(("_i", "In")) else "output"
                message = f"`{missing.name}` is IPython's {what} history"
                labels = [Label(missing.read, f"read here{a.ran(missing.read.cell)}")]
                help = (
                    f"name the value in the cell that makes it, and use that name instead of `{missing.name}`"
                )
                yield self.found(a, message, missing.read, labels, help)
