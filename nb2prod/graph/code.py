"""Python lines of a notebook as HTML: colours for words, marks for what training learns."""

from __future__ import annotations

import builtins
import html
import keyword
import re
from collections.abc import Sequence
from itertools import groupby

from nb2prod.graph.view import Learned, Line

_TOKEN = re.compile(
    r"""
      (?P<c>\#.*)
    | (?P<s>[rRbBfFuU]{0,2}(?:
          '''.*?(?:'''|$) | \"\"\".*?(?:\"\"\"|$) | '(?:\\.|[^'\\])*(?:'|$) | "(?:\\.|[^"\\])*(?:"|$)
      ))
    | (?P<n>(?<![\w.])\d[\w.]*)
    | (?P<w>[^\W\d]\w*)
    """,
    re.VERBOSE,
)
_KEYWORD = re.compile(r"=(?!=)")
_QUOTES = ('"""', "'''")
_BUILTINS = frozenset(name for name in dir(builtins) if name.islower() and not name.startswith("_"))


def code(lines: Sequence[Line], learned: Sequence[Learned]) -> str:
    """The lines of one cell after another, each cell with its number."""
    blocks = []
    for cell, group in groupby(lines, key=lambda line: line.cell):
        rows, quote = [], ""
        previous = None
        for line in group:
            if previous is not None and line.line > previous + 1:
                rows.append('<span class="gap">⋯</span>')
                quote = ""
            classes, quote = _classes(line.text, quote)
            marks = [_marked(line, one) for one in learned]
            helper = ' class="helper"' if line.helper else ""
            text = _runs(line.text, classes, [m for m in marks if m is not None])
            rows.append(f'<span id="L{cell}-{line.line}"{helper}><i>{line.line}</i>{text or " "}</span>')
            previous = line.line
        blocks.append(f"<figure><figcaption>cell {cell}</figcaption><pre>{''.join(rows)}</pre></figure>")
    return "\n".join(blocks)


def _classes(text: str, quote: str) -> tuple[list[str], str]:
    """A class for each character, and the triple quote that is still open at the end of the line."""
    classes = [""] * len(text)
    start = 0
    if quote:
        end = text.find(quote)
        start = len(text) if end < 0 else end + 3
        classes[:start] = ["s"] * start
        quote = quote if end < 0 else ""
    for found in _TOKEN.finditer(text, start):
        kind, word = found.lastgroup or "", found.group()
        if kind == "w":
            known = word in _BUILTINS and not _attribute(text, found)
            kind = "k" if keyword.iskeyword(word) else "b" if known else ""
        elif kind == "s":
            body = word.lstrip("rRbBfFuU")
            if body[:3] in _QUOTES and not (len(body) >= 6 and body.endswith(body[:3])):
                quote = body[:3]
        classes[found.start() : found.end()] = [kind] * len(word)
    return classes, quote


def _attribute(text: str, found: re.Match[str]) -> bool:
    """`x.format` and `f(format=...)` are not the built-in function."""
    return text[: found.start()].endswith(".") or _KEYWORD.match(text, found.end()) is not None


def _marked(line: Line, learned: Learned) -> tuple[int, int, Learned] | None:
    """The part of a line that a learned value comes from, as offsets."""
    span = learned.span
    if span.cell != line.cell or not span.line <= line.line <= span.end_line:
        return None
    start = span.column - 1 if line.line == span.line else len(line.text) - len(line.text.lstrip())
    end = span.end_column - 1 if line.line == span.end_line else len(line.text)
    return start, end, learned


def _runs(text: str, classes: list[str], marks: list[tuple[int, int, Learned]]) -> str:
    """HTML of a line: runs of characters of the same class inside the same mark."""
    marks = sorted(marks, key=lambda mark: mark[1] - mark[0], reverse=True)  # the innermost one shows
    owner = [-1] * len(text)
    for number, (start, end, _) in enumerate(marks):
        owner[start:end] = [number] * len(owner[start:end])
    parts = []
    for number, chars in groupby(range(len(text)), key=lambda i: owner[i]):
        inner = "".join(
            _coloured(text, list(run), kind) for kind, run in groupby(chars, key=lambda i: classes[i])
        )
        if number >= 0:
            found = marks[number][2]
            note = html.escape(f"{found.key}: {found.how}, {found.why}")
            kind = "" if found.lasts else ' class="chosen"'
            inner = f'<mark{kind} title="{note}">{inner}</mark>'
        parts.append(inner)
    return "".join(parts)


def _coloured(text: str, places: list[int], kind: str) -> str:
    escaped = html.escape(text[places[0] : places[-1] + 1])
    return f'<b class="{kind}">{escaped}</b>' if kind else escaped
