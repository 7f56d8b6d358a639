"""The registered versions of the model: which are usable, which one serves, and who decided that when.

MLflow keeps no history of aliases, so every change is written to a tag of the registered model:
who, when, from, to, why.  `rollback` reads it.  Alias and record are two writes: an intent is written before
them, and whoever finds the intent of a killed process sees from the alias whether to record or to forget it.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import logging
import os
import uuid
import warnings
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from . import versions
from .settings import Settings
from .versions import Alone, Version

CHAMPION, CHALLENGER, RETRAIN = "champion", "challenger", "retrain"
CHANGE, INTENT = "alias_change.", "alias_intent."
PATIENCE = timedelta(minutes=1)
LINEAGE = ("feature_version", "code_hash", "data_fingerprint", "model_hash")


class RegistryError(Exception):
    """The registry does not hold what was asked for, or the policy forbids it."""


@dataclass(frozen=True)
class Change:
    """One move of an alias; `old` or `new` is None where the alias did not exist."""

    alias: str
    action: str
    old: str | None
    new: str | None
    who: str
    when: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def connect(settings: Settings) -> Any:
    """The `mlflow` module, set to the project's tracking store.  It is slow to import: ask only when needed."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    database = _database(settings)
    if database is not None and not database.exists():
        _create(mlflow, database)
    mlflow.set_tracking_uri(settings.tracking_uri)
    return mlflow


def _database(settings: Settings) -> Path | None:
    """The file of a local store."""
    scheme, _, path = settings.tracking_uri.partition(":///")
    return Path(path.partition("?")[0]).resolve() if scheme == "sqlite" else None


def _create(mlflow: Any, database: Path) -> None:
    """Make a local store aside and put it in place whole.

    MLflow takes seconds for that: a process that was killed meanwhile would leave a torn store for good, and another
    one that starts meanwhile would fail.
    """
    with database.with_name(f"{database.name}.lock").open(
        "w", encoding="utf-8"
    ) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not database.exists():
            made = database.with_name(f"{database.name}.part")
            for left in database.parent.glob(f"{made.name}*"):
                left.unlink()
            mlflow.MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
            made.replace(database)


def experiment(settings: Settings) -> str:
    """The id of the project's experiment; a local store keeps its artifacts beside its database."""
    mlflow = connect(settings)
    found = mlflow.get_experiment_by_name(settings.experiment)
    if found is not None:
        return str(found.experiment_id)
    database = _database(settings)
    location = None if database is None else database.with_name("mlruns").as_uri()
    try:
        return str(
            mlflow.create_experiment(settings.experiment, artifact_location=location)
        )
    except mlflow.exceptions.MlflowException:
        found = mlflow.get_experiment_by_name(settings.experiment)
        if found is None:
            raise
        return str(found.experiment_id)  # another process was faster


def register(version: Version, folder: Path, settings: Settings) -> str:
    """Log a saved version as an MLflow model in the active run and register it; returns its number."""
    import pandas as pd  # not for a service that starts

    mlflow = connect(settings)
    rows = pd.DataFrame(version.info["example"]["rows"])
    outputs = version.module("infer").predict(rows, version).assign(flags="", error="")
    with warnings.catch_warnings():
        # whole numbers have no missing values: the schema sees to that
        warnings.simplefilter("ignore")
        signature = mlflow.models.infer_signature(rows, outputs)
    needs = {
        **version.info["libraries"],
        **versions.libraries(("mlflow", "cloudpickle", "pydantic")),
    }
    logged = mlflow.pyfunc.log_model(
        name="model",
        loader_module=f"{version.package}.versions",
        data_path=str(folder / versions.DATA),
        code_paths=[str(folder / "code" / version.package)],
        signature=signature,
        input_example=rows,
        pip_requirements=[f"{name}=={number}" for name, number in needs.items()],
        registered_model_name=settings.model_name,
    )
    number = str(logged.registered_model_version)
    client = mlflow.MlflowClient()
    for tag in LINEAGE:
        client.set_model_version_tag(
            settings.model_name, number, tag, version.info[tag]
        )
    return number


