"""What the commands share: their common options, and how a failure ends."""

from __future__ import annotations

import contextlib
import linecache
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

# What holds the notebook's own statements, with the functions of `train` that fit.
MODULES = ("load", "features", "target")


@contextlib.contextmanager
def failing(code: int = 1) -> Iterator[None]:
    """An expected failure is a message, one in the notebook's statements says at which, anything else is its traceback.

    All end with the exit code.
    """
    try:
        yield
    except typer.BadParameter:  # Typer says what is wrong, with exit code 2
        raise
    except KeyboardInterrupt as error:
        typer.echo("stopped", err=True)
        raise typer.Exit(code) from error
    except Exception as error:
        # ours, a version's, the store's and its database's
        expected = type(error).__module__.startswith(
            (__package__, "mlflow.", "sqlalchemy.")
        )
        place = _place(error)
        if expected or isinstance(
            error, OSError | ImportError
        ):  # such as the driver of that database
            typer.echo(f"error: {error}", err=True)
        elif place:
            told = [
                f"error: {place}: {type(error).__name__}: {error}",
                *getattr(error, "__notes__", ()),
            ]
            typer.echo("; ".join(told), err=True)
        else:
            traceback.print_exc()
        raise typer.Exit(code) from error


def _place(error: Exception) -> str:
    """The statement of the notebook that failed, most often on data that it was not made for; empty where none did."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        package, _, module = frame.f_globals.get("__name__", "").partition(".")
        ours = package == __package__ or package.startswith(f"{__package__}_")
        if ours and (
            module.partition(".")[0] in MODULES
            or frame.f_code.co_name.startswith("fit_")
        ):
            text = linecache.getline(frame.f_code.co_filename, line).strip()
            return f"{module.replace('.', '/')}.py, line {line}, `{text}`"
    return ""


@contextlib.contextmanager
def printing_aside() -> Iterator[None]:
    """What the notebook's code prints goes to standard error: standard output is for the result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def say(text: str) -> None:
    typer.echo(f"- {text}", err=True)
