"""Which stages each cell may belong to: metadata tags, else the first-line comment.

# nb2prod: features        metadata.tags = ["features:customers", "train"]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from nb2prod.ir.program import Program
from nb2prod.ir.refusal import TAGS, Refusal
from nb2prod.source import TAG_PREFIX, Cell, Span

COMMENT = re.compile(r"^\s*#\s*nb2prod:\s*([A-Za-z][\w:, -]*?)\s*$")
LINE_WORDS = ("row-wise", "fit-once", "train-only", "drop", "lookup", "keep", "model")


@dataclass(frozen=True, slots=True)
class CellTags:
    """The allowed stages of each code cell (empty: untagged), and what is wrong with the tags.

    `inferred` are the cells whose stages follow from the data flow, each with the reason.
    """

    allowed: dict[int, tuple[str, ...]]
    refusals: tuple[Refusal, ...]
    inferred: dict[int, str] = field(default_factory=dict)

    def of(self, cell: int) -> tuple[str, ...]:
        return self.allowed.get(cell, ())


def cell_tags(program: Program) -> CellTags:
    """Reads the stage tags of all code cells."""
    allowed: dict[int, tuple[str, ...]] = {}
    refusals: list[Refusal] = []
    for cell in program.notebook.code_cells():
        if not cell.tags and TAG_PREFIX not in cell.text:  # most cells
            allowed[cell.index] = ()
            continue
        by_tag = _stages(cell.tags)
        comment = stage_comment(cell)
        by_comment = _stages(comment)
        where = Span(cell.index, 1, 1, 1, 1)
        if by_tag and by_comment and set(by_tag) != set(by_comment):
            detail = f"the tag says {', '.join(by_tag)}, the comment {', '.join(by_comment)}"
            refusals.append(Refusal("NBP501", where, ", ".join(by_tag), detail))
        refusals += [Refusal("NBP501", where, word, "") for word in comment if not _stages((word,))]
        allowed[cell.index] = by_tag or by_comment
    return CellTags(allowed, tuple(refusals))


def without_skipped(program: Program) -> Program:
    """Cells tagged skip are no part of the notebook that is compiled, nor of the runs."""
    allowed = cell_tags(program)
    return replace(program, items=tuple(i for i in program.items if "skip" not in allowed.of(i.cell)))


def stage_comment(cell: Cell) -> tuple[str, ...]:
    """The stage words of the cell's first-line comment; line annotations are no stages."""
    match = COMMENT.match(cell.text.split("\n", 1)[0]) if TAG_PREFIX in cell.text else None
    if match is None:
        return ()
    words = tuple(word.strip() for word in match[1].split(","))
    if any(w in LINE_WORDS or w.startswith(("target", "ignore")) for w in words):
        return ()
    return words


def _stages(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that name stages; `features:customers` is a features stage."""
    return tuple(w.split(":", 1)[0] for w in words if w.split(":", 1)[0] in TAGS)
