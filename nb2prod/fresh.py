"""`verify --full`: a generated project in an environment made from its own pins: tests, train, serve."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from nb2prod.static import Event, Progress

PATIENCE = 120.0  # seconds for the server to become ready


class FullFailed(Exception):
    """A step in the fresh environment failed; the message says which and shows its end."""


def run_in_fresh_environment(
    project: Path, name: str, python: str, metrics: Mapping[str, float], progress: Progress
) -> None:
    """Installs a copy of the project, runs its tests, trains, compares the metrics and asks the server.

    Raises FullFailed.  The project itself is not touched: its registry stays as it was.
    """
    with tempfile.TemporaryDirectory(prefix="nb2prod-full-") as folder:
        copy = Path(folder, "project")
        ignored = shutil.ignore_patterns(
            "mlflow.db", "mlruns", "mlartifacts", "artifacts", ".venv", "__pycache__"
        )
        shutil.copytree(project, copy, ignore=ignored)
        data = os.environ.get(f"{name.upper()}_DATA_ROOT") or str(_data_root(project))
        environment = {**os.environ, f"{name.upper()}_DATA_ROOT": data, "MPLBACKEND": "Agg"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        steps = 5
        progress(Event("full", "making an environment from the project's pins", 0, steps))
        _run([python, "-m", "venv", str(copy / ".venv")], copy, environment)
        exe = str(copy / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
        progress(Event("full", "installing the project", 1, steps))
        _run([exe, "-m", "pip", "install", "--quiet", "-e", ".[test]"], copy, environment)
        progress(Event("full", "running the project's tests", 2, steps))
        _run([exe, "-m", "pytest", "-q"], copy, environment)
        progress(Event("full", "training", 3, steps))
        said = _run([exe, "-m", name, "train", "--json"], copy, environment)
        trained = json.loads(said[said.index("{") :])["metrics"]
        for metric, value in metrics.items():
            if not math.isclose(trained.get(metric, math.nan), value, rel_tol=1e-9):
                raise FullFailed(
                    f"{metric}: notebook {value}, trained in its own environment {trained.get(metric)}"
                )
        progress(Event("full", "serving", 4, steps))
        _serve(exe, name, copy, environment)


def _data_root(project: Path) -> Path:
    import tomllib

    config = tomllib.loads((project / "config.toml").read_text(encoding="utf-8"))
    return (project / str(config.get("data_root", "."))).resolve()


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        end = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-15:])
        raise FullFailed(f"`{' '.join(command[1:])}` ended with {ran.returncode}:\n{end}")
    return ran.stdout


def _serve(exe: str, name: str, folder: Path, environment: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [exe, "-m", name, "serve", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if server.poll() is not None:
                assert server.stderr is not None
                raise FullFailed(
                    f"the server ended with {server.returncode}:\n{server.stderr.read()[-1500:]}"
                )
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.3)
        raise FullFailed(f"the server was not ready after {PATIENCE:.0f} s")
    finally:
        server.terminate()
        server.wait(timeout=30)
