"""What the commands share: their common options, and how a failure ends."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

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
def failing(code: int = 1) -> Iterator[None]:
    """An expected failure is a message, anything else its traceback; both end with the exit code."""
    try:
        yield
    except typer.BadParameter:  # Typer says what is wrong, with exit code 2
        raise
    except KeyboardInterrupt as error:
        typer.echo("stopped", err=True)
        raise typer.Exit(code) from error
    except Exception as error:
        # ours, a version's, the store's
        expected = type(error).__module__.startswith((__package__, "mlflow."))
        if expected or isinstance(error, OSError):
            typer.echo(f"error: {error}", err=True)
        else:
            traceback.print_exc()
        raise typer.Exit(code) from error


@contextlib.contextmanager
def printing_aside() -> Iterator[None]:
    """What the notebook's code prints goes to standard error: standard output is for the result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def say(text: str) -> None:
    typer.echo(f"- {text}", err=True)