def accept(settings: Settings, number: str, action: str = "train") -> str:
    """Load a registered version back; only one that scores its example, also in a new process, is usable.

    Then the policy: `auto` promotes it, `manual` makes it the challenger until it is approved and promoted.
    Returns what became of it: champion or pending.  `action` is where a challenger came from, for the record.
    """
    client = connect(settings).MlflowClient()
    name = settings.model_name
    try:
        versions.rescore(load(settings, number))
        folder = _download(settings, number)
        versions.rescore_elsewhere(folder)
        if (folder / versions.DATA / versions.ALONE).exists():
            versions.rescore_elsewhere(folder, "alone")
    except Exception as error:
        client.set_model_version_tag(name, number, "validation", "failed")
        raise RegistryError(
            f"version {number} does not work after loading it back: {error}"
        ) from error
    client.set_model_version_tag(name, number, "validation", "passed")
    if settings.approval == "manual":
        client.set_model_version_tag(name, number, "approval", "pending")
        _move(settings, CHALLENGER, action, number, "trained")
        return "pending"
    promote(settings, number, "trained, policy auto")
    return CHAMPION


def load(settings: Settings, which: str = CHAMPION) -> Version:
    """A version by number or alias."""
    number, folder = files(settings, which)
    return replace(versions.load(folder, number), policies=settings.policies)


def serving(settings: Settings, number: str) -> Version | Alone:
    """A version for the service."""
    return versions.serving(_download(settings, number), number, settings.policies)


def files(settings: Settings, which: str) -> tuple[str, Path]:
    """The number of a version given by number or alias, and the folder that it is stored in."""
    number = which
    if not which.isdigit():
        found = _alias(settings, which)
        if found is None:
            raise RegistryError(
                f"model {settings.model_name} has no {which}; train and promote a version first"
            )
        number = found
    return number, _download(settings, number)


def _download(settings: Settings, number: str) -> Path:
    mlflow = connect(settings)
    _require(settings, number)
    return Path(
        mlflow.artifacts.download_artifacts(f"models:/{settings.model_name}/{number}")
    )


def champion(settings: Settings) -> str | None:
    """The number of the version that serves."""
    return _alias(settings, CHAMPION)


def _alias(settings: Settings, alias: str) -> str | None:
    mlflow = connect(settings)
    try:
        model = mlflow.MlflowClient().get_registered_model(settings.model_name)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    number = model.aliases.get(alias)
    return None if number is None else str(number)


def _require(settings: Settings, number: str) -> Any:
    mlflow = connect(settings)
    try:
        return mlflow.MlflowClient().get_model_version(settings.model_name, number)
    except mlflow.exceptions.MlflowException as error:
        raise RegistryError(
            f"model {settings.model_name} has no version {number}"
        ) from error


def approve(settings: Settings, number: str, why: str = "") -> None:
    """Say that a usable version may be promoted; to take back that it was rejected needs a reason."""
    tags = _require(settings, number).tags
    if tags.get("validation") != "passed":
        raise RegistryError(
            f"version {number} was never found usable; it cannot be approved"
        )
    if tags.get("approval") == "rejected" and not why:
        past = json.loads(tags["rejected"])
        told = (
            f"was rejected by {past['who']}{': ' if past['why'] else ''}{past['why']}"
        )
        raise RegistryError(
            f"version {number} {told}; to approve it all the same, say why (--why)"
        )
    _decide(settings, number, "approved", why, _who())


def judged(settings: Settings, number: str, won: bool, why: str) -> None:
    """Keep with a challenger how its comparison with the champion ended; one that did not win is rejected."""
    if not won:
        reject(
            settings, number, why, RETRAIN
        )  # first: a killed process leaves no loser that waits for a person
    client = connect(settings).MlflowClient()
    client.set_model_version_tag(settings.model_name, number, "retrained", why[:1000])


