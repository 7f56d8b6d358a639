"""`nb2prod lint`: its arguments, and what it prints.

Its options are read by `argparse` and not with those of the other commands: a linter runs on every commit,
and importing typer takes longer than looking at a notebook.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2prod.linting.result import Linted

DESCRIPTION = "Report hidden state and other things that break in production. Runs nothing."
EPILOG = """exit codes: 0 no errors (with --strict: no warnings either), 1 findings, 2 wrong usage.
Settings stand in pyproject.toml under [tool.nb2prod.lint]; what a code means: nb2prod explain NBP102."""


def parser() -> argparse.ArgumentParser:
    """The arguments of `nb2prod lint`."""
    from nb2prod.lint import FORMATS

    made = argparse.ArgumentParser(
        prog="nb2prod lint",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add(
        "paths",
        nargs="+",
        metavar="PATH",
        help="notebooks, scripts, or folders of them; - is standard input",
    )
    add("--format", default="text", metavar="|".join(FORMATS), help="how findings are printed")
    add(
        "--select",
        action="append",
        default=[],
        metavar="CODES",
        help="only these: NBP102, or NBP1 for a family",
    )
    add("--ignore", action="append", default=[], metavar="CODES", help="all but these")
    add("--strict", action="store_true", help="warnings count as errors")
    add(
        "--baseline",
        metavar="FILE",
        help="report only what this file does not know; made where it is missing",
    )
    add("--fix", action="store_true", help="mend what can be mended safely, in the files")
    add("--unsafe-fixes", action="store_true", help="mend what is only suggested, too")
    add("--diff", action="store_true", help="print what would be mended, and change nothing")
    add("--statistics", action="store_true", help="print how often each rule fires")
    add(
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="processes for many files; by default one for each core",
    )
    add("--no-cache", action="store_true", help="look at every file again")
    add("--isolated", action="store_true", help="read no settings from pyproject.toml")
    return made


def main(arguments: Sequence[str]) -> int:
    """Lints, prints, and returns the exit code."""
    from nb2prod import lint as linter

    given = parser().parse_args(list(arguments))
    try:
        if given.format not in linter.FORMATS:
            raise linter.UsageError(f"the format is one of {', '.join(linter.FORMATS)}, not {given.format!r}")
        return _run(given)
    except linter.UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def _run(given: argparse.Namespace) -> int:
    from nb2prod import lint as linter

    start = next((Path(path) for path in given.paths if path != "-"), Path())
    project = linter.Settings() if given.isolated else linter.settings(start)
    found = linter.lint(
        given.paths,
        given.select,
        given.ignore,
        sys.stdin.buffer.read,
        project,
        given.jobs if given.jobs > 0 else os.cpu_count() or 1,
        not given.no_cache,
    )
    strict = given.strict or project.strict
    baseline = given.baseline
    if baseline is None and project.baseline and project.root is not None:
        baseline = str(project.root / project.baseline)
    if baseline:
        from nb2prod.linting.baseline import new_ones, write

        if not Path(baseline).exists():
            count = write(Path(baseline), found)
            print(f"{baseline}: {count} findings are known from now on", file=sys.stderr)
        found = new_ones(Path(baseline), found)
    if given.fix or given.diff or given.unsafe_fixes:
        found, text = _mended(given, found, project.select, project.ignore)
        if given.diff:
            _write(text)
            return linter.exit_code(found, strict)
    _write(linter.report(found, given.format, given.statistics))
    return linter.exit_code(found, strict)


def _mended(
    given: argparse.Namespace, found: list[Linted], select: Sequence[str], ignore: Sequence[str]
) -> tuple[list[Linted], str]:
    """What is left after mending, and the differences; files are written unless `--diff` is given."""
    from nb2prod import lint as linter

    fixed = linter.fix(found, given.select or select, [*given.ignore, *ignore], given.unsafe_fixes)
    left = {one.path: one for one, _, _, _ in fixed}
    parts = []
    for one, before, after, _ in fixed:
        if given.diff:
            parts.append(linter.difference(one.path, before, after))
        else:
            Path(one.path).write_bytes(after.encode())
    total = sum(count for _, _, _, count in fixed)
    if fixed:
        verb = "would be mended" if given.diff else "mended"
        files = f"{len(fixed)} file{'s' * (len(fixed) != 1)}"
        print(f"{total} finding{'s' * (total != 1)} {verb} in {files}", file=sys.stderr)
    return [left.get(one.path, one) for one in found], "".join(parts)


def _write(text: str) -> None:
    """A result, in UTF-8 whatever the terminal, and without what would command it."""
    from nb2prod.diagnostics import clean

    data = (clean(text).rstrip("\n") + "\n").encode("utf-8", "replace") if text else b""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stderr.close()
