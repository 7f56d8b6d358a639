"""How long `monitor` takes, and how much memory, on a log of a million predictions with twenty raw columns.

    python benchmarks/monitor_million.py --rows 1000000 --columns 20

The churn project is trained; rows drawn from its data, with their answers, are written as the service writes
them, in Parquet segments of 50,000.  Columns are repeated under other names until there are twenty.  The
command runs in a process of its own, start-up and reading of the log included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "generated" / "churn"
SEGMENT = 50_000
sys.path.insert(0, str(PROJECT / "src"))


def write_log(settings: Any, version: Any, rows: int, more: dict[str, str]) -> None:
    """Predictions of the last days; `more` are the repeated columns."""
    from churn.infer import score
    from churn.load import load

    columns = list(version.info["baseline"]["columns"])
    raw = load(settings)[columns].reset_index(drop=True)
    scores = score(raw.to_dict("records"), version)
    pool = raw.add_prefix("row.").assign(**{f"row.{name}": raw[like] for name, like in more.items()})
    pool["prediction"] = scores.predictions
    for label in version.info["labels"]:
        pool[f"probability.{label}"] = [None if one is None else one[label] for one in scores.probabilities]
    pool = pool[pool["prediction"].notna()].assign(prediction=lambda frame: frame["prediction"].astype(int))
    draw = np.random.default_rng(0)
    begin = datetime.now(UTC) - timedelta(days=5)
    folder = settings.artifacts / "predictions"
    folder.mkdir(parents=True)
    for first in range(0, rows, SEGMENT):
        count = min(SEGMENT, rows - first)
        frame = pool.iloc[draw.integers(len(pool), size=count)].reset_index(drop=True)
        times = [begin + timedelta(seconds=(first + at) * 0.3) for at in range(count)]
        frame.insert(0, "when", [one.isoformat() for one in times])
        frame.insert(1, "id", [uuid.uuid4().hex for _ in range(count)])
        frame["model_version"], frame["feature_version"] = version.number, version.feature_version
        frame.to_parquet(folder / f"{first:020d}-1-000000.parquet", index=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--report", type=Path, help="where to keep the page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(PROJECT / "config.toml", place)
        environment = {"CHURN_DATA_ROOT": str(ROOT / "examples" / "notebooks"), "CHURN_N_TREES": "20"}
        os.environ.update({**environment, "PYTHONPATH": str(PROJECT / "src"), "OMP_NUM_THREADS": "1"})
        command = [sys.executable, "-m", "churn", "{}", "--project", folder, "--json"]
        subprocess.run([one.format("train") for one in command], check=True, stdout=subprocess.DEVNULL)
        from churn import registry
        from churn.settings import load_settings

        settings = load_settings(place)
        version = registry.load(settings)
        known = version.info["baseline"]["columns"]
        more = {
            f"more_{at}": list(known)[at % len(known)] for at in range(max(given.columns - len(known), 0))
        }
        (info,) = place.glob("mlruns/**/version.json")
        stored = json.loads(info.read_text())
        stored["baseline"]["columns"] |= {name: known[like] for name, like in more.items()}
        info.write_text(json.dumps(stored))
        write_log(settings, version, given.rows, more)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        ran = subprocess.run([one.format("monitor") for one in command], capture_output=True, text=True)
        wall = time.monotonic() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if ran.returncode not in (0, 1):
            print(ran.stderr)
            return 1
        found = json.loads(ran.stdout)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{found['rows']} rows x {len(stored['baseline']['columns'])} columns: {found['status']}")
        print(f"{wall:.1f} s, {busy:.1f} s of processor time, at most {after.ru_maxrss / 1e6:.2f} GB")
        if given.report:
            shutil.copy(settings.artifacts / "monitor" / "report.html", given.report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
