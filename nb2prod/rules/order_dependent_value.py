"""NBP106."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.names import Origin
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Span


class OrderDependentValue(Rule):
    """A cell reads a value that another cell made or changed when the notebook was run than the text says.

    Why it matters: a fresh run from top to bottom gives other results than those that are saved, and
    nothing fails.  This is the quietest kind of hidden state.

    Instead: put the cells in the order in which they were run, or give the two values two names.

    Every read is resolved twice, in the order of the text and in that of the recorded counts, through
    aliases, changes in place and calls of the notebook's functions.  Definitions with the same text and the
    same inputs are the same.  Cells without a count are left out.
    """

    code, name, severity = "NBP106", "order-dependent-value", Severity.ERROR
    fires = (
        "# %% run=1\nrate = 1\n# %% run=3\nprint(rate)\n# %% run=2\nrate = 2",
        "# %% run=1\nrows = [1]\n# %% run=3\nprint(len(rows))\n# %% run=2\nrows.append(2)",
    )
    silent = (
        "# %% run=2\na = 1\n# %% run=1\nb = 2\n# %% run=3\nprint(a, b)",
        "# %% run=1\nrate = 1\n# %% run=3\nprint(rate)\n# %% run=2\nrate = 1",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        found: dict[str, list[tuple[Origin, Origin]]] = {}
        for text, counts in a.names.moved:
            found.setdefault(text.name, []).append((text, counts))
        for (text, counts), *others in found.values():
            by_text = _own(text.writers, counts.writers)
            by_count = _own(counts.writers, text.writers)
            labels = [Label(text.read, f"read here{a.ran(text.read.cell)}")]
            labels += [
                Label(span, f"run from the top, its value comes from here{a.ran(span.cell)}")
                for span in by_text
            ]
            labels += [
                Label(span, f"when it ran, its value came from here{a.ran(span.cell)}") for span in by_count
            ]
            labels += [Label(other.read, f"and read here{a.ran(other.read.cell)}") for other, _ in others[:4]]
            every = {span.cell for span in (*by_text, *by_count, text.writers[0])}
            cells = sorted(every - {text.read.cell})
            places = ", ".join(map(str, cells))
            help = f"put cells {text.read.cell} and {places} in the order in which they are meant"
            yield self.found(
                a, f"the value of `{text.name}` depends on the order of execution", text.read, labels, help
            )


def _own(these: tuple[Span, ...], those: tuple[Span, ...]) -> tuple[Span, ...]:
    """The writers of one order that the other does not have; the last one where only their order differs."""
    return tuple(span for span in these if span not in those)[-2:] or these[-1:]
