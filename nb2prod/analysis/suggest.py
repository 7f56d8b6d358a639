"""Stages for cells without a tag, from those of their statements.

df = pd.read_csv("a.csv")         load        reads `a.csv`
df["age"] = df["age"] / 10        features    `model` is fitted on what it makes
df.describe()                     eda         only shows something
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from nb2prod.analysis.placing import Place, place
from nb2prod.analysis.tags import CellTags
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow

STAGES = ("load", "features", "train", "infer")
REST = ("setup", "eda")  # what there is more of is the cell's stage, where it has none of the others


def complete(flow: Flow, types: Types, given: CellTags, model: str | None = None) -> CellTags:
    """The tags with those of untagged cells, as far as they can be inferred.

    Nothing is where no model is found.  A cell that is not Python keeps no tag.  `model` is the variable of
    the model that the user asked for.
    """
    program = flow.program
    untagged = [cell for cell in program.notebook.code_cells() if not given.of(cell.index)]
    places = place(flow, types, given, model) if untagged else {}
    if not places:
        return given
    opaque = {item.cell for item in program.opaque()}
    magics = {magic.span.cell for magic in program.magics}
    inside: dict[int, list[Place]] = {}
    for id, stmt in flow.by_id.items():
        inside.setdefault(stmt.cell, []).append(places[id])
    allowed, inferred = dict(given.allowed), {}
    for cell in untagged:
        if cell.index not in opaque:
            found = inside.get(cell.index, [])
            if not found:
                setup = ("setup", "speaks to the notebook")
                found = [setup if cell.index in magics else ("skip", "there is nothing in it")]
            allowed[cell.index], inferred[cell.index] = _of_cell(found)
    return replace(given, allowed=allowed, inferred=inferred)


def _of_cell(places: list[Place]) -> tuple[tuple[str, ...], str]:
    """The stages of a cell and the reasons for them."""
    stages = tuple(stage for stage in STAGES if any(stage == other for other, _ in places))
    if not stages:
        counts = Counter(stage for stage, _ in places)  # a plot and its `sns.set()` are no setup
        stages = (max(REST, key=counts.__getitem__),) if counts.keys() & set(REST) else ("skip",)
    reasons = dict.fromkeys(reason for stage in stages for other, reason in places if other == stage)
    return stages, "; ".join(sorted(reasons, key=lambda reason: reason.startswith("only ")))
