"""NBP117."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from nb2prod.analysis.events import Event
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Located, Span

NOT_CALLABLE = (
    ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp, ast.BinOp, ast.Compare,
)  # fmt: skip
_BUILTINS = frozenset(dir(builtins))


class ImportShadowing(Rule):
    """A variable takes the name of a builtin or of an imported module that is used later.

    Why it matters: the later use fails, or did not fail only because the cells were run in another order.

    Instead: give the variable another name.

    Functions, classes and imports that take such a name do so on purpose.  A builtin is reported only where
    it is called after a value that cannot be called has taken its name; a module only where a literal has.
    """

    code, name, severity = "NBP117", "import-shadowing", Severity.WARNING
    fires = (
        "sum = 1 + 2\n# %%\nprint(sum([1, 2]))",
        "import time\n# %%\ntime = 3.5\n# %%\ntime.sleep(1)",
        "max = values.max()\n# %%\nprint(max(1, 2))",
    )
    silent = (
        "id = 3\nprint(id)",
        "from numpy import sum\nprint(sum([1]))",
        "list = [1]\ndel list\nprint(list((1, 2)))",
        "filter = make_filter()\nfilter([1])",
        "import data\ndata = data.load()\nprint(data.shape)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        if not _may_hide(a):
            return
        modules: set[str] = set()
        shadows: dict[str, Span] = {}
        seen: set[str] = set()
        for stmt, events in a.script.stmts():
            for event in events.events:
                name = event.name
                if event.kind == "call":
                    use = _use(event, modules) if shadows else ""
                    if use in shadows and use not in seen:
                        seen.add(use)
                        assert isinstance(event.node, Located)
                        yield self.one(a, use, shadows[use], stmt.text.span(event.node))
                elif event.kind == "delete":
                    shadows.pop(name, None)
                elif event.kind == "bind":
                    shadows.pop(name, None)
                    if isinstance(event.node, ast.Import):
                        modules.add(name)
                    elif _hides(name, stmt.node, event, modules):
                        shadows[name] = stmt.span

    def one(self, a: Analysis, name: str, hidden: Span, used: Span) -> Diagnostic:
        labels = [
            Label(hidden, f"`{name}` becomes a variable here{a.ran(hidden.cell)}"),
            Label(used, f"used as before here{a.ran(used.cell)}"),
        ]
        kind = "the builtin" if hasattr(builtins, name) else "the module"
        message = f"the variable `{name}` hides {kind} that is used later"
        return self.found(a, message, hidden, labels, f"rename the variable `{name}`")


def _may_hide(a: Analysis) -> bool:
    """Something but an import binds the name of a builtin, or of what is imported."""
    imported: set[str] = set()
    others: set[str] = set()
    for stmt, events in a.script.stmts():
        if events.binds:
            kind = stmt.node.__class__
            if kind is not ast.Assign:
                imported.update(events.binds)  # maybe: a loop may import
            if kind is not ast.Import and kind is not ast.ImportFrom:
                others.update(events.binds)
    return not (others.isdisjoint(_BUILTINS) and others.isdisjoint(imported))


def _use(event: Event, modules: set[str]) -> str:
    """The builtin that is called, or the module whose function is."""
    assert isinstance(event.node, ast.Call)
    match event.node.func:
        case ast.Name(id=name) if hasattr(builtins, name):
            return name
        case ast.Attribute(value=ast.Name(id=name)) if name in modules:
            return name
    return ""


def _hides(name: str, stmt: ast.stmt, event: Event, modules: set[str]) -> bool:
    """An assignment of something that is certainly not the builtin or the module."""
    if not isinstance(stmt, ast.Assign) or (name not in modules and name not in _BUILTINS):
        return False
    if not any(target is event.node for target in stmt.targets):
        return False
    if name in modules:
        return isinstance(stmt.value, (ast.Constant, ast.JoinedStr))
    if isinstance(stmt.value, ast.Call):  # max = values.max(): the result of the thing itself
        function = stmt.value.func
        return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")) == name
    return isinstance(stmt.value, NOT_CALLABLE)
