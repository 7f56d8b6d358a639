"""NBP403."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class UnknownCall(Rule):
    """A call on the way to the features of which nb2prod does not know what it does with rows.

    Why it matters: it may learn from the data or change them. Taken for a row-wise call, it would give
    other features in production than in training.

    Instead: compile with a run, which shows what the call does; write it with calls that are known; or say
    what it does in a file of facts, which is verified all the same (README, "Functions of your own").
    """

    code, name, severity, blocks_compile = "NBP403", "unknown-call", Severity.ERROR, True
    message = "it is not known how to compile `{subject}`"
    help = "write it with calls of pandas, NumPy or scikit-learn, or say in a file of facts what it does"
    refused = (
        ("mylib.clean", ""),
        ("pd.qcut", "with the option precision"),
    )
