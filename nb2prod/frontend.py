"""The front end: a file becomes a Notebook (`ipynb.py`), a Notebook a Program.

`parse` never fails: cells are parsed one by one, and a cell that is not Python is an `Opaque` with its
reason.  IPython's own syntax is taken out first (`ipython.py`), keeping lines and columns.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from nb2prod import ipynb, ipython, knowledge
from nb2prod.ipynb import ReadError, find, read_bytes
from nb2prod.ir.program import Magic, Opaque, Program, Stmt
from nb2prod.source import Cell, Notebook, Span, Text, split_lines
from nb2prod.tree import children

__all__ = ["ReadError", "find", "parse", "read", "read_bytes"]

MAX_DEPTH = 150  # of a syntax tree: every later pass walks it recursively

_PYTHON_2 = (
    "Missing parentheses in call to",
    "multiple exception types must be parenthesized",
    "leading zeros in decimal integer literals",
)
_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SHALLOW = 2 * MAX_DEPTH  # a statement of so few characters cannot nest too deeply


def read(path: Path | str) -> Notebook:
    """The notebook in a file, with the user's facts that hold there; raises ReadError, KnowledgeError."""
    return replace(ipynb.read(path), facts=knowledge.of_user(Path(path).parent))


def parse(notebook: Notebook) -> Program:
    """The statements of all code cells."""
    items: list[Stmt | Opaque] = []
    magics: list[Magic] = []
    earlier: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the notebook's own text, such as "\d"
        for cell in notebook.code_cells():
            if notebook.language != "python":
                reason = f"the notebook's language is {notebook.language[:40]}"
                items.append(Opaque(len(items) + 1, _place(cell, 1, 1), reason))
            else:
                items += _parse_cell(cell, earlier, magics, len(items) + 1)
            earlier.append(cell.text)
    return Program(notebook, tuple(items), tuple(magics))


def _parse_cell(cell: Cell, earlier: list[str], magics: list[Magic], first_id: int) -> list[Stmt | Opaque]:
    """The statements of one cell, or one Opaque; its magics are added to `magics`."""
    stored = split_lines(cell.text)
    layout = ipython.layout(cell.index, stored)
    if layout.foreign is not None:
        magics += layout.magics
        return []
    ipython.automagic(layout, earlier)
    masked = ipython.begins_with_magic(layout) and ipython.mask(layout)  # no need to try: that is slow
    tree = _tree(layout.lines)
    if isinstance(tree, Exception) and not masked and ipython.mask(layout):
        tree = _tree(layout.lines)
    magics += layout.magics
    if isinstance(tree, Exception):
        return [_opaque(cell, layout, tree, first_id)]
    ends = tuple(len(line.rstrip("\r\n")) for line in stored) if layout.magics else ()
    code = "".join(layout.lines)
    lines = stored if code == cell.text else split_lines(code)
    plain = not (layout.shift or ends) and code.isascii()
    text = Text(cell.index, code, layout.shift, lines, frozenset(layout.flush), ends, plain)
    return _stmts(tree, text, layout.marks, first_id)


def _tree(lines: list[str]) -> ast.Module | Exception:
    """The syntax tree; an exception is the reason why there is none."""
    code = "".join(lines)
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return error
    return RecursionError() if len(code) > _SHALLOW and _too_deep(tree, lines) else tree


def _too_deep(tree: ast.Module, lines: list[str]) -> bool:
    """Level by level; of statements only those that are long enough to nest so deeply."""
    ends = [0, *accumulate(map(len, lines))]  # how much text stands above each line
    level: list[ast.AST] = [tree]
    for left in range(MAX_DEPTH, -1, -1):
        level = [
            below
            for node in level
            for below in children(node)
            if not isinstance(below, ast.stmt)
            or ends[below.end_lineno or below.lineno] - ends[below.lineno - 1] > 2 * left
        ]
        if not level:
            return False
    return True


def _opaque(cell: Cell, layout: ipython.Layout, error: Exception, id: int) -> Opaque:
    if isinstance(error, SyntaxError):
        message = (error.msg or "invalid syntax").split(" (<unknown>")[0]
        old = message.startswith(_PYTHON_2)
        reason = f"this is Python 2: {message}" if old else f"not valid Python: {message}"
        line = min(max(error.lineno or 1, 1), max(len(layout.lines), 1))
        column = max(error.offset or 1, 1) + (0 if line in layout.flush else layout.shift)
        return Opaque(id, _place(cell, line, column), reason)
    if isinstance(error, (MemoryError, RecursionError)):
        return Opaque(id, _place(cell, 1, 1), "nested too deeply to be understood")
    return Opaque(id, _place(cell, 1, 1), "holds characters that Python text cannot have")


def _place(cell: Cell, line: int, column: int) -> Span:
    """From a place to the end of its line."""
    lines = split_lines(cell.text) or ("",)
    end = len(lines[line - 1].rstrip("\r\n")) + 1
    return Span(cell.index, line, min(column, end), line, end)


def _stmts(tree: ast.Module, text: Text, marks: set[tuple[int, int]], first_id: int) -> list[Stmt | Opaque]:
    """Top-level statements, without those that only hold the place of a magic."""
    out: list[Stmt | Opaque] = []
    above = 0  # the last line of what came before
    last = tree.body[-1] if tree.body else None
    for node in tree.body:
        first = node.lineno
        if isinstance(node, _DECORATED):
            first = min([first, *(decorator.lineno for decorator in node.decorator_list)])
        if not marks or (node.lineno, node.col_offset) not in marks:
            span = text.span(node)
            if first != node.lineno:
                span = Span(text.cell, first, span.column, span.end_line, span.end_column)
            shown = node is last and isinstance(node, ast.Expr) and not _silenced(text, node)
            leading = _first_line(text, first, above) if first - 1 > above else first
            out.append(Stmt(first_id + len(out), span, node, text, leading, shown))
        above = node.end_lineno or node.lineno
    return out


def _first_line(text: Text, line: int, above: int) -> int:
    """The first of the comment lines that stand directly above a statement."""
    while line - 1 > above and text.lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def _silenced(text: Text, node: ast.Expr) -> bool:
    """IPython does not show a value that a semicolon follows."""
    if ";" not in text.code:
        return False
    end = node.end_lineno or node.lineno
    rest = text.lines[end - 1].encode()[node.end_col_offset or 0 :].decode(errors="ignore")
    return rest.lstrip().startswith(";") or any(line.lstrip().startswith(";") for line in text.lines[end:])
