"""NBP311."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod import knowledge
from nb2prod.analysis.calls import Called, arguments, calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity

SEEDS = {"numpy.random.seed": "numpy", "random.seed": "python"}


class GlobalSeedOnly(Rule):
    """One global seed, and several stages that draw from its stream; in a notebook without stages, several
    cells of which the counts say that they ran in another order.

    Why it matters: what a cell draws depends on how much the cells before it drew. Leave out a plot with
    random points, and the model is another one.

    Instead: a generator for each step, `rng = np.random.default_rng(0)`, and `random_state=` for estimators.

    Draws inside functions are not counted.
    """

    code, name, severity = "NBP311", "global-seed-only", Severity.INFO
    help = "give each step a generator of its own: `np.random.default_rng(seed)`"
    fires = (
        "import numpy as np\nnp.random.seed(0)\n# %%\n# nb2prod: features\na = np.random.rand()\n"
        "# %%\n# nb2prod: train\nb = np.random.rand()",
        "# %% run=1\nimport numpy as np\nnp.random.seed(0)\n# %% run=3\na = np.random.rand()\n"
        "# %% run=2\nb = np.random.rand()",
    )
    silent = (
        "import numpy as np\nnp.random.seed(0)\n# %%\na = np.random.rand()\n# %%\nb = np.random.rand()",
        "import numpy as np\nnp.random.seed(0)\n# %%\na = np.random.rand()\nb = np.random.rand()",
        "import numpy as np\nrng = np.random.default_rng(0)\n# %%\na = rng.normal()\n# %%\nb = rng.normal()",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        if every.apis.isdisjoint(SEEDS):
            return
        for seed in [call for call in every if call.api in SEEDS][:1]:
            draws: dict[int, Called] = {}
            for call in every:
                if call.function is None and _draws(call) == SEEDS[seed.api] and call.stmt.id > seed.stmt.id:
                    draws.setdefault(call.stmt.cell, call)
            if len(draws) > 1 and _apart(a, list(draws)):
                span = seed.stmt.text.span(seed.node)
                labels = [Label(span, "one seed")]
                labels += [Label(c.stmt.text.span(c.node), "draws") for c in list(draws.values())[:4]]
                yield self.found(a, f"{len(draws)} cells draw from one global stream", span, labels)


def _apart(a: Analysis, cells: list[int]) -> bool:
    """The cells belong to different stages, or ran in another order than that of the text."""
    stages = {a.script.tags.of(cell) for cell in cells}
    runs = [run for cell in cells if (run := a.notebook.cells[cell].run)]
    return len(stages) > 1 or runs != sorted(runs)


def _draws(call: Called) -> str:
    """The global stream that a call draws from."""
    if not call.api or call.api.startswith("builtins.") or call.api in SEEDS:
        return ""
    given = arguments(call.node)
    fact = knowledge.lookup(call.api, given)
    if fact is None or fact.effect == "seeds":
        return ""
    if fact.random == "estimator":
        return "numpy" if given.get("random_state", given.get("seed")) is None else ""
    return fact.random if fact.random in ("numpy", "python") else ""
