"""NBP205."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class UnexercisedStatistic(Rule):
    """A value is learned from the training data, and no row of these data needs it.

    Why it matters: the mean that fills a column without gaps looks tested and is not. The first row in
    production that has the gap is the first one that ever used it.

    Instead: nothing is wrong. `nb2prod compile` changes the value and looks whether the features of a row
    change, and if none do, those of rows with values missing or unseen. What these do not need either is not
    verified.

    Found by a run only.
    """

    code, name, severity = "NBP205", "unexercised-statistic", Severity.WARNING
    message = "no training row needs the learned `{subject}`"
    help = "a row with a missing or unseen value decides whether it is right; try one that you know"
    refused = (
        ("fare_mean", "verified by rows with a value missing or unseen alone"),
        ("idle", "nor does any row with a value missing or unseen, so it is not verified"),
    )
