"""Kill -9 at random points of the churn project's commands, and count what is torn or lost afterwards.

    python benchmarks/kills.py --train 10 --promote 40 --features 40 --retrain 5

Each command runs in a process of its own on one project and is killed at a random moment of its usual length;
then another process looks: the champion is there, loads and scores its example; every alias agrees with the
last record of its moves; every entered version of the features reads back whole.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "generated" / "churn"
sys.path.insert(0, str(PROJECT / "src"))
fork = multiprocessing.get_context("fork")


def commands(settings: Any) -> dict[str, Callable[[int], object]]:
    """What is killed; the number varies what it does.  Nothing here connects to MLflow before the fork."""
    from churn import pipeline, registry, retrain, store, versions

    def features(seed: int) -> None:
        one = replace(settings, seed=seed)
        package = versions.freeze_code(one.artifacts / "code")
        raw = versions.Version(package, None, None).module("load").load(one)
        for more in range(20):
            random.seed(more)
            store.training(replace(one, seed=seed + more), package, raw, lambda text: None)

    def move(at: int) -> None:
        """Promotions and rollbacks between the usable versions, until the end comes."""
        usable = [row["version"] for row in registry.listing(settings) if row["validation"] == "passed"]
        for more in range(100):
            registry.promote(settings, usable[(at + more) % len(usable)], f"kill {at}")
            if more % 3 == 2:
                registry.rollback(settings, f"kill {at}")

    return {
        "train": lambda at: pipeline.run(replace(settings, seed=at)),
        "promote": move,
        "features": lambda at: features(100 * at),
        "retrain": lambda at: retrain.run(replace(settings, retrain_rows=20), force=True),
    }


def faults(settings: Any) -> list[str]:
    """What is torn or lost."""
    from churn import registry, store, versions

    found = []
    try:
        versions.rescore(registry.load(settings))
    except Exception as error:
        found.append(f"the champion does not serve: {error}")
    registry.PATIENCE = timedelta(0)
    history = registry.history(settings)
    for alias in (registry.CHAMPION, registry.CHALLENGER):
        moves = [one.new for one in history if one.alias == alias]
        if (moves or [None])[-1] != registry._alias(settings, alias):
            found.append(f"{alias} does not agree with the record of its last move")
    if any(tag.startswith(registry.INTENT) for tag in registry._tags(settings)):
        found.append("an intent is left")
    package = versions.freeze_code(settings.artifacts / "code")
    for entry in store.entries(settings):
        facts = json.loads(entry.facts)
        folder = settings.artifacts / "features" / entry.folder
        if store.digests(store._read(folder, package, facts)) != facts["digests"]:
            found.append(f"features {entry.key[:12]} are torn")
    return found


def elsewhere(call: Callable[..., object], *given: Any, kill_after: float | None = None) -> tuple[Any, bool]:
    """The result of a call in another process, and whether it was killed before its end."""
    ours, theirs = fork.Pipe()

    def work() -> None:
        theirs.send(call(*given))

    process = fork.Process(target=work)
    process.start()
    theirs.close()
    if kill_after is not None:
        process.join(kill_after)
        killed = process.is_alive()
        process.kill()
        process.join()
        return None, killed
    result = ours.recv()
    process.join()
    return result, False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, count in (("train", 10), ("promote", 40), ("features", 40), ("retrain", 5)):
        parser.add_argument(f"--{name}", type=int, default=count, help="how many are killed")
    counts = vars(parser.parse_args())
    from churn.settings import load_settings

    with tempfile.TemporaryDirectory() as folder:
        own = load_settings(PROJECT)
        database = f"sqlite:///{folder}/mlflow.db"
        settings = replace(own, project=Path(folder), tracking_uri=database)
        does = commands(settings)
        length = {"promote": 5.0, "features": 5.0}
        begin = time.monotonic()
        for seed in (0, 1):  # two versions to move between
            elsewhere(lambda seed=seed: does["train"](seed).version)
        length["train"] = length["retrain"] = (time.monotonic() - begin) / 2
        killed: Counter[str] = Counter()
        torn: list[str] = []
        moments = random.Random(0)
        plan = [name for name, count in counts.items() for _ in range(count)]
        moments.shuffle(plan)
        for at, name in enumerate(plan, 2):
            killed[name] += elsewhere(does[name], at, kill_after=moments.uniform(0.05, length[name]))[1]
            after, _ = elsewhere(faults, settings)
            torn += [f"{name}: {one}" for one in after]
            print(f"{at - 1}/{len(plan)} {name}: {after or 'whole'}", flush=True)
        print(f"killed: {dict(killed)}, faults: {len(torn)}")
        return 1 if torn else 0


if __name__ == "__main__":
    sys.exit(main())
