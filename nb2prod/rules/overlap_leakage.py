"""NBP207."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.leakage import leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class OverlapLeakage(Rule):
    """The same rows are on both sides: rows repeated before the split (oversampling, `concat([X, X])`), or a
    model that was fitted on all rows and is judged on the test rows.

    Why it matters: the model has seen the rows that judge it. The score says how well it remembers.

    Instead: split first, and repeat only training rows; judge a model that saw the training rows only.

    Fitting on all rows after the model was judged is fine.
    """

    code, name, severity = "NBP207", "overlap-leakage", Severity.ERROR
    fires = (
        "X, y = SMOTE().fit_resample(X, y)\nX_train, X_test, y_train, y_test = train_test_split(X, y)\n"
        "m.fit(X_train, y_train)",
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm = Ridge()\nm.fit(X, y)\n"
        "m.score(X_test, y_test)",
    )
    silent = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"
        "X_train, y_train = SMOTE().fit_resample(X_train, y_train)\nm.fit(X_train, y_train)",
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm = Ridge()\n"
        "m.fit(X_train, y_train)\nm.score(X_test, y_test)\nm.fit(X, y)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for leak in a.once(leaks):
            if leak.code != self.code:
                continue
            labels = [Label(leak.span, "rows of both sides")]
            if leak.other is not None:
                labels.append(Label(leak.other, "here"))
            yield self.found(
                a,
                "the model sees rows that judge it",
                leak.span,
                labels,
                "split first; repeat, and fit on, training rows only",
            )
