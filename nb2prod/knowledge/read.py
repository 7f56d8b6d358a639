"""Reads a knowledge file: TOML whose unknown keys are errors.

    modules = "pandas.plotting pandas.io.json"          # besides the library itself
    [[fact]]
    api = "pandas.{DataFrame,Series}.{mean,median}"     # braces expand as in a shell
    effect = "aggregates"
    example = "{self}.{name}()"                         # {self}: a receiver of the class; {name}: mean

`[receivers]` gives the expressions that stand for `{self}`, by class.  `[star]` gives the names that
`from module import *` binds, as text.  Of our own files, which the tests have read whole, a fact is only read
when it is asked for: a lint of one notebook must not wait for all of pandas.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nb2prod.caches import kept
from nb2prod.knowledge.fact import CALLS, EFFECTS, RANDOM, RETURNS, WORDS, Fact, Literal

# What the keys of a file hold, and what these hold.
_TOP = {"fact": (list, dict), "modules": (str, str), "receivers": (dict, str), "star": (dict, str)}
_TEXT = tuple("effect returns learns adapter random role calls path type removed why example".split())
_LISTS = ("mutates", "options")
_KEYS = frozenset(("api", "when", *_TEXT, *_LISTS))
_ALLOWED = {
    "effect": EFFECTS,
    "returns": RETURNS,
    "random": RANDOM,
    "calls": CALLS,
}
_FACT = re.compile(r"^\[\[fact\]\]$", re.MULTILINE)
_API = re.compile(r'^api = "([^"\\\n]*)"$', re.MULTILINE)


class KnowledgeError(ValueError):
    """A knowledge file that breaks the schema; the message names the file, the line and the fact."""


@dataclass(frozen=True, slots=True)
class Tables:
    """One file: its entries, and for each dotted name the numbers of its entries in file order."""

    path: Path
    modules: frozenset[str]
    entries: Sequence[dict[str, Any]]
    names: dict[str, tuple[int, ...]]
    receivers: dict[str, str]
    star: dict[str, str]


def read(path: Path) -> Tables:
    """The checked file."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path}: {error}") from error
    for key, found in document.items():
        if key not in _TOP:
            raise KnowledgeError(f"{path}: unknown key {key}; the keys are {', '.join(_TOP)}")
        values = found.values() if isinstance(found, dict) else found
        if not isinstance(found, _TOP[key][0]) or not all(isinstance(one, _TOP[key][1]) for one in values):
            raise KnowledgeError(f"{path}: {key} has the wrong type")
    entries = tuple(document.get("fact", ()))
    names: dict[str, tuple[int, ...]] = {}
    for number, entry in enumerate(entries):
        problem, key = _problem(entry)
        if not problem:
            try:
                problem = _add(names, entries, number)
            except KnowledgeError as error:  # braces
                problem = str(error)
        if problem:
            place = f"{path}:{line_of(text, number, key)}"
            raise KnowledgeError(f"{place}: fact {number + 1} ({_called(entry)}): {problem}")
    return _tables(path, document, entries, names)


def index(path: Path) -> Tables:
    """One of our own files: the same as `read`, unchecked, each fact parsed when it is asked for."""
    head, *texts = _FACT.split(path.read_text(encoding="utf-8"))
    document = tomllib.loads(head)
    entries = _Entries(texts)
    numbers = kept(f"names-{path.stem}", [path], lambda: _numbers(entries))
    return _tables(path, document, entries, {api: tuple(found) for api, found in numbers.items()})


def _numbers(entries: _Entries) -> dict[str, list[int]]:
    """The numbers of the entries that speak about each dotted name."""
    found: dict[str, list[int]] = {}
    for number, text in enumerate(entries.texts):
        plain = _API.search(text)
        for api in _expanded({"api": plain[1]} if plain else entries[number]):
            found.setdefault(api, []).append(number)
    return found


class _Entries(Sequence[dict[str, Any]]):
    """The entries of a file as text, and those that were asked for."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.known: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, number: Any) -> Any:
        if number not in self.known:
            self.known[number] = tomllib.loads(self.texts[number])
        return self.known[number]


def _tables(
    path: Path,
    document: dict[str, Any],
    entries: Sequence[dict[str, Any]],
    names: dict[str, tuple[int, ...]],
) -> Tables:
    modules = {api.partition(".")[0] for api in names} | set(document.get("modules", "").split())
    return Tables(
        path, frozenset(modules), entries, names, document.get("receivers", {}), document.get("star", {})
    )


def line_of(text: str, number: int, key: str = "") -> int:
    """The line of a fact's header, or of a key in it; 1 where the file is laid out otherwise."""
    lines = text.splitlines()
    headers = [at for at, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*fact\s*\]\]", line)]
    if number >= len(headers):
        return 1
    begin, end = headers[number], (*headers, len(lines) + 1)[number + 1]
    of_key = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    return next((at for at in range(begin, end) if key and of_key.match(lines[at - 1])), begin)


