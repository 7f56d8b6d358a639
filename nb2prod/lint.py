"""What `nb2prod lint` and `nb2prod explain` do; the command line prints what they return.

This is the Python API too:

    from nb2prod import lint
    for file in lint.lint(["notebooks/"]):
        for found in file.found:
            print(found.path, found.span, found.code, found.message)

The rules and the front end are imported where they are needed: where every file is known, they are not.
"""

from __future__ import annotations

import difflib
import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from nb2prod.diagnostics import Diagnostic, Severity
from nb2prod.ipynb import ReadError
from nb2prod.linting import formats, inputs
from nb2prod.linting.formats import summary
from nb2prod.linting.result import Linted, UsageError, source_lines
from nb2prod.linting.settings import Settings, settings, wanted
from nb2prod.source import Notebook, Span

__all__ = [
    "FORMATS",
    "Linted",
    "Settings",
    "UsageError",
    "exit_code",
    "explain",
    "fix",
    "lint",
    "lint_notebook",
    "report",
    "settings",
    "summary",
]

FORMATS = ("text", "json", "sarif", "github")
ROUNDS = 10  # a fix may make room for another one
MANY = 24  # files from which on processes pay


def lint(
    paths: Sequence[str],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    stdin: Callable[[], bytes] | None = None,
    project: Settings | None = None,
    jobs: int = 1,
    cached: bool = False,
) -> list[Linted]:
    """Looks at files, at the notebooks and scripts with cells in folders, and at `-`, standard input.

    `select` and `ignore` are codes, names, or the beginnings of codes (`NBP1`). `project` are settings that
    hold besides. With `cached`, files that have not changed since the last time are not read again.
    """
    project = project or Settings()
    codes = wanted(select or project.select, (*ignore, *project.ignore))
    files: list[str] = []
    out: dict[int, Linted] = {}
    for path in paths:
        if path == "-" and stdin is not None:
            out[len(files)] = _one("-", partial(inputs.read_bytes, stdin(), "-"))
            files.append("-")
            continue
        try:
            found = [str(file) for file in inputs.find(path)]
        except ReadError as error:
            raise UsageError(error.message) from error
        files += [file for file in found if not project.excludes(file)]
    cached = cached and not any(_facts(Path(file).parent) for file in files if file != "-")
    with _uncollected():
        for position, one in _every(files, out, jobs, cached):
            out[position] = one
    return [_chosen(out[position], codes, project) for position in range(len(files))]


def lint_notebook(notebook: Notebook, wanted: Callable[[str], bool] = lambda code: True) -> list[Diagnostic]:
    """What is found in one notebook."""
    from nb2prod import frontend, rules

    return rules.check(rules.analyse(frontend.parse(notebook)), wanted)


def fix(
    linted: Sequence[Linted], select: Sequence[str] = (), ignore: Sequence[str] = (), unsafe: bool = False
) -> list[tuple[Linted, str, str, int]]:
    """For each file that can be mended: what is found then, its text before and after, and how many fixes."""
    from nb2prod.linting.mend import mended

    codes = wanted(select, ignore)
    out = []
    for one in linted:
        if not any(d.fix is not None and (d.fix.safe or unsafe) for d in one.found):
            continue
        try:
            data = Path(one.path).read_bytes()
            before = data.decode("utf-8")
            now = _again(one, data, codes)
        except (OSError, UnicodeDecodeError):
            continue
        text, total = before, 0
        for _ in range(ROUNDS):
            if now.notebook is None:
                break
            allowed = {(d.code, d.message) for d in one.found}
            mendable = [d for d in now.found if (d.code, d.message) in allowed]
            text, count = mended(text, now.notebook, mendable, unsafe)
            if not count:
                break
            total += count
            now = _again(one, text.encode(), codes)
        if text != before:
            out.append((now, before, text, total))
    return out


def difference(path: str, before: str, after: str) -> str:
    """A unified diff."""
    rows = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(row if row.endswith("\n") else row + "\n\\ No newline at end of file\n" for row in rows)


def exit_code(linted: Sequence[Linted], strict: bool = False) -> int:
    """1 where something of severity error was found; with `strict`, or warning."""
    bad = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return int(any(found.severity in bad for one in linted for found in one.found))


def report(linted: Sequence[Linted], format: str = "text", statistics: bool = False) -> str:
    """All findings as text for people, a JSON array, SARIF 2.1.0, or annotations for GitHub."""
    if format not in FORMATS:
        raise UsageError(f"the format is {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, not {format}")
    if statistics and format in ("text", "json"):
        return formats.statistics(linted) if format == "text" else formats.statistics_json(linted)
    if format == "json":
        return formats.as_json(linted)
    if format == "github":
        return formats.github(linted, _file_line())
    if format == "sarif":
        from nb2prod.linting.sarif import sarif

        return sarif(linted, _file_line())
    return formats.text(linted, _file_line())


