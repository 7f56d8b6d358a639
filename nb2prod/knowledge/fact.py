"""Fact: what one library call does, and the test whether a fact holds for the arguments of a call.

A fact may be conditional: `when = {"axis|0" = [1, "columns"]}` holds where the argument `axis`, or else the
first positional one, is one of the literals.  A word instead of a list says something about the argument
itself: `given`, `absent`, or its kind (`number`, `text`, `list`, `dict`, `true`, or the kind that a caller
states with `Given`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

EFFECTS = frozenset(
    """row-wise aggregates schema learns filters splits needs-other-rows draws seeds reads-file writes-file
    displays scores constructs predicts fits mutates sets-option pure env""".split()
)
RETURNS = frozenset(
    """frame column same array mask scalar stat schema grouped accessor estimator tuple text none figure
    list unknown""".split()
)
RANDOM = frozenset({"", "numpy", "python", "estimator", "advances", "entropy", "torch", "tensorflow"})
WORDS = frozenset({"given", "absent", "number", "text", "list", "dict", "true", "false", "callable"})
CALLS = frozenset({"", "value", "row", "column", "group", "frame"})

# A word or the literals of a condition.
Literal = bool | int | float | str
Condition = str | tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An argument that is there but is no literal; `kind` is what the caller knows of it, else empty."""

    kind: str = ""


GIVEN = Given()


@dataclass(frozen=True, slots=True)
class Fact:
    """What calling (or reading) `api`, a public dotted name, does.  Methods are `Class.method`."""

    api: str
    effect: str  # one of EFFECTS: how a row of the result depends on the rows given, or what else happens
    returns: str = "unknown"  # the kind of the result
    type: str = ""  # its class, where `returns` does not say it
    mutates: tuple[str, ...] = ()  # "self", a position, or a keyword; "self if inplace" until `of_call`
    when: tuple[tuple[str, Condition], ...] = ()
    learns: str = ""  # what is taken from all rows
    adapter: str = ""  # the method of the staging runtime that replaces the call
    options: tuple[str, ...] = ()  # the arguments that the adapter understands
    # The stream drawn from.  "estimator": NumPy's global one, unless `random_state` is given; "advances": the
    # same, but the result does not depend on the numbers; "entropy": the operating system's.
    random: str = ""
    role: str = ""  # what a constructor makes: "transformer", "classifier", "splitter"
    calls: str = ""  # what a function among the arguments is given; the effect is then that of the function
    path: str = ""  # the argument that holds a path
    removed: str = ""  # the version of the library that took the name away
    why: str = ""
    example: str = ""

    @property
    def name(self) -> str:
        return self.api.rpartition(".")[2]


def holds(fact: Fact, arguments: Mapping[str, object]) -> bool:
    """Whether every condition of the fact is met by the arguments."""
    return all(_met(argument(arguments, name), condition) for name, condition in fact.when)


def argument(arguments: Mapping[str, object], name: str) -> object:
    """The argument that `axis|0` names (the keyword, else the position); None where it is not given."""
    return next((arguments[key] for key in name.split("|") if key in arguments), None)


def of_call(fact: Fact, arguments: Mapping[str, object]) -> Fact:
    """The fact as it is for these arguments: `self if inplace` becomes `self`, or goes away."""
    if not any(" if " in target for target in fact.mutates):
        return fact
    settled = []
    for target in fact.mutates:
        name, _, condition = target.partition(" if ")
        # A flag that is given but unknown may be true.
        if not condition or argument(arguments, condition) not in (None, False):
            settled.append(name)
    inplace = "self" in settled and "self if inplace" in fact.mutates
    return replace(fact, mutates=tuple(settled), returns="none" if inplace else fact.returns)


def _met(value: object, condition: Condition) -> bool:
    if isinstance(condition, tuple):
        return any(isinstance(value, bool) == isinstance(one, bool) and value == one for one in condition)
    if condition == "given":
        return value is not None
    if condition == "absent":
        return value is None
    return _kind(value) == condition


def _kind(value: object) -> str:
    match value:
        case Given():
            return value.kind
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() | tuple() | set() | frozenset():
            return "list"
        case dict():
            return "dict"
    return ""
