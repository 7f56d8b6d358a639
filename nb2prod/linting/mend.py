"""Applies fixes to a file's bytes and leaves all others: indentation, order of keys, outputs, line ends.

Fixes that overlap wait for the next round; a cell that would not be Python any more is left as it was.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nb2prod import frontend
from nb2prod.diagnostics import Diagnostic, Edit, Fix
from nb2prod.linting.inputs import script, script_starts
from nb2prod.linting.places import CellPlace, cell_places
from nb2prod.source import Notebook, split_lines

Change = tuple[int, int, str]  # start and end in the file's text, and the new text


def mended(text: str, notebook: Notebook, found: Iterable[Diagnostic], unsafe: bool) -> tuple[str, int]:
    """The file's text with the fixes that can be applied together, and how many they are."""
    chosen = _apart([d.fix for d in found if d.fix is not None and (d.fix.safe or unsafe)])
    if not chosen:
        return text, 0
    if notebook.path.endswith(".py") or not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _script(text, notebook, chosen)
    places = cell_places(text)
    if len(places) != len(notebook.cells):
        return text, 0
    changes: list[Change] = []
    done: set[int] = set()
    for cell in notebook.cells:
        edits = [edit for fix in chosen for edit in fix.edits if edit.span.cell == cell.index]
        new = edited(cell.text, edits)
        if edits and new != cell.text and _is_python(notebook, cell.index, new):
            changes += _source(text, places[cell.index], new)
            done |= {id(fix) for fix in chosen if any(edit in edits for edit in fix.edits)}
    for fix in chosen:
        if fix.clear_counts or fix.clear_outputs:
            done.add(id(fix))
            for index, place in enumerate(places):
                if fix.clear_counts or index in fix.clear_outputs:
                    changes += _cleared(text, place, index in fix.clear_outputs)
    for start, end, new in sorted(set(changes), reverse=True):
        text = text[:start] + new + text[end:]
    return text, len(done)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A cell's text with edits that do not overlap."""
    lines = list(split_lines(text)) or [""]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for edit in sorted(edits, key=lambda e: (e.span.line, e.span.column), reverse=True):
        start = starts[edit.span.line - 1] + edit.span.column - 1
        end = starts[edit.span.end_line - 1] + edit.span.end_column - 1
        text = text[:start] + edit.text + text[end:]
    return text


def _apart(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes whose edits do not touch each other, first come first served."""
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for fix in fixes:
        if not any(_touch(edit, other) for edit in fix.edits for other in taken):
            chosen.append(fix)
            taken += fix.edits
    return chosen


def _touch(one: Edit, two: Edit) -> bool:
    a, b = one.span, two.span
    if a.cell != b.cell:
        return False
    return (a.line, a.column) <= (b.end_line, b.end_column) and (b.line, b.column) <= (
        a.end_line,
        a.end_column,
    )


def _is_python(notebook: Notebook, index: int, new: str) -> bool:
    """The new text of a cell can be parsed, or the old one could not either."""

    def opaque(text: str) -> bool:
        cell = replace(notebook.cells[index], text=text, index=0)
        return any(True for _ in frontend.parse(Notebook(notebook.path, (cell,))).opaque())

    return not opaque(new) or opaque(notebook.cells[index].text)


def _source(text: str, place: CellPlace, new: str) -> list[Change]:
    """The value of `source` in the style that it has; lines that stay keep their spelling."""
    start, end = place.values["source"]
    escaped = "\\u" in text[start:end]
    if not place.source:
        return [(start, end, json.dumps(new, ensure_ascii=escaped))] if text[start] == '"' else []
    old = {str(json.loads(text[a:b])): text[a:b] for a, b in place.source}
    rows = [old.get(line) or json.dumps(line, ensure_ascii=escaped) for line in split_lines(new)]
    if not rows:
        return [(start, end, "[]")]
    first, last = place.source[0], place.source[-1]
    between = (
        text[first[1] : place.source[1][0]] if len(place.source) > 1 else "," + text[start + 1 : first[0]]
    )
    return [(first[0], last[1], between.join(rows))]


def _cleared(text: str, place: CellPlace, outputs: bool) -> list[Change]:
    """No recorded count, neither of the cell nor of its results; with `outputs`, none of these either."""
    changes: list[Change] = []
    if "execution_count" in place.values:
        start, end = place.values["execution_count"]
        changes.append((start, end, "null"))
    if outputs and "outputs" in place.values:
        changes.append((*place.values["outputs"], "[]"))
    else:
        changes += [(*one["execution_count"], "null") for one in place.outputs if "execution_count" in one]
    return [change for change in changes if text[change[0] : change[1]] != change[2]]


def _script(text: str, notebook: Notebook, chosen: list[Fix]) -> tuple[str, int]:
    starts = script_starts(text)
    edits = []
    for fix in chosen:
        for edit in fix.edits:
            shift = starts[edit.span.cell]
            span = edit.span._replace(
                cell=0, line=edit.span.line + shift, end_line=edit.span.end_line + shift
            )
            edits.append(Edit(span, edit.text))
    new = edited(text, edits)
    try:
        ast.parse(new)
    except SyntaxError:
        if not any(True for _ in frontend.parse(script(text, notebook.path)).opaque()):
            return text, 0
    return new, len(chosen)