def explain(code: str) -> str:
    """What a rule finds, why it matters in production, and what to do instead."""
    from nb2prod import rules

    found = rules.rule(code)
    if found is None:
        raise UsageError(
            f"there is no rule {code}; the codes are {', '.join(r.code for r in rules.all_rules())}"
        )
    return rules.explain(found)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Trees of syntax have no cycles: looking for some takes a fifth of the time, and finds nothing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _every(
    files: Sequence[str], done: dict[int, Linted], jobs: int, cached: bool
) -> Iterable[tuple[int, Linted]]:
    """What is found in the files that are not done, by all rules."""
    todo = [position for position in range(len(files)) if position not in done]
    cache = None
    if cached:
        from nb2prod.linting.cache import Cache

        cache = Cache()
        known = {position: one for position in todo if (one := cache.get(files[position])) is not None}
        yield from known.items()
        todo = [position for position in todo if position not in known]
    paths = [files[position] for position in todo]
    if jobs > 1 and len(paths) >= MANY:
        found = _in_processes(paths, jobs)
    else:
        found = map(_file, paths)
    for position, one in zip(todo, found, strict=True):
        if cache is not None:
            cache.put(one)
        yield position, one
    if cache is not None:
        cache.save()


def _in_processes(paths: list[str], jobs: int) -> Iterable[Linted]:
    import multiprocessing

    from nb2prod import rules

    rules.all_rules()  # before the processes part, so that none has to import them
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with multiprocessing.get_context(method).Pool(min(jobs, os.cpu_count() or 1)) as pool:
        yield from pool.imap(_file_alone, paths, chunksize=4)


def _file_alone(path: str) -> Linted:
    """The notebook stays in its process: only findings travel."""
    return replace(_file(path), notebook=None)


def _file(path: str) -> Linted:
    def read() -> Notebook:
        return replace(inputs.read(Path(path)), facts=_facts(Path(path).parent))

    return _one(path, read)


@cache
def _facts(folder: Path) -> tuple[Path, ...]:
    """The user's own facts that hold in a folder."""
    if not any(
        (place / "pyproject.toml").is_file() for place in (folder.absolute(), *folder.absolute().parents)
    ):
        return ()
    from nb2prod import knowledge

    try:
        return knowledge.of_user(folder)
    except knowledge.KnowledgeError as error:
        raise UsageError(str(error)) from error


def _one(path: str, read: Callable[[], Notebook]) -> Linted:
    try:
        notebook = read()
    except ReadError as error:
        return _unreadable(path, error.message, error.help)
    return _linted(path, notebook)


def _unreadable(path: str, message: str, help: str) -> Linted:
    from nb2prod import rules

    rule = rules.rule("NBP300")
    assert rule is not None
    return Linted(path, None, (Diagnostic(rule.code, rule.name, rule.severity, message, path, help=help),))


def _linted(path: str, notebook: Notebook) -> Linted:
    try:
        every = lint_notebook(notebook)
    except Exception as error:  # one notebook must not stop the rest
        message = f"a fault of nb2prod, not of the notebook: {type(error).__name__}"
        return _unreadable(path, message, "please report it")
    if path.endswith(".py"):  # a script has a file
        every = [d for d in every if not (d.code == "NBP101" and "`__file__`" in d.message)]
    return Linted(path, notebook, tuple(every), source_lines(notebook, every))


def _again(one: Linted, data: bytes, codes: frozenset[str] | None) -> Linted:
    return _chosen(_one(one.path, partial(inputs.read_bytes, data, one.path)), codes, Settings())


def _chosen(one: Linted, codes: frozenset[str] | None, project: Settings) -> Linted:
    """The findings of the wanted codes; None are all."""
    without = project.ignored(one.path) if project.per_file else set()
    kept = (d for d in one.found if (codes is None or d.code in codes) and d.code not in without)
    return replace(one, found=tuple(kept))


def _file_line() -> Callable[[str, Span], int]:
    """The line of the file for a place in a cell: of a notebook, the line of its JSON."""
    known: dict[str, list[list[int]]] = {}

    def line(path: str, span: Span) -> int:
        if path not in known:
            known[path] = _lines_of(path)
        rows = known[path]
        if span.cell >= len(rows) or not rows[span.cell]:
            return span.line
        cell = rows[span.cell]
        return cell[span.line - 1] if span.line <= len(cell) else cell[-1]

    return line


def _lines_of(path: str) -> list[list[int]]:
    from nb2prod.linting.places import file_lines

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    if not path.endswith(".py"):
        return file_lines(text)
    count = text.count("\n") + 1
    return [list(range(start + 1, count + 1)) for start in inputs.script_starts(text)]
