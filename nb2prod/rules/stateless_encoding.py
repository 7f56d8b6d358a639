"""NBP212."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity

ENCODERS = ("pandas.get_dummies", "pandas.factorize", "pandas.qcut")


class StatelessEncoding(Rule):
    """Codes are learned from the data that are there, and kept nowhere: `get_dummies`, `factorize`, `qcut`.

    Why it matters: other data have other values. One row alone has one column, new codes, other borders; the
    model gets something else than it was trained on.

    Instead: `OneHotEncoder`, `OrdinalEncoder` or `KBinsDiscretizer`, fitted once and saved with the model.

    An error where two data sets are encoded apart, a warning where a model is fitted. (`nb2prod compile`
    keeps what such calls learn.)
    """

    code, name, severity = "NBP212", "stateless-encoding", Severity.WARNING
    help = "use an encoder that is fitted once and saved with the model, such as `OneHotEncoder`"
    fires = (
        "import pandas as pd\nX = pd.get_dummies(df)\nmodel.fit(X, y)",
        "import pandas as pd\ncodes, names = pd.factorize(df['a'])\nmodel.fit(codes, y)",
    )
    silent = ("import pandas as pd\nprint(pd.get_dummies(df))", "OneHotEncoder().fit(X)")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        if "fit" not in every.names or every.apis.isdisjoint(ENCODERS):
            return
        found = [call for call in every if call.api in ENCODERS]
        apart: dict[str, set[str]] = {}
        for call in found:
            words = {_side(name) for name in _names(call.node.args[:1])}
            apart.setdefault(call.api, set()).update(words)
        for call in found:
            both = {"train", "test"} <= apart[call.api]
            span = call.stmt.text.span(call.node)
            labels = [Label(span, "learned from these data, and not kept")]
            message = f"`{call.name}` learns its codes anew from each data set"
            if both:
                message += ", and here from the training and the test data apart"
            yield self.found(a, message, span, labels, severity=Severity.ERROR if both else None)


def _names(given: list[ast.expr]) -> list[str]:
    return [n.id for node in given for n in nodes(node) if isinstance(n, ast.Name)]


def _side(name: str) -> str:
    return "test" if "test" in name.lower() else "train" if "train" in name.lower() else ""
