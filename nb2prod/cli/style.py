"""Words and colours on a terminal.  What comes from a notebook cannot reach the terminal as a command."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import IO, Any

from nb2prod.diagnostics import clean

__all__ = ["Paint", "clean", "columns", "interactive", "one_line", "painter"]

Paint = Callable[[str, str], str]

_CODES = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "warn": "33", "word": "36", "head": "1;36"}


def interactive(stream: IO[Any]) -> bool:
    """Whether somebody looks at it: then lines may be redrawn."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painter(stream: IO[Any]) -> Paint:
    """Colours text for a stream; leaves it as it is where nobody would see the colours, or wants none."""
    on = interactive(stream) and not os.environ.get("NO_COLOR")

    def paint(style: str, text: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if on and text else text

    return paint


def one_line(text: str, width: int) -> str:
    """Text on one line of at most `width` characters."""
    text = " ".join(clean(text).split())
    return text if len(text) <= width else text[: max(width - 3, 1)] + "..."


def columns(rows: Sequence[Sequence[str]], paints: Sequence[Callable[[str], str]] = ()) -> list[str]:
    """Rows with aligned columns, two blanks apart; `paints` colour the columns after they are measured.

    A column that is empty in every row takes no room.
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    lines = []
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        cells[-1] = cells[-1].rstrip()
        cells = [paints[i](cell) if i < len(paints) else cell for i, cell in enumerate(cells)]
        lines.append(
            "  " + "  ".join(cell for cell, width in zip(cells, widths, strict=True) if width).rstrip()
        )
    return lines
