"""NBP402."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class NeedsOtherRows(Rule):
    """A feature of one row depends on other rows that are scored with it: rank, shift, rolling, cumsum.

    Why it matters: in production a row comes alone, or with others than in training, and gets another
    value.

    Instead: learn what is needed in training (a mean, quantiles, a table) and look it up, or compute the
    feature before the data reach the model.
    """

    code, name, severity, blocks_compile = "NBP402", "needs-other-rows", Severity.ERROR, True
    message = "a feature of one row depends on other rows: `{subject}`"
    help = "compute it from values learned in training, or before the data reach the model"
    refused = (
        ("df['fare'].rank()", ""),
        ("df['fare'].shift(1)", "the row before"),
    )
