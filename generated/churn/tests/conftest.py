"""One training run on the project's own data, in a store of its own, shared by all tests."""

from __future__ import annotations

import os
import uuid

# small data: threads would only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from churn import checks, pipeline, registry, versions
from churn.settings import Settings, load_settings
from churn.train import Result
from churn.versions import Version


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The project's settings, with everything that is written in a temporary folder.

    CHURN_TEST_TRACKING_URI runs the tests against an MLflow server, under a name of their own.
    """
    folder = tmp_path_factory.mktemp("project")
    own = load_settings(Path(__file__).resolve().parents[1])
    server = os.environ.get("CHURN_TEST_TRACKING_URI", "")
    name = f"{own.model_name}-test-{uuid.uuid4().hex[:8]}" if server else own.model_name
    uri = server or f"sqlite:///{folder / 'mlflow.db'}"
    return replace(
        own,
        project=folder,
        tracking_uri=uri,
        approval="auto",
        model_name=name,
        experiment=name,
    )


@pytest.fixture(scope="session")
def trained(settings: Settings) -> Result:
    # Few probes of the row path: all of them, which `train` makes each time, take longer than the rest of it.
    code = Version(versions.freeze_code(settings.artifacts / "code"), None, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code.module("rows"), "PROBES", 20)
        return pipeline.run(settings)


@pytest.fixture(scope="session")
def version(settings: Settings, trained: Result) -> Version:
    return registry.load(settings, trained.version)


@pytest.fixture(scope="session")
def again(
    settings: Settings, version: Version, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The same model, registered again."""
    folder = tmp_path_factory.mktemp("second") / "model"
    versions.save(version, folder, settings.artifacts / "code")
    with registry.connect(settings).start_run(
        experiment_id=registry.experiment(settings)
    ):
        number = registry.register(version, folder, settings)
    registry.accept(replace(settings, approval="manual"), number)
    return number


@pytest.fixture
def second(settings: Settings, again: str) -> str:
    """Another usable version, about which nobody has decided yet."""
    client = registry.connect(settings).MlflowClient()
    client.set_model_version_tag(settings.model_name, again, "approval", "pending")
    if "retrained" in client.get_model_version(settings.model_name, again).tags:
        client.delete_model_version_tag(settings.model_name, again, "retrained")
    return again


@pytest.fixture(scope="session")
def raw(settings: Settings) -> pd.DataFrame:
    from churn.load import load

    return checks.main_frame(load(settings))


@pytest.fixture
def rows(version: Version) -> list[dict[str, Any]]:
    """A few raw rows as JSON."""
    return [dict(row) for row in version.info["example"]["rows"]]


@pytest.fixture
def restored(settings: Settings, trained: Result) -> Iterator[None]:
    """The first version is champion again after the test."""
    yield
    registry.promote(settings, trained.version, "end of test")
