"""The notebook as stored text, and the coordinates in which everything is reported.

`cell` counts all cells from 0, as nbformat does; `line` and `column` count from 1 inside the cell, in
code points of the text as stored; `end_column` is exclusive.  `ast` counts UTF-8 bytes from 0: the
conversion happens once, here, in `Text`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

TAG_PREFIX = "nb2prod:"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one cell's text; `end_column` is exclusive."""

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as stored.  `run` is the recorded execution count, `tags` the metadata tags."""

    index: int
    kind: str  # "code", "markdown" or "raw"
    text: str
    run: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook file: where it was read and its cells."""

    path: str
    cells: tuple[Cell, ...]
    language: str = "python"

    def code_cells(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.kind == "code")


@dataclass(frozen=True, slots=True)
class Text:
    """Python text of one cell that `ast` has parsed, with the way back to the stored text.

    `shift` is how many leading characters were removed from every line (IPython dedents cells).
    """

    cell: int
    code: str
    shift: int = 0
    lines: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, cell: int, code: str, shift: int = 0) -> Text:
        return cls(cell, code, shift, tuple(code.splitlines(keepends=True)))

    def column(self, line: int, byte_offset: int) -> int:
        """Column from 1 in code points of the stored text, from a line from 1 and an `ast` offset."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if text.isascii():
            return byte_offset + 1 + self.shift
        return len(text.encode()[:byte_offset].decode(errors="ignore")) + 1 + self.shift

    def span(self, node: ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias) -> Span:
        """Where a node stands in the stored text."""
        end_line = node.end_lineno or node.lineno
        end_offset = node.end_col_offset if node.end_col_offset is not None else node.col_offset
        return Span(
            self.cell,
            node.lineno,
            self.column(node.lineno, node.col_offset),
            end_line,
            self.column(end_line, end_offset),
        )
