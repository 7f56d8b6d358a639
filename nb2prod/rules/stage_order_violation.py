"""NBP502."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class StageOrderViolation(Rule):
    """A statement of an early stage needs the result of a later one, such as a load cell that reads a
    feature.

    Why it matters: the stages form a cycle, so that none of them can run first.

    Instead: move the statement to the stage whose result it needs, or split the cell.
    """

    code, name, severity, blocks_compile = "NBP502", "stage-order-violation", Severity.ERROR, True
    message = "this {subject} statement needs the result of a later stage"
    help = "move the statement to the later stage, or tag its cell otherwise"
    refused = (("load", "cell 7, line 2"),)
