"""Linted: what was found in one file, with all that is needed to print it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nb2prod.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from nb2prod.source import Notebook, Span, split_lines


class UsageError(Exception):
    """A wrong command line or a wrong setting; the exit code is 2."""


@dataclass(frozen=True, slots=True)
class Linted:
    """One file: its notebook (None where it cannot be read, or was not read again), and what was found.

    `lines` are the source lines that the findings speak of, by (cell, line).
    """

    path: str
    notebook: Notebook | None
    found: tuple[Diagnostic, ...]
    lines: dict[tuple[int, int], str] = field(default_factory=dict)


def source_lines(notebook: Notebook, found: Iterable[Diagnostic]) -> dict[tuple[int, int], str]:
    """The lines that findings speak of."""
    lines: dict[tuple[int, int], str] = {}
    texts: dict[int, tuple[str, ...]] = {}
    for one in found:
        for span in [one.span, *(label.span for label in one.labels)]:
            if span is None or (span.cell, span.line) in lines:
                continue
            if span.cell not in texts:
                texts[span.cell] = split_lines(notebook.cells[span.cell].text)
            rows = texts[span.cell]
            if span.line <= len(rows):
                lines[span.cell, span.line] = rows[span.line - 1].rstrip("\r\n")
    return lines


def stored(linted: Linted) -> dict[str, Any]:
    """As plain JSON, for the cache."""
    return {
        "found": [found.to_json() for found in linted.found],
        "lines": [[cell, line, text] for (cell, line), text in linted.lines.items()],
    }


def restored(path: str, row: dict[str, Any]) -> Linted:
    """The other way; the notebook is not kept."""
    lines = {(cell, line): text for cell, line, text in row["lines"]}
    return Linted(path, None, tuple(_diagnostic(path, one) for one in row["found"]), lines)


def _diagnostic(path: str, row: dict[str, Any]) -> Diagnostic:
    fix = row["fix"]
    return Diagnostic(
        row["code"],
        row["name"],
        Severity(row["severity"]),
        row["message"],
        path,
        _span(row) if row["cell"] is not None else None,
        tuple(Label(_span(one), one["message"]) for one in row["related"]),
        row["help"],
        Fix(
            fix["message"],
            fix["safe"],
            tuple(Edit(_span(edit), edit["text"]) for edit in fix["edits"]),
            fix["clear_counts"],
            tuple(fix["clear_outputs"]),
        )
        if fix
        else None,
    )


def _span(row: dict[str, Any]) -> Span:
    return Span(row["cell"], row["line"], row["column"], row["end_line"], row["end_column"])
