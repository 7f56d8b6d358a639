"""Versions, promotion and rollback."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

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


def test_an_unknown_version_is_refused(settings: Settings, trained: Result) -> None:
    with pytest.raises(RegistryError, match="no version"):
        registry.promote(settings, "999")
    with pytest.raises(RegistryError, match="no challenger"):
        registry.load(settings, "challenger")


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
