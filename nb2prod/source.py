"""The notebook as stored text, and the coordinates in which everything is reported.

`cell` counts all cells from 0, as nbformat does; `line` and `column` count from 1 inside the cell, in
code points of the text as stored; `end_column` is exclusive.  `ast` counts UTF-8 bytes from 0: the
conversion happens once, here, in `Text`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

TAG_PREFIX = "nb2prod:"

Located = ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Span(NamedTuple):  # a tuple is made, compared and hashed in C: a lint makes thousands
    """A stretch of one cell's text; `end_column` is exclusive."""

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that takes three times as long to make
class Cell:
    """One cell as stored.  `run` is the recorded execution count, `tags` the metadata tags."""

    index: int
    kind: str  # "code", "markdown" or "raw"
    text: str
    run: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook file: where it was read, its cells, and the files of the user's facts that hold for it."""

    path: str
    cells: tuple[Cell, ...]
    language: str = "python"
    facts: tuple[Path, ...] = ()
    _code: tuple[Cell, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_code", tuple([cell for cell in self.cells if cell.kind == "code"]))

    def code_cells(self) -> tuple[Cell, ...]:
        return self._code


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see Cell
class Text:
    """Python text of one cell that `ast` has parsed, with the way back to the stored text.

    `code` has the stored text's line numbers.  `shift` is how many leading characters were removed from
    every line (IPython dedents cells), except from those in `flush`, which did not have them.  `ends` are
    the lengths of the stored lines where `code` may be longer: `x = !ls` becomes a call.
    """

    cell: int
    code: str
    shift: int = 0
    lines: tuple[str, ...] = field(default=())
    flush: frozenset[int] = frozenset()
    ends: tuple[int, ...] = ()
    plain: bool = False  # every offset is its column: ASCII, nothing removed, nothing put in

    @classmethod
    def of(cls, cell: int, code: str, shift: int = 0) -> Text:
        return cls(cell, code, shift, split_lines(code))

    def column(self, line: int, byte_offset: int) -> int:
        """Column from 1 in code points of the stored text, from a line from 1 and an `ast` offset."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        offset = byte_offset
        if not text.isascii():
            offset = len(text.encode()[:byte_offset].decode(errors="ignore"))
        if line not in self.flush:
            offset += self.shift
        # a call inside of a function is reported in the statement that calls it, maybe of a shorter cell
        return min(offset, self.ends[line - 1]) + 1 if line <= len(self.ends) else offset + 1

    def span(self, node: Located) -> Span:
        """Where a node stands in the stored text."""
        end_line = node.end_lineno or node.lineno
        end_offset = node.end_col_offset if node.end_col_offset is not None else node.col_offset
        if self.plain:
            return Span(self.cell, node.lineno, node.col_offset + 1, end_line, end_offset + 1)
        return Span(
            self.cell,
            node.lineno,
            self.column(node.lineno, node.col_offset),
            end_line,
            self.column(end_line, end_offset),
        )

    def head(self, node: Located) -> Span:
        """Where a node begins: its place, cut at the end of its first line."""
        span = self.span(node)
        if span.line == span.end_line:
            return span
        line = self.lines[span.line - 1].rstrip("\r\n")
        end = self.column(span.line, len(line.encode()))
        return Span(self.cell, span.line, span.column, span.line, max(end, span.column))


def split_lines(text: str) -> tuple[str, ...]:
    """Lines with their ends, as Python counts them: only CR, LF and CRLF end a line."""
    odd = "\x0b" in text or "\x0c" in text or "\x1c" in text or "\x1d" in text or "\x1e" in text
    if not odd and text.isascii():  # `str.splitlines` breaks there too, and at others that are not ASCII
        return tuple(text.splitlines(keepends=True))
    return tuple(_LINE.findall(text))


def cut(text: str, span: Span) -> str:
    """The stretch of a cell's stored text."""
    lines = split_lines(text)[span.line - 1 : span.end_line]
    if not lines:
        return ""
    if len(lines) == 1:
        return lines[0][span.column - 1 : span.end_column - 1]
    return "".join([lines[0][span.column - 1 :], *lines[1:-1], lines[-1][: span.end_column - 1]])
