"""Program: the statements of a notebook in document order; made by the front end, read by the analyses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nb2prod.source import Notebook, Span, Text


@dataclass(frozen=True, slots=True)
class Magic:
    """A line that IPython understands and Python does not.

    `text` is the line as stored; `binds` and `reads` are the names that it assigns and uses; `body` says
    that the rest of the cell is its Python body (`%%time`), which is parsed as usual.  `drops` is a regular
    expression that is searched for in every name: matches are deleted (`%reset`).  `unknown` says that it
    may bind names that are not written here (`%run`, `%store -r`).  Statements inside a magic
    (`%time y = f()`) and assignments from one (`files = !ls`) are ordinary statements of the program.
    """

    kind: str  # "line" (%x), "cell" (%%x), "shell" (!x), "help" (x?)
    name: str
    text: str
    span: Span
    binds: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    body: bool = False
    drops: str = ""
    unknown: bool = False


@dataclass(slots=True, unsafe_hash=True)  # not frozen: a lint makes thousands, and that takes long
class Stmt:
    """One top-level statement of a code cell.

    `node` carries positions of `text`, the parsed text of the whole cell; `first_line` is the line on
    which the statement's own leading comments begin; `shown` says that IPython shows its value.  `span`
    begins at the first decorator.
    """

    id: int
    span: Span
    node: ast.stmt
    text: Text
    first_line: int
    shown: bool = False

    @property
    def cell(self) -> int:
        return self.span.cell


@dataclass(frozen=True, slots=True)
class Opaque:
    """A cell, or part of one, that cannot be understood, and why."""

    id: int
    span: Span
    reason: str

    @property
    def cell(self) -> int:
        return self.span.cell


@dataclass(frozen=True, slots=True)
class Program:
    """All statements in document order; ids count from 1 and rise with position."""

    notebook: Notebook
    items: tuple[Stmt | Opaque, ...]
    magics: tuple[Magic, ...] = ()

    def stmts(self) -> Iterator[Stmt]:
        return (item for item in self.items if isinstance(item, Stmt))

    def opaque(self) -> Iterator[Opaque]:
        return (item for item in self.items if isinstance(item, Opaque))

    def check(self) -> None:
        """Ids are unique and rise with position; every statement lies in a code cell."""
        places = [(item.id, (item.span.cell, item.span.line, item.span.column)) for item in self.items]
        assert places == sorted(places), "statements out of order"
        assert len({id for id, _ in places}) == len(places), "ids repeat"
        assert all(self.notebook.cells[item.cell].kind == "code" for item in self.items)

    def dump(self) -> str:
        lines = []
        for item in self.items:
            what = f"opaque: {item.reason}" if isinstance(item, Opaque) else type(item.node).__name__
            lines.append(f"s{item.id}  cell {item.cell}:{item.span.line}  {what}")
        lines += [f"magic  cell {m.span.cell}:{m.span.line}  {m.kind} {m.name}" for m in self.magics]
        return "\n".join(lines)
