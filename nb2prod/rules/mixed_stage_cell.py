"""NBP503."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.calls import Called, calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class MixedStageCell(Rule):
    """One cell reads data and fits a model, and its tag names one stage at most.

    Why it matters: the stages cannot be cut between cells. The pipeline would train wherever it loads.

    Instead: split the cell, or tag it with every stage that is in it.

    `nb2prod compile` cuts such a cell between its statements where it can.
    """

    code, name, severity = "NBP503", "mixed-stage-cell", Severity.INFO
    help = "split the cell between loading and training"
    fires = ("import pandas as pd\ndf = pd.read_csv('a')\nmodel = Ridge().fit(df[['x']], df['y'])",)
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nmodel = Ridge().fit(df[['x']], df['y'])",
        "# %% tags=load,train\nimport pandas as pd\ndf = pd.read_csv('a')\n"
        "model = Ridge().fit(df[['x']], df['y'])",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        tags = a.script.tags
        found: dict[int, dict[str, Called]] = {}
        every = a.once(calls)
        for call in every if "fit" in every.names else ():
            if call.function is None and (stage := _stage(call)):
                found.setdefault(call.stmt.cell, {}).setdefault(stage, call)
        for cell, by_stage in found.items():
            if len(by_stage) > 1 and len(tags.of(cell)) < 2:
                labels = [Label(c.stmt.text.span(c.node), stage) for stage, c in by_stage.items()]
                yield self.found(a, "this cell loads data and trains a model", labels[-1].span, labels)


def _stage(call: Called) -> str:
    if call.api.startswith("pandas.read_"):
        return "load"
    return "train" if call.name == "fit" and len(call.node.args) > 1 else ""