def close_unfinished(settings: Settings) -> str | None:
    """Take leave of a challenger whose retraining ended before it was compared; its number, if there is one."""
    number = _alias(settings, CHALLENGER)
    if number is None:
        return None
    tags = _require(settings, number).tags
    came_by = [past.action for past in history(settings) if past.new == number]
    if (
        came_by[-1:] != [RETRAIN]
        or "retrained" in tags
        or tags.get("approval") != "pending"
    ):
        return None  # it was compared, or waits for a person
    judged(
        settings,
        number,
        False,
        "never compared with the champion: its retraining failed or was stopped",
    )
    return number


def reject(settings: Settings, number: str, why: str = "", who: str = "") -> None:
    """Say that a version must not serve, whatever the policy; only `approve` with a reason takes that back."""
    _require(settings, number)
    if champion(settings) == number:
        raise RegistryError(f"version {number} is the champion; roll back first")
    _decide(settings, number, "rejected", why, who or _who())
    if _alias(settings, CHALLENGER) == number:
        _move(settings, CHALLENGER, "reject", None, why)


def _decide(settings: Settings, number: str, decision: str, why: str, who: str) -> None:
    """Who, when and why first: a decision without its author never counts."""
    client = connect(settings).MlflowClient()
    record = {"who": who, "when": now(), "why": why[:1000]}
    client.set_model_version_tag(
        settings.model_name, number, decision, json.dumps(record)
    )
    client.set_model_version_tag(settings.model_name, number, "approval", decision)


def _allowed(settings: Settings, number: str, again: bool = False) -> str:
    """What was decided about a version; RegistryError where it may not become the champion.

    What is champion `again` needs no new approval: it was allowed to serve under the policy of its time.
    """
    tags: dict[str, str] = _require(settings, number).tags
    if tags.get("validation") != "passed":
        raise RegistryError(
            f"version {number} was never found usable; it cannot be promoted"
        )
    if tags.get("approval") == "rejected":
        raise RegistryError(
            f"version {number} was rejected; run `approve {number} --why ...` first"
        )
    if (
        settings.approval == "manual"
        and tags.get("approval") != "approved"
        and not again
    ):
        raise RegistryError(
            f"version {number} is not approved; run `approve {number}` first"
        )
    return tags.get("approval", "")


def promote(settings: Settings, number: str, why: str = "") -> Change | None:
    """Make a version the champion, if the policy allows it; None where it is that already."""
    approval = _allowed(settings, number)
    moved = _move(settings, CHAMPION, "promote", number, why)
    if _alias(settings, CHALLENGER) == number:
        _move(
            settings, CHALLENGER, "promote", None, f"version {number} became champion"
        )
    if approval == "pending":  # the policy is auto: it waits for nobody
        connect(settings).MlflowClient().delete_model_version_tag(
            settings.model_name, number, "approval"
        )
    return moved


def rollback(settings: Settings, why: str = "", to: str = "") -> Change:
    """Return to the champion before this one, or to the earlier champion `to`, if it still may and can serve."""
    current = champion(settings)
    if current is None:
        raise RegistryError(f"model {settings.model_name} has no champion")
    line = _champions(settings, current)
    if not to and len(line) < 2:
        raise RegistryError(f"there was no champion before version {current}")
    number = to or line[-2]
    if number == current:
        raise RegistryError(f"version {current} is the champion already")
    if all(past.new != number for past in history(settings) if past.alias == CHAMPION):
        raise RegistryError(
            f"version {number} was never champion; `promote` is for new versions"
        )
    _allowed(settings, number, again=True)
    try:
        versions.rescore(load(settings, number))
    except Exception as error:
        raise RegistryError(
            f"version {number} does not work any more: {error}"
        ) from error
    change = _move(settings, CHAMPION, "rollback", number, why)
    assert change is not None
    return change


