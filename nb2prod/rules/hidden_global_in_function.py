"""NBP115."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.events import Function
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.program import Stmt
from nb2prod.rules import Analysis, Label, Rule, Severity

CONSTANT_CALLS = (
    "compile",
    "Path",
    "join",
    "frozenset",
    "set",
    "device",
    "getLogger",
    "namedtuple",
    "TypeVar",
)


class HiddenGlobalInFunction(Rule):
    """A function reads or sets a variable of the notebook that is not a constant.

    Why it matters: what the function returns depends on which cells were run before the call, and the
    function cannot move to a module as it stands.

    Instead: make it a parameter.

    Imports, functions and classes are fine, and so are names that are bound once, to a literal or in
    UPPER_CASE.  (`nb2prod compile` turns such globals into parameters.)
    """

    code, name, severity = "NBP115", "hidden-global-in-function", Severity.WARNING
    fires = (
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndef share(column):\n    return df[column].mean()",
        "count = 0\ndef tick():\n    global count\n    count = count + 1",
    )
    silent = (
        "import numpy as np\nRATE = 0.2\nnames = ['a']\ndef f(x):\n    return np.log(x) * RATE, names",
        "df = [1]\ndef f(df):\n    return df[0]",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        variables: set[str] | None = None
        for stmt, events in a.script.stmts():
            for function in events.functions:
                if not isinstance(function.node, ast.Lambda):
                    variables = _variables(a) if variables is None else variables
                    yield from self.function(a, stmt, function, variables)

    def function(
        self, a: Analysis, stmt: Stmt, function: Function, variables: set[str]
    ) -> Iterator[Diagnostic]:
        reads: dict[str, ast.AST] = {}
        for event in function.outer_reads():
            if event.name in variables and event.name not in function.declared_global:
                reads.setdefault(event.name, event.node)
        sets = sorted({event.name for event in function.outer_binds()})
        if not reads and not sets:
            return
        verbs = [f"reads {_listed(reads)}"] if reads else []
        verbs += [f"sets {_listed(sets)}"] if sets else []
        assert not isinstance(function.node, ast.Lambda)
        span = stmt.text.head(function.node)
        labels = [
            Label(stmt.text.span(node), f"`{name}` is a variable of the notebook")
            for name, node in reads.items()
            if isinstance(node, ast.expr)
        ]
        names = [*reads, *(name for name in sets if name not in reads)]
        what = "a parameter" if len(names) == 1 else "parameters"
        help = f"make {_listed(names)} {what} of `{function.name}`" + (
            ", and return what it sets" if sets else ""
        )
        message = f"`{function.name}` {' and '.join(verbs)} of the notebook"
        yield self.found(a, message, span, labels[:4], help)


def _variables(a: Analysis) -> set[str]:
    """Names of the notebook that are no constants."""
    times: dict[str, int] = {}
    constant: set[str] = set()
    for stmt, events in a.script.stmts():
        for event in events.events if events.binds else ():
            if event.kind != "bind":
                continue
            if isinstance(
                event.node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            ):
                constant.add(event.name)
            else:
                times[event.name] = times.get(event.name, 0) + 1
                if event.name.isupper() or (isinstance(stmt.node, ast.Assign) and _constant(stmt.node.value)):
                    constant.add(event.name)
    return {name for name, count in times.items() if count > 1 or name not in constant}


def _constant(node: ast.expr) -> bool:
    """A literal, or a part of a module (`K = keras.backend`)."""
    match node:
        case ast.Constant() | ast.Lambda() | ast.Attribute(value=ast.Name() | ast.Attribute()):
            return True
        case ast.List() | ast.Tuple() | ast.Set():
            return all(_constant(part) for part in node.elts)
        case ast.Dict():
            return all(part is None or _constant(part) for part in [*node.keys, *node.values])
        case ast.UnaryOp():
            return _constant(node.operand)
        case ast.BinOp():
            return _constant(node.left) and _constant(node.right)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in CONSTANT_CALLS
    return False


def _listed(names: dict[str, ast.AST] | list[str]) -> str:
    every = [f"`{name}`" for name in names]
    return ", ".join(every[:-1]) + " and " + every[-1] if len(every) > 1 else every[0]
