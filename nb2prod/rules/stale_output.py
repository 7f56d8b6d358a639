"""NBP110."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.objects import objects
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Fix, Label, Rule, Severity


class StaleOutput(Rule):
    """A cell ran before a cell whose result it reads, although it stands below it: that one was run again.

    Why it matters: the saved output is of values that are not there any more. Whoever reviews it reviews the
    wrong evidence.

    Instead: run the cell again, or all of them, and save.

    By the recorded counts; imports and functions are not counted. Where an earlier definition was the one
    that it read, that is NBP106.
    """

    code, name, severity = "NBP110", "stale-output", Severity.INFO
    help = "restart the kernel, run all cells, and save"
    fires = ("# %% run=3\nx = 1\n# %% run=2\nprint(x)",)
    silent = (
        "# %% run=1\nx = 1\n# %% run=2\nprint(x)",
        "# %% run=3\nimport os\n# %% run=2\nprint(os.name)",
        "# %%\nx = 1\n# %% run=2\nprint(x)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        cells = a.notebook.cells
        counts = [cell.run for cell in a.notebook.code_cells() if cell.run]
        if counts == sorted(counts):
            return
        moved = {text.read.cell for text, _ in a.names.moved}
        every = a.once(objects)
        seen = set(moved)
        for action in every.actions:
            ran = cells[action.cell].run
            for read in action.reads:
                made = every.actions[every.made[read.object]]
                made_ran = cells[made.cell].run
                if (
                    action.cell not in seen
                    and made.cell < action.cell
                    and ran
                    and made_ran
                    and made_ran > ran
                ):
                    assert action.stmt is not None and made.stmt is not None
                    seen.add(action.cell)
                    span = action.stmt.text.head(read.node)
                    labels = [
                        Label(span, f"read here{a.ran(action.cell)}"),
                        Label(made.stmt.text.head(made.node), f"made here{a.ran(made.cell)}"),
                    ]
                    message = f"the saved output is older than the `{read.name}` that it reads"
                    fix = Fix("remove the saved output", True, (), False, (action.cell,))
                    yield self.found(a, message, span, labels, fix=fix)
