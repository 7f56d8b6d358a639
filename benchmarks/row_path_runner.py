"""Runs in the notebook's Python for `row_path.py`: fits a project's features and computes rows both ways."""

from __future__ import annotations

import contextlib
import importlib
import json
import random
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

BATCH = 500
PROBES = (
    None, "", " ", "never seen", "Yes", "NaN", "1", "12.5", 0, 1, -1, 0.5, -7.25, 1e12, -1e300, 2**53 + 1,
    True, False, "2024-02-29", "29/02/2024",
)  # fmt: skip


def main(folder: Path, count: int, seed: int) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    sys.path.insert(0, str(folder / "src"))
    package = next(folder.glob("src/*/features_row.py")).parent.name
    modules = {
        name: importlib.import_module(f"{package}.{name}")
        for name in ("settings", "load", "features", "features_row")
    }
    settings = modules["settings"].load_settings(folder)
    raw = modules["load"].load(settings)
    main_frame = raw if isinstance(raw, pd.DataFrame) else next(iter(raw.values()))
    state = modules["features"].fit(raw, settings).state
    transform, alone = modules["features"].transform, modules["features_row"].bind(state)
    known = [plain(row) for row in main_frame.to_dict("records")]
    counts = {"rows": 0, "alone": 0, "different": 0, "first": ""}
    original = 0
    for batch in batches(rows(known, count, random.Random(seed)), BATCH):
        answered = []  # the others are left to pandas: no need to ask it about them
        for row in batch:
            counts["rows"] += 1
            with contextlib.suppress(Exception):
                answered.append((row, alone(row)))
                original += counts["rows"] <= len(known)
        counts["alone"] += len(answered)
        expected = by_pandas(transform, state, [row for row, _ in answered]) if answered else []
        for (row, got), want in zip(answered, expected, strict=True):
            if want is None or bits(got) != want:
                single = by_pandas(transform, state, [row])[0]
                if single is None or bits(got) != single:
                    counts["different"] += 1
                    counts["first"] = counts["first"] or f"{row}: {got}"[:2000]
    quick = cost(lambda: alone(known[0]), 300)
    slow = cost(lambda: transform(pd.DataFrame([known[0]]), state), 20)
    return {**counts, "share": original / min(len(known), count), "us": quick * 1e6, "ratio": slow / quick}


def plain(row: dict[Any, Any]) -> dict[Any, Any]:
    return {name: None if value is None or value != value else value for name, value in row.items()}


def rows(known: list[dict[Any, Any]], count: int, rng: random.Random) -> Iterator[dict[Any, Any]]:
    """The raw rows; then rows with values of other rows or none; every third with a probe."""
    for at in range(count):
        if at < len(known):
            yield known[at]
            continue
        row = dict(rng.choice(known))
        for name in rng.sample(list(row), rng.randint(1, min(4, len(row)))):
            row[name] = None if rng.random() < 0.2 else rng.choice(known)[name]
            if isinstance(row[name], float) and rng.random() < 0.3:
                row[name] *= rng.choice((-1, 0.5, 10, 1e6))
        if at % 3 == 0:
            row[rng.choice(list(row))] = rng.choice(PROBES)
        yield row


def batches(found: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch = []
    for one in found:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def by_pandas(transform: Any, state: Any, batch: list[dict[Any, Any]]) -> list[Any]:
    """The features of each row as bits; None for a row that is rejected.  A batch that fails is halved."""
    try:
        X = transform(pd.DataFrame(batch), state)
    except Exception as error:
        if len(batch) == 1:
            return [None if not isinstance(error, MemoryError) else error]
        half = len(batch) // 2
        return by_pandas(transform, state, batch[:half]) + by_pandas(transform, state, batch[half:])
    if hasattr(X, "iloc"):
        columns = [X.iloc[:, at].tolist() for at in range(X.shape[1])]
        return [bits(list(row)) for row in zip(*columns, strict=True)]
    return [bits(X[at : at + 1]) for at in range(len(batch))]


def bits(found: Any) -> Any:
    if hasattr(found, "tocsr"):
        found = found.tocsr()
        return found.indices.tolist(), found.data.tobytes()
    values = found if isinstance(found, list) else np.asarray(found).reshape(-1).tolist()
    return [
        "missing" if v is None or v != v else v if isinstance(v, str) else np.float64(v).tobytes()
        for v in values
    ]


def cost(function: Any, times: int) -> float:
    function()
    started = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - started) / times


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
