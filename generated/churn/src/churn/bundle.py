"""Versions outside of the registry: a folder that the service answers from without MLflow.

`export` puts a version there and then says in `CURRENT`, in one step, that it serves.  A running service picks
it up as it picks up a moved champion.  A bundle holds pickles, as the registry does: serve only your own.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from . import registry, versions
from .settings import Settings
from .versions import Alone, Version

CURRENT = "CURRENT"


class BundleError(Exception):
    """The folder cannot take or give a version."""


def export(settings: Settings, which: str, folder: Path) -> str:
    """Copy a version by number or alias into a bundle, where it serves from now on; returns its number."""
    number, files = registry.files(settings, which)
    target = folder / number
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            for part in ("code", "data"):
                shutil.copytree(
                    files / part,
                    Path(temporary, "new", part),
                    ignore=shutil.ignore_patterns("__pycache__"),
                )
            os.rename(Path(temporary, "new"), target)
    elif _hashes(target) != _hashes(files):
        raise BundleError(
            f"{target} is another version of that number; export to another folder"
        )
    written = folder / f".{CURRENT}.part"
    written.write_text(number + "\n", encoding="utf-8")
    written.replace(folder / CURRENT)
    return number


def _hashes(folder: Path) -> tuple[str, ...]:
    info = json.loads(
        (folder / versions.DATA / "version.json").read_text(encoding="utf-8")
    )
    return tuple(info[name] for name in registry.LINEAGE)


def champion(settings: Settings) -> str | None:
    """The number of the version that serves."""
    current = settings.project / settings.bundle / CURRENT
    return current.read_text(encoding="utf-8").strip() if current.exists() else None


def serving(settings: Settings, number: str) -> Version | Alone:
    """A version of the bundle."""
    return versions.serving(
        settings.project / settings.bundle / number, number, settings.policies
    )
