"""The stage graph wired: load -> features -> train, in one process or one stage at a time.

Between processes a stage's result is pickled whole, so that types, categories and shared objects survive,
together with the state of the global random generators: the next stage draws what it would have drawn.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import store, versions
from .settings import Settings
from .train import Result, train

STAGES = ("load", "features", "train")


class StageError(Exception):
    """A stage cannot run."""


def _quiet(text: str) -> None:
    """Say nothing."""


def run(settings: Settings, say: Callable[[str], None] = _quiet) -> Result:
    """All stages in this process."""
    package = _begin(settings)
    say("loading the data")
    raw = _module(package, "load").load(settings)
    say("computing the features")
    data = store.training(settings, package, raw, say)
    return train(settings, package, raw, data, say)


def stage(
    settings: Settings, name: str, say: Callable[[str], None] = _quiet
) -> Result | None:
    """One stage, on what the stage before it left in artifacts/stages."""
    if name not in STAGES:
        raise StageError(f"no stage {name!r}; the stages are {', '.join(STAGES)}")
    if name == "load":
        package = _begin(settings)
        _put(
            settings, "load", package, {"raw": _module(package, "load").load(settings)}
        )
        return None
    package = versions.freeze_code(settings.artifacts / "code")
    given = _get(settings, STAGES[STAGES.index(name) - 1], package)
    if name == "features":
        data = store.training(settings, package, given["raw"], say)
        _put(settings, "features", package, {**given, "data": data})
        return None
    return train(settings, package, given["raw"], given["data"], say)


def _begin(settings: Settings) -> str:
    """Seed the global generators and import this version's code under its own name."""
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    return versions.freeze_code(settings.artifacts / "code")


def _module(package: str, name: str) -> Any:
    return versions.Version(package, None, None).module(name)


def _file(settings: Settings, name: str) -> Path:
    return settings.artifacts / "stages" / f"{name}.pkl"


def _put(settings: Settings, name: str, package: str, values: dict[str, Any]) -> None:
    import cloudpickle

    path = _file(settings, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    drawn = (random.getstate(), np.random.get_state())
    with written.open("wb") as file:
        cloudpickle.dump({"package": package, "random": drawn, "values": values}, file)
    written.replace(path)


def _get(settings: Settings, name: str, package: str) -> dict[str, Any]:
    import cloudpickle

    path = _file(settings, name)
    if not path.is_file():
        raise StageError(f"{path} is missing; run `stage {name}` first")
    with path.open("rb") as file:
        stored = cloudpickle.load(file)
    if stored["package"] != package:
        raise StageError(
            f"the code changed since stage {name} ran; run `stage {name}` again"
        )
    python, numpy = stored["random"]
    random.setstate(python)
    np.random.set_state(numpy)
    values: dict[str, Any] = stored["values"]
    return values
