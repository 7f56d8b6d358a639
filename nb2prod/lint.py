"""What `nb2prod lint` and `nb2prod explain` do; the command line prints what they return."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from nb2prod import frontend, rules
from nb2prod.diagnostics import Diagnostic, Severity, render
from nb2prod.source import Notebook

FORMATS = ("text", "json")


class UsageError(Exception):
    """A wrong command line; the exit code is 2."""


@dataclass(frozen=True, slots=True)
class Linted:
    """One file: its notebook (None where it cannot be read), and what was found."""

    path: str
    notebook: Notebook | None
    found: tuple[Diagnostic, ...]


def lint(
    paths: Sequence[str],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    stdin: Callable[[], bytes] | None = None,
) -> list[Linted]:
    """Looks at files, at the notebooks in folders, and at `-`, the notebook on standard input.

    `select` and `ignore` are codes, names, or the beginnings of codes (`NBP1`).
    """
    wanted = _wanted(select, ignore)
    out = []
    for path in paths:
        if path == "-" and stdin is not None:
            out.append(_one("-", partial(frontend.read_bytes, stdin(), "-"), wanted))
            continue
        try:
            files = frontend.find(path)
        except frontend.ReadError as error:
            raise UsageError(error.message) from error
        out += [_one(str(file), partial(frontend.read, file), wanted) for file in files]
    return out


def lint_notebook(notebook: Notebook, wanted: Callable[[str], bool] = lambda code: True) -> list[Diagnostic]:
    """What is found in one notebook."""
    return rules.check(rules.analyse(frontend.parse(notebook)), wanted)


def exit_code(linted: Sequence[Linted], strict: bool = False) -> int:
    """1 where something of severity error was found; with `strict`, or warning."""
    bad = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return int(any(found.severity in bad for one in linted for found in one.found))


def report(linted: Sequence[Linted], format: str = "text") -> str:
    """All findings as text for people, or as a JSON array."""
    if format not in FORMATS:
        raise UsageError(f"the format is {' or '.join(FORMATS)}, not {format}")
    if format == "json":
        return json.dumps(
            [found.to_json() for one in linted for found in one.found], indent=2, ensure_ascii=False
        )
    parts = [render(found, one.notebook) for one in linted for found in one.found]
    return "\n\n".join([*parts, summary(linted)])


def summary(linted: Sequence[Linted]) -> str:
    """The last line: how many findings of each severity in how many notebooks."""
    found = [found.severity for one in linted for found in one.found]
    counts = [(found.count(severity), severity.value) for severity in Severity]
    words = [f"{count} {name}{'s' * (count != 1 and name != 'info')}" for count, name in counts if count]
    files = f"{len(linted)} notebook{'s' * (len(linted) != 1)}"
    return f"{', '.join(words)} in {files}" if words else f"nothing found in {files}"


def explain(code: str) -> str:
    """What a rule finds, why it matters in production, and what to do instead."""
    found = rules.rule(code)
    if found is None:
        raise UsageError(
            f"there is no rule {code}; the codes are {', '.join(r.code for r in rules.all_rules())}"
        )
    return rules.explain(found)


def _one(path: str, read: Callable[[], Notebook], wanted: Callable[[str], bool]) -> Linted:
    try:
        notebook = read()
    except frontend.ReadError as error:
        rule = rules.rule("NBP300")
        assert rule is not None
        found = Diagnostic(rule.code, rule.name, rule.severity, error.message, path, help=error.help)
        return Linted(path, None, (found,) if wanted(rule.code) else ())
    return Linted(path, notebook, tuple(lint_notebook(notebook, wanted)))


def _wanted(select: Sequence[str], ignore: Sequence[str]) -> Callable[[str], bool]:
    chosen = _codes(select) if select else {rule.code for rule in rules.all_rules()}
    return (chosen - _codes(ignore)).__contains__


def _codes(words: Sequence[str]) -> set[str]:
    """The codes that some codes, names or beginnings of codes mean; words may be joined by commas."""
    found: set[str] = set()
    for word in (part.strip() for text in words for part in text.split(",")):
        matching = {r.code for r in rules.all_rules() if r.code.startswith(word.upper()) or r.name == word}
        if not word or not matching:
            raise UsageError(f"there is no rule {word!r}")
        found |= matching
    return found
