"""How fast `nb2prod lint` is beside others, in one run on the same files; prints ratios.

    python benchmarks/lint/speed.py FOLDER [--ruff EXE] [--nbqa EXE]

Whole programs are timed with their start, wall and CPU; the floor is reading JSON and `ast.parse` in this
process. nb2prod runs cold (an empty cache), warm, and on one process.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Times every program three times, and keeps the fastest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ruff", default=shutil.which("ruff"))
    parser.add_argument("--nbqa", default=shutil.which("nbqa"))
    given = parser.parse_args()
    files = [str(path) for path in sorted(given.folder.rglob("*.ipynb"))]
    size = sum(os.path.getsize(file) for file in files) / 1e6
    print(f"{len(files)} notebooks, {size:.0f} MB, {os.cpu_count()} cores")
    lint = [sys.executable, "-m", "nb2prod", "lint", "--isolated", "--format", "json"]
    rows = [("json + ast.parse, one process", floor(files), 0.0)]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NB2PROD_CACHE_DIR": cache}
        rows.append(
            (
                "nb2prod lint --jobs 1 --no-cache",
                *timed([*lint, "--jobs", "1", "--no-cache", *files], environment),
            )
        )
        rows.append(("nb2prod lint --no-cache", *timed([*lint, "--no-cache", *files], environment)))
        timed([*lint, *files], environment)
        rows.append(("nb2prod lint, warm", *timed([*lint, *files], environment)))
        rows.append(("nb2prod lint, one notebook", *timed([*lint, "--no-cache", files[0]], environment)))
    version = [sys.executable, "-m", "nb2prod", "--version"]
    rows.append(("nb2prod --version", *timed(version, dict(os.environ))))
    if given.ruff:
        ruff = [given.ruff, "check", "--no-cache", "--isolated", "--select", "F,E9", *files]
        rows.append(("ruff check --select F,E9", *timed(ruff, dict(os.environ))))
    if given.nbqa:
        rows.append(("nbqa pyflakes", *timed([given.nbqa, "pyflakes", *files], dict(os.environ))))
    base = rows[0][1]
    print(f"{'':36} {'wall s':>8} {'CPU s':>8} {'notebooks/s':>12} {'x floor':>8}")
    for name, wall, cpu in rows:
        count = 1 if "one notebook" in name or "version" in name else len(files)
        print(f"{name:36} {wall:8.2f} {cpu:8.2f} {count / wall:12.0f} {wall / base:8.2f}")
    ratios({name: (wall, cpu) for name, wall, cpu in rows}, len(files))


def ratios(rows: dict[str, tuple[float, float]], count: int) -> None:
    """What the figures are judged by."""
    version, one = rows["nb2prod --version"], rows["nb2prod lint, one notebook"]
    cold, alone = rows["nb2prod lint --no-cache"], rows["nb2prod lint --jobs 1 --no-cache"]
    print(f"one process, start excluded: {count / (alone[1] - version[1]):.0f} notebooks per second of CPU")
    print(f"one notebook: {1000 * (one[1] - version[1]):.0f} ms of CPU above --version")
    print(f"cold / warm: {cold[0] / rows['nb2prod lint, warm'][0]:.1f}")
    for name in ("ruff check --select F,E9", "nbqa pyflakes"):
        if name in rows:
            print(f"{name} / nb2prod cold: {rows[name][0] / cold[0]:.2f} of the wall time")


def floor(files: list[str]) -> float:
    """Seconds to read every file and parse every cell that is Python."""
    start = time.perf_counter()
    for file in files:
        try:
            cells = json.loads(Path(file).read_bytes()).get("cells", [])
        except (ValueError, AttributeError):
            continue
        for cell in cells:
            if cell.get("cell_type") == "code":
                try:
                    ast.parse("".join(cell.get("source", "")))
                except (SyntaxError, ValueError, MemoryError, RecursionError):
                    continue
    return time.perf_counter() - start


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a program, the fastest of three runs."""
    best = (float("inf"), 0.0)
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=environment
        )
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, (wall, cpu))
    return best


if __name__ == "__main__":
    main()
