"""Features by entity: the newest of each for serving, and as they were at a time for training.

    artifacts/entities/current.json   which folder counts, and what it holds
    artifacts/entities/<random>/      rows and features of all that names an entity, oldest first

`entity` in config.toml is the column that says what a row is about, `timestamp` the one that says when that was so;
without it, later rows of the data are newer.  A request with nothing but the key is answered from the newest row
of that entity, by the same body of features as any other row.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import baseline, catalogue, checks, values
from .settings import Settings
from .store import locked
from .versions import Version


class EntityError(Exception):
    """There are no features by entity, or not those that were asked for."""


def materialise(settings: Settings, version: Version, raw: Any) -> dict[str, Any]:
    """Compute the features of all rows with this version, and keep them in place of what was there."""
    _require_settings(settings)
    main = checks.main_frame(raw)
    keys = _keys(main, settings)
    schema = version.module("schema")
    valid, _ = schema.check(
        main.to_dict("records"), version.policies.accept_missing(schema.COLUMNS)
    )
    fine = (
        np.isin(np.arange(len(main)), list(valid))
        & keys.notna().all(axis="columns").to_numpy()
    )
    order = np.flatnonzero(fine)[
        np.argsort(keys["time"].to_numpy()[fine], kind="stable")
    ]
    if not len(order):
        raise EntityError(
            f"no row that the service would take has a value of {settings.entity}"
        )
    keys = keys.iloc[order].reset_index(drop=True)
    rows = main.iloc[order].reset_index(drop=True)
    facts: dict[str, Any] = {
        "folder": uuid.uuid4().hex,
        **_named(settings),
        "feature_version": version.feature_version,
        "model_version": version.number,
        "entities": int(keys["key"].nunique()),
        "rows": len(rows),
        "left_out": len(main) - len(rows),
    }
    X = version.module("features").transform(rows, version.state)
    _publish(_folder(settings), facts, {"keys": keys, "rows": rows, "X": X})
    return facts


def _publish(folder: Path, facts: dict[str, Any], parts: dict[str, Any]) -> None:
    """Write, read back and compare; then the pointer moves, and nobody reads what it pointed to."""
    with locked(folder, fcntl.LOCK_EX):
        written = folder / facts["folder"]
        written.mkdir()
        facts["parts"] = {
            name: values.write(part, written, name) for name, part in parts.items()
        }
        for name, part in parts.items():
            if values.digest(
                values.read(facts["parts"][name], written, name)
            ) != values.digest(part):
                raise values.UnstorableError(f"{name} would not come back exactly")
        pointer = folder / f"current.{os.getpid()}"
        pointer.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        pointer.replace(folder / "current.json")
        for old in folder.iterdir():
            if old.is_dir() and old != written:
                shutil.rmtree(old)


def latest(settings: Settings, version: Version, key: str) -> dict[str, Any]:
    """The newest features of an entity."""
    _require_settings(settings)
    facts, keys, X = _features(settings, version)
    found = np.flatnonzero((keys["key"] == key).to_numpy())
    if not len(found):
        raise EntityError(f"there are no features of {settings.entity} {key!r}")
    time = str(keys["time"].iloc[int(found[-1])]) if settings.timestamp else None
    return {"entity": key, "time": time, **facts, "features": _row(X, int(found[-1]))}


def as_of(settings: Settings, version: Version, asked: pd.DataFrame) -> pd.DataFrame:
    """The rows asked for, each with the newest features of its entity that were known at its time; else empty ones."""
    _require_settings(settings)
    if not settings.timestamp:
        raise EntityError(
            "features as they were at a time need `timestamp` in config.toml"
        )
    _, keys, X = _features(settings, version)
    wanted = _keys(asked, settings)
    if wanted.isna().any(axis=None):
        raise EntityError(
            f"row {int(wanted.isna().any(axis='columns').argmax())} has no {settings.entity} or no time"
        )
    wanted, known = (
        wanted.assign(row=np.arange(len(wanted))),
        keys.assign(at=np.arange(len(keys))),
    )
    wanted = wanted.astype({"key": known["key"].dtype}).sort_values(
        "time", kind="stable"
    )
    found = pd.merge_asof(wanted, known, on="time", by="key").sort_values("row")
    at = found["at"].fillna(-1).astype(int).to_numpy()
    features = X.reset_index(drop=True).reindex(at).set_axis(asked.index)
    return pd.concat(
        [asked[[settings.entity, settings.timestamp]], features.add_prefix("feature.")],
        axis="columns",
    )


def _features(
    settings: Settings, version: Version
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    folder = _folder(settings)
    with locked(folder, fcntl.LOCK_SH):
        facts = current(settings)
        if facts is None:
            by = " and ".join(filter(None, _named(settings).values()))
            raise EntityError(
                f"there are no features by {by} yet; run `features materialise`"
            )
        if facts["feature_version"] != version.feature_version:
            raise EntityError(
                "the features by entity are not those of the champion; run `features materialise`"
            )
        keys, X = (
            values.read(facts["parts"][name], folder / facts["folder"], name)
            for name in ("keys", "X")
        )
    named = {name: facts[name] for name in ("feature_version", "model_version")}
    return named, keys, catalogue.table(X)


def current(settings: Settings) -> dict[str, Any] | None:
    """What is materialised, if anything is by the columns that config.toml names now."""
    try:
        found: dict[str, Any] = json.loads(
            (_folder(settings) / "current.json").read_text(encoding="utf-8")
        )
    except FileNotFoundError:
        return None
    return found if _named(settings).items() <= found.items() else None


def _named(settings: Settings) -> dict[str, str]:
    return {"entity": settings.entity, "timestamp": settings.timestamp}


def _keys(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The entity and the time of each row; both missing where the row has none."""
    for name in filter(None, (settings.entity, settings.timestamp)):
        if name not in frame:
            raise EntityError(f"there is no column {name!r}, which config.toml names")
    named = frame[settings.entity]
    keys = baseline.as_text(named).where(named.notna(), None)
    times = pd.Series(np.arange(len(frame)))
    if settings.timestamp:
        times = baseline.as_times(frame[settings.timestamp])
    return pd.DataFrame({"key": keys.to_numpy(dtype=object), "time": times.to_numpy()})


