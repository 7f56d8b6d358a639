"""Compiles a folder of real notebooks, each in the environments it runs in, and prints what came of it.

    python benchmarks/corpus.py CORPUS --manifest manifest.json --python modern=EXE --python legacy=EXE
                                       [--only ID] [--jobs 2] [--out DIR]

CORPUS holds one folder a notebook, named by its id in the manifest, whose `runs` names the environments.  The
report, the project and what was printed stay in DIR/<id>--<environment>.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--python", action="append", default=[], metavar="NAME=EXE")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="ids that contain this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    pythons = dict(pair.split("=", 1) for pair in asked.python)
    out = asked.out or Path(tempfile.mkdtemp(prefix="corpus-"))
    jobs = []
    for entry in json.loads(asked.manifest.read_text(encoding="utf-8")):
        if asked.only and not any(part in entry["id"] for part in asked.only):
            continue
        jobs += [(entry, name) for name in entry["runs"] if name in pythons]
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = []
        for row in pool.map(lambda job: compiled(asked.corpus, *job, pythons[job[1]], out), jobs):
            rows.append(row)
            print(
                f"{row['status']:<11} {row['seconds']:>4.0f} s  {row['id']} ({row['env']})  {row['reason']}"
            )
            sys.stdout.flush()
    counts = Counter(row["status"] for row in rows)
    best, every = (
        {row["id"] for row in rows if row["status"] in wanted} for wanted in ({"verified"}, counts)
    )
    print(", ".join(f"{count} {status}" for status, count in counts.most_common()))
    print(f"verified in some environment: {len(best)} of {len(every)} notebooks; see {out}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of CPU")
    return 0


def compiled(corpus: Path, entry: dict[str, Any], env: str, python: str, out: Path) -> dict[str, Any]:
    """One compile; what it printed is kept beside its project."""
    notebook = next((corpus / entry["id"]).glob("*.ipynb"))
    place = out / f"{entry['id']}--{env}"
    place.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "nb2prod", "compile", str(notebook), "--python", python, "--json"]
    started = time.monotonic()
    ran = subprocess.run(
        [*command, "-o", str(place / "project"), "--name", "corpus_project", "--force"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - started
    (place / "output.txt").write_text(ran.stdout + "\n" + ran.stderr, encoding="utf-8")
    try:
        report = json.loads(ran.stdout)
        status, reason = report["status"], report["reason"]
    except ValueError:
        status, reason = "crashed", (ran.stderr.strip().splitlines() or [""])[-1]
    return {"id": entry["id"], "env": env, "status": status, "reason": reason[:300], "seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
