"""The stage graph wired: load -> features -> train, in one process or one stage at a time.

Between processes a stage's result is pickled whole, so that types, categories and shared objects survive,
together with the state of the global random generators: the next stage draws what it would have drawn.  It is
read back and compared before it counts.  A stage whose code, settings and input did not change is skipped, so
`stage all` goes on where a failed run stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import contract, registry, store, versions
from .settings import Settings
from .train import Result, train
from .values import digest

STAGES = ("load", "features", "train")


class StageError(Exception):
    """A stage cannot run."""


def _quiet(text: str) -> None:
    """Say nothing."""


def run(settings: Settings, say: Callable[[str], None] = _quiet) -> Result:
    """All stages in this process."""
    package = _begin(settings)
    say("loading the data")
    raw = load(settings, package, say)
    say("computing the features")
    data = store.training(settings, package, raw, say)
    return train(settings, package, raw, data, say)


def stage(
    settings: Settings, name: str, say: Callable[[str], None] = _quiet
) -> Result | None:
    """One stage, on what the stage before it left in artifacts/stages; or `all`, each that has something to do."""
    if name == "all":
        results = [stage(settings, one, say) for one in STAGES]
        return results[-1]
    if name not in STAGES:
        raise StageError(f"no stage {name!r}; the stages are {', '.join(STAGES)}, all")
    package = versions.freeze_code(settings.artifacts / "code")
    before = (
        None
        if name == "load"
        else _found(settings, STAGES[STAGES.index(name) - 1], package)
    )
    key = _key(settings, name, package, before)
    last = _note(settings, name)
    if last.get("key") == key and _still_there(settings, name, last):
        say(f"stage {name}: nothing changed since {last['when']}")
        return Result(**last["result"]) if "result" in last else None
    if before is None:
        _begin(settings)
        _put(settings, name, key, package, {"raw": load(settings, package, say)})
        return None
    given = _get(settings, STAGES[STAGES.index(name) - 1])
    if name == "features":
        data = store.training(settings, package, given["raw"], say)
        _put(settings, name, key, package, {**given, "data": data})
        return None
    result = train(settings, package, given["raw"], given["data"], say)
    _write_note(settings, name, {"key": key, "result": result.to_dict()})
    return result


def seed(settings: Settings) -> None:
    """Put the global random generators where every training starts."""
    random.seed(settings.seed)
    np.random.seed(settings.seed)


def _begin(settings: Settings) -> str:
    """Seed the global generators and import this version's code under its own name."""
    seed(settings)
    return versions.freeze_code(settings.artifacts / "code")


def load(settings: Settings, package: str, say: Callable[[str], None]) -> Any:
    """The raw data, if they are what config and contract say."""
    try:
        raw = versions.Version(package, None, None).module("load").load(settings)
    except Exception as error:
        error.add_note(f"the data: {', '.join(map(settings.data_path, settings.data))}")
        raise
    contract.require(settings, raw, say)
    return raw


def _key(
    settings: Settings, name: str, package: str, before: dict[str, Any] | None
) -> str:
    """Hash of the code, the settings and the input of a stage."""
    decided: list[Any] = [
        name,
        package,
        versions.libraries(),
        asdict(settings.parameters),
        settings.seed,
    ]
    if before is None:
        decided.append(
            [[key, _content(settings.data_path(key))] for key in sorted(settings.data)]
        )
        decided.append(contract.text(settings))
    else:
        decided.append(
            [before["digests"], settings.fit_on, settings.model_name, settings.approval]
        )
    return hashlib.sha256(json.dumps(decided, default=str).encode()).hexdigest()


def _content(path: str) -> str:
    """Hash of a file; another mark each time for an address, whose content nobody knows."""
    if not Path(path).is_file():
        return os.urandom(16).hex()
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file(settings: Settings, name: str) -> Path:
    return settings.artifacts / "stages" / f"{name}.pkl"


def _note(settings: Settings, name: str) -> dict[str, Any]:
    """What is known of the last run of a stage; nothing where it did not end well."""
    try:
        note: dict[str, Any] = json.loads(
            _file(settings, name).with_suffix(".json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return note


def _write_note(settings: Settings, name: str, note: dict[str, Any]) -> None:
    path = _file(settings, name).with_suffix(".json")
    written = path.with_name(f"{path.name}.{os.getpid()}")
    written.write_text(
        json.dumps({**note, "when": registry.now()[:19]}, indent=1) + "\n",
        encoding="utf-8",
    )
    written.replace(path)


def _still_there(settings: Settings, name: str, note: dict[str, Any]) -> bool:
    if name != "train":
        return _whole(settings, name, note)
    return any(
        row["version"] == note["result"]["version"]
        for row in registry.listing(settings)
    )


def _whole(settings: Settings, name: str, note: dict[str, Any]) -> bool:
    """Whether a stage's file is the one that its note is about."""
    path = _file(settings, name)
    return path.is_file() and _content(str(path)) == note.get("file")


def _found(settings: Settings, name: str, package: str) -> dict[str, Any]:
    note = _note(settings, name)
    if not _whole(settings, name, note):
        raise StageError(
            f"{_file(settings, name)} is missing or torn; run `stage {name}` first"
        )
    if note["package"] != package:
        raise StageError(
            f"the code changed since stage {name} ran; run `stage {name}` again"
        )
    return note


def _put(
    settings: Settings, name: str, key: str, package: str, values: dict[str, Any]
) -> None:
    """Keep what a stage made, if it comes back exactly."""
    import cloudpickle

    path = _file(settings, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    drawn = (random.getstate(), np.random.get_state())
    with written.open("wb") as file:
        cloudpickle.dump(
            {"random": drawn, "values": values, "read_only": _read_only(values)}, file
        )
        file.flush()
        os.fsync(file.fileno())
    digests = {part: _digest(value) for part, value in values.items()}
    again = _unpickled(written)["values"]
    differing = [
        part for part, value in again.items() if _digest(value) != digests[part]
    ]
    if differing:
        written.unlink()
        raise StageError(
            f"{', '.join(differing)} of stage {name} cannot cross to another process; run `train` instead"
        )
    note = {
        "key": key,
        "package": package,
        "digests": digests,
        "file": _content(str(written)),
    }
    written.replace(path)
    _write_note(settings, name, note)


def _digest(value: Any) -> str:
    return digest(store.digests(value)) if is_dataclass(value) else digest(value)


def _arrays(values: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of a `Training`, by name."""
    data = values.get("data")
    parts = (
        {one.name: getattr(data, one.name) for one in fields(data)}
        if data is not None
        else {}
    )
    return {
        name: value for name, value in parts.items() if isinstance(value, np.ndarray)
    }


def _read_only(values: dict[str, Any]) -> list[str]:
    """Arrays that must not be written to; pickle forgets that."""
    return [
        name for name, value in _arrays(values).items() if not value.flags.writeable
    ]


def _unpickled(path: Path) -> dict[str, Any]:
    import cloudpickle

    with path.open("rb") as file:
        stored: dict[str, Any] = cloudpickle.load(file)
    for name in stored["read_only"]:
        _arrays(stored["values"])[name].flags.writeable = False
    return stored


def _get(settings: Settings, name: str) -> dict[str, Any]:
    """What a stage left, with the random generators where it left them."""
    stored = _unpickled(_file(settings, name))
    python, numpy = stored["random"]
    random.setstate(python)
    np.random.set_state(numpy)
    values: dict[str, Any] = stored["values"]
    return values
