"""Edits the source of one statement, so that comments and layout survive.

An edit is keyed by the node it replaces and is given that node's text, in which inner edits are already
made.  LibCST takes texts apart where an edit needs it (`calls.py`, `statements.py`): it is loaded only there,
and what it made of a call is kept (`wraps.py`), because that takes longer than anything else in lowering.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from nb2prod.ir.program import Stmt
from nb2prod.source import Text

Build = Callable[[str], str]
Range = tuple[int, int, int, int]
OPENING = re.compile(r"""\b(?:f|fr|rf)(\"{3}|'{3}|"|')""", re.IGNORECASE)
OURS = re.compile(r"#\s*nb2prod\s*:")  # what a comment says to us is of no use in the project


@dataclass(frozen=True, slots=True)
class Edits:
    """What to change: `build` by `id(ast expression)`, statements to remove by `id(ast statement)`,
    parameters to add to a definition by `id(ast definition)`, and `global` statements that become
    `nonlocal`, because the notebook's globals are the variables of a stage function.
    """

    build: Mapping[int, Build]
    remove: frozenset[int]
    parameter: Mapping[int, str]
    nonlocals: frozenset[int] = frozenset()

    def changes(self, statement: ast.stmt) -> bool:
        """Whether something becomes of the statement itself, beside its expressions."""
        own = id(statement)
        return own in self.remove or own in self.parameter or own in self.nonlocals


def source(stmt: Stmt, edits: Edits) -> str:
    """The statement's text with its leading comments, edited."""
    text, first, column = _segment(stmt)
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    places: dict[tuple[int, int], Build] = {}
    strings = [node for node in ast.walk(stmt.node) if isinstance(node, ast.JoinedStr)]
    string_of = {id(n): string for string in strings for part in string.values for n in ast.walk(part)}

    def place(node: ast.expr) -> tuple[int, int]:
        line, offset, last_line, last = _range(stmt.text, node, stmt, first, column)
        return starts[line - 1] + offset, starts[last_line - 1] + last

    for node in ast.walk(stmt.node):
        if isinstance(node, ast.expr) and (build := edits.build.get(id(node))):
            begin, end = place(node)
            string = string_of.get(id(node))
            quoted = string is not None and _opening(text[place(string)[0] : begin]) == '"'
            places[begin, end] = _single_quoted(build) if quoted else build
    text = _edited(text, places)
    if not any(edits.changes(node) for node in ast.walk(stmt.node) if isinstance(node, ast.stmt)):
        return text
    from nb2prod.lower.statements import changed

    return changed(text, stmt.node, edits)


def rebuilt(node: ast.expr, build: Mapping[int, Build]) -> str:
    """The text of an expression without its layout, edited."""
    text = ast.unparse(node)
    if not any(id(inner) in build for inner in ast.walk(node)):
        return text
    again = ast.parse(text, mode="eval").body
    places: dict[tuple[int, int], Build] = {}
    for old, new in zip(ast.walk(node), ast.walk(again), strict=True):
        if isinstance(new, ast.expr) and id(old) in build:
            begin, end = (
                len(text.encode()[:at].decode()) for at in (new.col_offset, new.end_col_offset or 0)
            )
            places[begin, end] = build[id(old)]
    return _edited(text, places)


def _opening(text: str) -> str:
    """The quotes of an f-string that the text begins with, or the last one of several strings in a row."""
    found = OPENING.match(text) or OPENING.findall(text)
    return found[1] if isinstance(found, re.Match) else found[-1]


def _single_quoted(build: Build) -> Build:
    """Before Python 3.12 a quote inside of an f-string must not be that of the f-string."""
    return lambda text: build(text).replace('"', "'")


def _edited(text: str, places: Mapping[tuple[int, int], Build]) -> str:
    """The text with what is built at each place, from its begin to its end."""
    outer_first = sorted(places, key=lambda place: (place[0], -place[1]))
    return _spliced(text, [(begin, end, places[begin, end]) for begin, end in outer_first])


def _spliced(text: str, places: Sequence[tuple[int, int, Build]]) -> str:
    """The text with what is built at each place (begin, end), outer ones before those inside of them."""
    parts: list[str] = []
    at = 0
    while places:
        (begin, end, build), *places = places
        inner = [(b - begin, e - begin, built) for b, e, built in places if e <= end]
        places = places[len(inner) :]
        parts += [text[at:begin], build(_spliced(text[begin:end], inner))]
        at = end
    return "".join([*parts, text[at:]])


def _segment(stmt: Stmt) -> tuple[str, int, int]:
    """The statement's own text, the line it begins on and the column (code points) of its first line."""
    lines = stmt.text.lines
    node = stmt.node
    first_line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    comments = [line.strip() for line in lines[stmt.first_line - 1 : first_line - 1]]
    end = node.end_lineno or node.lineno
    start_offset = node.col_offset if first_line == node.lineno else 0
    body = list(lines[first_line - 1 : end])
    last = body[-1].encode()
    stop = node.end_col_offset or 0
    rest = last[stop:].decode()
    body[-1] = last[:stop].decode()
    if rest.strip().startswith("#"):
        body[-1] += "  " + rest.strip()
    column = len(body[0].encode()[:start_offset].decode())
    body[0] = body[0][column:]
    comments = [c for c in comments if c and not OURS.match(c)]
    return "".join(f"{c}\n" for c in comments) + "".join(body), first_line - len(comments), column


def _range(text: Text, node: ast.expr | ast.stmt, stmt: Stmt, first: int, column: int) -> Range:
    """Where the node stands in the segment: lines from 1, columns from 0 in code points."""
    start_line = stmt.node.lineno if not getattr(stmt.node, "decorator_list", []) else -1

    def at(line: int, offset: int) -> tuple[int, int]:
        shifted = column if line == start_line else 0
        return line - first + 1, len(text.lines[line - 1].encode()[:offset].decode()) - shifted

    return (
        *at(node.lineno, node.col_offset),
        *at(node.end_lineno or node.lineno, node.end_col_offset or 0),
    )


def indented(text: str) -> str:
    """The text one level in; lines inside multi-line strings stay where they are."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and (node.end_lineno or 0) > node.lineno:
            if isinstance(node, ast.JoinedStr) or isinstance(node.value, (str, bytes)):
                inside |= _raw_lines(text, node.lineno, node.end_lineno or node.lineno)
    lines = text.split("\n")
    return "\n".join(
        line if not line.strip() or number in inside else "    " + line
        for number, line in enumerate(lines, 1)
    )


def _raw_lines(text: str, first: int, last: int) -> set[int]:
    """The later lines of a string literal, where it is one token and not several joined ones."""
    segment = "\n".join(text.split("\n")[first - 1 : last])
    return (
        set(range(first + 1, last + 1))
        if '"""' in segment or "'''" in segment or "\\\n" in segment
        else set()
    )
