"""Where the parts of a notebook stand in its file: for edits that keep every other byte, and for lines.

The big parts (outputs) are skipped by the scanner of `json`, which is written in C.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

_BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(slots=True)
class CellPlace:
    """Stretches of the file's text: of the values of a cell's keys, and of the texts in a list `source`."""

    values: dict[str, tuple[int, int]] = field(default_factory=dict)
    source: list[tuple[int, int]] = field(default_factory=list)
    outputs: list[dict[str, tuple[int, int]]] = field(default_factory=list)


def cell_places(text: str) -> list[CellPlace]:
    """The places of all cells of a notebook (nbformat 4); empty where there are no cells at the top level."""
    try:
        for key, start, _ in _items(text, _BLANK.match(text, 0).end()):  # type: ignore[union-attr]
            if key == "cells":
                return [_cell(text, at) for at, _ in _elements(text, start)]
    except (ValueError, StopIteration, IndexError, RecursionError):
        return []
    return []


def file_lines(text: str) -> list[list[int]]:
    """The line of the file in which each line of each cell's source stands."""
    lines: list[list[int]] = []
    done, count = 0, 1
    for place in cell_places(text):
        rows: list[int] = []
        for start, end in place.source or [place.values.get("source", (0, 0))]:
            count += text.count("\n", done, start)
            done = start
            rows += [count] * max(1, str(_value(text, start) if end else "").count("\n"))
        lines.append(rows)
    return lines


def _cell(text: str, start: int) -> CellPlace:
    place = CellPlace()
    for key, at, end in _items(text, start):
        place.values[key] = at, end
        if key == "source" and text[at] == "[":
            place.source = list(_elements(text, at))
        elif key == "outputs" and text[at] == "[":
            place.outputs = [
                {name: (a, b) for name, a, b in _items(text, one)}
                for one, _ in _elements(text, at)
                if text[one] == "{"
            ]
    return place


_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def _value(text: str, start: int) -> Any:
    return _scan(text, start)[0]


def _items(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Keys of an object, with the start and the end of their values."""
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1, False)
        at = _skip(text, _skip(text, at) + 1)
        end = _scan(text, at)[1]
        yield key, at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    at = _skip(text, start + 1)
    while text[at] != "]":
        end = _scan(text, at)[1]
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
