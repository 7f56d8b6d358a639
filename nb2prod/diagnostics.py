"""What nb2prod says about a notebook, and how it is printed: text for people, JSON for machines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nb2prod.source import Notebook, Span


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
            "fix": None,
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
