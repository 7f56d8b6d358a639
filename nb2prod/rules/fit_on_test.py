"""NBP210."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.analysis.leakage import Leak, leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Edit, Fix, Label, Rule, Severity
from nb2prod.source import Span, cut


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
        "X1, X2, y1, y2 = train_test_split(X, y)\n"
        "b = m.fit(X1, y1).predict(X2)\na = m.fit(X2, y2).predict(X1)",
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
                fix=_fix(a, leak),
            )


def _fix(a: Analysis, leak: Leak) -> Fix | None:
    """`transform` instead, where the same object was fitted before."""
    source = cut(a.notebook.cells[leak.span.cell].text, leak.span)
    found = re.match(r"(\w+)\.fit_transform\(", source)
    if found is None:
        return None
    for call in a.once(calls):
        function = call.node.func
        if call.name in ("fit", "fit_transform") and isinstance(function, ast.Attribute):
            place = call.stmt.text.span(call.node)
            if isinstance(function.value, ast.Name) and function.value.id == found[1] and place < leak.span:
                start = leak.span.column + found.end(1) + 1
                end = start + len("fit_transform")
                span = Span(leak.span.cell, leak.span.line, start, leak.span.line, end)
                return Fix("call `transform`", True, (Edit(span, "transform"),))
    return None
