"""NBP315."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

BROAD = ("Exception", "BaseException")
QUIET_CALLS = ("print", "display", "warn", "debug", "info")


class SwallowedException(Rule):
    """Any error is caught, and the run goes on: `except:` or `except Exception:` with `pass`, `continue` or a
    print.

    Why it matters: when a stage fails, the next one works on data that are half made, and nobody hears of it.

    Instead: catch the one error that is meant, or raise again after logging.

    A handler that raises, returns or assigns something is taken to deal with the error.
    """

    code, name, severity = "NBP315", "swallowed-exception", Severity.WARNING
    help = "catch the error that is meant, or raise it again"
    fires = (
        "try:\n    f = open('a')\nexcept:\n    pass",
        "for i in [1]:\n    try:\n        int(i)\n    except Exception as e:\n        print(e)",
    )
    silent = (
        "try:\n    f = open('a')\nexcept OSError:\n    pass",
        "try:\n    f = open('a')\nexcept Exception:\n    f = None",
        "try:\n    f = open('a')\nexcept Exception as e:\n    print(e)\n    raise",
        "try:\n    import a\nexcept Exception:\n    raise SystemExit",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for stmt, _ in a.script.stmts():
            if "except" not in stmt.text.code:
                continue
            for node in nodes(stmt.node):
                if isinstance(node, ast.ExceptHandler) and _broad(node) and all(map(_quiet, node.body)):
                    span = stmt.text.head(node)
                    yield self.found(a, "every error is caught here, and the run goes on", span)


def _broad(node: ast.ExceptHandler) -> bool:
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in BROAD)


def _quiet(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Continue():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
            return name in QUIET_CALLS
    return False
