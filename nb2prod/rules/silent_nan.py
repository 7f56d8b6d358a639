"""NBP206."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class SilentNan(Rule):
    """A value that is missing, unseen or out of range gives features without a value; training had none.

    Why it matters: many models take such features and answer; nobody notices that the answer means nothing.

    Instead: fill the value (`fillna`), or leave it: serving rejects such a row, and says which feature has
    none.

    Found by a run only: each column of a training row is changed in turn.
    """

    code, name, severity = "NBP206", "silent-nan", Severity.WARNING
    message = "{subject} gives a feature no value, and in training each had one"
    help = "serving rejects such a row; fill the value to allow it"
    refused = (("a missing value", "`Age`, `Fare` and 2 more columns; features `age_band`, `fare_per_head`"),)
