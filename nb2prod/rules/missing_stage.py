"""NBP505."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class MissingStage(Rule):
    """No cell is tagged `train`, and no statement fits a model that could be recognised.

    Why it matters: the stages of untagged cells follow from the model: what it is fitted on, what scores it,
    what it predicts.  Without a model there is nothing to compile.

    Instead: tag the cell that fits the model `train`, and the cell that reads the data `load`; the others are
    inferred.  In Jupyter: View, Right Sidebar, Cell Tags; or a first line `# nb2prod: train`.
    """

    code, name, severity, blocks_compile = "NBP505", "missing-stage", Severity.ERROR, True
    message = "{subject}"
    help = "tag the cell that fits the model `train`, or begin it with `# nb2prod: train`"
    refused = (("no cell is tagged train, and no statement fits a model that nb2prod recognises", ""),)
