"""NBP106."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.streams import streams
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
    same inputs are the same.  Seeded random numbers count by the order of their draws, arrays and their
    views are one value, and files by a literal path are followed.  Cells without a count are left out.
    """

    code, name, severity = "NBP106", "order-dependent-value", Severity.ERROR
    fires = (
        "# %% run=1\nimport numpy as np\nnp.random.seed(0)\n# %% run=3\na = np.random.rand()\n"
        "# %% run=2\nb = np.random.rand()",
        "# %% run=1\nimport numpy as np\nr = np.random.default_rng(0)\n# %% run=3\na = r.normal()\n"
        "# %% run=2\nb = r.normal()",
        "# %% run=1\nrate = 1\n# %% run=3\nprint(rate)\n# %% run=2\nrate = 2",
        "# %% run=1\nimport numpy as np\nnp.random.seed(0)\n# %% run=2\nx = np.random.rand(3)\n"
        "# %% run=4\ny = x\n# %% run=3\nx = np.random.rand(3)",
        "# %% run=1\nimport numpy as np\nX = np.arange(6)\n# %% run=3\ns = X.sum()\n"
        "# %% run=2\nview = X[2:]\nview[:] = 0",
        "# %% run=1\nimport numpy as np\nX = np.arange(6)\n# %% run=3\ns = X.sum()\n# %% run=2\nX = X[2:]",
        "# %% run=1\nopen('a.txt', 'w').write('1')\n# %% run=3\nt = open('a.txt').read()\n"
        "# %% run=2\nopen('a.txt', 'w').write('2')",
        "# %% run=1\nrows = [1]\n# %% run=3\nprint(len(rows))\n# %% run=2\nrows.append(2)",
    )
    silent = (
        "# %% run=1\nimport numpy as np\n# %% run=2\nnp.random.seed(0)\nx = np.random.rand(3)\n"
        "# %% run=4\ny = x\n# %% run=3\nnp.random.seed(0)\nx = np.random.rand(3)",
        "# %% run=1\nrows = [1, 2, 3]\n# %% run=3\nn = sum(rows)\n# %% run=2\npart = rows[1:]\npart[0] = 5",
        "# %% run=1\nopen('a.txt', 'w').write('1')\n# %% run=3\nt = open('a.txt').read()\n"
        "# %% run=2\nopen('b.txt', 'w').write('2')",
        "# %% run=1\nimport numpy as np\n# %% run=3\na = np.sort([2, 1])\n# %% run=2\nb = np.sort([4, 3])",
        "# %% run=2\nfor i in range(3):\n    print(i)\n# %% run=1\nfor i in range(9):\n    size = i",
        "# %% run=1\nimport xgboost as xgb\n# %% run=3\na = xgb.XGBClassifier().fit(1, 2)\n"
        "# %% run=2\nb = xgb.XGBClassifier().fit(3, 4)",
        "# %% run=1\nclass Shop:\n    def __init__(self):\n        self.rows = [1]\n"
        "# %% run=3\na = Shop()\n# %% run=2\nb = Shop()",
        "# %% run=1\nimport random\nrandom.seed(0)\n# %% run=3\na = random.random()\n# %% run=2\nb = 1",
        "# %% run=2\na = 1\n# %% run=1\nb = 2\n# %% run=3\nprint(a, b)",
        "# %% run=1\nrate = 1\n# %% run=3\nprint(rate)\n# %% run=2\nrate = 1",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        yield from self.streams(a)
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

    def streams(self, a: Analysis) -> Iterator[Diagnostic]:
        """Seeded random numbers are drawn in another order than the text has them."""
        counts = [cell.run for cell in a.notebook.code_cells() if cell.run]
        if counts == sorted(counts):
            return
        for name, stream in a.once(streams).items():
            seeds = stream.seeds
            draws = [(c.stmt.cell, c.stmt.text.head(c.node)) for c in stream.draws if c.function is None]
            if not draws or not (seeds or stream.own):
                continue
            cells = list(dict.fromkeys(cell for cell, _ in draws if a.notebook.cells[cell].run))
            by_count = sorted(cells, key=lambda cell: a.notebook.cells[cell].run or 0)
            for cell, span in draws:
                if cell not in cells or cell in seeds:
                    continue
                before = [_since(seeds, order[: order.index(cell)]) for order in (cells, by_count)]
                if before[0] != before[1]:
                    labels = [Label(span, f"drawn here{a.ran(cell)}")]
                    other = next((s for c, s in draws if c != cell and c in before[0] + before[1]), span)
                    labels.append(Label(other, f"and here{a.ran(other.cell)}"))
                    message = f"the numbers that `{name}` draws depend on the order of execution"
                    yield self.found(a, message, span, labels, "draw from a generator of each cell's own")
                    break


def _since(seeds: set[int], cells: list[int]) -> list[int]:
    """The cells from the last that seeds on."""
    last = max((position for position, cell in enumerate(cells) if cell in seeds), default=0)
    return cells[last:]


def _own(these: tuple[Span, ...], those: tuple[Span, ...]) -> tuple[Span, ...]:
    """The writers of one order that the other does not have; the last one where only their order differs."""
    return tuple(span for span in these if span not in those)[-2:] or these[-1:]
