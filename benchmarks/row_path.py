"""Compares the row path with the pandas body, notebook by notebook, and prints mismatches and CPU.

    python benchmarks/row_path.py NOTEBOOK|PROJECT... [--rows 100000] [--python EXE] [--seed 0]

A notebook is compiled by its text alone; that of a project, which a full compile wrote, with the trace that
lies there.  The features are fitted in EXE (the Python with the notebook's libraries), and rows are computed
both ways: the raw rows as they are, rows in which some values come from other rows or are missing, and probes
(values that training never saw, extreme, or of another type).  A row that the row path leaves to pandas is no
mismatch; one that it answers must be equal to the last bit to the same row in a batch or alone, and must not
be one that pandas rejects.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

from nb2prod import emit, frontend
from nb2prod.rowpath import row_path
from nb2prod.static import REPORT, TRACE, analyse, files, load_trace, lowered

RUNNER = Path(__file__).with_name("row_path_runner.py")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    version = [asked.python, "-c", "import pandas; print(pandas.__version__)"]
    pandas = subprocess.run(version, capture_output=True, text=True, check=True).stdout.strip()
    wrong = 0
    for path in asked.paths:
        notebook, trace = of_project(path) if path.is_dir() else (path, None)
        found = compared(notebook, trace, pandas, asked)
        wrong += bool(found.get("different"))
        print(f"{notebook.parent.name}/{notebook.name}: {line(found)}", flush=True)
    return 1 if wrong else 0


def of_project(project: Path) -> tuple[Path, Path]:
    """The notebook that a project was compiled from, which lies beside its data, and the trace of its run."""
    config = tomllib.loads((project / "config.toml").read_text(encoding="utf-8"))
    report = json.loads((project / REPORT).read_text(encoding="utf-8"))
    return (project / config["data_root"] / report["notebook"]).resolve(), project / TRACE


def compared(notebook: Path, trace: Path | None, pandas: str, asked: argparse.Namespace) -> dict[str, object]:
    """One notebook: what the runner printed, or why it was not run."""
    text = frontend.read(notebook)
    evidence = load_trace(trace, text)
    compiled = analyse(text, evidence)
    if compiled.blocked:
        return {"reason": "refused by compile"}
    columns = evidence.columns if evidence else ()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary, "row_project")
        lowering = lowered(compiled, notebook, "row_project", out, evidence, columns)
        project = lowering.project
        made = row_path(project.features, lowering.body, pandas, project.guards)
        if not made.text:
            return {"reason": made.told()}
        lowering = replace(lowering, project=replace(project, row_path=made.text))
        emit.write(files(lowering, compiled.notebook), out)
        command = [asked.python, str(RUNNER), str(out), str(asked.rows), str(asked.seed)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            return {"reason": (ran.stderr.strip().splitlines() or ["killed"])[-1]}
        found: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
        return found


def line(found: dict[str, object]) -> str:
    if "reason" in found:
        return f"no row path: {found['reason']}"
    text = "{different} different of {rows} rows; {alone} answered without pandas ({share:.1%} of the raw"
    text += " rows); {us:.0f} us of CPU a row, {ratio:.0f} times less than pandas for a single row"
    first = f"; first: {found['first']}" if found["different"] else ""
    return text.format(**found) + first


if __name__ == "__main__":
    sys.exit(main())