def _row(frame: pd.DataFrame, at: int) -> dict[str, Any]:
    """A row as JSON has it."""
    (row,) = frame.iloc[[at]].to_dict("records")
    return {
        str(name): None if pd.isna(value) else checks.plain(value)
        for name, value in row.items()
    }


def _require_settings(settings: Settings) -> None:
    if not settings.entity:
        raise EntityError(
            "config.toml names no `entity`, the column that says what a row is about"
        )


def _folder(settings: Settings) -> Path:
    return settings.artifacts / "entities"


class Newest:
    """The newest row of each entity, for the service; what is materialised later is taken over by `refresh`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._table: tuple[str, pd.DataFrame, dict[str, int]] = ("", pd.DataFrame(), {})

    def refresh(self) -> None:
        """Read the table again, if it is another."""
        facts = current(self.settings) if self.settings.entity else None
        if facts is None or facts["folder"] == self._table[0]:
            return
        folder = _folder(self.settings)
        with locked(folder, fcntl.LOCK_SH):
            facts = current(self.settings)
            assert facts is not None
            keys, rows = (
                values.read(facts["parts"][name], folder / facts["folder"], name)
                for name in ("keys", "rows")
            )
        self._table = (
            facts["folder"],
            rows,
            {key: at for at, key in enumerate(keys["key"])},
        )

    def filled(self, rows: list[Any]) -> tuple[list[Any], list[int]]:
        """The rows, with the newest one of its entity for each that is nothing but a key; and where there is none."""
        if not self.settings.entity or not any(self._is_key(row) for row in rows):
            return rows, []
        _, table, positions = self._table
        found, unknown = list(rows), []
        for at, row in enumerate(rows):
            if not self._is_key(row):
                continue
            position = positions.get(
                baseline.as_text(pd.Series([row[self.settings.entity]], dtype=object))[
                    0
                ]
            )
            if position is None:
                unknown.append(at)
            else:
                found[at] = _row(table, position)
        return found, unknown

    def _is_key(self, row: Any) -> bool:
        return isinstance(row, dict) and list(row) == [self.settings.entity]
