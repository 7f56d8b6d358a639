"""NBP504."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class InferredStage(Rule):
    """A cell has no stage tag; its stage was inferred from the data flow.

    Why it matters: an inferred stage is a guess, and an edit elsewhere in the notebook may change it.

    Instead: look at the reason, and keep the stage with `nb2prod tag NOTEBOOK --write`; or tag the cell
    otherwise, which is then respected.
    """

    code, name, severity = "NBP504", "inferred-stage", Severity.INFO
    message = "taken to be {subject}"
    help = "`nb2prod tag NOTEBOOK --write` keeps it; a tag of yours is respected"
    refused = (("features", "`model` is fitted on what it makes"),)
