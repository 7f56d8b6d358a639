"""NBP209."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.leakage import leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class TemporalOrGroupLeakage(Rule):
    """Rows that hold values of other rows (`shift`, `rolling`, `diff`) are split at random.

    Why it matters: the neighbours of a test row are training rows, so the model has seen most of the answer.
    In production the future is not there.

    Instead: split by time (`shuffle=False`, `TimeSeriesSplit`) or by group (`GroupKFold`).

    Dates among the columns alone are not reported.
    """

    code, name, severity = "NBP209", "temporal-or-group-leakage", Severity.WARNING
    fires = (
        "df['lag'] = df['price'].shift(1)\nX, y = df[['lag']], df['price']\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm.fit(X_train, y_train)",
    )
    silent = (
        "df['lag'] = df['price'].shift(1)\nX, y = df[['lag']], df['price']\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False)\n"
        "m.fit(X_train, y_train)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for leak in a.once(leaks):
            if leak.code != self.code:
                continue
            labels = [Label(leak.span, "split here")]
            if leak.other is not None:
                labels.append(Label(leak.other, "values of other rows come in here"))
            yield self.found(
                a,
                "rows that hold values of their neighbours are split at random",
                leak.span,
                labels,
                "split by time: `shuffle=False`, or `TimeSeriesSplit`",
            )
