"""What `nb2prod tag` does: stages for the cells without a tag, with their reasons, told or written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nb2prod import frontend
from nb2prod.analysis.defuse import defuse
from nb2prod.analysis.suggest import complete
from nb2prod.analysis.tags import cell_tags, without_skipped
from nb2prod.analysis.types import infer
from nb2prod.ipynb_tags import replace_file, with_tags
from nb2prod.source import Notebook


class NothingInferred(Exception):
    """The notebook has untagged cells and nothing to infer their stages from; `help` says what to do."""

    help = "tag the cell that fits the model `train`, or begin it with `# nb2prod: train`"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The stages of an untagged cell; none where the cell cannot be understood, for the reason given."""

    cell: int
    stages: tuple[str, ...]
    reason: str


def read(path: str, data: bytes | None = None) -> tuple[Notebook, bytes]:
    """A notebook and its bytes; `data` are these where they do not come from the file.  Raises ReadError."""
    if data is None:
        frontend.read(path)  # says what is wrong with the file, such as its size
        data = Path(path).read_bytes()
    return frontend.read_bytes(data, path), data


def suggest(notebook: Notebook) -> tuple[Suggestion, ...]:
    """A suggestion for each code cell that has no tag; NothingInferred where there is no model."""
    program = without_skipped(frontend.parse(notebook))
    types = infer(program)
    given = cell_tags(program)
    tags = complete(defuse(program, types), types, given)
    unread = {item.cell: item.reason for item in program.opaque()}
    untagged = [cell.index for cell in notebook.code_cells() if not given.of(cell.index)]
    if not tags.inferred and not set(untagged) <= unread.keys():
        raise NothingInferred("no stage can be inferred: no statement fits a model that nb2prod recognises")
    reasons = unread | tags.inferred
    return tuple(Suggestion(cell, tags.of(cell), reasons[cell]) for cell in untagged)


def write(path: Path, data: bytes, suggestions: tuple[Suggestion, ...]) -> None:
    """Adds the tags to the file, whose content is `data`; does nothing where there are none.

    Raises ReadError where the notebook has no place for them, OSError where the file cannot be written.
    """
    tags = {one.cell: one.stages for one in suggestions if one.stages}
    if tags:
        replace_file(path, with_tags(data, tags))


def report(suggestions: tuple[Suggestion, ...], written: bool) -> str:
    """The suggestions as text for people."""
    if not suggestions:
        return "no code cell is without a tag"
    rows = [(f"cell {one.cell}", ", ".join(one.stages) or "-", one.reason) for one in suggestions]
    place, stages = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{row[0]:<{place}}  {row[1]:<{stages}}  {row[2]}" for row in rows]
    end = "written into the notebook" if written else "nothing was written; --write keeps these tags"
    if not any(one.stages for one in suggestions):
        end = "nothing was written"
    return "\n".join([*lines, "", end])


def report_json(suggestions: tuple[Suggestion, ...]) -> str:
    rows = [{"cell": one.cell, "stages": list(one.stages), "reason": one.reason} for one in suggestions]
    return json.dumps(rows, indent=1, ensure_ascii=False)
