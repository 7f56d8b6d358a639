"""A year of a compiled project in weekly windows: is monitoring quiet, and loud when it must be?

    python benchmarks/simulated_year.py generated/churn --seeds 3 --rows 800

The champion is trained on half of the example's rows.  Each week draws its rows from the other half and
monitors them; labels come four weeks late.  In week 26 of further years a number moves by half a standard
deviation, the answer changes on part of the rows, or a column comes empty.  Then the project retrains, on
data in which nothing changed and on data in which the answer did, and rolls back.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

WEEKS, ONSET, LATE = 52, 26, 4


class Year:
    """The project, its champion, and the rows from which weeks are drawn."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.name = project.resolve().name
        sys.path.insert(0, str(project.resolve() / "src"))
        own = self.module("settings").load_settings(project)
        (self.key,) = own.data
        raw = self.module("load").load(own).sample(frac=1, random_state=0).reset_index(drop=True)
        self.base, self.stream = raw.iloc[: len(raw) // 2], raw.iloc[len(raw) // 2 :].reset_index(drop=True)
        uri = f"sqlite:///{folder}/mlflow.db"
        self.settings = replace(own, project=folder, data_root=folder, tracking_uri=uri)
        self.store(self.base)
        self.target = self.module("train").TARGETS[0]
        with contextlib.redirect_stdout(sys.stderr):
            self.module("pipeline").run(self.settings)
        self.version = self.module("registry").load(self.settings)

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.name}.{name}")

    def store(self, rows: pd.DataFrame) -> None:
        """Make these rows the data that the project trains on."""
        path = Path(self.settings.data_path(self.key))
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(path, index=False)

    def logged(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows as the prediction log has them, with what came true in the words of the predictions."""
        scores = self.module("infer").score(rows.to_dict("records"), self.version)
        found = rows[list(self.version.info["baseline"]["columns"])].add_prefix("row.")
        found["prediction"] = pd.Series(scores.predictions, dtype=object)
        for label in self.version.info["labels"] or ():
            odds = [None if one is None else one[label] for one in scores.probabilities]
            found[f"probability.{label}"] = pd.Series(odds, dtype=float)
        said, truth = set(found["prediction"].dropna()), rows[self.target]
        if not set(truth.dropna()) & said and len(said) == 2:  # the notebook's code for a target of two words
            truth = truth.map(dict(zip(sorted(set(truth)), sorted(said), strict=True)))
        return found.assign(truth=truth)[found["prediction"].notna()].reset_index(drop=True)

    def weeks(
        self, before: pd.DataFrame, after: pd.DataFrame, seed: int, first: int, last: int, rows: int
    ) -> list[Any]:
        """What monitoring says in each week; from the onset rows come from `after`, labels come late."""
        monitor = self.module("monitor")
        draw = np.random.default_rng(seed)
        found, windows = [], []
        for week in range(first - LATE, last):
            pool = after if week >= ONSET else before
            windows.append(pool.iloc[draw.integers(len(pool), size=rows)].reset_index(drop=True))
            if week >= first:
                judged = windows[-1 - LATE].assign(label=windows[-1 - LATE]["truth"])
                fewest = self.settings.monitor_rows
                found.append(monitor.examine(windows[-1], self.version.info, "1", fewest, judged=judged))
        return found


def changed(year: Year) -> dict[str, pd.DataFrame]:
    """The stream after something happened to it."""
    columns = year.version.info["baseline"]["columns"]
    numbers = {name: one["missing"] for name, one in columns.items() if one["kind"] == "number"}
    number = min(numbers, key=numbers.__getitem__)
    gap = max(numbers, key=numbers.__getitem__)  # one that may be missing, else the service refuses the row
    category = next(
        name for name, one in columns.items() if one["kind"] == "category" and len(one["table"]) > 1
    )
    moved, empty, other = year.stream.copy(), year.stream.copy(), year.stream.copy()
    shift = 0.5 * columns[number]["scale"]
    moved[number] += round(shift) if pd.api.types.is_integer_dtype(moved[number]) else shift
    empty[gap] = None
    part = other[category].astype(str) == max(columns[category]["table"], key=columns[category]["table"].get)
    target = other[year.target]
    if pd.api.types.is_numeric_dtype(target):
        other.loc[part, year.target] = target[part] * 1.5
    else:
        words = sorted(set(target.dropna()))
        other.loc[part, year.target] = target[part].map(dict(zip(words, reversed(words), strict=True)))
    return {
        f"{number} moves": moved,
        f"{gap} is empty": empty,
        f"the answer changes where {category} is common": other,
    }


def noticed(reports: list[Any], first: int) -> str:
    """In which window after the onset the first alarm came, and of what."""
    for week, one in enumerate(reports, first):
        if week >= ONSET and one.status == "alarm":
            return f"window {week - ONSET + 1}: {one.why[:90]}"
    return "not noticed"


def retrained(year: Year, rows: pd.DataFrame) -> str:
    """What became of an attempt on these rows, and whether rolling back gives the former predictions."""
    registry, retrain, infer = (year.module(name) for name in ("registry", "retrain", "infer"))
    year.store(rows)
    with contextlib.redirect_stdout(sys.stderr):
        found = retrain.run(year.settings, force=True)
    told = f"{'promoted' if found.promoted else 'kept'}: {found.why[:150]}"
    if found.promoted:
        some = year.stream.head(50).to_dict("records")
        before = infer.score(some, year.version).predictions
        registry.rollback(year.settings, "end of the simulation")
        same = infer.score(some, registry.load(year.settings)).predictions == before
        told += f"; rolled back, predictions {'the same' if same else 'DIFFER'}"
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("project", type=Path, help="a compiled project of one data file")
    parser.add_argument("--seeds", type=int, default=10, help="years in which nothing happens")
    parser.add_argument("--rows", type=int, default=800, help="rows a week")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        year = Year(given.project, Path(folder))
        quiet = year.logged(year.stream)
        alarms = [year.weeks(quiet, quiet, seed, 0, WEEKS, given.rows) for seed in range(given.seeds)]
        loud = [one.why for reports in alarms for one in reports if one.status == "alarm"]
        print(
            f"nothing happens: {len(loud)} alarms in {given.seeds} x {WEEKS} windows {loud[:3]}", flush=True
        )
        pools = changed(year)
        for what, rows in pools.items():
            reports = year.weeks(quiet, year.logged(rows), 0, ONSET - 2, ONSET + 8, given.rows)
            print(f"{what}: {noticed(reports, ONSET - 2)}", flush=True)
        print(
            "retrained on what did not change:",
            retrained(year, pd.concat([year.base, year.stream])),
            flush=True,
        )
        print("retrained on what did:", retrained(year, list(pools.values())[-1]), flush=True)


if __name__ == "__main__":
    main()
