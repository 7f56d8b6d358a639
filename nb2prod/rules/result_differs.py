"""NBP603."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class ResultDiffers(Rule):
    """The generated project gives other features, metrics or predictions than the notebook.

    Why it matters: the project is not what the notebook promised, so it is not written to its place.

    Instead: this is a fault of nb2prod; the report names the first statement that differs, and the
    project is kept as `<out>.failed`.
    """

    code, name, severity, blocks_compile = "NBP603", "result-differs", Severity.ERROR, False
    message = "the project differs from the notebook: {subject}"
    help = "look at the statement that the report names, and report it"
    refused = (("`accuracy`", "0.81 in the notebook, 0.79 in the project"),)
