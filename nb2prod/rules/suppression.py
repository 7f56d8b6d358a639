"""Comments that silence findings: `# nb2prod: ignore[NBP101]` on a line, or on a cell's first line for the
cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2prod.diagnostics import Diagnostic, Edit, Fix
from nb2prod.source import Notebook, Span, split_lines

if TYPE_CHECKING:
    from nb2prod.rules import Analysis, Rule

IGNORE = re.compile(r"#\s*nb2prod\s*:\s*ignore\[([\w,\s-]*)\]")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment; `whole` says that it speaks for its cell."""

    span: Span
    codes: tuple[str, ...]
    whole: bool

    def silences(self, found: Diagnostic) -> bool:
        if found.span is None or found.span.cell != self.span.cell or found.code not in self.codes:
            return False
        return self.whole or found.span.line <= self.span.line <= found.span.end_line


def suppressions(notebook: Notebook) -> tuple[Suppression, ...]:
    """All such comments of a notebook."""
    found = []
    for cell in notebook.code_cells():
        if "nb2prod" not in cell.text:
            continue
        for number, line in enumerate(split_lines(cell.text), 1):
            comment = IGNORE.search(line)
            if comment is not None:
                codes = tuple(word for word in re.split(r"[,\s]+", comment[1]) if word)
                span = Span(cell.index, number, comment.start() + 1, number, comment.end() + 1)
                found.append(Suppression(span, codes, number == 1 and line.lstrip().startswith("#")))
    return tuple(found)


def unused_suppressions(
    rule: Rule,
    a: Analysis,
    ignores: Iterable[Suppression],
    found: list[Diagnostic],
    wanted: Callable[[str], bool],
) -> Iterator[Diagnostic]:
    """A finding for each comment with codes that silence nothing."""
    from nb2prod.rules import all_rules

    static = {one.code for one in all_rules() if not one.message}
    known = {one.code for one in all_rules()}
    for ignore in ignores:
        used = {d.code for d in found if ignore.silences(d)}
        idle = [c for c in ignore.codes if c not in known or (c in static and wanted(c) and c not in used)]
        if not idle or rule.code in ignore.codes:
            continue
        kept = [code for code in ignore.codes if code not in idle]
        text = f"# nb2prod: ignore[{', '.join(kept)}]" if kept else ""
        missing = [code for code in idle if code not in known]
        message = f"there is no rule {missing[0]}" if missing else f"nothing here is {', '.join(idle)}"
        fix = Fix("remove what silences nothing", True, (Edit(_place(a.notebook, ignore.span, kept), text),))
        yield rule.found(a, message, ignore.span, fix=fix)


def _place(notebook: Notebook, span: Span, kept: list[str]) -> Span:
    """The comment; where nothing of it stays, with the blanks before it."""
    line = split_lines(notebook.cells[span.cell].text)[span.line - 1]
    before = line[: span.column - 1]
    start = span.column if kept else len(before.rstrip()) + 1
    return Span(span.cell, span.line, start, span.line, span.end_column)
