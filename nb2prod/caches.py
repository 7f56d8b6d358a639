"""Where nb2prod keeps what it can make again: the user's cache folder, or `NB2PROD_CACHE_DIR`."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder, which need not exist yet."""
    base = os.environ.get("NB2PROD_CACHE_DIR")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nb2prod"
