"""Runs cells in a fresh kernel of a given Python with papermill; nothing is installed or left behind.

Papermill works in a thread of its own: the caller's thread keeps the time, reports progress and, when it is
interrupted, kills the kernel with all its children.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 120
EXTRA = "papermill"
STARTER = Path(__file__).parent.parent / "injected" / "start_kernel.py"
_PROBE = (
    "import importlib.util, json, sys;"
    "print(json.dumps([sys.version_info[:3], importlib.util.find_spec('ipykernel') is not None]))"
)
_OLDEST = (3, 8)


class NoKernel(Exception):
    """The Python given cannot run a notebook."""


@dataclass(slots=True)
class Ran:
    """What papermill leaves: the cells with their outputs, and how the run ended."""

    cells: list[Any]
    stopped_at: int | None = None
    failure: str = ""  # "", "error", "died" or "timeout"
    reason: str = ""


@dataclass(slots=True)
class _Job:
    """What the thread shares with the caller."""

    cells: list[Any] = field(default_factory=list)
    processes: list[Any] = field(default_factory=list)
    started: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    error: BaseException | None = None
    current: int | None = None


def probe(python: str) -> str:
    """The absolute path of a Python that can start a kernel; NoKernel says what is missing."""
    if importlib.util.find_spec(EXTRA) is None:
        raise NoKernel(f"{EXTRA} is not installed; install it with: pip install 'nb2prod[run]'")
    found = shutil.which(os.path.expanduser(python))
    if found is None:
        raise NoKernel(f"there is no Python at {python!r}")
    exe = os.path.abspath(found)  # not resolved: the link is what makes it a virtual environment
    try:
        done = subprocess.run([exe, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True)
        version, has_kernel = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise NoKernel(f"{python!r} does not work as a Python: {error}") from error
    if tuple(version) < _OLDEST:
        raise NoKernel(f"{python!r} is Python {version[0]}.{version[1]}; the oldest that nb2prod runs is 3.8")
    if not has_kernel:
        raise NoKernel(f"{python!r} has no ipykernel; install it with: {python} -m pip install ipykernel")
    return exe


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
    """Runs (text, tags) one after the other; `private` is a folder for the kernel's own files."""
    nbformat = _extra("nbformat")
    notebook = nbformat.v4.new_notebook()
    for text, tags in sources:
        notebook.cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": list(tags)}))
    manager = _kernel_manager(argv, env, private)
    job = _Job()
    # a daemon: a thread that hangs must not keep the process
    thread = threading.Thread(target=_execute, args=(job, notebook, manager, cwd), daemon=True)
    deadline = None if timeout is None else time.monotonic() + timeout
    timed_out = False
    thread.start()
    try:
        while thread.is_alive():
            with contextlib.suppress(queue.Empty):
                on_cell(job.started.get(timeout=0.05))
            if deadline is not None and time.monotonic() > deadline:
                timed_out = True
                break
    finally:
        _kill(job)
        thread.join(timeout=20)
    while not job.started.empty():
        on_cell(job.started.get())
    if timed_out:
        return Ran(job.cells, job.current, "timeout", f"not finished after {timeout:g} s")
    return _ended(job)


def _extra(name: str) -> Any:
    """A module of the extra `run`; imported late, because only a run needs it."""
    return importlib.import_module(name)


def _kernel_manager(argv: Sequence[str], env: Mapping[str, str], private: Path) -> Callable[[_Job], type]:
    """A manager class whose only kernel is ours; known to nobody else and written nowhere."""
    base: Any = _extra("jupyter_client.manager").AsyncKernelManager
    spec = _extra("jupyter_client.kernelspec").KernelSpec(
        argv=list(argv), env=dict(env), display_name="nb2prod", language="python"
    )

    def manager(job: _Job) -> type:
        class Manager(base):  # type: ignore[misc]
            def __init__(self, **options: Any) -> None:
                super().__init__(connection_file=str(private / "connection.json"), **options)

            async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
                await super()._async_launch_kernel(kernel_cmd, **options)
                job.processes.append(self.provisioner.process)

            @property
            def kernel_spec(self) -> Any:
                return spec

        return Manager

    return manager


def _execute(job: _Job, notebook: Any, manager: Callable[[_Job], type], cwd: Path) -> None:
    try:
        papermill = _extra("papermill")
        logging.getLogger("papermill").addHandler(logging.NullHandler())  # failures are our caller's to tell

        def on_cell_start(cell: Any, cell_index: int) -> None:
            job.current = cell_index
            job.cells.append(cell)
            job.started.put(cell_index)

        papermill.execute_notebook(
            notebook,
            None,
            kernel_name="nb2prod",
            progress_bar=False,
            start_timeout=START_SECONDS,
            kernel_manager_class=manager(job),
            resources={"metadata": {"path": str(cwd)}},
            shutdown_kernel="immediate",
            on_cell_start=on_cell_start,
        )
    except BaseException as error:  # handed to the caller's thread
        job.error = error


def _kill(job: _Job) -> None:
    """Kills the kernel and what it started: it leads a process group of its own."""
    for process in job.processes:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            with contextlib.suppress(OSError):
                process.kill()


def _ended(job: _Job) -> Ran:
    error = job.error
    if error is None or isinstance(error, _extra("papermill.exceptions").PapermillExecutionError):
        failed = [place for place, cell in enumerate(job.cells) if _fatal(cell)]
        if failed:
            return Ran(job.cells, failed[0], "error")
        return Ran(job.cells)
    if type(error).__name__ == "DeadKernelError" or "Kernel died" in str(error):
        return Ran(job.cells, job.current, "died", str(error))
    raise error


def _fatal(cell: Any) -> bool:
    """Whether a cell failed: it stopped the run, or showed an error that nothing allowed (in `%%capture`)."""
    allowed = "raises-exception" in cell.metadata.get("tags", [])
    stopped = bool(cell.metadata.get("papermill", {}).get("exception"))
    return stopped or (not allowed and any(output.output_type == "error" for output in cell.outputs))


_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")


def without_colour(text: str) -> str:
    return _ANSI.sub("", text)
