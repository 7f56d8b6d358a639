"""What starts the generated project when nobody does: its workflows and its cron line, as they stand there.

A workflow's steps run in a fresh clone, as GitHub's runner would run them; only its two actions (clone,
Python) are done by hand, and all jobs share the environment that the first one makes.  The cron line runs
with what cron gives a job and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow_server import mlflow_server

ROOT = Path(__file__).resolve().parents[1]
DATA = str(ROOT / "examples" / "notebooks")
EXPRESSION = re.compile(r"\$\{\{\s*vars\.(\w+)\s*\}\}")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with mlflow_server(folder, f"sqlite:///{folder / 'mlflow.db'}") as address:
        yield address


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The churn project as its owner would have it in version control."""
    folder = tmp_path_factory.mktemp("origin") / "churn"
    shutil.copytree(
        ROOT / "generated" / "churn", folder, ignore=shutil.ignore_patterns("artifacts", "mlflow.db*")
    )
    git = ["git", "-C", str(folder), "-c", "user.name=owner", "-c", "user.email=owner@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "churn"]):
        subprocess.run([*git, *command], check=True)
    return folder


class Runner:
    """A machine for one job; `variables` are those of the repository's settings."""

    def __init__(self, folder: Path, repository: Path, variables: dict[str, str]) -> None:
        self.repository, self.variables = repository, variables
        self.clone, self.home, self.python = folder / "work", folder / "home", repository.parent / "python"
        self.home.mkdir(parents=True)

    def run(self, workflow: str) -> list[subprocess.CompletedProcess[str]]:
        """The steps of a workflow's only job, up to the first that fails; none where it does not apply."""
        text = (self.repository / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
        (job,) = yaml.safe_load(text)["jobs"].values()
        if not self._holds(job.get("if")):
            return []
        environment = {name: self._filled(value) for name, value in job.get("env", {}).items()}
        done = []
        for step in job["steps"]:
            command = self._command(step)
            done.append(self.bash(command, environment))
            if done[-1].returncode:
                break
        return done

    def _holds(self, condition: str | None) -> bool:
        if condition is None:
            return True
        found = re.fullmatch(r"\$\{\{ vars\.(\w+) != '' \}\}", condition)
        assert found, f"this runner does not know the condition {condition}"
        return bool(self.variables.get(found[1]))

    def _filled(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.variables.get(found[1], ""), text)

    def _command(self, step: dict[str, Any]) -> str:
        uses = step.get("uses", "").partition("@")[0]
        if uses == "actions/checkout":
            return f"git clone -q {shlex.quote(str(self.repository))} ."
        if uses == "actions/setup-python":
            assert step["with"]["python-version"] == f"{sys.version_info.major}.{sys.version_info.minor}"
            python, venv = (shlex.quote(str(path)) for path in (sys.executable, self.python))
            return f"test -d {venv} || {python} -m venv {venv}"
        return self._filled(step["run"])

    def bash(self, command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """GitHub's default shell, with none of our own environment but where pip finds packages."""
        self.clone.mkdir(exist_ok=True)
        ours = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        home = {"HOME": str(self.home), "PATH": f"{self.python / 'bin'}:/usr/bin:/bin"}
        return subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=self.clone,
            env={**ours, **home, "PIP_NO_COMPILE": "1", "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def machine(server: str, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A runner whose retraining failed for want of a champion, after which one was trained there."""
    variables = {"MLFLOW_TRACKING_URI": server, "DATA_ROOT": DATA}
    runner = Runner(tmp_path_factory.mktemp("machine"), repository, variables)
    failed = runner.run("retrain.yml")[-1]
    assert failed.returncode == 1 and "no champion" in failed.stderr, failed.stderr[-3000:]
    trained = runner.bash("python -m churn train", {"MLFLOW_TRACKING_URI": server, "CHURN_DATA_ROOT": DATA})
    assert trained.returncode == 0, trained.stderr[-3000:]
    return runner


def test_the_retraining_workflow(machine: Runner, repository: Path, tmp_path: Path) -> None:
    """On another fresh machine than trained; without its variable it does nothing."""
    assert not Runner(tmp_path / "off", repository, {}).run("retrain.yml")
    last = Runner(tmp_path / "on", repository, machine.variables).run("retrain.yml")[-1]
    assert last.returncode == 0, last.stderr[-3000:]
    outcome = json.loads(last.stdout)
    assert (outcome["champion"], outcome["challenger"]) == ("1", "2") and outcome["rows"] > 100


def test_the_cron_line(machine: Runner) -> None:
    """It finds its project and its Python from a home, with cron's PATH; its result is in its log."""
    (line,) = re.findall(r"^30 3 .*churn retrain.*$", (machine.clone / "README.md").read_text(), re.MULTILINE)
    assert "%" not in line  # cron ends the line there
    command = line.split(maxsplit=5)[5].replace("/path/to/churn", shlex.quote(str(machine.clone)))
    command = command.replace("/path/to/venv", shlex.quote(str(machine.python)))
    home = machine.home
    job = {"HOME": str(home), "LOGNAME": "owner", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    config, log = machine.clone / "config.toml", machine.clone / "retrain.log"
    server = machine.variables["MLFLOW_TRACKING_URI"]
    for uri, code, why in (("", 1, "no champion"), (server, 10, "not enough data")):
        text = config.read_text(encoding="utf-8").replace('tracking_uri = ""', f'tracking_uri = "{uri}"')
        text = text.replace('data_root = "../../examples/notebooks"', f'data_root = "{DATA}"')
        text = text.replace("retrain_rows = 100\n", "retrain_rows = 1_000_000\n")
        config.write_text(text, encoding="utf-8")
        ran = subprocess.run(["/bin/sh", "-c", command], cwd=home, env=job, capture_output=True, check=False)
        assert (ran.returncode, ran.stdout, ran.stderr) == (code, b"", b""), log.read_text()
        assert why in log.read_text()


def test_the_test_workflow(repository: Path, tmp_path: Path) -> None:
    last = Runner(tmp_path, repository, {"DATA_ROOT": DATA}).run("test.yml")[-1]
    assert last.returncode == 0, last.stdout[-5000:]
    assert " passed" in last.stdout
