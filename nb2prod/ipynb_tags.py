"""Writes tags into a notebook file and leaves every other byte as it is.

Saving a notebook through a library would rewrite indentation, key order and escapes of the whole file; here
the text is only added to.  What is added looks like its surroundings.

   "metadata": {},        ->        "metadata": {
                                     "tags": [
                                      "load"
                                     ]
                                    },
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nb2prod.ipynb import ReadError

_BLANK = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"[ \t]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Value:
    """Where a JSON value stands, and its key where it is a member of an object."""

    start: int
    end: int
    key_start: int = 0
    key_end: int = 0


@dataclass(frozen=True, slots=True)
class _Layout:
    """How something is laid out: `line` is the line break with the indentation of what it holds, empty where
    all is on one line; `unit` is one step of indentation; `colon` and `blank` stand after keys and commas.
    """

    line: str
    unit: str
    colon: str
    blank: str

    def deeper(self) -> _Layout:
        return replace(self, line=self.line and self.line + self.unit)

    def words(self, tags: Sequence[str]) -> str:
        return f",{self.line or self.blank}".join(json.dumps(tag) for tag in tags)

    def member(self, tags: Sequence[str]) -> str:
        """The tags as a member of an object with this layout."""
        inner = self.deeper()
        return f'"tags"{self.colon}[{inner.line}{inner.words(tags)}{self.line}]'


def with_tags(data: bytes, tags: Mapping[int, Sequence[str]]) -> bytes:
    """The bytes of a notebook file with these tags added to its cells, by their number among all cells.

    Raises ReadError where a cell has something else than a list of tags.  The file must be one that
    `ipynb.read_bytes` reads.
    """
    text = data.decode("utf-8-sig")
    cells = list(_cells(text))
    edits = [_edit(text, cells[number], number, words) for number, words in tags.items() if words]
    parts, last = [], 0
    for at, added in sorted(edits):
        parts += [text[last:at], added]
        last = at
    encoded = "".join([*parts, text[last:]]).encode("utf-8")
    return codecs.BOM_UTF8 + encoded if data.startswith(codecs.BOM_UTF8) else encoded


def replace_file(path: Path, data: bytes) -> None:
    """Gives a file new content, all at once; a link goes on pointing to it.  Raises OSError."""
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, name)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _cells(text: str) -> Iterator[_Value]:
    """The cells, also of nbformat 3, which keeps them in worksheets."""
    stored = _members(text, _skip(text, 0))
    if "cells" in stored:
        yield from _items(text, stored["cells"].start)
        return
    for sheet in _items(text, stored["worksheets"].start):
        inside = _members(text, sheet.start)
        if "cells" in inside:
            yield from _items(text, inside["cells"].start)


def _edit(text: str, cell: _Value, number: int, tags: Sequence[str]) -> tuple[int, str]:
    """Where something is added, and what."""
    members = _members(text, cell.start)
    layout = _layout(text, cell, list(members.values()))
    metadata = members.get("metadata")
    if metadata is None:
        inner = layout.deeper()
        added = f'"metadata"{layout.colon}{{{inner.line}{inner.member(tags)}{layout.line}}}'
        return _added(text, cell, list(members.values()), added, layout)
    if text[metadata.start] != "{":
        raise ReadError(f"the metadata of cell {number} are no object", "open and save it in Jupyter")
    inside = _members(text, metadata.start)
    layout = _inside(text, metadata, list(inside.values()), layout)
    if "tags" not in inside:
        return _added(text, metadata, list(inside.values()), layout.member(tags), layout)
    known = inside["tags"]
    if text[known.start] != "[":
        raise ReadError(f"the tags of cell {number} are no list", "open and save it in Jupyter")
    items = list(_items(text, known.start))
    layout = _inside(text, known, items, layout)
    return _added(text, known, items, layout.words(tags), layout)


def _added(text: str, outer: _Value, inner: list[_Value], added: str, layout: _Layout) -> tuple[int, str]:
    """At the end of an object or a list."""
    if inner:
        return inner[-1].end, f",{layout.line or layout.blank}{added}"
    ends = "\n" in text[outer.start : outer.end]  # the closing bracket already has a line of its own
    closing = layout.line[: len(layout.line) - len(layout.unit)] if layout.line and not ends else ""
    return outer.start + 1, f"{layout.line}{added}{closing}"


def _layout(text: str, cell: _Value, members: list[_Value]) -> _Layout:
    """The layout of a cell's members."""
    first = min(members, key=lambda member: member.key_start)
    before = text[cell.start + 1 : first.key_start]
    colon = text[first.key_end : first.start]
    indent = before.rpartition("\n")[2]
    begin = text.rfind("\n", 0, cell.start) + 1
    outer = _INDENT.match(text, begin, cell.start)
    unit = indent.removeprefix(outer[0] if outer else "") or " "
    return _Layout(_line(before), unit, colon, " " if colon.endswith(" ") else "")


def _inside(text: str, outer: _Value, inner: list[_Value], layout: _Layout) -> _Layout:
    """The layout of what a value holds: as it is; where it holds nothing, one step deeper than around it."""
    if not inner:
        return layout.deeper()
    first = min(value.key_start or value.start for value in inner)
    return replace(layout, line=_line(text[outer.start + 1 : first]))


def _line(blank: str) -> str:
    """The last line break of some blanks, with what follows it."""
    before, found, indent = blank.rpartition("\n")
    return ("\r\n" if before.endswith("\r") else "\n") + indent if found else ""


def _members(text: str, start: int) -> dict[str, _Value]:
    """The members of the object that begins there; of a key that repeats the last, as `json` has it."""
    found: dict[str, _Value] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        begin = _skip(text, _skip(text, end) + 1)
        _, stop = _DECODER.raw_decode(text, begin)
        found.pop(key, None)
        found[key] = _Value(begin, stop, at, end)
        at = _skip(text, stop)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _items(text: str, start: int) -> Iterator[_Value]:
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield _Value(at, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
