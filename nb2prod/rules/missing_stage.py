"""NBP505."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class MissingStage(Rule):
    """A stage that training or serving needs has no cell.

    Why it matters: the pipeline is incomplete, so there is nothing to compile.

    Instead: tag the cells of the notebook: load, features, train, and infer where there is post-processing.
    In Jupyter: View, Right Sidebar, Cell Tags; or a first line `# nb2prod: features`.
    """

    code, name, severity, blocks_compile = "NBP505", "missing-stage", Severity.ERROR, True
    message = "{subject}"
    help = "tag the cells load, features and train, or begin them with `# nb2prod: features`"
    refused = (("no cell has a stage tag", ""), ("no cell is tagged train", ""))