def _called(entry: dict[str, Any]) -> str:
    """What a fact is about, in few words."""
    api = entry.get("api")
    first = api[0] if isinstance(api, list) and api else api
    text = " ".join(str(first).split())
    return text if len(text) <= 60 else text[:57] + "..."


def facts_of(tables: Tables, api: str) -> tuple[Fact, ...]:
    """The facts of one dotted name, the conditional ones in file order."""
    return tuple(_fact(tables, api, tables.entries[number]) for number in tables.names.get(api, ()))


def expand(pattern: str) -> Iterator[str]:
    """`a.{b,c{1,2}}` -> `a.b`, `a.c1`, `a.c2`."""
    start = pattern.find("{")
    if start < 0:
        yield pattern
        return
    if pattern.find("{", start + 1) < 0 <= (end := pattern.find("}", start)):  # most are so: the short way
        before, after = pattern[:start], pattern[end + 1 :]
        yield from [before + choice.strip() + after for choice in pattern[start + 1 : end].split(",")]
        return
    depth, begin, choices = 0, start + 1, []
    for position in range(start, len(pattern)):
        sign = pattern[position]
        depth += (sign == "{") - (sign == "}")
        if (sign == "," and depth == 1) or depth == 0:
            choices.append(pattern[begin:position].strip())
            begin = position + 1
        if depth == 0:
            break
    else:
        raise KnowledgeError(f"unbalanced brace in {pattern!r}")
    for choice in choices:
        for middle in expand(choice):
            for rest in expand(pattern[begin:]):
                yield pattern[:start] + middle + rest


def _add(names: dict[str, tuple[int, ...]], entries: tuple[dict[str, Any], ...], number: int) -> str:
    """Enters the names of an entry; what is wrong with them, or nothing."""
    for api in _expanded(entries[number]):
        others = names.get(api, ())
        if "when" not in entries[number] and any("when" not in entries[other] for other in others):
            return f"two unconditional facts about {api}"
        names[api] = (*others, number)
    return ""


def _expanded(entry: dict[str, Any]) -> Iterator[str]:
    patterns = entry["api"] if isinstance(entry["api"], list) else [entry["api"]]
    for pattern in patterns:
        yield from expand(pattern)


def _problem(entry: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with an entry, and under which key; or nothing."""
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        return f"unknown key {', '.join(unknown)}; the keys are {', '.join(sorted(_KEYS))}", unknown[0]
    if "api" not in entry or "effect" not in entry:
        return "api and effect are required", ""
    if not isinstance(entry["api"], str) and not _all_text(entry["api"]):
        return "api must be text or a list of text", "api"
    for key in _TEXT:
        if not isinstance(entry.get(key, ""), str):
            return f"{key} must be text", key
    for key, allowed in _ALLOWED.items():
        if key in entry and entry[key] not in allowed:
            return f"{key} must be one of {', '.join(sorted(allowed - {''}))}", key
    for key in _LISTS:
        if not _all_text(entry.get(key, [])):
            return f"{key} must be a list of text", key
    if not isinstance(entry.get("when", {}), dict):
        return "when must be a table", "when"
    for condition in entry.get("when", {}).values():
        literals = isinstance(condition, list) and all(isinstance(one, Literal) for one in condition)
        if not literals and not (isinstance(condition, str) and condition in WORDS):
            return f"a condition must be a list of literals or one of {', '.join(sorted(WORDS))}", "when"
    if entry["effect"] == "learns" and not entry.get("learns"):
        return "a fact that learns must say what", "effect"
    return "", ""


def _all_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _fact(tables: Tables, api: str, entry: dict[str, Any]) -> Fact:
    values: dict[str, Any] = {key: entry[key] for key in _TEXT if key in entry}
    values |= {key: tuple(entry[key]) for key in _LISTS if key in entry}
    values["when"] = tuple(
        (name, tuple(condition) if isinstance(condition, list) else condition)
        for name, condition in entry.get("when", {}).items()
    )
    if "example" in values:
        owner, _, name = api.rpartition(".")
        receiver = tables.receivers.get(owner.rpartition(".")[2], "")
        if "{self}" in values["example"] and not receiver:
            raise KnowledgeError(f"{tables.path}: no receiver for the example of {api}")
        values["example"] = values["example"].replace("{self}", receiver).replace("{name}", name)
    return Fact(api=api, **values)
