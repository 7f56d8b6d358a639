"""Versions, promotion and rollback."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from churn import registry, versions
from churn.infer import score
from churn.registry import RegistryError
from churn.settings import Settings
from churn.train import Result
from churn.versions import Version


def test_training_made_a_usable_champion(settings: Settings, trained: Result) -> None:
    assert trained.status == "champion"
    (row,) = [
        row for row in registry.listing(settings) if row["version"] == trained.version
    ]
    assert row["validation"] == "passed"
    assert row["feature_version"] == trained.feature_version


def test_rollback_returns_to_the_previous_champion(
    settings: Settings, trained: Result, second: str, restored: None
) -> None:
    registry.promote(settings, trained.version)
    registry.promote(settings, second, "better")
    assert registry.champion(settings) == second
    (row,) = [row for row in registry.listing(settings) if row["version"] == second]
    assert row["approval"] == ""  # under the policy auto it waits for nobody
    change = registry.rollback(settings, "it was not")
    assert (change.old, change.new, change.why) == (
        second,
        trained.version,
        "it was not",
    )
    assert registry.champion(settings) == trained.version
    assert registry.history(settings)[-1] == change
    assert change.who and change.when


def test_a_version_waits_for_approval(
    settings: Settings, second: str, restored: None
) -> None:
    manual = replace(settings, approval="manual")
    with pytest.raises(RegistryError, match="not approved"):
        registry.promote(manual, second)
    registry.approve(manual, second, "looked at it")
    assert registry.promote(manual, second) is not None
    assert registry.champion(settings) == second


def test_a_rejected_version_never_serves(
    settings: Settings, trained: Result, second: str, restored: None
) -> None:
    registry.promote(settings, second)
    with pytest.raises(RegistryError, match="roll back first"):
        registry.reject(settings, second)
    registry.promote(settings, trained.version)
    registry.reject(settings, second, "too old")
    for forbidden in (
        registry.promote,
        lambda to, number: registry.rollback(to, "", number),
    ):
        with pytest.raises(RegistryError, match="rejected"):
            forbidden(settings, second)
    (row,) = [row for row in registry.listing(settings) if row["version"] == second]
    assert (row["approval"], row["decided"]["why"]) == ("rejected", "too old")
    with pytest.raises(
        RegistryError, match="too old; to approve it all the same, say why"
    ):
        registry.approve(settings, second)
    registry.approve(settings, second, "it was not")
    assert registry.promote(settings, second) is not None


def test_a_challenger_that_lost_waits_for_nobody(
    settings: Settings, trained: Result, second: str
) -> None:
    registry._move(settings, registry.CHALLENGER, registry.RETRAIN, second, "")
    registry.judged(settings, second, False, "no better")
    (row,) = [row for row in registry.listing(settings) if row["version"] == second]
    assert (row["approval"], row["decided"]["who"], row["decided"]["why"]) == (
        "rejected",
        "retrain",
        "no better",
    )
    assert row["aliases"] == [] and registry.champion(settings) == trained.version
    with pytest.raises(RegistryError, match="rejected by retrain: no better"):
        registry.approve(settings, second)
    with pytest.raises(RegistryError, match="rejected"):
        registry.promote(settings, second)


def test_rollback_goes_to_any_earlier_champion_that_still_works(
    settings: Settings,
    trained: Result,
    second: str,
    restored: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry.promote(settings, trained.version)
    registry.promote(settings, second)
    assert registry.rollback(settings, "back", trained.version).new == trained.version
    with pytest.raises(RegistryError, match="already"):
        registry.rollback(settings, "", trained.version)
    with pytest.raises(RegistryError, match="never champion"):
        registry.rollback(settings, "", "999")
    registry.promote(settings, second)
    monkeypatch.setattr(versions, "DATA", Path("no", "such", "folder"))
    with pytest.raises(RegistryError, match="does not work"):
        registry.rollback(settings)
    assert registry.champion(settings) == second


def test_a_former_champion_needs_no_approval_under_a_new_policy(
    settings: Settings, trained: Result, second: str, restored: None
) -> None:
    registry.promote(settings, trained.version)
    registry.promote(settings, second)
    manual = replace(settings, approval="manual")
    assert registry.rollback(manual, "in a hurry").new == trained.version
    with pytest.raises(RegistryError, match="not approved"):
        registry.promote(manual, second)


@pytest.mark.parametrize("moved", [True, False])
def test_a_killed_move_is_recorded_by_whoever_comes_next(
    settings: Settings,
    trained: Result,
    second: str,
    restored: None,
    monkeypatch: pytest.MonkeyPatch,
    moved: bool,
) -> None:
    """Killed after the alias moved: the record follows.  Killed before: the intent is forgotten."""
    registry.promote(settings, trained.version)
    before = registry.history(settings)
    client = type(registry.connect(settings).MlflowClient())
    with monkeypatch.context() as patch:
        if moved:
            patch.setattr(registry, "_record", lambda *given: 1 / 0)
        else:
            patch.setattr(client, "set_registered_model_alias", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            registry.promote(settings, second, "killed")
    monkeypatch.setattr(registry, "PATIENCE", timedelta(0))
    after = registry.history(settings)
    assert len(after) == len(before) + moved
    assert not moved or (after[-1].new, after[-1].why) == (second, "killed")
    assert not any(tag.startswith(registry.INTENT) for tag in registry._tags(settings))


def test_the_same_data_and_seed_give_the_same_model(
    version: Version, settings: Settings
) -> None:
    (row,) = [
        row for row in registry.listing(settings) if row["version"] == version.number
    ]
    assert row["model_hash"] == version.info["model_hash"]
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    raw = version.module("load").load(settings)
    data = version.module("features").fit(raw, settings)
    fitted = version.module("train").fit_model(data, settings)
    again = replace(version, state=data.state, model=fitted.model, extras=fitted.extras)
    assert version.module("checks")._model_hash(again) == version.info["model_hash"]


def test_a_local_store_whose_making_was_stopped_is_made_again(
    settings: Settings, tmp_path: Path
) -> None:
    own = replace(settings, tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    made = tmp_path / "mlflow.db.part"
    seen: list[bool] = []

    class Client:
        def __init__(self, uri: str) -> None:
            assert uri == f"sqlite:///{made}" and not made.exists()

        def search_experiments(self, **given: Any) -> None:
            made.write_text("torn" if not seen else "whole")
            seen.append((tmp_path / "mlflow.db").exists())
            if len(seen) == 1:
                raise KeyboardInterrupt

    mlflow = Mock(MlflowClient=Client)
    with pytest.raises(KeyboardInterrupt):
        registry._create(mlflow, tmp_path / "mlflow.db")
    registry._create(mlflow, tmp_path / "mlflow.db")
    registry._create(mlflow, tmp_path / "mlflow.db")  # it is there
    assert seen == [False, False] and (tmp_path / "mlflow.db").read_text() == "whole"
    assert registry._database(own) == tmp_path / "mlflow.db"


def test_an_unknown_version_is_refused(settings: Settings, trained: Result) -> None:
    with pytest.raises(RegistryError, match="no version"):
        registry.promote(settings, "999")
    with pytest.raises(RegistryError, match="no favourite"):
        registry.load(settings, "favourite")


def test_two_versions_with_different_code_in_one_process(
    settings: Settings, version: Version, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Each answers with its own features and its own functions, also those pickled in its model."""
    loaded = []
    for at, mark in enumerate(("first", "second")):
        source = tmp_path / mark / "source"
        shutil.copytree(versions.HERE, source)
        with (source / "features.py").open("a") as file:
            file.write(
                f"\n\ndef transform(rows, state):\n    return np.full((len(rows), 1), {at}.0)\n"
            )
            file.write(
                "\n\ndef screened(rows, state):\n    return transform(rows, state), {}\n"
            )
        with (source / "infer.py").open("a") as file:
            file.write(
                f"\n\ndef marked(X):\n    return ['{mark} ' + str(int(x)) for x in X[:, 0]]\n"
            )
            file.write("\n\ndef decide(model, X, given):\n    return model(X)\n")
        code = tmp_path / mark / "code"
        package = versions.freeze_code(code, source)
        state = (
            versions.Version(package, version.state, None)
            .module("state")
            .State(**vars(version.state))
        )
        model = versions.Version(package, None, None).module("infer").marked
        info = {**version.info, "labels": None, "targets": [], "task": "other"}
        versions.save(
            Version(package, state, model, {}, info), tmp_path / mark / "model", code
        )
        loaded.append(versions.load(tmp_path / mark / "model"))
    for one, answer in zip(loaded, ("first 0", "second 1"), strict=True):
        assert score(rows, one).predictions == [answer] * len(rows)
    assert loaded[0].package != loaded[1].package


def test_changed_code_is_refused(
    version: Version, settings: Settings, tmp_path: Path
) -> None:
    code = tmp_path / version.package
    shutil.copytree(settings.artifacts / "code" / version.package, code)
    with (code / "features.py").open("a") as file:
        file.write("\n# changed\n")
    renamed = code.rename(tmp_path / f"{version.package}x")
    with pytest.raises(versions.VersionError, match="changed"):
        versions.import_code(renamed)
