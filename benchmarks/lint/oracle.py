"""The other end of `runner.py`: a worker process, asked case by case; answers are kept in a file."""

from __future__ import annotations

import hashlib
import json
import os
import shelve
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Oracle:
    """Runs cells in forks of one worker; a `seed` fixes the order of sets, to be told from another one."""

    def __init__(self, cache: Path, python: str = sys.executable, seed: int = 0) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self.known: shelve.Shelf[Any] = shelve.open(str(cache / f"runs-{seed}"))  # noqa: SIM115
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "IPYTHONDIR": "/tmp/nb2prod-lint-ipython"}
        command = [python, "-W", "ignore", str(Path(__file__).with_name("runner.py"))]
        self.worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __call__(
        self, cells: Sequence[str], order: Sequence[int] | None = None, folder: Path | None = None
    ) -> dict[str, Any]:
        assert self.worker.stdin is not None and self.worker.stdout is not None
        request = {
            "cells": list(cells),
            "order": None if order is None else list(order),
            "folder": None if folder is None else str(folder),
        }
        text = json.dumps(request)
        key = hashlib.sha1(text.encode()).hexdigest()
        if key not in self.known:
            self.worker.stdin.write(text + "\n")
            self.worker.stdin.flush()
            answer = json.loads(self.worker.stdout.readline())
            if answer["error"] is not None and answer["error"][1] == "Timeout":
                raise TimeoutError(f"a run took too long: {cells[-1]}")  # a busy machine says nothing
            self.known[key] = answer
        found: dict[str, Any] = self.known[key]
        return found

    def close(self) -> None:
        assert self.worker.stdin is not None
        self.known.close()
        self.worker.stdin.close()
        self.worker.wait()
