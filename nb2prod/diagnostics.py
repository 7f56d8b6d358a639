"""What nb2prod says about a notebook, and how it is printed: text for people, JSON for machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nb2prod.source import Notebook, Span

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text of a notebook without control characters: it must not move the cursor or colour the screen."""
    return _CONTROL.sub("", text)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Label:
    """A related place and what is there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The text that takes the place of a stretch of a cell."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """How a fault can be mended. A safe one keeps what the notebook means; another one is a suggestion.

    Besides edits of cells, `clear_counts` takes all recorded counts away, and `clear_outputs` the saved
    outputs of these cells.
    """

    message: str
    safe: bool = False
    edits: tuple[Edit, ...] = ()
    clear_counts: bool = False
    clear_outputs: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The `fix` of the JSON contract."""
        edits = [
            {
                "cell": edit.span.cell,
                "line": edit.span.line,
                "column": edit.span.column,
                "end_line": edit.span.end_line,
                "end_column": edit.span.end_column,
                "text": edit.text,
            }
            for edit in self.edits
        ]
        return {
            "message": self.message,
            "safe": self.safe,
            "edits": edits,
            "clear_counts": self.clear_counts,
            "clear_outputs": list(self.clear_outputs),
        }


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault, one diagnostic.  `span` is None where the whole file is meant."""

    code: str
    name: str
    severity: Severity
    message: str
    path: str
    span: Span | None = None
    labels: tuple[Label, ...] = ()
    help: str = ""
    fix: Fix | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding of the JSON contract."""
        span = self.span
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "message": self.message,
            "path": self.path,
            "cell": span.cell if span else None,
            "line": span.line if span else None,
            "column": span.column if span else None,
            "end_line": span.end_line if span else None,
            "end_column": span.end_column if span else None,
            "related": [
                {
                    "cell": label.span.cell,
                    "line": label.span.line,
                    "column": label.span.column,
                    "end_line": label.span.end_line,
                    "end_column": label.span.end_column,
                    "message": label.text,
                }
                for label in self.labels
            ],
            "help": self.help,
            "fix": self.fix.to_json() if self.fix else None,
        }


def render(found: Diagnostic, notebook: Notebook | None = None) -> str:
    """The finding as text, with the source line of every place where `notebook` is given."""
    lines = [f"{found.severity}[{found.code} {found.name}]: {found.message}"]
    place = found.path
    if found.span is not None:
        place += f" cell {found.span.cell}, line {found.span.line}"
    lines.append(f"  --> {place}")
    labels = list(found.labels)
    if found.span is not None and not any(label.span == found.span for label in labels):
        labels.insert(0, Label(found.span, "here"))
    rows = [(f"{at.span.cell}:{at.span.line}", _source_line(notebook, at.span), at.text) for at in labels]
    width = max((len(place) for place, _, _ in rows), default=0)
    text_width = min(max((len(text) for _, text, _ in rows), default=0), 60)
    for at, text, note in rows:
        lines.append(f"   {at:>{width}}  {text:<{text_width}}  {note}".rstrip())
    if found.help:
        lines.append(f"  help: {found.help}")
    return "\n".join(lines)


def _source_line(notebook: Notebook | None, span: Span) -> str:
    if notebook is None or span.cell >= len(notebook.cells):
        return ""
    lines = notebook.cells[span.cell].text.splitlines()
    return lines[span.line - 1].strip() if span.line <= len(lines) else ""
