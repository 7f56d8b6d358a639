"""`nb2prod`, the program: `lint` starts without the other commands, which take longer to import."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

GARBAGE = 1_000_000  # objects between two collections: a command lives for seconds and makes many that stay


def main() -> NoReturn:
    """Runs the command line."""
    gc.set_threshold(GARBAGE)
    try:
        if sys.argv[1:2] == ["lint"]:
            from nb2prod.lint_command import main as lint

            sys.exit(lint(sys.argv[2:]))
        from nb2prod.cli import main as commands

        commands()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        _leave(end.code or 0)
    _leave(0)


def _leave(code: int) -> NoReturn:
    """Ends the process without taking its objects apart: a tenth of the time of a short command."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody reads any more: Python's own exit says so
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    main()
