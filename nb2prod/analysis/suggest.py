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
REST = ("setup", "eda", "skip")  # what there is most of is the stage of a cell that has none of the others
NO_STATEMENT = Place("setup", "speaks to the notebook")
EMPTY = Place("skip", "there is nothing in it")


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
            nothing = NO_STATEMENT if cell.index in magics else EMPTY
            stages, reason = _of_cell(inside.get(cell.index, [nothing]))
            allowed[cell.index], inferred[cell.index] = stages, reason
    return replace(given, allowed=allowed, inferred=inferred)


def _of_cell(places: list[Place]) -> tuple[tuple[str, ...], str]:
    """The stages of a cell and the reasons for them."""
    counts = Counter(place.stage for place in places)
    stages = tuple(stage for stage in STAGES if counts[stage])
    only_helpers = all(place.moves for place in places if place.stage in stages)
    if not stages:
        stages = (max(REST, key=counts.__getitem__),)  # `sns.set()` before a plot is no setup
    elif only_helpers and counts["setup"]:
        stages = ("setup",)
    chosen = [place for stage in stages for place in places if place.stage == stage]
    return stages, "; ".join(dict.fromkeys(p.reason for p in sorted(chosen, key=lambda place: place.moves)))
