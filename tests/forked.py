"""Kernels and checks as forks of this process, which has loaded the libraries: seconds less a run.

    with forked():
        compile_notebook(...)

What runs is what runs elsewhere: the instrumented cells in an IPython shell with the recorder, and the script
of the checks; only the way in which their processes start is another.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import random
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any
from unittest import mock

from nb2prod import run, verify
from nb2prod.injected import start_kernel
from nb2prod.run.kernel import Ran

LIBRARIES = (
    "pandas matplotlib.pyplot IPython.core.interactiveshell sklearn.compose sklearn.ensemble "
    "sklearn.pipeline sklearn.feature_extraction.text sklearn.linear_model sklearn.metrics "
    "sklearn.model_selection sklearn.tree"
)


@contextlib.contextmanager
def forked() -> Iterator[None]:
    """Inside, `nb2prod` starts forks where it would start kernels and check processes."""
    for name in LIBRARIES.split():
        importlib.import_module(name)
    with (
        mock.patch.object(run, "run_cells", run_cells),
        mock.patch.object(run, "probe", lambda python: python),
        mock.patch.object(verify.subprocess, "Popen", start),
    ):
        yield


def run_cells(
    sources: Sequence[tuple[str, Sequence[str]]],
    *,
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    private: Path,
    timeout: float | None,
    on_cell: Callable[[int], None],
) -> Ran:
    """As `nb2prod.run.kernel.run_cells`, without papermill."""
    answer = private / "answer.json"

    def cells() -> None:
        _shell(sources, json.loads(Path(argv[2]).read_text("utf-8")), answer)

    child = Fork.of(cells, env={**os.environ, **env}, cwd=str(cwd))
    child.communicate()
    found = json.loads(answer.read_text("utf-8")) if answer.exists() else {"at": 0, "error": None}
    shown = []
    for place in range(len(sources) if found["at"] is None else found["at"] + 1):
        error = found["error"] if place == found["at"] else None
        outputs = [SimpleNamespace(output_type="error", **error)] if error else []
        shown.append(SimpleNamespace(outputs=outputs, metadata={}))
    if found["at"] is None:
        return Ran(shown)
    return Ran(shown, found["at"], "error" if found["error"] else "died")


def _shell(sources: Sequence[tuple[str, Sequence[str]]], config: dict[str, Any], answer: Path) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def enable_gui(self, gui: Any = None) -> None:
            """There is no window."""

    shell = Shell.instance()
    recorder = start_kernel._recorder(config)
    sys.modules["builtins"].__dict__[start_kernel.NAME] = recorder
    shell.user_ns[start_kernel.NAME] = recorder
    sys.path.insert(0, os.getcwd())
    random.seed(config["seed"])
    start_kernel.OnImport(start_kernel.seeding(config["seed"])).start()
    for place, (text, _) in enumerate(sources):
        result = shell.run_cell(text, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            line = start_kernel._failing_line(shell, result)
            recorder.write_json(config["failure"], {"line": line})
            recorder.finish()
            shown = {"ename": type(error).__name__, "evalue": str(error), "traceback": [repr(error)]}
            answer.write_text(json.dumps({"at": place, "error": shown}), encoding="utf-8")
            return
    answer.write_text(json.dumps({"at": None, "error": None}), encoding="utf-8")


def start(args: Sequence[str], **options: Any) -> Any:
    """A fork for the script of the checks, a process for everything else."""
    if len(args) > 1 and str(args[1]).endswith(verify.SCRIPT.name):
        return Fork(args, **options)
    return _POPEN(args, **options)


class Fork:
    """What is used of `subprocess.Popen`, for scripts in Python: the process is a fork of this one."""

    returncode: int | None = None

    def __init__(self, args: Sequence[str], **options: Any) -> None:
        def script() -> None:
            # modules of the checks may be loaded here for tests of them
            for name in [name for name in sys.modules if name.partition(".")[0] == "injected"]:
                del sys.modules[name]
            sys.argv = [str(part) for part in args[1:]]
            sys.path.insert(0, str(Path(args[1]).parent))
            runpy.run_path(sys.argv[0], run_name="__main__")

        self._start(script, options)

    @classmethod
    def of(cls, work: Callable[[], None], **options: Any) -> Fork:
        self = cls.__new__(cls)
        self.args = ()
        self._start(work, options)
        return self

    def _start(self, work: Callable[[], None], options: Mapping[str, Any]) -> None:
        self.args: Any = ()
        read, write = os.pipe()
        captured = options.get("stderr") == subprocess.PIPE
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.dup2(write, 1)
                stderr = options.get("stderr")
                os.dup2(
                    os.open(os.devnull, os.O_WRONLY) if stderr is None or captured else stderr.fileno(), 2
                )
                sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
                os.environ.clear()
                os.environ.update(options.get("env") or _ENVIRONMENT)
                os.chdir(options.get("cwd") or ".")
                warnings.resetwarnings()
                code = _run(work)
            finally:
                os._exit(code)
        os.close(write)
        self.stdout: IO[str] = os.fdopen(read, encoding="utf-8", errors="replace")
        self.stderr = None

    def communicate(self, input: Any = None, timeout: Any = None) -> tuple[str, str]:
        text = self.stdout.read()
        self.wait()
        return text, ""

    def wait(self, timeout: Any = None) -> int:
        if self.returncode is None:
            _, status = os.waitpid(self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.wait()


_ENVIRONMENT = dict(os.environ)
_POPEN = subprocess.Popen


def _run(work: Callable[[], None]) -> int:
    """The exit code, as `python script.py` gives it."""
    code = 0
    try:
        work()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, OSError, io.UnsupportedOperation):
            stream.flush()
    return code
