"""How well stages are inferred: `python benchmarks/untagged.py CORPUS [MANIFEST]`.

CORPUS holds folders with one notebook each, whose cells are tagged by hand.  Their tags are removed and
inferred again; nothing runs.  Printed are, for each notebook, whether the same model and the same feature
statements are chosen with and without tags; a table of tags by hand (rows) against inferred ones (columns);
and the cells that differ.

MANIFEST is a JSON list of objects with `id` (the folder) and `mixed`: number among the code cells -> all
stages of a cell, where the notebook carries only the main one.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from nb2prod import frontend
from nb2prod.ir.stages import Role, StageGraph
from nb2prod.source import Notebook
from nb2prod.static import analyse

ORDER = ("load", "features", "train", "infer", "setup", "eda", "skip")


def main(corpus: Path, manifest: Path | None) -> None:
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest is not None else []
    mixed = {entry["id"]: entry["mixed"] for entry in entries}
    table: Counter[tuple[str, str]] = Counter()
    differing: list[str] = []
    same, within, total, chosen, built = 0, 0, 0, 0, 0
    folders = sorted(folder for folder in corpus.iterdir() if folder.is_dir())
    for folder in folders:
        notebook = frontend.read(next(folder.glob("*.ipynb")))
        by_hand, inferred = analyse(notebook).graph, analyse(untagged(notebook)).graph
        for number, cell in enumerate(notebook.code_cells()):
            main_tag, got = cell.tags[0], inferred.tags.get(cell.index, "-")
            stages = set(mixed.get(folder.name, {}).get(str(number), cell.tags))
            table[main_tag, got] += 1
            total += 1
            same += set(got.split(",")) == stages
            if set(got.split(",")) <= stages | {main_tag} or {main_tag, got} == {"eda", "skip"}:
                within += 1
            else:
                reason = inferred.inferred.get(cell.index, "")
                differing.append(f"{folder.name} cell {cell.index}: {main_tag}, inferred {got} ({reason})")
        model, features = compared(by_hand, inferred)
        chosen += model
        built += features
        said = "same model" if model else f"{named(by_hand)} by hand, {named(inferred)} inferred"
        print(f"{folder.name:<45} {said}{', same features' if features else ', other features'}")
    print_table(table)
    print("\n".join(differing))
    print(
        f"\n{total} cells: {same} get the very stages ({same / total:.1%}), {within} none but these", end=""
    )
    print(f" ({within / total:.1%})")
    print(f"{len(folders)} notebooks: the same model in {chosen}, and the same features in {built}")


def untagged(notebook: Notebook) -> Notebook:
    return replace(notebook, cells=tuple(replace(cell, tags=()) for cell in notebook.cells))


def compared(by_hand: StageGraph, inferred: StageGraph) -> tuple[bool, bool]:
    """Whether the same fit and the same feature statements are chosen; both none is the same too."""
    fits = [graph.sink.stmt if graph.sink else None for graph in (by_hand, inferred)]
    bodies = [(graph.stage(Role.FEATURES).stmts, graph.frames) for graph in (by_hand, inferred)]
    return fits[0] == fits[1], fits[0] == fits[1] and bodies[0] == bodies[1]


def named(graph: StageGraph) -> str:
    return f"{graph.sink.model} in s{graph.sink.stmt}" if graph.sink else "no model"


def print_table(table: Counter[tuple[str, str]]) -> None:
    columns = sorted({got for _, got in table}, key=lambda got: [*ORDER, got].index(got.split(",")[0]))
    width = max(len(got) for got in columns) + 2
    print(f"\n{'by hand':<10}" + "".join(f"{got:>{width}}" for got in columns))
    for tag in ORDER:
        counts = "".join(f"{table[tag, got] or '.':>{width}}" for got in columns)
        print(f"{tag:<10}{counts}")
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
