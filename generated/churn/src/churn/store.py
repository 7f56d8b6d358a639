"""The feature store: what `features.fit` made of some data, computed once and read by every later training.

    artifacts/features/manifest.db      one row a version; the row is what makes a version exist
    artifacts/features/<key>-<random>/  its values; written beside, synced, renamed, and then entered

A version is found by a key over all that decides it: the feature code with its schema and library versions,
the raw data, `fit_on`, the parameters, the seed, and where the random generators stood.  A hit also leaves
those generators where the computation left them, so that training draws what it would have drawn.  What does
not come back exactly as it was is not kept, and that is said.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import random
import shutil
import sqlite3
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import values
from .settings import Settings
from .values import UnstorableError
from .versions import Version

VALUES = ("X_train", "y_train", "X_eval", "y_eval", "train_ids", "eval_ids")


class StoreError(Exception):
    """The store does not hold what was asked for."""


@dataclass(frozen=True)
class Entry:
    """One row of the manifest."""

    key: str
    folder: str
    feature_version: str
    definition: str
    data: str
    fit_on: str
    parameters: str
    seed: int
    created: str
    rows: int
    columns: int
    bytes: int
    facts: str

    def to_dict(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in ("folder", "facts")
        }


TABLE = f"CREATE TABLE IF NOT EXISTS versions ({', '.join(Entry.__annotations__)}, PRIMARY KEY (key))"


def training(
    settings: Settings, package: str, raw: Any, say: Callable[[str], None]
) -> Any:
    """The `Training` that `features.fit` of this code gives for `raw`: from the store, else computed and kept."""
    wanted = _wanted(settings, package, raw)
    data = _hit(settings, package, wanted["key"], say)
    if data is not None:
        return data
    before = _surroundings()
    data = Version(package, None, None).module("features").fit(raw, settings)
    try:
        if values.digest(raw) != wanted["data"] or _surroundings() != before:
            raise UnstorableError(
                "computing them changes the raw data, or options of the process"
            )
        _keep(settings, package, wanted, data)
    except UnstorableError as error:
        say(f"the features are not kept: {error}")
    return data


def _wanted(settings: Settings, package: str, raw: Any) -> dict[str, Any]:
    """What decides the features, and the key over all of it."""
    found: dict[str, Any] = {
        "definition": Version(package, None, None).module("versions").definition(),
        "data": values.digest(raw),
        "fit_on": settings.fit_on,
        "parameters": json.dumps(asdict(settings.parameters), sort_keys=True),
        "seed": settings.seed,
    }
    drawn = json.dumps(_generators())
    return {
        **found,
        "key": hashlib.sha256(json.dumps([found, drawn]).encode()).hexdigest(),
    }


def _generators() -> Any:
    """Where the global random generators stand, as JSON."""
    kind, key, *rest = np.random.get_state(legacy=True)
    return [random.getstate(), [kind, np.asarray(key).tolist(), *rest]]


def _restore_generators(state: Any) -> None:
    (version, internal, gauss), numpy = state
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state(tuple(numpy))


def _surroundings() -> Any:
    """What code can change in its process besides its results, and a hit would not."""

    def options(group: Any) -> Any:
        found = {name: getattr(group, name) for name in dir(group)}
        return {
            name: options(one) if isinstance(one, type(pd.options)) else repr(one)
            for name, one in found.items()
        }

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some options of pandas are deprecated
        # OpenMP sets KMP_... when a library loads it, which says nothing about the features.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("KMP_")
        }
        return (
            environment,
            os.getcwd(),
            np.geterr(),
            np.get_printoptions(),
            options(pd.options),
        )


def _hit(settings: Settings, package: str, key: str, say: Callable[[str], None]) -> Any:
    """The stored `Training`, with the generators moved; None where there is none that is whole."""
    folder = _folder(settings)
    with locked(folder, fcntl.LOCK_SH):
        found = _select(folder, "key = ?", key)
        if not found:
            return None
        try:
            facts = json.loads(found[0].facts)
            data = _read(folder / found[0].folder, package, facts)
            intact = digests(data) == facts["digests"]
        except Exception as error:  # noqa: BLE001 -- a damaged file may fail in any way
            intact, reason = False, f": {error}"
        else:
            reason = ""
        if not intact:
            say(
                f"version {key[:12]} of the features is damaged and computed again{reason}"
            )
            with _manifest(folder) as manifest:
                manifest.execute("DELETE FROM versions WHERE key = ?", [key])
            return None
    _restore_generators(facts["generators"])
    say(f"the features come from the store, version {key[:12]}")
    return data


def _keep(settings: Settings, package: str, wanted: dict[str, Any], data: Any) -> None:
    """Write a version, read it back, compare, and only then enter it."""
    folder = _folder(settings)
    with locked(folder, fcntl.LOCK_SH):
        name = f"{wanted['key'][:16]}-{uuid.uuid4().hex[:8]}"
        written = folder / f".{name}"
        written.mkdir()
        try:
            facts = _write(data, written)
            again = digests(_read(written, package, facts))
            differing = [
                part for part, found in facts["digests"].items() if again[part] != found
            ]
            if differing:
                raise UnstorableError(
                    f"{', '.join(differing)} would not come back exactly"
                )
            facts["generators"] = _generators()
            _sync([*written.rglob("*"), written])
            written.rename(folder / name)
            _sync([folder])
            _enter(folder, name, wanted, data, facts)
        finally:
            shutil.rmtree(written, ignore_errors=True)


def _write(data: Any, folder: Path) -> dict[str, Any]:
    if unknown := sorted(set(vars(data)) - {*VALUES, "state", "extras"}):
        raise UnstorableError(
            f"Training has {', '.join(unknown)}, which the store does not know"
        )
    parts = {name: getattr(data, name) for name in VALUES}
    parts |= {f"extra_{at}": value for at, value in enumerate(data.extras.values())}
    big = [id(value) for value in parts.values() if hasattr(value, "shape")]
    if len(set(big)) < len(big):
        raise UnstorableError("two of the values are one object")
    stored = {name: values.write(value, folder, name) for name, value in parts.items()}
    try:
        data.state.save(folder / "state")
    except Exception as error:
        raise UnstorableError(f"what was learned cannot be stored: {error}") from error
    return {"values": stored, "extras": list(data.extras), "digests": digests(data)}


def _read(folder: Path, package: str, facts: dict[str, Any]) -> Any:
    """The `Training` of a folder, made of the classes of this version's own code."""
    code = Version(package, None, None)
    parts = {
        name: values.read(one, folder, name) for name, one in facts["values"].items()
    }
    extras = {name: parts.pop(f"extra_{at}") for at, name in enumerate(facts["extras"])}
    state = code.module("state").State.load(folder / "state")
    return code.module("features").Training(**parts, state=state, extras=extras)


