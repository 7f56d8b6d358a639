"""What the commands share: their common options, and how a failure ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from .settings import SettingsError

Project = Annotated[
    Path | None,
    typer.Option(
        "--project", help="Folder with config.toml; by default the nearest one upwards."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
Number = Annotated[
    str, typer.Argument(metavar="V", help="Number of a version; see `versions`.")
]


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """An expected failure is a message and exit code 1; anything else shows its traceback."""
    try:
        yield
    except (SettingsError, OSError) as error:
        message = str(error)
    except Exception as error:
        # ours, a version's, the store's
        if not type(error).__module__.startswith((__package__, "mlflow.")):
            raise
        message = str(error)
    else:
        return
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


@contextlib.contextmanager
def printing_aside() -> Iterator[None]:
    """What the notebook's code prints goes to standard error: standard output is for the result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def say(text: str) -> None:
    typer.echo(f"- {text}", err=True)
