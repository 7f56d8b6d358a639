"""`nb2prod`, the program: `lint` starts without the other commands, which take longer to import."""

from __future__ import annotations

import gc
import sys

GARBAGE = 50_000  # objects between two collections: a command lives for seconds and makes many that stay


def main() -> None:
    """Runs the command line."""
    gc.set_threshold(GARBAGE)
    if sys.argv[1:2] == ["lint"]:
        from nb2prod.lint_command import main as lint

        sys.exit(lint(sys.argv[2:]))
    from nb2prod.cli import main as commands

    commands()


if __name__ == "__main__":
    main()
