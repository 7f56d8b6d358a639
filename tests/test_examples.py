"""The promises on the examples, with nothing left out: compile, verify, train, predict, serve.

Each example is compiled once; the project then trains in a process of its own, scores its raw data in a
batch and 200 rows one by one over HTTP.  The notebook's numbers are those of its own run.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nb2prod.compiler import Options, Outcome, compile_notebook

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
DATA = {
    "churn": "churn.csv",
    "house_prices": "house_prices.csv",
    "titanic_twins": "titanic_train.csv",
    "reviews_text": "reviews.csv",
    "segments": "customers.csv",
}
SINGLE_ROWS = 200


@dataclass(frozen=True)
class Compiled:
    name: str
    folder: Path
    outcome: Outcome

    def run(self, *arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", self.name, *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode in (0, 1), ran.stderr[-3000:]
        return ran.stdout

    def environment(self) -> dict[str, str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src"), "OMP_NUM_THREADS": "1"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        return environment


@pytest.fixture(scope="module", params=sorted(DATA))
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    out = tmp_path_factory.mktemp(request.param) / request.param
    outcome = compile_notebook(EXAMPLES / f"{request.param}.ipynb", Options(out=out))
    return Compiled(request.param, out, outcome)


@pytest.mark.slow
def test_verified_trained_and_served(project: Compiled, tmp_path: Path) -> None:
    assert project.outcome.status == "verified", project.outcome.report.reason
    statuses = {check.id: check.status for check in project.outcome.report.checks}
    assert {statuses[name] for name in ("V0", "V1", "V2", "V8", "metrics", "predictions")} == {"passed"}

    trained = json.loads(project.run("train", "--json"))
    assert trained["metrics"] == pytest.approx(project.outcome.metrics, rel=1e-9)

    raw = EXAMPLES / "data" / DATA[project.name]
    project.run("predict", "--input", str(raw), "--output", str(tmp_path / "batch.csv"))
    batch = pd.read_csv(tmp_path / "batch.csv")
    rows = pd.read_csv(raw)
    assert len(batch) == len(rows)

    with_answers = [(row, batch.iloc[at]) for at, row in enumerate(_json_rows(rows)) if at < SINGLE_ROWS]
    with serving(project) as post:
        for row, expected in with_answers:
            status, answer = post(row)
            if isinstance(expected["error"], str):
                assert status == 422, answer
                continue
            assert status == 200, answer
            (found,) = answer["predictions"]
            if isinstance(found["prediction"], (int, float)):  # a rejected row makes the column floats
                assert found["prediction"] == pytest.approx(float(expected["prediction"]), rel=1e-9)
            else:
                assert found["prediction"] == expected["prediction"]


@pytest.mark.slow
def test_its_own_tests_pass(project: Compiled) -> None:
    """Store, stages, registry, monitoring with late labels, retraining, serving: as its owner runs them."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]


def _json_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(row) for row in json.loads(rows.to_json(orient="records", date_format="iso"))]


class serving:
    """The project's own server in a process; `post` sends one row and gives status and body."""

    def __init__(self, project: Compiled) -> None:
        self.project = project

    def __enter__(self) -> Any:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = subprocess.Popen(
            [sys.executable, "-m", self.project.name, "serve", "--port", str(self.port)],
            cwd=self.project.folder,
            env=self.project.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in self.waiting():
            try:
                with urllib.request.urlopen(self.url("/ready"), timeout=5) as answer:
                    if answer.status == 200:
                        return self.post
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.3)
        raise AssertionError("the server was not ready in time")

    def waiting(self) -> Iterator[None]:
        until = time.monotonic() + 180
        while time.monotonic() < until and self.server.poll() is None:
            yield

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def post(self, row: dict[str, Any]) -> tuple[int, Any]:
        body = json.dumps(row).encode()
        headers = {"content-type": "application/json"}
        asked = urllib.request.Request(self.url("/predict"), body, headers)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def __exit__(self, *error: object) -> None:
        self.server.terminate()
        self.server.wait(timeout=60)


def test_hidden_state_is_refused_with_reasons(tmp_path: Path) -> None:
    outcome = compile_notebook(EXAMPLES / "hidden_state.ipynb", Options(out=tmp_path / "hidden"))
    assert (outcome.status, outcome.exit_code) == ("refused", 1)
    codes = {finding["code"] for finding in outcome.report.findings}
    assert {"NBP101", "NBP102", "NBP105", "NBP107", "NBP108", "NBP111"} <= codes
    assert not (tmp_path / "hidden").exists()
    report = json.loads((tmp_path / "hidden.nb2prod-report.json").read_text())
    assert report["status"] == "refused"
