"""Other linters on a written set, judged by the same runs, in one table.

    python benchmarks/lint/peers.py [--cache FOLDER] [--ruff EXE] [--nbqa EXE] [--waldean EXE]

A tool is scored on the kinds that it speaks about; the cell that it names counts as ours does.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import written
from mutate import Case
from oracle import Oracle
from score import Judge, linted, mixed

from nb2prod.diagnostics import Diagnostic, Severity
from nb2prod.source import Span

Found = dict[str, list[Diagnostic]]  # by case
RUFF = {"F821": "NBP101", "F823": "NBP102", "NPY002": "NBP310", "S311": "NBP310", "DTZ": "NBP312"}
PYFLAKES = re.compile(r"(\d+)\.ipynb:cell_(\d+):\d+:\d+:? (.*)")


def main() -> None:
    """Writes the cases as notebooks, runs every tool on all of them, scores."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "nb2prod-lint-runs")
    parser.add_argument("--set", default="third")
    for tool in ("ruff", "nbqa", "waldean"):
        parser.add_argument(f"--{tool}", default=shutil.which(tool))
    given = parser.parse_args()
    every = list(mixed(given.set))
    oracles = Oracle(given.cache, seed=0), Oracle(given.cache, seed=1)
    rows: list[tuple[str, str, Callable[[Case], list[Diagnostic]]]] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in every:
            write(Path(folder) / f"{number(case)}.ipynb", case)
        for name, executable, run, kinds in (
            ("ruff", given.ruff, ruff, ("names", "random")),
            ("pyflakes (nbQA)", given.nbqa, pyflakes, ("names",)),
            ("waldean", given.waldean, waldean, ("leakage",)),
        ):
            if executable:
                found = run(executable, folder)
                rows += [(name, kind, lambda case, found=found: found[number(case)]) for kind in kinds]
    rows += [("nb2prod", kind, linted) for kind in ("names", "rerun", "late", "random", "leakage")]
    for name, kind, find in sorted(rows, key=lambda row: row[1]):
        judge = Judge(*oracles, find)
        judge.tables = written.tables(given.cache / "tables")
        for case in every:
            if case.kind == kind:
                judge.case(case)
        print(f"{name:16} {judge.scores[kind].line(kind)}")


def number(case: Case) -> str:
    return case.id.rpartition("/")[2]


def write(path: Path, case: Case) -> None:
    cells = [
        {"cell_type": "code", "execution_count": at, "metadata": {}, "outputs": [], "source": text}
        for at, text in enumerate(case.cells, 1)
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    stored = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(stored))


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def one(code: str, cell: int, message: str) -> Diagnostic:
    """A finding as ours: names stand between backquotes."""
    said = re.sub(r"'(\w+)'", r"`\1`", message)
    return Diagnostic(code, code, Severity.ERROR, said, "", Span(cell, 1, 1, 1, 1))


def ruff(executable: str, folder: str) -> Found:
    found: Found = defaultdict(list)
    chosen = ",".join(RUFF)
    options = ("--isolated", "--no-cache", "--select", chosen, "--output-format", "json")
    for row in json.loads(output(executable, "check", *options, folder)):
        code = next((ours for theirs, ours in RUFF.items() if row["code"].startswith(theirs)), "")
        if code:
            found[Path(row["filename"]).stem].append(one(code, (row["cell"] or 1) - 1, row["message"]))
    return found


def pyflakes(executable: str, folder: str) -> Found:
    found: Found = defaultdict(list)
    for line in output(executable, "pyflakes", folder).splitlines():
        row = PYFLAKES.search(line)
        if row and ("undefined name" in row[3] or "referenced before" in row[3]):
            found[row[1]].append(one("NBP101", int(row[2]) - 1, row[3]))
    return found


def waldean(executable: str, folder: str) -> Found:
    found: Found = defaultdict(list)
    files = [str(path) for path in sorted(Path(folder).glob("*.ipynb"))]
    for book in json.loads(output(executable, "check", "--keep-going", "--format", "json", *files) or "[]"):
        for flag in book["flags"]:
            found[Path(book["notebook"]).stem].append(one("NBP201", flag["cell"], flag["flaw_id"]))
    return found


if __name__ == "__main__":
    main()
