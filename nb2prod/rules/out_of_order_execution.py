"""NBP105."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Fix, Label, Rule, Severity, ordinal


class OutOfOrderExecution(Rule):
    """The recorded execution counts do not rise from top to bottom.

    Why it matters: the saved outputs are not those of a run of this text. Whoever reviews them reviews
    results that nobody can repeat.

    Instead: restart the kernel, run all cells, and save.

    The safe fix takes the counts away, where NBP106 does not need them. The counts alone say nothing about
    the results; NBP106 reports where they would change.
    """

    code, name, severity = "NBP105", "out-of-order-execution", Severity.INFO
    help = "restart the kernel, run all cells, and save"
    fires = ("# %% run=2\nx = 1\n# %% run=1\ny = 2",)
    silent = ("# %% run=1\nx = 1\n# %%\ny = 2\n# %% run=5\nz = 3",)

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        ran = [(cell.run, cell.index) for cell in a.notebook.code_cells() if cell.run]
        for (before, above), (run, cell) in pairwise(ran):
            if run <= before:
                labels = [
                    Label(a.first_line(cell), f"ran {ordinal(run)}"),
                    Label(a.first_line(above), f"ran {ordinal(before)}"),
                ]
                message = f"cell {cell} ran before cell {above}, which stands above it"
                if run == before:
                    message = f"cells {above} and {cell} have the same execution count"
                # the counts are the evidence of NBP106: where that is found, they stay
                fix = None if a.names.moved else Fix("clear the recorded counts", True, clear_counts=True)
                yield self.found(a, message, a.first_line(cell), labels, fix=fix)
                return