def digests(data: Any) -> dict[str, str]:
    learned = [
        (key, one.kind, one.always, one.value, one.empty)
        for key, one in data.state.entries.items()
    ]
    facts = {
        name: value for name, value in vars(data.state).items() if name != "entries"
    }
    found = {name: values.digest(getattr(data, name)) for name in (*VALUES, "extras")}
    return {**found, "state": values.digest([learned, facts])}


def _enter(
    folder: Path, name: str, wanted: dict[str, Any], data: Any, facts: dict[str, Any]
) -> None:
    """The commit.  Where another process was faster, its version stays: both are the same."""
    files = [path for path in (folder / name).rglob("*") if path.is_file()]
    entry = Entry(
        **wanted,
        folder=name,
        feature_version=str(data.state.version),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        rows=len(data.train_ids),
        columns=len(data.state.outputs["columns"]),
        bytes=sum(path.stat().st_size for path in files),
        facts=json.dumps(facts),
    )
    row = list(asdict(entry).values())
    with _manifest(folder) as manifest:
        done = manifest.execute(
            f"INSERT OR IGNORE INTO versions VALUES ({','.join('?' * len(row))})", row
        )
    if not done.rowcount:
        shutil.rmtree(folder / name)


def entries(settings: Settings) -> list[Entry]:
    """All versions, newest first."""
    folder = _folder(settings)
    with locked(folder, fcntl.LOCK_SH):
        return _select(folder, "1 ORDER BY created DESC, key")


def find(settings: Settings, prefix: str) -> Entry:
    """The version whose key, or whose feature version, begins like this."""
    found = [one for one in entries(settings) if one.key.startswith(prefix)]
    found = found or [
        one for one in entries(settings) if one.feature_version.startswith(prefix)
    ]
    if len(found) != 1:
        raise StoreError(
            f"{len(found) or 'no'} versions of the features begin with {prefix!r}; see `features list`"
        )
    return found[0]


def value(settings: Settings, entry: Entry, name: str) -> Any:
    """One of the stored values of a version."""
    folder = _folder(settings)
    with locked(folder, fcntl.LOCK_SH):
        return values.read(
            json.loads(entry.facts)["values"][name], folder / entry.folder, name
        )


def learned(settings: Settings, entry: Entry) -> list[dict[str, Any]]:
    """What a version learned, as its state.json says it."""
    document = json.loads(
        (_folder(settings) / entry.folder / "state" / "state.json").read_text(
            encoding="utf-8"
        )
    )
    found: list[dict[str, Any]] = document["learned"]
    return found


def gc(settings: Settings, keep: int, used: set[str]) -> dict[str, int]:
    """Remove all but the newest `keep` versions and those of `used` feature versions, and what killed writers left."""
    folder = _folder(settings)
    with locked(folder, fcntl.LOCK_EX):
        every = _select(folder, "1 ORDER BY created DESC, key")
        gone = [one for one in every[keep:] if one.feature_version not in used]
        with _manifest(folder) as manifest:
            manifest.executemany(
                "DELETE FROM versions WHERE key = ?", [[one.key] for one in gone]
            )
        stay = {one.folder for one in _select(folder, "1")}
        left = [
            path for path in folder.iterdir() if path.is_dir() and path.name not in stay
        ]
        freed = sum(
            path.stat().st_size
            for one in left
            for path in one.rglob("*")
            if path.is_file()
        )
        for path in left:
            shutil.rmtree(path)
    return {"removed": len(gone), "leftovers": len(left) - len(gone), "bytes": freed}


def _folder(settings: Settings) -> Path:
    return settings.artifacts / "features"


@contextlib.contextmanager
def locked(folder: Path, how: int) -> Iterator[None]:
    """Readers and writers share the store; `gc` has it alone, so that what it finds unentered is nobody's."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, how)
        yield


@contextlib.contextmanager
def _manifest(folder: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on the manifest; other writers wait for it."""
    connection = sqlite3.connect(folder / "manifest.db", timeout=60)
    try:
        with connection:
            connection.execute(TABLE)
            yield connection
    finally:
        connection.close()


def _select(folder: Path, where: str, *given: str) -> list[Entry]:
    with _manifest(folder) as manifest:
        return [
            Entry(*row)
            for row in manifest.execute(f"SELECT * FROM versions WHERE {where}", given)
        ]


def _sync(paths: Iterable[Path]) -> None:
    """Files and names are on the disk before anything refers to them."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
