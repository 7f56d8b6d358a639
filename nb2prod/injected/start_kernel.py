"""Starts the notebook's kernel with the recorder in it.

    python start_kernel.py CONFIG.json -f CONNECTION_FILE [arguments of ipykernel]

This runs in the user's Python, from 3.8 on: standard library and ipykernel only.  Nothing that the notebook
could meet is changed but the seeds, the name `__nb2prod__`, and what a run must not be able to do, such as to
install packages into the user's Python.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import sys
from typing import Any

NAME = "__nb2prod__"
_INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")
_SHELLS = ("bash", "sh", "script", "system", "sx", "!")
_INSTALLS = re.compile(
    r"\b(?:pip[\d.]*|conda|mamba|micromamba)\b[^|&;]*\b(?:install|uninstall|remove|update|upgrade)\b"
)
REFUSED_PORT = 9  # of the proxy that `--offline` gives to programs which the notebook starts
_LOOPBACK = re.compile(r"localhost|127\.[\d.]+|::1|", re.I)


def main(argv: list[str]) -> None:
    with open(argv[0], encoding="utf-8") as stream:
        config = json.load(stream)
    log = os.open(config["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.path.pop(0)  # this file's folder
    del sys.argv[1]
    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance()
    app.initialize(argv[1:])
    shell = app.shell
    recorder = _recorder(config)
    sys.modules["builtins"].__dict__[NAME] = recorder  # what is left after %reset
    shell.user_ns[NAME] = shell.user_ns_hidden[NAME] = recorder
    leave_packages_alone(shell)

    def before_first_cell(*_: Any) -> None:
        shell.events.unregister("pre_run_cell", before_first_cell)
        recorder.at_start = set(sys.modules)
        seed = config["seed"]
        random.seed(seed)
        OnImport({**seeding(seed), "matplotlib": meets_new_kernel}).start()
        if config["linked"] or config["offline"]:
            guard(config["linked"], config["offline"])

    def after_cell(result: Any) -> None:
        if result.error_before_exec is not None or result.error_in_exec is not None:
            recorder.write_json(config["failure"], {"line": _failing_line(shell, result)})
            recorder.finish()

    shell.events.register("pre_run_cell", before_first_cell)
    shell.events.register("post_run_cell", after_cell)
    app.start()


def _recorder(config: dict[str, Any]) -> Any:
    """The recorder, under a module name that no notebook imports."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorder.py")
    spec = importlib.util.spec_from_file_location("__nb2prod_recorder__", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Recorder(config)


def leave_packages_alone(shell: Any) -> None:
    """The notebook's commands that install or remove packages are said and not run."""
    system, getoutput = shell.system, shell.getoutput
    line_magic, cell_magic = shell.run_line_magic, shell.run_cell_magic

    def is_left_out(command: str) -> bool:
        if _INSTALLS.search(command):
            print("nb2prod leaves this Python's packages as they are; not run: " + command.strip())
            return True
        return False

    def run_system(command: str) -> Any:
        return None if is_left_out(command) else system(command)

    def run_getoutput(command: str, *arguments: Any, **options: Any) -> Any:
        return [] if is_left_out(command) else getoutput(command, *arguments, **options)

    def run_line_magic(name: str, line: str, *arguments: Any, **options: Any) -> Any:
        installs = name in _INSTALLERS and is_left_out(name + " " + line)
        return None if installs else line_magic(name, line, *arguments, **options)

    def run_cell_magic(name: str, line: str, cell: str) -> Any:
        if name in _SHELLS:
            cell = "".join(text for text in cell.splitlines(True) if not is_left_out(text))
        return cell_magic(name, line, cell)

    shell.system, shell.getoutput = run_system, run_getoutput
    shell.run_line_magic, shell.run_cell_magic = run_line_magic, run_cell_magic


def seeding(seed: int) -> dict[str, Any]:
    """What seeds the global generators of libraries, by module."""
    return {
        "numpy.random": lambda module: module.seed(seed % 2**32),
        "torch": lambda module: module.manual_seed(seed),
    }


def meets_new_kernel(matplotlib: Any) -> None:
    """What Matplotlib before 3.9 asks of IPython, which 9.16 no longer has, and the other way round.

    The notebook's libraries may be old while ipykernel was installed for us.
    """
    from IPython.core import pylabtools

    vars(pylabtools).setdefault("backend2gui", {})
    if not hasattr(matplotlib.RcParams, "_get"):
        matplotlib.RcParams._get = dict.__getitem__


class OnImport:
    """Does something to a module as soon as the notebook imports it; imports nothing itself."""

    def __init__(self, actions: dict[str, Any]) -> None:
        self.actions = actions

    def start(self) -> None:
        for name in list(self.actions):
            if name in sys.modules:
                self.actions.pop(name)(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.actions:
            return None
        action = self.actions.pop(name)
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                loader: Any = spec.loader
                loader.exec_module = _both(loader.exec_module, action)
                return spec
        self.actions[name] = action
        return None


def _both(first: Any, second: Any) -> Any:
    def run(module: Any) -> None:
        first(module)
        second(module)

    return run


def guard(linked: list[str], offline: bool) -> None:
    """Refuses writing to the originals of linked files and, offline, leaving this machine."""
    from socket import gethostname

    writing = os.O_WRONLY | os.O_RDWR

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[2], int) and args[2] & writing:
            if isinstance(args[0], (str, bytes, os.PathLike)):
                real = os.path.realpath(os.fsdecode(args[0]))
                if any(real == path or real.startswith(path + os.sep) for path in linked):
                    raise PermissionError(f"nb2prod links this large file read-only: {os.fsdecode(args[0])}")
        elif offline and event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            refuse(args[1])
        elif offline and event in ("socket.getaddrinfo", "socket.gethostbyname"):
            refuse(args)

    def refuse(address: Any) -> None:
        if not isinstance(address, tuple):
            return  # not a network: a Unix socket
        host = address[0].decode("ascii", "replace") if isinstance(address[0], bytes) else address[0]
        here = host is None or _LOOPBACK.fullmatch(str(host)) or host == gethostname()
        if not here or address[1:2] == (REFUSED_PORT,):
            raise OSError(f"network access is blocked by --offline ({host})")

    sys.addaudithook(watch)


def _failing_line(shell: Any, result: Any) -> int | None:
    """The line of the running cell that failed."""
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, SyntaxError) and result.error_before_exec is not None:
        return error.lineno
    step = error.__traceback__
    file, line = None, None
    while step is not None:
        code = step.tb_frame.f_code
        if file is None and step.tb_frame.f_globals is shell.user_ns and code.co_name == "<module>":
            file = code.co_filename
        if code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    # %%time compiles the cell without its first line
    return line + 1 if line is not None and file == "<timed exec>" else line


if __name__ == "__main__":
    main(sys.argv[1:])
