"""IPython's syntax, without IPython: a cell in, Python with the same lines and columns out.

    %matplotlib inline      ->  pass
    %time y = f(x)          ->  0    ;y = f(x)
    files = !ls             ->  files = get_ipython().getoutput('')
    %%time                  ->  (empty line; the rest is Python)

The text is read by logical lines, so that `%` or `!` inside strings and brackets stay what they are.
What a magic means (the names it binds, deletes and uses) is in `magics.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from nb2prod import magics
from nb2prod.ir.program import Magic
from nb2prod.source import Span

_ESCAPES = tuple("%!?,;/")
_INDENT = re.compile(r"[ \t]*")
_PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |(?=[\r\n]|$))")
_CELL_MAGIC = re.compile(r"%%(\w[\w.]*)(.*)", re.DOTALL)
_HELP = re.compile(r"(%{0,2}(?!\d)[\w*]+(?:\.\w+|\[\w+\])*)\?\??$")
_COMPOUND = re.compile(r"(?:for|while|if|with|try|def|class|async)\b")
_ONE_WORD = re.compile(r"([A-Za-z_]\w*)(?:[ \t]+[^=,\s].*|[ \t]*)$")
_STEP = re.compile(
    r"""(?P<triple>'''|\"\"\")|(?P<string>'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?)|(?P<comment>\#)"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<help>\?)|(?P<assign>(?<![=!<>:+\-*/%&|^@])=(?!=))"""
)


@dataclass(slots=True)
class Layout:
    """One cell on its way to Python.

    `lines` become Python; the other fields say what was taken away: `shift` leading characters of all lines
    but those in `flush`.  `foreign` is the magic whose body is another language; `marks` are the (line,
    offset) of statements that stand for magics.
    """

    cell: int
    lines: list[str]
    shift: int = 0
    flush: set[int] = field(default_factory=set)
    magics: list[Magic] = field(default_factory=list)
    foreign: Magic | None = None
    marks: set[tuple[int, int]] = field(default_factory=set)

    def span(self, first: int, start: int, last: int) -> Span:
        """From an offset in one line to the end of another; indexes count from 0."""
        shift = 0 if first + 1 in self.flush else self.shift
        end = len(self.lines[last].rstrip("\r\n")) + (0 if last + 1 in self.flush else self.shift)
        return Span(self.cell, first + 1, start + shift + 1, last + 1, end + 1)

    def text(self, first: int, start: int, last: int) -> str:
        """A magic's text: backslashes at line ends join lines."""
        rows = [self.lines[first][start:], *self.lines[first + 1 : last + 1]]
        return " ".join([row.rstrip("\r\n").removesuffix("\\") for row in rows]).rstrip()

    def blank(self, first: int, last: int, text: str) -> None:
        """Puts `text` in the place of some lines, keeping their number."""
        self.lines[first] = text + _line_end(self.lines[first])
        for row in range(first + 1, last + 1):
            self.lines[row] = _line_end(self.lines[row])


def layout(cell: int, lines: tuple[str, ...]) -> Layout:
    """Takes off what applies to a whole cell: indentation, prompts, cell magics."""
    out = Layout(cell, list(lines))
    start = 0
    while True:
        while start < len(lines) and not out.lines[start].strip():
            start += 1
        if start == len(lines):
            return out
        if out.lines[start][0] in " \t>.":
            _dedent(out, start)
        found = _CELL_MAGIC.match(out.lines[start])
        if found is None or found[2].strip() in ("?", "??"):
            return out
        magic = magics.cell_magic(
            found[1], found[2].strip(), out.span(start, 0, start), "".join(out.lines[start + 1 :])
        )
        out.magics.append(magic)
        if not magic.body:
            out.foreign = magic
            return out
        out.blank(start, start, "")
        start += 1


def begins_with_magic(out: Layout) -> bool:
    """The first line of text is a magic or a command: no Python begins so."""
    first = next((line for line in out.lines if line.strip()), "")
    return first[:1] in ("%", "!")


def mask(out: Layout) -> bool:
    """Replaces the magic lines of a cell that is not Python as it stands; says whether there were any."""
    row, before, last = 0, len(out.magics), _last_escape(out.lines)
    while row <= last:
        indent = _INDENT.match(out.lines[row])
        start = indent.end() if indent else 0
        if out.lines[row][start : start + 1] in _ESCAPES:
            row = _magic_line(out, row, start)
        else:
            row = _logical_line(out, row)
    return len(out.magics) > before


def _last_escape(lines: list[str]) -> int:
    """The last row that may hold a magic: what follows need not be read."""
    for row in range(len(lines) - 1, -1, -1):
        line = lines[row]
        assigns = "=" in line and ("!" in line or "%" in line)
        if assigns or "?" in line or line.lstrip(" \t")[:1] in _ESCAPES:
            return row
    return -1


def automagic(out: Layout, earlier: list[str]) -> None:
    """`pip install x` or `ls` alone in a cell is a magic without `%`, unless the name was used before."""
    if len(out.lines) > 1 and out.lines[0].strip() and out.lines[1].strip():
        return
    rows = list(islice((row for row, line in enumerate(out.lines) if line.strip()), 2))
    found = _ONE_WORD.match(out.lines[rows[0]].rstrip("\r\n")) if len(rows) == 1 else None
    if found is None or found[1] not in magics.AUTOMAGIC:
        return
    if any(re.search(rf"\b{found[1]}\b", text) for text in earlier):
        return
    text = out.lines[rows[0]].strip()
    out.magics.append(magics.line_magic(f"%{text}", text, out.span(rows[0], 0, rows[0])))
    out.marks.add((rows[0] + 1, 0))
    out.blank(rows[0], rows[0], "pass")


def _dedent(out: Layout, start: int) -> None:
    """IPython takes the first line's indentation off every line that has it; likewise prompts `>>> `."""
    indent = _INDENT.match(out.lines[start])
    width = indent.end() if indent else 0
    prompt = _PROMPT.match(out.lines[start], width)
    if not width and not prompt:
        return
    prefix = out.lines[start][:width]
    for row in range(start, len(out.lines)):
        line = out.lines[row]
        found = _PROMPT.match(line, width) if prompt else None
        if line.startswith(prefix) and (found or not prompt):
            out.lines[row] = line[width + (min(4, len(found[0])) if found else 0) :]
        elif line.strip():
            out.flush.add(row + 1)
    out.shift += width + (4 if prompt else 0)


def _magic_line(out: Layout, row: int, start: int) -> int:
    """A line that begins with an escape character; returns the row after it."""
    last = _continued(out, row)
    text = out.text(row, start, last)
    span = out.span(row, start, last)
    magic = magics.line_magic(text, out.text(row, 0, last), span)
    out.magics.append(magic)
    out.marks.add((row + 1, start))
    offset = magics.python_offset(out.lines[row][start:])
    python = out.lines[row][start + offset :] if offset else ""
    if python[:1] in ("%", "!"):
        inner = magics.line_magic(out.text(row, start + offset, last), magic.text, span)
        out.magics.append(inner)
    elif masked := _timed(python, offset, magic.name):
        out.lines[row] = out.lines[row][:start] + masked
        if masked[0] != "0":
            out.marks.discard((row + 1, start))
        return last + 1
    out.blank(row, last, out.lines[row][:start] + "pass")
    return last + 1


def _timed(python: str, offset: int, name: str) -> str:
    """The statement that a magic times, `offset` characters further right; empty where there is none.

    `%timeit y = f(x)` runs in a scope of its own: `y` is not bound, but `f(x)` still happens.
    """
    if not python.strip():
        return ""
    keyword = _COMPOUND.match(python)
    if keyword is not None:
        width = keyword.end()
        return "" if name == "timeit" else python[:width] + " " * offset + python[width:]
    target = re.match(r"[A-Za-z_][\w, ]*=(?!=)[ \t]*", python) if name == "timeit" else None
    hidden = target.end() if target else 0
    return "0".ljust(offset - 1) + ";" + " " * hidden + python[hidden:]


def _logical_line(out: Layout, row: int) -> int:
    """A line of Python, perhaps with `= !cmd` in it or `?` at its end; returns the row after it."""
    first, position, depth, assigned = row, 0, 0, False
    while True:
        line = out.lines[row]
        found = _STEP.search(line.rstrip("\r\n"), position)
        if found is None or found.lastgroup == "comment":
            row += 1
            joined = found is None and line.rstrip("\r\n").endswith("\\")
            if row >= len(out.lines) or not (depth or joined):
                return row
            position = 0
            continue
        position = found.end()
        match found.lastgroup:
            case "triple":
                end = _string_end(out.lines, row, position, found[0])
                if end is None:
                    return len(out.lines)
                row, position = end
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case "assign" if not depth and not assigned:
                assigned = True
                escape = re.match(r"[ \t]*([%!])", line[position:])
                if escape is not None:
                    return _assigned_magic(out, row, position + escape.start(1))
            case "help" if not depth and not line[position:].strip("? \t\r\n"):
                return _help_line(out, first, row)


def _assigned_magic(out: Layout, row: int, start: int) -> int:
    """`x = !cmd` and `x = %magic args` become the call that IPython makes of them."""
    last = _continued(out, row)
    text = out.text(row, start, last)
    out.magics.append(magics.line_magic(text, out.text(row, 0, last), out.span(row, start, last)))
    call = "getoutput" if text.startswith("!") else "run_line_magic"
    out.blank(row, last, f"{out.lines[row][:start]}get_ipython().{call}('')")
    return last + 1


def _help_line(out: Layout, first: int, last: int) -> int:
    """`x?`: the whole logical line shows help."""
    text = out.text(first, 0, last)
    start = len(text) - len(text.lstrip())
    found = _HELP.search(text)
    if found is not None:
        name = found[1].lstrip("%")
        out.magics.append(Magic("help", name, text, out.span(first, start, last)))
        out.marks.add((first + 1, start))
        out.blank(first, last, text[:start] + "pass")
    return last + 1


def _string_end(lines: list[str], row: int, position: int, quotes: str) -> tuple[int, int] | None:
    """Where a triple-quoted string ends: the row and the offset after it."""
    end = re.compile(rf"\\.|{quotes}", re.DOTALL)
    while row < len(lines):
        for found in end.finditer(lines[row], position):
            if found[0] == quotes:
                return row, found.end()
        row, position = row + 1, 0
    return None


def _continued(out: Layout, row: int) -> int:
    """The last row of a magic: a backslash at the very end of a line continues it."""
    while row + 1 < len(out.lines) and out.lines[row].rstrip("\r\n").endswith("\\"):
        row += 1
    return row


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
