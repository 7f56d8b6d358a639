"""NBP202."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import Called, calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class SkewedPreprocessing(Rule):
    """The training rows go through a transformer; the rows that are predicted do not, or through another.

    Why it matters: the model gets numbers on another scale than those it was trained on.

    Instead: `transform` both, best in a `Pipeline`. What `nb2prod compile` writes prepares all rows as the
    notebook prepares its training rows; how many rows and columns that changes is measured.

    Found in the text where `X_train = s.fit_transform(X_train)` keeps its name and `model.predict(X_test)`
    follows, with the names that the split gave.
    """

    code, name, severity = "NBP202", "skewed-preprocessing", Severity.WARNING
    message = (
        "rows that judge the model or are predicted are prepared in another way than those that train it"
    )
    help = "production prepares all rows as the training rows; `transform` both in the notebook"
    refused = (("", "3 of 12 columns differ for 61% of 446 rows"),)
    fires = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nX_train = s.fit_transform(X_train)\n"
        "m.fit(X_train, y_train)\nm.predict(X_test)",
    )
    silent = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nX_train = s.fit_transform(X_train)\n"
        "X_test = s.transform(X_test)\nm.fit(X_train, y_train)\nm.predict(X_test)",
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nA = s.fit_transform(X_train)\n"
        "m.fit(X_train, y_train)\nm.predict(X_test)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        yield from super().check(a)
        every = a.once(calls)
        if not any(name.endswith("train_test_split") for name in every.names):
            return
        pairs: dict[str, str] = {}
        changed: dict[str, Called] = {}
        for call in every:
            node = call.stmt.node
            targets = node.targets[0] if isinstance(node, ast.Assign) else None
            if call.name.endswith("train_test_split") and isinstance(targets, ast.Tuple):
                names = [t.id if isinstance(t, ast.Name) else "" for t in targets.elts]
                pairs |= {test: train for train, test in zip(names[::2], names[1::2], strict=False)}
                changed.clear()
            elif (
                call.name in ("fit_transform", "transform")
                and isinstance(targets, ast.Name)
                and call.node.args
            ):
                given = call.node.args[0]
                if isinstance(given, ast.Name) and given.id == targets.id:
                    changed[targets.id] = call
            elif call.name in ("predict", "predict_proba", "score") and call.node.args:
                given = call.node.args[0]
                test = given.id if isinstance(given, ast.Name) else ""
                train = pairs.get(test, "")
                if train in changed and test not in changed and not _bound_later(a, test, call):
                    yield self.one(a, call, changed.pop(train), train, test)

    def one(self, a: Analysis, call: Called, change: Called, train: str, test: str) -> Diagnostic:
        span = call.stmt.text.span(call.node)
        labels = [
            Label(span, f"`{test}` as the split gave it"),
            Label(change.stmt.text.span(change.node), f"`{train}` is transformed here"),
        ]
        message = f"`{train}` was transformed and `{test}` was not"
        return self.found(
            a, message, span, labels, f"transform `{test}` in the same way, best in a `Pipeline`"
        )


def _bound_later(a: Analysis, name: str, call: Called) -> bool:
    """The name is bound more than once before the call: it was transformed in some other way."""
    binds = [s for s, events in a.script.stmts() if s.id < call.stmt.id and name in events.names("bind")]
    return len(binds) > 1