def _champions(settings: Settings, current: str) -> list[str]:
    """The champions that led to the current one; a rollback takes off those that it went back over."""
    line: list[str] = []
    for past in history(settings):
        if past.alias == CHAMPION and past.new is not None:
            if past.action == "rollback" and past.new in line:
                line = line[: len(line) - line[::-1].index(past.new)]
            elif line[-1:] != [past.new]:
                line.append(past.new)
    if line[-1:] != [current]:
        line.append(current)  # moved by other means
    return line


def history(settings: Settings) -> list[Change]:
    """All recorded moves of aliases, oldest first."""
    _reconcile(settings)
    tags = _tags(settings)
    return [
        Change(**json.loads(tags[key]))
        for key in sorted(tags)
        if key.startswith(CHANGE)
    ]


def _tags(settings: Settings) -> dict[str, str]:
    model = connect(settings).MlflowClient().get_registered_model(settings.model_name)
    return dict(model.tags)


def listing(settings: Settings) -> list[dict[str, Any]]:
    """All versions, newest first, with their aliases and tags."""
    mlflow = connect(settings)
    found = mlflow.MlflowClient().search_model_versions(f"name='{settings.model_name}'")
    rows = []
    for one in sorted(found, key=lambda one: -int(one.version)):
        run = mlflow.get_run(one.run_id)
        model = _require(settings, str(one.version))
        rows.append(
            {
                "version": str(one.version),
                "aliases": sorted(model.aliases),
                "validation": one.tags.get("validation", "unfinished"),
                "approval": one.tags.get("approval", ""),
                "decided": json.loads(one.tags.get(one.tags.get("approval", ""), "{}")),
                **{
                    name: one.tags.get(name, run.data.tags.get(name, ""))
                    for name in LINEAGE
                },
                "metrics": dict(sorted(run.data.metrics.items())),
                "retrained": one.tags.get("retrained", ""),
                "run_id": one.run_id,
            }
        )
    return rows


def _move(
    settings: Settings, alias: str, action: str, number: str | None, why: str
) -> Change | None:
    """Point an alias at a version and record it; an intent outlives a process that is killed between the two."""
    _reconcile(settings)
    client = connect(settings).MlflowClient()
    name = settings.model_name
    old = _alias(settings, alias)
    if old == number:
        return None
    change = Change(alias, action, old, number, _who(), now(), why[:1000])
    key = f"{change.when}.{uuid.uuid4().hex[:6]}"
    client.set_registered_model_tag(name, INTENT + key, json.dumps(asdict(change)))
    if number is None:
        client.delete_registered_model_alias(name, alias)
    else:
        client.set_registered_model_alias(name, alias, number)
    _record(settings, key, change)
    return change


def _record(settings: Settings, key: str, change: Change) -> None:
    """Enter a move.  Done twice, by the mover and by who found its intent, it is one record all the same."""
    client = connect(settings).MlflowClient()
    client.set_registered_model_tag(
        settings.model_name, CHANGE + key, json.dumps(asdict(change))
    )
    _forget(settings, key)


def _forget(settings: Settings, key: str) -> None:
    mlflow = connect(settings)
    # Where two found the same intent, the second has nothing left to delete.
    with contextlib.suppress(mlflow.exceptions.MlflowException):
        mlflow.MlflowClient().delete_registered_model_tag(
            settings.model_name, INTENT + key
        )


def _reconcile(settings: Settings) -> None:
    """Finish the records of processes that were killed while they moved an alias."""
    tags = _tags(settings)
    for tag in sorted(tag for tag in tags if tag.startswith(INTENT)):
        change = Change(**json.loads(tags[tag]))
        key = tag.removeprefix(INTENT)
        if _alias(settings, change.alias) == change.new:
            _record(settings, key, change)
        elif (
            datetime.now(UTC) - datetime.fromisoformat(change.when) > PATIENCE
        ):  # else its process may be alive
            _forget(settings, key)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return f"uid {os.getuid()}"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
