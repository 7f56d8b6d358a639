"""NBP208."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.leakage import leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class MultiTestLeakage(Rule):
    """A model is chosen by its score on the test rows, and the same rows judge the choice.

    Why it matters: of many models one is lucky. The score of the best is too good.

    Instead: choose by cross-validation on the training rows (`GridSearchCV`), and use the test rows once.

    Found where a loop fits, scores on the test rows, and compares with the best so far.
    """

    code, name, severity = "NBP208", "multi-test-leakage", Severity.WARNING
    fires = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nbest = 0\nfor c in [1, 2]:\n"
        "    m = Ridge(c).fit(X_train, y_train)\n    s = m.score(X_test, y_test)\n    if s > best:\n"
        "        best = s\nm = Ridge(2).fit(X_train, y_train)\n# %%\nm.score(X_test, y_test)",
    )
    silent = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"
        "s = GridSearchCV(Ridge(), {}).fit(X_train, y_train)\ns.score(X_test, y_test)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for leak in a.once(leaks):
            if leak.code != self.code:
                continue
            labels = [Label(leak.span, "chosen by these rows")]
            if leak.other is not None:
                labels.append(Label(leak.other, "judged by the same rows here"))
            yield self.found(
                a,
                f"`{leak.subject}` chooses the model, and judges it too",
                leak.span,
                labels,
                "choose by cross-validation on the training rows",
            )
