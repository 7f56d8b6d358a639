"""NBP602."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class StateKeysDiffer(Rule):
    """Serving asks for a learned value that training never stored.

    Why it matters: the features of a row in production would have to be learned from that row alone.

    Instead: branches on the data around a statistic are the usual reason: learn the value outside of the
    branch.
    """

    code, name, severity, blocks_compile = "NBP602", "state-keys-differ", Severity.ERROR, False
    message = "serving asks for a value that training did not store: {subject}"
    help = "learn the value outside of the branch or loop that differs"
    refused = (("`age_median#2`", ""),)
