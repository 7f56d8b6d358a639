"""`nb2prod tag`: stages for untagged cells, printed or written into the notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nb2prod import compiler, frontend
from nb2prod.cli.style import columns, one_line
from nb2prod.ipynb_tags import replace_file, with_tags


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The stages of one untagged cell; none where it cannot be understood."""

    cell: int
    stages: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Suggested:
    """What is suggested for a notebook; `written` says that the tags are in the file now."""

    path: str
    suggestions: tuple[Suggestion, ...]
    written: bool

    def text(self) -> str:
        if not self.suggestions:
            return "no code cell is without a tag"
        rows = [
            (f"cell {one.cell}", ", ".join(one.stages) or "-", one_line(one.reason, 80))
            for one in self.suggestions
        ]
        end = "written into the notebook" if self.written else "nothing was written; --write keeps these tags"
        return "\n".join([self.path, *columns(rows), end])

    def json(self) -> str:
        rows = [
            {"cell": one.cell, "stages": list(one.stages), "reason": one.reason} for one in self.suggestions
        ]
        return json.dumps(rows, indent=1, ensure_ascii=False)


def suggest(path: str, data: bytes | None, write: bool) -> Suggested:
    """Stages for the untagged cells of a notebook; `data` is its text where it is not read from a file.

    Raises ReadError, CompileError where nothing can be inferred, OSError where the file cannot be written.
    """
    if data is None:
        frontend.read(path)  # says what is wrong with the file, also with its size
        data = Path(path).read_bytes()
    notebook = frontend.read_bytes(data, path)
    tags = compiler.suggest(notebook)
    suggestions = []
    for cell in notebook.code_cells():
        if cell.index in tags.inferred:
            suggestions.append(Suggestion(cell.index, tags.of(cell.index), tags.inferred[cell.index]))
        elif not tags.of(cell.index):
            suggestions.append(Suggestion(cell.index, (), "not valid Python"))
    found = {one.cell: one.stages for one in suggestions if one.stages}
    if write and found:
        replace_file(Path(path), with_tags(data, found))
    return Suggested(path, tuple(suggestions), write and bool(found))
