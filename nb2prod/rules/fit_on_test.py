"""NBP210."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.leakage import leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class FitOnTest(Rule):
    """`fit` or `fit_transform` is called on the test rows.

    Why it matters: the test rows are scaled by themselves, and not as the model was trained. The score is
    that of something that production cannot do.

    Instead: `transform` with what was fitted on the training rows.

    Found for the names that `train_test_split` gives.
    """

    code, name, severity = "NBP210", "fit-on-test", Severity.ERROR
    fires = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\ns = StandardScaler()\n"
        "X_train = s.fit_transform(X_train)\nX_test = s.fit_transform(X_test)",
    )
    silent = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\ns = StandardScaler()\n"
        "X_train = s.fit_transform(X_train)\nX_test = s.transform(X_test)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for leak in a.once(leaks):
            if leak.code != self.code:
                continue
            labels = [Label(leak.span, "fitted here")]
            yield self.found(
                a,
                f"`{leak.subject}` is fitted on, and these are the test rows",
                leak.span,
                labels,
                "call `transform` with what was fitted on the training rows",
            )
