"""Kill -9 at random points of the churn project's commands and its service, and count what is torn or lost.

    python benchmarks/kills.py --first 5 --train 8 --promote 27 --features 25 --materialise 15 --serve 15

Each command runs in a process of its own on one project and is killed at a random moment of its usual
length (again, where it had ended before); then another process looks: the champion is there, loads and scores
its example; every alias agrees with the last record of its moves; every entered version of the features, and
the table by entity, reads back whole.  The first training of a new project is killed too: another one must do
what it did not.  The service is killed while four clients ask it: what it acknowledged more than a second
before, answers, labels and refusals, must be in its log.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "generated" / "churn"
sys.path.insert(0, str(PROJECT / "src"))
KEPT = 5
fork = multiprocessing.get_context("fork")


def commands(settings: Any) -> dict[str, Callable[[int], object]]:
    """What is killed; the number varies what it does.  Nothing here connects to MLflow before the fork."""
    from churn import checks, entities, pipeline, registry, retrain, store, versions

    def materialise(at: int) -> None:
        """Tables of fewer and more rows, one after the other."""
        version = registry.load(settings)
        raw = checks.main_frame(version.module("load").load(settings))
        for more in range(100):
            entities.materialise(settings, version, raw.head(500 + (at + more) % 7 * 100))

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
        "materialise": materialise,
        "retrain": lambda at: retrain.run(replace(settings, seed=at), force=True),
    }


def faults(settings: Any) -> list[str]:
    """What is torn or lost."""
    from churn import entities, registry, store, versions

    found = []
    try:
        versions.rescore(version := registry.load(settings))
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
    facts = entities.current(settings)
    if facts is not None and facts["feature_version"] == version.feature_version:
        _, keys, X = entities._features(settings, version)
        if not len(keys) == len(X) == facts["rows"]:
            found.append("the table by entity is torn")
    package = versions.freeze_code(settings.artifacts / "code")
    for entry in store.entries(settings):
        facts = json.loads(entry.facts)
        folder = settings.artifacts / "features" / entry.folder
        if store.digests(store._read(folder, package, facts)) != facts["digests"]:
            found.append(f"features {entry.key[:12]} are torn")
    store.gc(settings, KEPT, set())  # what killed writers left goes, what is entered stays
    if len([path for path in (settings.artifacts / "features").iterdir() if path.is_dir()]) > KEPT:
        found.append("what a killed writer left cannot be cleared")
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


def first(settings: Any, moment: float) -> tuple[list[str], bool]:
    """What a killed first training of a new project left in the way of another, and whether it was killed."""
    from churn import pipeline

    with tempfile.TemporaryDirectory() as folder:
        new = replace(settings, project=Path(folder), tracking_uri=f"sqlite:///{folder}/mlflow.db")
        _, killed = elsewhere(pipeline.run, new, kill_after=moment)

        def again() -> list[str]:
            try:
                return [] if pipeline.run(new).status == "champion" else ["no champion"]
            except Exception as error:
                return [f"another training fails: {error}"]

        return elsewhere(again)[0], killed


class Client(threading.Thread):
    """Asks for predictions, labels each second one, sends a bad row now and then; notes what was taken."""

    def __init__(self, port: int, rows: list[dict[str, Any]]) -> None:
        super().__init__(daemon=True)
        self.port, self.rows = port, rows
        self.predicted: dict[str, float] = {}
        self.labelled: dict[str, float] = {}
        self.refused: list[float] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        at = 0
        try:
            while True:
                at += 1
                row = self.rows[at % len(self.rows)]
                answer = self._post(connection, "/predict", row)
                key = str(answer["predictions"][0]["prediction_id"])
                self.predicted[key] = time.monotonic()
                if at % 2:
                    self._post(connection, "/feedback", {"prediction_id": key, "label": 1})
                    self.labelled[key] = time.monotonic()
                if at % 10 == 0:
                    self._post(connection, "/predict", {}, (422,))
                    self.refused.append(time.monotonic())
        except (OSError, http.client.HTTPException):  # the service was killed
            return

    @staticmethod
    def _post(
        connection: http.client.HTTPConnection, path: str, body: object, allowed: tuple[int, ...] = (200, 202)
    ) -> Any:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        with connection.getresponse() as response:
            text = response.read()
        if response.status not in allowed:
            raise RuntimeError(f"{path}: {response.status} {text[:200]!r}")
        return json.loads(text)


def started(project: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The service, once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "churn", "serve", "--project", str(project), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    with (project / "serve.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    until = time.monotonic() + 180
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return process, port
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError(f"the service was not ready: {(project / 'serve.log').read_text()[-2000:]}")


def killed_service(
    settings: Any, rows: list[dict[str, Any]], kill_after: float
) -> tuple[list[str], Counter[str]]:
    """What a service that was killed under load lost beyond its bound; how much it acknowledged, and lost."""
    from churn import prediction_log, retention, segments

    folder = settings.artifacts / "predictions"
    refused_before = len(segments.refusals(folder))
    process, port = started(settings.project)
    clients = [Client(port, rows[first::4]) for first in range(4)]
    for one in clients:
        one.start()
    time.sleep(kill_after)
    process.kill()
    end = time.monotonic()
    process.wait()
    for one in clients:
        one.join()
    open_ones = (*segments.read(folder), segments.refusals(folder))
    retention.recover(folder)
    logged, labels, refusals = recovered = (*segments.read(folder), segments.refusals(folder))
    found = [] if list(map(len, open_ones)) == list(map(len, recovered)) else ["recovery loses rows"]
    counts: Counter[str] = Counter()
    lost = {}
    for what, kept in (("predicted", set(logged["id"])), ("labelled", set(labels["id"]))):
        noted = {key: when for one in clients for key, when in getattr(one, what).items()}
        lost[what] = [end - when for key, when in noted.items() if key not in kept]
        counts[what] = len(noted)
    # A refusal has no id: those that are in the log are taken for the first that were acknowledged.
    refused = sorted(when for one in clients for when in one.refused)
    lost["refused"] = [end - when for when in refused[len(refusals) - refused_before :]]
    counts["refused"] = len(refused)
    for what, seconds in lost.items():
        counts[f"{what} and lost"] = len(seconds)
        if max(seconds, default=0) > prediction_log.SYNC_SECONDS:
            found.append(f"lost what was {what} {max(seconds):.2f} s before the end")
    return found, counts


def workplace(folder: Path) -> Any:
    """The project in a folder of its own, with few trees; its settings, as those of each later process."""
    config = (PROJECT / "config.toml").read_text(encoding="utf-8")
    (folder / "config.toml").write_text(config, encoding="utf-8")
    shutil.copy(PROJECT / "contract.toml", folder)
    os.environ.update(
        {"CHURN_DATA_ROOT": str(PROJECT.parents[1] / "examples" / "notebooks"), "CHURN_N_TREES": "20"}
    )
    os.environ.update({"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "OMP_NUM_THREADS": "1"})
    os.environ.update({"CHURN_RETRAIN_ROWS": "20", "CHURN_ENTITY": "customerID"})
    from churn.settings import load_settings

    return load_settings(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    plan = {
        "first": 5,
        "train": 8,
        "promote": 27,
        "features": 25,
        "materialise": 15,
        "retrain": 5,
        "serve": 15,
    }
    for name, count in plan.items():
        parser.add_argument(f"--{name}", type=int, default=count, help="how many are killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and their order")
    counts = vars(parser.parse_args())
    import mlflow  # noqa: F401 -- imported once, so that the moments fall into the work; it connects to nothing yet

    with tempfile.TemporaryDirectory() as folder:
        settings = workplace(Path(folder))
        does = commands(settings)
        length = {"promote": 3.0, "features": 3.0, "materialise": 3.0, "serve": 4.0}
        begin = time.monotonic()
        for seed in (0, 1):  # two versions to move between
            elsewhere(lambda seed=seed: does["train"](seed).version)
        length["train"] = length["retrain"] = length["first"] = (time.monotonic() - begin) / 2
        killed: Counter[str] = Counter()
        acknowledged: Counter[str] = Counter()
        torn: list[str] = []
        moments = random.Random(counts.pop("seed"))
        order = [name for name, count in counts.items() for _ in range(count)]
        moments.shuffle(order)
        for at, name in enumerate(order, 2):
            moment = moments.uniform(0.05, length[name])
            after: list[str] = []
            if name == "serve":
                after, more = elsewhere(killed_service, settings, sample(settings), moment)[0]
                acknowledged += more
                killed[name] += 1
            elif name == "first":
                after, was = elsewhere(first, settings, moment)[0]
                killed[name] += was
            else:
                while not elsewhere(does[name], at, kill_after=moment)[1]:
                    length[name] = moment  # it had ended before
                    moment = moments.uniform(0.05, moment)
                killed[name] += 1
            after += elsewhere(faults, settings)[0]
            torn += [f"{name}: {one}" for one in after]
            print(f"{at - 1}/{len(order)} {name} after {moment:.1f} s: {after or 'whole'}", flush=True)
        print(f"killed: {dict(killed)}, faults: {len(torn)}; the service: {dict(acknowledged)}")
        return 1 if torn else 0


def sample(settings: Any) -> list[dict[str, Any]]:
    """Rows that the service takes."""
    import pandas as pd

    rows = pd.read_csv(settings.data_path("churn"), nrows=400).dropna(subset="Contract")
    return [dict(row) for row in json.loads(rows.to_json(orient="records"))]


if __name__ == "__main__":
    sys.exit(main())
