"""What runs in each cell, in order: statements with their events, magics, and cells that are opaque."""

from __future__ import annotations

from dataclasses import dataclass

from nb2prod.analysis.events import Events, events
from nb2prod.analysis.tags import CellTags, cell_tags
from nb2prod.ir.program import Magic, Opaque, Program, Stmt
from nb2prod.source import Notebook, Span

Step = tuple[Stmt, Events] | Magic | Opaque


@dataclass(frozen=True, slots=True)
class Script:
    """What runs in each cell, in order.  Cells tagged `skip` do not run; those in `failing` may fail."""

    notebook: Notebook
    cells: dict[int, list[Step]]
    failing: frozenset[int]
    every: tuple[tuple[Stmt, Events], ...]
    tags: CellTags

    def stmts(self) -> tuple[tuple[Stmt, Events], ...]:
        """All statements, in the order of the text."""
        return self.every


def script(program: Program) -> Script:
    """Statements with their events, magics and opaque cells, by cell."""
    tags = cell_tags(program)
    code = program.notebook.code_cells()
    cells: dict[int, list[Step]] = {cell.index: [] for cell in code if "skip" not in tags.of(cell.index)}
    placed: list[tuple[Span, Step]] = [(magic.span, magic) for magic in program.magics]
    for item in program.items:
        placed.append((item.span, item if isinstance(item, Opaque) else (item, events(item.node))))
    if program.magics:  # where there are none, the items stand in their order
        placed.sort(key=lambda place: place[0][:3])
    for span, step in placed:
        if span.cell in cells:
            cells[span.cell].append(step)
    failing = frozenset(cell.index for cell in code if "raises-exception" in cell.tags)
    every = tuple(step for row in cells.values() for step in row if isinstance(step, tuple))
    return Script(program.notebook, cells, failing, every, tags)
