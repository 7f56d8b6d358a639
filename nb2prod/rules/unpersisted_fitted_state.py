"""NBP211."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import Called, calls
from nb2prod.analysis.leakage import CODES, LEARNERS
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity

DUMPS = ("dump", "dumps", "to_pickle", "save_model", "log_model")


class UnpersistedFittedState(Rule):
    """The model is saved, and the scaler, imputer or encoder that made its features is not.

    Why it matters: in production there is nothing to scale the rows with. Fitted again on other rows, it
    gives other features for the same row, and the predictions are wrong without an error.

    Instead: put both into one `Pipeline`, or save them in one file.

    By name: a transformer that is fitted and occurs in no call that saves something.
    """

    code, name, severity = "NBP211", "unpersisted-fitted-state", Severity.ERROR
    fires = (
        "import joblib\ns = StandardScaler()\nX = s.fit_transform(X)\nm = Ridge().fit(X, y)\n"
        "joblib.dump(m, 'm')",
    )
    silent = (
        "import joblib\ns = StandardScaler()\nX = s.fit_transform(X)\nm = Ridge().fit(X, y)\n"
        "joblib.dump((s, m), 'm')",
        "s = StandardScaler()\nX = s.fit_transform(X)\nm = Ridge().fit(X, y)",
        "import joblib\nm = make_pipeline(StandardScaler(), Ridge()).fit(X, y)\njoblib.dump(m, 'm')",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        if every.names.isdisjoint(DUMPS):
            return
        dumps = [call for call in every if call.name in DUMPS and call.node.args]
        if not dumps:
            return
        made = _transformers(a)
        saved = {
            n.id for call in dumps for arg in call.node.args for n in nodes(arg) if isinstance(n, ast.Name)
        }
        bundles = _inside(a, saved)
        for name, call in _fitted(every, made).items():
            if name not in saved | bundles:
                span = call.stmt.text.span(call.node)
                labels = [
                    Label(span, "fitted here"),
                    Label(dumps[0].stmt.text.span(dumps[0].node), "saved here, without it"),
                ]
                message = f"`{name}` is fitted, and not saved with the model"
                help = f"save `{name}` with the model, best in one `Pipeline`"
                yield self.found(a, message, span, labels, help)


def _transformers(a: Analysis) -> set[str]:
    """Names that are given a transformer: `s = StandardScaler()`."""
    found = set()
    for stmt, _ in a.script.stmts():
        match stmt.node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id=maker) | ast.Attribute(attr=maker)),
            ):
                if LEARNERS.fullmatch(maker) or maker in CODES:
                    found.add(name)
    return found


def _fitted(every: tuple[Called, ...], made: set[str]) -> dict[str, Called]:
    found: dict[str, Called] = {}
    for call in every:
        if call.name in ("fit", "fit_transform") and isinstance(call.node.func, ast.Attribute):
            owner = call.node.func.value
            if isinstance(owner, ast.Name) and owner.id in made:
                found.setdefault(owner.id, call)
    return found


def _inside(a: Analysis, saved: set[str]) -> set[str]:
    """What saved names are made of: `bundle = {"model": m, "scaler": s}`."""
    found: set[str] = set()
    for stmt, _ in a.script.stmts():
        if isinstance(stmt.node, ast.Assign):
            targets = {n.id for t in stmt.node.targets for n in nodes(t) if isinstance(n, ast.Name)}
            if targets & saved:
                found |= {n.id for n in nodes(stmt.node.value) if isinstance(n, ast.Name)}
    return found
