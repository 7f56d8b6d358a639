"""NBP601."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class RowCheckFailed(Rule):
    """A row that is scored alone gets other features than in a batch, or through JSON, or after saving.

    Why it matters: this is training-serving skew: the model is right in the notebook and wrong in
    production.

    Instead: this is a fault of nb2prod or of a fact that it was given; the report names the statement.
    """

    code, name, severity, blocks_compile = "NBP601", "row-check-failed", Severity.ERROR, False
    message = "a row alone differs from the same row in a batch: {subject}"
    help = "report it with the notebook's cell; look at the statement that the report names"
    refused = (("`age_bin`", "V2, first differing statement in cell 5"),)
