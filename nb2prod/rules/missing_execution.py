"""NBP107."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class MissingExecution(Rule):
    """Numbers are missing among the recorded execution counts.

    Why it matters: cells were run that are no longer there, or some were run more than once.  What they
    did may still be in the saved results.

    Instead: restart the kernel, run all cells, and save.

    A gap is evidence, not a fault: most notebooks that people work on have one.
    """

    code, name, severity = "NBP107", "missing-execution", Severity.INFO
    help = "restart the kernel, run all cells, and save"
    fires = ("# %% run=1\nx = 1\n# %% run=4\ny = 2",)
    silent = ("# %% run=1\nx = 1\n# %%\n\n# %% run=2\ny = 2", "x = 1")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        runs = {cell.run: cell.index for cell in a.notebook.code_cells() if cell.run and cell.run > 0}
        gaps = list(_gaps(sorted(runs)))
        if not gaps:
            return
        count = sum(last - first + 1 for first, last in gaps)
        shown = ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in gaps[:5])
        more = ", ..." if len(gaps) > 5 else ""
        after = a.first_line(runs[gaps[0][1] + 1])
        executions = "execution is" if count == 1 else "executions are"
        labels = [Label(after, f"ran as number {gaps[0][1] + 1}")]
        message = f"{count} {executions} not in the notebook (number {shown}{more})"
        yield self.found(a, message, after, labels)


def _gaps(runs: list[int]) -> Iterator[tuple[int, int]]:
    """First and last number of each gap; `runs` are sorted."""
    for before, run in zip([0, *runs], runs, strict=False):
        if run > before + 1:
            yield before + 1, run - 1
