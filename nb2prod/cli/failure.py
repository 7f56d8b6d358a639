"""A notebook that fails, as its author wants to see it: cell, line, end of the traceback, a hint."""

from __future__ import annotations

import re

from nb2prod.cli.style import Paint, clean, one_line
from nb2prod.compiler import Failure
from nb2prod.source import Notebook, split_lines

AROUND = 2  # lines of the cell before and after the one at fault
TRACEBACK_LINES = 14
HINTS = {
    "ModuleNotFoundError": "install it, or choose another with --python: no `pip install` of a cell is run",
    "ImportError": "another version may be meant: choose the notebook's own Python with --python",
    "FileNotFoundError": "paths are looked up from the notebook's folder; are the data there?",
    "NameError": "a cell was deleted or has moved: restart the kernel, run all cells, ask `nb2prod lint`",
    "Timeout": "allow more with --timeout SECONDS, or load fewer rows",
    "DeadKernel": "most often memory: try it on fewer rows",
    "MemoryError": "try it on fewer rows",
    "NoKernel": "--python names the Python that has the notebook's libraries and ipykernel",
    "PermissionError": "the notebook runs in a copy of its folder, whose large files are read-only",
    "StdinNotImplementedError": "nobody answers input() in production: put the value in the notebook",
}
_FRAME = re.compile(r"Cell In\[\d+\](, line \d+.*)|File (\S.*)")
_ARROW = re.compile(r"\s*-+> \d+ ")
USUAL = "the notebook must run from top to bottom in a fresh kernel: restart it and run all cells"


def failure_text(failure: Failure, notebook: Notebook | None, paint: Paint) -> str:
    """What went wrong while the notebook ran."""
    said = one_line(f"{failure.ename}: {failure.evalue}", 200)
    if failure.cell is None:
        lines = [paint("bold", said)]
    else:
        place = f"cell {failure.cell}" + (f", line {failure.line}" if failure.line else "")
        lines = [f"{place}: {paint('bold', said)}"]
    if notebook is not None and failure.cell is not None and failure.line:
        lines += ["", *_source(notebook, failure.cell, failure.line, paint)]
    trace = _short(failure.traceback)
    if len(trace) > 1:
        lines += ["", *(paint("dim", f"  | {line}") for line in trace)]
    hint = HINTS.get(failure.ename, USUAL if failure.cell is not None else "")
    if "--offline" in failure.evalue:
        hint = "the notebook uses the network: leave --offline out, or keep the data beside it"
    if hint and "install it with" not in failure.evalue:
        lines += ["", f"  {paint('word', 'help:')} {hint}"]
    return "\n".join(lines)


def _short(traceback: str) -> list[str]:
    """The frames of IPython's traceback, each with its one line, and the error; else the last lines."""
    lines = [clean(line).rstrip() for line in traceback.strip().splitlines()]
    starts = [
        number for number, line in enumerate(lines) if line.endswith("Traceback (most recent call last)")
    ]
    if not starts:
        return lines[-TRACEBACK_LINES:]
    kept = []
    for line in lines[starts[-1] + 1 :]:
        frame = _FRAME.match(line)
        if frame is not None:
            kept.append(f"in the notebook{frame[1]}" if frame[1] else frame[2].split("site-packages/")[-1])
        elif _ARROW.match(line) and "Could not get source" not in line:
            kept.append(f"    {_ARROW.sub('', line).strip()}")
    frames = kept if len(kept) <= TRACEBACK_LINES else [*kept[:4], "...", *kept[5 - TRACEBACK_LINES :]]
    return [*frames, one_line(lines[-1], 200)]


def _source(notebook: Notebook, cell: int, at: int, paint: Paint) -> list[str]:
    """Some lines of the cell, with a mark at the one that failed."""
    if cell >= len(notebook.cells):
        return []
    source = split_lines(notebook.cells[cell].text)
    rows = []
    for number in range(max(1, at - AROUND), min(len(source), at + AROUND) + 1):
        text = clean(source[number - 1].rstrip())[:160]
        row = f"  {'>' if number == at else ' '} {number:>4}  {text}"
        rows.append(paint("bad", row) if number == at else row)
    return rows
