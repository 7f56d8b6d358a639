"""Runs cells in fresh processes and says what happened: the oracle of the lint benchmark.

    python runner.py  <  one JSON request a line  >  one JSON answer a line

A request is {"cells": [text], "order": [position], "folder": path, "seconds": limit}.  The answer is
{"error": [step, type, message] or null, "cell": position, "values": [{name: digest} after each step]} for the
first cell that fails, after which the run goes on.  What a cell shows is the value of the name "".
Libraries are imported once; every request runs in a fork, in IPython, so that magics mean what they mean.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
from typing import Any

PROMPT = re.compile(r"Out\[\d+\]: ")


def main() -> None:
    """Answers requests until standard input ends."""
    os.environ["MPLBACKEND"] = "Agg"
    for module in ("IPython", "numpy", "pandas", "sklearn.ensemble", "sklearn.pipeline", "matplotlib.pyplot"):
        __import__(module)
    fresh_shell()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        out.write(json.dumps(forked(json.loads(line))) + "\n")
        out.flush()


def forked(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of a child; one that runs out of time or dies has failed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(int(request.get("seconds", 60)))
        answer = run(request["cells"], request.get("order"), request.get("folder"))
        with os.fdopen(write, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": [-1, "Timeout", ""], "cell": -1, "values": []}


def fresh_shell() -> Any:
    """IPython without a history file and without windows."""
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.enable_gui = lambda gui=None: None
    return shell


def run(cells: list[str], order: list[int] | None, folder: str | None) -> dict[str, Any]:
    """Runs the cells in an order, in a copy of the folder."""
    from IPython.utils.capture import capture_output

    place = tempfile.mkdtemp()
    if folder:
        for name in os.listdir(folder):
            os.symlink(os.path.abspath(os.path.join(folder, name)), os.path.join(place, name))
    os.chdir(place)
    sys.path.insert(0, "")
    shell = fresh_shell()
    values: list[dict[str, str]] = []
    failed: dict[str, Any] = {"error": None, "cell": -1}
    try:
        for step, position in enumerate(order if order is not None else range(len(cells))):
            with capture_output() as shown:
                result = shell.run_cell(cells[position], store_history=True, silent=False)
            error = result.error_before_exec or result.error_in_exec
            if error is not None and failed["error"] is None:
                failed = {"error": [step, type(error).__name__, str(error)], "cell": position}
            values.append(
                {**digests(shell.user_ns), "": digest([PROMPT.sub("", shown.stdout), digest(result.result)])}
            )
        return {**failed, "values": values}
    finally:
        shutil.rmtree(place, ignore_errors=True)


def digests(namespace: dict[str, Any]) -> dict[str, str]:
    """A short digest of every variable; of functions and modules only that they are there."""
    hidden = {"In", "Out", "exit", "quit", "get_ipython", "open"}
    return {
        name: digest(value)
        for name, value in list(namespace.items())
        if not name.startswith("_") and name not in hidden
    }


def digest(value: Any) -> str:
    """Equal for equal values; the order of dicts counts."""
    try:
        if isinstance(value, type) and value.__module__ == "__main__":
            own = {name: held for name, held in vars(value).items() if not name.startswith("__")}
            data = repr(
                {k: v for k, v in own.items() if isinstance(v, (int, float, str, list, dict))}
            ).encode()
        elif type(value).__name__ in ("module", "function", "type", "builtin_function_or_method"):
            data = type(value).__name__.encode()
        elif isinstance(value, (set, frozenset)):
            data = repr(sorted(map(repr, value))).encode()
        elif isinstance(value, (int, float, str, bytes, bool, type(None))):
            data = repr(value).encode()
        elif hasattr(value, "to_csv"):
            data = (value.to_csv() + str(getattr(value, "dtypes", ""))).encode()
        else:
            data = pickle.dumps(value)
    except Exception:
        data = type(value).__name__.encode()
    return hashlib.sha1(data).hexdigest()[:12]


if __name__ == "__main__":
    main()
