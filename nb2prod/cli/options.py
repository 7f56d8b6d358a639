"""The arguments and options of all commands, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nb2prod import __version__

OUTPUT, RUNNING, MODEL = "Output", "Running the notebook", "What to compile"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nb2prod {__version__}")
        raise typer.Exit


def _valid_name(name: str | None) -> str | None:
    from nb2prod.names import NameRefused, check_name

    try:
        return None if name is None else check_name(name)
    except NameRefused as error:
        raise typer.BadParameter(str(error)) from error


def _valid_fit_on(rows: str) -> str:
    if rows not in ("all", "train"):
        raise typer.BadParameter(f"must be all or train, not {rows!r}")
    return rows


def _valid_targets(names: list[str]) -> list[str]:
    from nb2prod.emit import targets

    for name in names:
        if name not in targets():
            raise typer.BadParameter(f"must be one of {', '.join(targets())}, not {name!r}")
    return sorted(set(names))


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the report as JSON, and nothing else, to standard output.",
        rich_help_panel=OUTPUT,
    ),
]

# what to look at

NotebookPath = Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="The .ipynb file.")]
NotebookText = Annotated[
    str, typer.Argument(metavar="NOTEBOOK", help="The .ipynb file; - is standard input.")
]
ProjectPath = Annotated[Path, typer.Argument(metavar="PROJECT", help="The folder of a generated project.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="A code such as NBP102, or a rule's name.")]

# compile and verify

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="DIR", help="Folder of the project. By default ./NAME.", rich_help_panel=OUTPUT
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="PKG",
        callback=_valid_name,
        help="Name of the package. By default made from the file name.",
        rich_help_panel=OUTPUT,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Overwrite files of the project that were edited by hand.", rich_help_panel=OUTPUT
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The variable that holds the model, where the notebook fits several.",
        rich_help_panel=MODEL,
    ),
]
FitOn = Annotated[
    str,
    typer.Option(
        "--fit-on",
        metavar="all|train",
        callback=_valid_fit_on,
        help="Which rows the features learn from: all that the notebook had at that point, or the training"
        " rows of its split alone, which corrects a leak. The project's config.toml holds the choice.",
        rich_help_panel=MODEL,
    ),
]
Targets = Annotated[
    list[str],
    typer.Option(
        "--target",
        metavar="ray|sagemaker",
        callback=_valid_targets,
        help="What the project runs on beside Docker and Kubernetes; may be given again.",
        rich_help_panel=OUTPUT,
    ),
]
Static = Annotated[
    bool,
    typer.Option(
        "--static",
        help="Run nothing: compile from the text alone, without checks.",
        rich_help_panel=RUNNING,
    ),
]
Trace = Annotated[
    Path | None,
    typer.Option(
        "--trace",
        metavar="FILE",
        help="Use a recorded trace instead of the recording run.",
        rich_help_panel=RUNNING,
    ),
]
Python = Annotated[
    str | None,
    typer.Option(
        "--python",
        metavar="EXE",
        help="The Python that runs the notebook and the checks: it needs the notebook's libraries and"
        " ipykernel. By default the one that runs nb2prod.",
        rich_help_panel=RUNNING,
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Do not let the notebook use the network.", rich_help_panel=RUNNING),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="S", min=1, help="Seconds that one run may take.", rich_help_panel=RUNNING
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        min=0,
        max=2**32 - 1,
        help="Seed of all random generators where the notebook sets none.",
        rich_help_panel=RUNNING,
    ),
]
Full = Annotated[
    bool,
    typer.Option(
        "--full", help="Also install it in a fresh environment from its pins: run its tests, train, serve."
    ),
]

# tag

Write = Annotated[
    bool, typer.Option("--write", help="Write the tags into the notebook; nothing else of the file changes.")
]

# lint, graph and show

LintArguments = Annotated[
    list[str] | None, typer.Argument(metavar="PATH... [OPTIONS]", help="See nb2prod lint --help.")
]
GraphFormat = Annotated[
    str,
    typer.Option(
        "--format", metavar="text|mermaid|json|html", help="html is one page that needs nothing else."
    ),
]
After = Annotated[
    str, typer.Option("--after", metavar="PASS", help="The step; a wrong name lists those there are.")
]
