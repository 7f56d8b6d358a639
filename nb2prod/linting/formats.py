"""How findings are printed: text with the source underlined, JSON, GitHub annotations, counts by rule."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from nb2prod.diagnostics import Diagnostic, Label, Severity
from nb2prod.linting.result import Linted
from nb2prod.source import Span

WIDTH = 100  # of a source line; longer ones are cut around the place
SECRET = "NBP306"  # its source is never printed
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}

FileLine = Callable[[str, Span], int]


def text(linted: Sequence[Linted], line: FileLine) -> str:
    """For people: every finding with its places, and the counts; of scripts with the line of the file."""
    secrets = {
        (one.path, d.span.cell, d.span.line)
        for one in linted
        for d in one.found
        if d.code == SECRET and d.span is not None
    }
    parts = [
        "\n".join(_finding(found, one.lines, {(c, n) for path, c, n in secrets if path == one.path}, line))
        for one in linted
        for found in one.found
    ]
    return "\n\n".join([*parts, summary(linted)])


def summary(linted: Sequence[Linted]) -> str:
    """The last line: how many findings of each severity in how many notebooks."""
    found = [found.severity for one in linted for found in one.found]
    counts = [(found.count(severity), severity.value) for severity in Severity]
    words = [f"{count} {name}{'s' * (count != 1 and name != 'info')}" for count, name in counts if count]
    files = f"{len(linted)} notebook{'s' * (len(linted) != 1)}"
    return f"{', '.join(words)} in {files}" if words else f"nothing found in {files}"


def as_json(linted: Sequence[Linted]) -> str:
    """A JSON array of all findings."""
    return json.dumps(
        [found.to_json() for one in linted for found in one.found], indent=2, ensure_ascii=False
    )


def statistics(linted: Sequence[Linted]) -> str:
    """How often each rule fires, the most frequent first."""
    counts = Counter((d.code, d.name, d.severity.value) for one in linted for d in one.found)
    width = max((len(str(count)) for count in counts.values()), default=1)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{count:>{width}}  {code}  {severity:<7}  {name}" for (code, name, severity), count in rows]
    return "\n".join([*lines, summary(linted)])


def statistics_json(linted: Sequence[Linted]) -> str:
    counts = Counter((d.code, d.name, d.severity.value) for one in linted for d in one.found)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return json.dumps(
        [{"code": c, "name": n, "severity": s, "count": count} for (c, n, s), count in rows], indent=2
    )


def github(linted: Sequence[Linted], line: FileLine) -> str:
    """Workflow commands, which GitHub shows as annotations of the file."""
    rows = []
    for one in linted:
        for found in one.found:
            place, where = "", ""
            if found.span is not None:
                span = found.span
                place = f",line={line(one.path, span)}"
                where = f"cell {span.cell}, line {span.line}: "
            title = _property(f"{found.code} {found.name}")
            message = _data(f"{where}{found.message}" + (f" (help: {found.help})" if found.help else ""))
            rows.append(
                f"::{LEVELS[found.severity]} file={_property(one.path)}{place},title={title}::{message}"
            )
    return "\n".join(rows)


def _finding(
    found: Diagnostic, lines: dict[tuple[int, int], str], secrets: set[tuple[int, int]], line: FileLine
) -> list[str]:
    out = [f"{found.severity}[{found.code} {found.name}]: {found.message}"]
    place = found.path
    if found.span is not None:
        place += f":{line(found.path, found.span)}" if found.path.endswith(".py") else ""
        place += f" cell {found.span.cell}, line {found.span.line}, column {found.span.column}"
    out.append(f"  --> {place}")
    labels = list(found.labels)
    if found.span is not None and not any(label.span == found.span for label in labels):
        labels.insert(0, Label(found.span, ""))
    width = max((len(f"{at.span.cell}:{at.span.line}") for at in labels), default=0)
    for label in labels:
        source = lines.get((label.span.cell, label.span.line), "")
        if (label.span.cell, label.span.line) in secrets:
            source = "(not shown: it holds a secret)"
            out.append(f"   {f'{label.span.cell}:{label.span.line}':>{width}} | {source}")
            continue
        shown, start, length = _cut(source, label.span)
        mark = "^" if label.span == found.span else "-"
        out.append(f"   {f'{label.span.cell}:{label.span.line}':>{width}} | {shown}".rstrip())
        out.append(f"   {'':>{width}} | {' ' * start}{mark * length} {label.text}".rstrip())
    if found.help:
        out.append(f"  help: {found.help}")
    if found.fix is not None:
        how = "--fix" if found.fix.safe else "--unsafe-fixes"
        out.append(f"  {how}: {found.fix.message}")
    return out


def _cut(source: str, span: Span) -> tuple[str, int, int]:
    """The part of a line that is printed, where the place begins in it, and how long it is."""
    source = source.expandtabs(1)
    indent = len(source) - len(source.lstrip())
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(source)
    left = min(indent, start)
    if start - left > WIDTH - 20:
        left = start - 20
    shown = source[left : left + WIDTH]
    return shown, start - left, max(1, min(end - left, max(len(shown), 1)) - (start - left))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
