"""The command line: arguments, printing and exit codes.

Everything else is imported where a command needs it, so that `nb2prod --version` and `lint` start fast.
Results go to standard output; progress, messages and errors to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nb2prod.cli.options import (
    After,
    AsJson,
    Code,
    FitOn,
    Force,
    Full,
    GraphFormat,
    LintArguments,
    Model,
    Name,
    NotebookPath,
    NotebookText,
    Offline,
    Out,
    ProjectPath,
    Python,
    Seed,
    Static,
    Targets,
    Timeout,
    Trace,
    Version,
    Write,
)

if TYPE_CHECKING:
    from nb2prod.compiler import Outcome
    from nb2prod.source import Notebook

INTERRUPTED = 130

app = typer.Typer(
    help="Compile a Jupyter notebook into a production machine-learning project, and check on data that both"
    " do the same.",
    epilog="Start with: nb2prod compile NOTEBOOK. What a code such as NBP102 means: nb2prod explain NBP102.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The program `nb2prod`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Unicode is no reason to fail
    app()


@app.callback()
def _common(version: Version = False) -> None:
    pass


@app.command("compile")
def compile_command(
    notebook: NotebookPath,
    out: Out = None,
    name: Name = None,
    force: Force = False,
    as_json: AsJson = False,
    model: Model = None,
    static: Static = False,
    trace: Trace = None,
    python: Python = None,
    offline: Offline = False,
    timeout: Timeout = None,
    seed: Seed = None,
    fit_on: FitOn = "all",
    target: Targets = [],  # noqa: B006
) -> None:
    """Compile a notebook into a project, and verify on its data that both do the same.

    The notebook runs twice, from top to bottom, in a copy of its folder.

    Exit codes: 0 verified (or --static done), 1 refused, 2 wrong usage, 3 could not be verified,
    4 the project differs, which is a fault of nb2prod.
    """
    _need_file(notebook)
    with _guard(as_json, str(notebook)):
        from nb2prod import compiler
        from nb2prod.cli.progress import Show

        exe = python or sys.executable
        options = compiler.Options(
            out, name, exe, static, trace, offline, timeout, seed, model, force, fit_on, tuple(target)
        )
        with Show() as show:
            outcome = compiler.compile_notebook(notebook, options, show)
        _print_outcome(outcome, notebook, as_json)
    raise typer.Exit(outcome.exit_code)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    options_metavar="",
)
def lint(arguments: LintArguments = None) -> None:
    """Report hidden state and other things that break in production. Runs nothing."""
    from nb2prod.lint_command import main as run

    with _guard():
        raise typer.Exit(run(arguments or ["--help"]))


@app.command()
def tag(notebook: NotebookText, write: Write = False, as_json: AsJson = False) -> None:
    """Suggest a stage for each untagged cell, with its reason. Runs nothing.

    Exit codes: 0 suggested or nothing to tag, 1 nothing can be inferred, 2 wrong usage.
    """
    if write and notebook == "-":
        raise typer.BadParameter("--write needs a file, not standard input", param_hint="NOTEBOOK")
    with _guard(subject=notebook):
        from nb2prod import tagging

        if notebook != "-":
            _need_file(Path(notebook))
        read, data = tagging.read(notebook, sys.stdin.buffer.read() if notebook == "-" else None)
        suggested = tagging.suggest(read)
        if write:
            tagging.write(Path(notebook), data, suggested)
        _print_text(tagging.report_json(suggested) if as_json else tagging.report(suggested, write))


@app.command()
def graph(notebook: NotebookText, format: GraphFormat = "text") -> None:
    """Draw the stages: what each holds, learns and gives to the next. Runs nothing.

    Exit codes: 0 drawn, 1 there are no stages, 2 wrong usage.
    """
    with _guard(subject=notebook):
        from nb2prod import compiler
        from nb2prod.graph.render import FORMATS, render

        if format not in FORMATS:
            raise typer.BadParameter(f"the format is one of {', '.join(FORMATS)}, not {format!r}")
        compiled = compiler.analyse(_read(notebook))
        reasons = [(found.span, f"{found.code} {found.message}") for found in compiled.blocking]
        places = [f"cell {span.cell}, line {span.line}" if span else "the notebook" for span, _ in reasons]
        refused = [(place, text) for place, (_, text) in zip(places, reasons, strict=True)]
        _print_text(render(compiled.graph, compiled.flow, format, refused))
    raise typer.Exit(0 if compiled.graph.stages else 1)


@app.command()
def show(notebook: NotebookText, after: After, trace: Trace = None) -> None:
    """Print an intermediate form of the compiler, one line an item. Runs nothing.

    After stage_features: how each wrapped expression is staged, the evidence for it, and why.
    """
    with _guard(subject=notebook):
        from nb2prod import compiler

        if after not in compiler.FORMS:
            raise typer.BadParameter(f"there is no {after!r}; the steps are {', '.join(compiler.FORMS)}")
        read = _read(notebook)
        _print_text(compiler.intermediate(read, after, compiler.load_trace(trace, read)))


@app.command()
def verify(
    project: ProjectPath,
    full: Full = False,
    as_json: AsJson = False,
    python: Python = None,
    offline: Offline = False,
    timeout: Timeout = None,
    seed: Seed = None,
) -> None:
    """Check a generated project again, as it is now, against its notebook.

    Exit codes: 0 verified, 1 refused (the notebook fails), 2 wrong usage, 3 could not be verified, 4 differs.
    """
    if not project.is_dir():
        raise typer.BadParameter(f"{project} is not a folder", param_hint="PROJECT")
    with _guard(as_json, str(project)):
        from nb2prod import compiler
        from nb2prod.cli.progress import Show

        exe = python or sys.executable
        options = compiler.Options(python=exe, offline=offline, timeout=timeout, seed=seed)
        with Show() as show:
            outcome = compiler.verify_project(project, full, options, show)
        _print_outcome(outcome, Path(outcome.report.notebook), as_json)
    raise typer.Exit(outcome.exit_code)


@app.command()
def explain(code: Code) -> None:
    """Say what a rule finds, why it matters in production, and what to do instead."""
    with _guard():
        from nb2prod import lint as linter

        _print_text(linter.explain(code))


def _need_file(path: Path) -> None:
    if not path.exists():
        raise typer.BadParameter(f"{path} does not exist", param_hint="NOTEBOOK")


def _read(path: str) -> Notebook:
    from nb2prod import frontend

    if path == "-":
        return frontend.read_bytes(sys.stdin.buffer.read(), "-")
    _need_file(Path(path))
    return frontend.read(path)


def _print_text(text: str) -> None:
    """A result, in UTF-8 whatever the terminal, and without what would command it."""
    from nb2prod.cli.style import clean

    try:
        typer.echo(clean(text).rstrip("\n").encode("utf-8", "replace"))
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        raise typer.Exit(2) from error


def _print_json(report: object) -> None:
    import json

    _print_text(json.dumps(report, indent=1, ensure_ascii=False))


def _print_outcome(outcome: Outcome, notebook: Path, as_json: bool) -> None:
    """The summary; beside JSON only its first line, and not on standard output."""
    import shutil

    from nb2prod.cli.style import painter
    from nb2prod.cli.summary import headline, summary

    stream = sys.stderr if as_json or outcome.status == "refused" else sys.stdout
    paint = painter(stream)
    width = min(max(shutil.get_terminal_size((110, 24)).columns, 80), 140)
    print(
        headline(outcome, notebook, paint) if as_json else summary(outcome, notebook, paint, width),
        file=stream,
    )
    if as_json:
        _print_json(outcome.report.to_json())


@contextmanager
def _guard(as_json: bool = False, subject: str = "") -> Iterator[None]:
    """Turns what can go wrong into a message and an exit code; `subject` is the file that it is about."""
    try:
        yield
    except KeyboardInterrupt:
        print("\ninterrupted: nothing was changed", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.BadParameter, BrokenPipeError):
        raise
    except Exception as error:
        from nb2prod.cli.errors import explained

        code, text, report = explained(error, subject)
        print(text, file=sys.stderr)
        if as_json and report is not None:
            _print_json(report.to_json())
        raise typer.Exit(code) from error
