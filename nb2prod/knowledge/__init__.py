"""What library calls do, as data: one TOML file a library, read when the library is first asked about.

`lookup("pandas.DataFrame.mean", {"axis": 1})` gives the fact that holds for these arguments.  Nothing here
imports the libraries.  Facts of a user's own files (`extra`) come before ours.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nb2prod.knowledge.fact import GIVEN, Fact, Given, argument, holds, of_call
from nb2prod.knowledge.read import KnowledgeError, Tables, facts_of, index, read
from nb2prod.knowledge.user import check_user_file, user_files

__all__ = [
    "GIVEN",
    "Fact",
    "Given",
    "KnowledgeError",
    "argument",
    "known_modules",
    "library",
    "lookup",
    "may_draw",
    "methods",
    "of_user",
    "star_names",
]

_FOLDER = Path(__file__).parent
_STDLIB = "stdlib"
_STAR = "star"
# The files that describe classes whose objects notebooks pass around.
_CLASSES = (
    "pandas", "numpy", "sklearn", "builtins", _STDLIB, "matplotlib", "mpl_toolkits", "seaborn", "torch",
)  # fmt: skip


def lookup(
    api: str, arguments: Mapping[str, object] | None = None, extra: tuple[Path, ...] = ()
) -> Fact | None:
    """The fact for a public dotted name, or None.

    `arguments` holds every argument of the call, under its keyword or its position ("0", "1"): the value
    where it is a literal, else `GIVEN` or `Given(kind)`.  The first conditional fact that is met wins over
    the unconditional one.  Without `arguments` the unconditional fact is the answer, `self if inplace`
    unsettled.  Methods are also found through the role of a class (`sklearn.svm.SVC.fit`) and through what a
    function returns (`pandas.DataFrame.groupby.mean`).
    """
    for file in _files(api.partition(".")[0], extra):
        found = _chosen(_facts(file, api), arguments)
        if found is not None:
            return found
    return _method(api, arguments, extra)


def library(name: str, extra: tuple[Path, ...] = ()) -> tuple[Fact, ...]:
    """All facts about a top-level module, in file order."""
    return tuple(
        fact
        for file in _files(name, extra)
        for api in _read(file).names
        if api.partition(".")[0] == name
        for fact in _facts(file, api)
    )


def methods(
    name: str, arguments: Mapping[str, object] | None = None, extra: tuple[Path, ...] = ()
) -> tuple[Fact, ...]:
    """The facts of all methods of that name, for a receiver whose class is not known."""
    files = (*extra, *(path for path in map(_ours().get, _CLASSES) if path))
    found = (_chosen(_facts(file, api), arguments) for file in files for api in _methods(file).get(name, ()))
    return tuple(fact for fact in found if fact is not None)


def known_modules(extra: tuple[Path, ...] = ()) -> Container[str]:
    """The modules, dotted ones too, that a file speaks about; a file is read only when asked about."""
    return _Modules(extra)


def star_names(module: str, extra: tuple[Path, ...] = ()) -> frozenset[str] | None:
    """The names that `from module import *` binds, or None where they are not known."""
    for file in (*extra, _ours()[_STAR]):
        names = _read(file).star.get(module)
        if names is not None:
            return frozenset(names.split())
    return None


def of_user(folder: Path) -> tuple[Path, ...]:
    """The checked files of the user's own facts for the notebooks in a folder: `extra` of the look-ups.

    Raises KnowledgeError where one breaks the schema.
    """
    files = user_files(folder)
    for file in files:
        check_user_file(_read(file))
    return files


def _files(name: str, extra: tuple[Path, ...]) -> tuple[Path, ...]:
    if name in sys.stdlib_module_names and name != "builtins":
        name = _STDLIB
    path = _ours().get(name)
    return (*extra, path) if path else extra


@cache
def _ours() -> dict[str, Path]:
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


@cache
def _read(path: Path) -> Tables:
    return index(path) if path.parent == _FOLDER else read(path)


@cache
def _facts(path: Path, api: str) -> tuple[Fact, ...]:
    return facts_of(_read(path), api)


def _chosen(facts: tuple[Fact, ...], arguments: Mapping[str, object] | None) -> Fact | None:
    if arguments is None:
        return next((fact for fact in facts if not fact.when), None)
    conditional = (fact for fact in facts if fact.when and holds(fact, arguments))
    found = next(conditional, None) or next((fact for fact in facts if not fact.when), None)
    return found and of_call(found, arguments)


def _method(api: str, arguments: Mapping[str, object] | None, extra: tuple[Path, ...]) -> Fact | None:
    """A method by the role or the type of the result that the fact about its owner states."""
    owner, _, name = api.rpartition(".")
    files = _files(owner.partition(".")[0], extra)
    made = next((facts[0] for file in files if (facts := _facts(file, owner))), None)
    if made is None:
        return None
    if made.type and made.type != owner:
        return lookup(f"{made.type}.{name}", arguments, extra)
    for role in (made.role, "estimator") if made.role else ():
        for file in _files("sklearn", extra):
            found = _chosen(_facts(file, f"sklearn.{role}.{name}"), arguments)
            if found is not None:
                return found
    return None


@cache
def _methods(path: Path) -> dict[str, tuple[str, ...]]:
    """The dotted names of a file's methods by bare name."""
    tables = _read(path)
    found: dict[str, tuple[str, ...]] = {}
    for api in tables.names:
        owner, _, name = api.rpartition(".")
        if owner not in tables.modules:
            found[name] = (*found.get(name, ()), api)
    return found


@cache
def may_draw(api: str, extra: tuple[Path, ...] = ()) -> bool:
    """Whether a call may draw random numbers or seed them, whatever it is given."""
    owner, _, name = api.rpartition(".")
    if any(_draws(_facts(file, api)) for file in _files(api.partition(".")[0], extra)):
        return True
    made = next((f[0] for file in _files(owner.partition(".")[0], extra) if (f := _facts(file, owner))), None)
    if made is None:
        return False
    if made.type and made.type != owner:
        return may_draw(f"{made.type}.{name}", extra)
    roles = (made.role, "estimator") if made.role else ()
    return any(_draws(_facts(f, f"sklearn.{r}.{name}")) for r in roles for f in _files("sklearn", extra))


def _draws(facts: tuple[Fact, ...]) -> bool:
    return any(fact.random or fact.effect == "seeds" for fact in facts)


@dataclass(frozen=True, slots=True)
class _Modules:
    extra: tuple[Path, ...]

    def __contains__(self, module: object) -> bool:
        name = str(module)
        if name in sys.stdlib_module_names:
            return True
        return any(name in _read(file).modules for file in _files(name.partition(".")[0], self.extra))
