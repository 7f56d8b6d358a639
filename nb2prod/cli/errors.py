"""Exceptions in words: what the user can mend, and what is a fault of nb2prod."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from nb2prod import __version__
from nb2prod.cli.style import clean, painter
from nb2prod.compiler import CompileError
from nb2prod.diagnostics import Diagnostic, render
from nb2prod.emit import EmitError
from nb2prod.frontend import ReadError
from nb2prod.knowledge import KnowledgeError
from nb2prod.lint import UsageError, lint
from nb2prod.names import NameRefused
from nb2prod.tagging import NothingInferred
from nb2prod.verify import Report

REFUSED, USAGE, CRASHED = 1, 2, 4


def explained(error: Exception, subject: str) -> tuple[int, str, Report | None]:
    """The exit code, the text for standard error, and the report for `--json`."""
    found: list[Diagnostic] = []
    code, text = REFUSED, _said(str(error))
    match error:
        case ReadError():
            found = [d for one in lint([subject]) for d in one.found] if subject not in ("", "-") else []
            said = "\n\n".join(render(one) for one in found)
            text = clean(said) if said else _said(error.message, error.help)
        case CompileError():
            code, text = error.code, _said(str(error), error.help)
        case NothingInferred():
            text = _said(str(error), error.help)
        case UsageError() | NameRefused() | KnowledgeError():
            code = USAGE
        case EmitError():
            pass
        case OSError() if error.filename is not None:
            text = _said(f"{error.filename}: {error.strerror}")
        case _:
            code = CRASHED
            trace = clean("".join(traceback.format_exception(error)))
            fault = _said("a fault of nb2prod, not of the notebook; nothing was changed", "please report it")
            text = f"{trace}\n{fault}"
    if code == USAGE:
        return code, text, None
    status = "refused" if code == REFUSED else "differs"
    reason = found[0].message if found else str(error) or type(error).__name__
    findings = tuple(one.to_json() for one in found)
    return code, text, Report(status, (), findings, Path(subject).name, __version__, reason)


def _said(message: str, help: str = "") -> str:
    paint = painter(sys.stderr)
    text = f"{paint('bad', 'error:')} {clean(message)}"
    return text + (f"\n  {paint('word', 'help:')} {clean(help)}" if help else "")
