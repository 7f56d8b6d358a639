"""The rules: one file each, found by walking this package; nothing is registered by hand.

A rule reads an Analysis and yields Diagnostics.  Wording, severity and help live here and nowhere else:
passes record a `Refusal(code, span, subject, detail)`, and the rule of that code says it in words.
The class is also the documentation (`nb2prod explain CODE`) and the test (`fires`, `silent`, `refused`).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

from nb2prod.analysis.events import Events
from nb2prod.analysis.names import names
from nb2prod.analysis.script import Script, script
from nb2prod.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from nb2prod.ir.names import Missing, Names
from nb2prod.ir.program import Program, Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.rules.suppression import suppressions, unused_suppressions
from nb2prod.source import Notebook, Span

if TYPE_CHECKING:  # a lint has no stages, and must not wait for them
    from nb2prod.ir.stages import StageGraph

__all__ = [
    "Analysis",
    "Edit",
    "Fix",
    "Label",
    "Rule",
    "Severity",
    "all_rules",
    "analyse",
    "blocking",
    "check",
    "explain",
    "ordinal",
    "rule",
]

T = TypeVar("T")

UNUSED = "NBP506"


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that rules may read.

    `stages` is None where only the text was analysed (`lint`).  `refusals` are reasons against compiling
    that passes, the run and the checks have recorded; those of `stages` are among them.
    """

    program: Program
    script: Script
    names: Names
    stages: StageGraph | None = None
    refusals: tuple[Refusal, ...] = ()
    memo: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def once(self, analysis: Callable[[Script], T]) -> T:
        """The result of an analysis that several rules read."""
        if analysis not in self.memo:
            self.memo[analysis] = analysis(self.script)
        return cast("T", self.memo[analysis])

    @property
    def notebook(self) -> Notebook:
        return self.program.notebook

    def ran(self, cell: int) -> str:
        """When a cell ran, in words for a label; empty where that was not recorded."""
        run = self.notebook.cells[cell].run
        return f" (ran {ordinal(run)})" if run else ""

    def first_line(self, cell: int) -> Span:
        """The place of a finding about a whole cell."""
        return Span(cell, 1, 1, 1, len(self.notebook.cells[cell].text.split("\n", 1)[0]) + 1)


class Rule:
    """A rule.  Its docstring says what it finds, why that matters in production, and what to do instead.

    A rule that words refusals sets `message` and `help`, in which `{subject}` and `{detail}` are filled in;
    another one defines `check`.  `fires` and `silent` are notebooks in the percent format, `refused`
    examples of (subject, detail).
    """

    code: str
    name: str
    severity: Severity
    blocks_compile: bool = False
    message: str = ""
    help: str = ""
    fires: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        """What the rule finds; unless a rule says otherwise, the refusals with its code."""
        for refusal in a.refusals:
            if refusal.code == self.code:
                yield self.refuse(a, refusal)

    def refuse(self, a: Analysis, refusal: Refusal) -> Diagnostic:
        """A refusal in words; one that stops a compile may say after a semicolon what to do."""
        subject, detail = refusal.subject, refusal.detail
        message = self.message.format(subject=_short(subject), detail=detail)
        advice = ""
        if detail and "{detail}" not in self.message:
            fault, _, advice = detail.partition("; ") if self.blocks_compile else (detail, "", "")
            message += f": {fault}"
        help = advice or self.help.format(subject=subject, detail=detail)
        return self.found(a, message, refusal.span, help=help)

    def found(
        self,
        a: Analysis,
        message: str,
        span: Span | None,
        labels: Iterable[Label] = (),
        help: str = "",
        severity: Severity | None = None,
        fix: Fix | None = None,
    ) -> Diagnostic:
        path = a.notebook.path
        return Diagnostic(
            self.code,
            self.name,
            severity or self.severity,
            message,
            path,
            span,
            tuple(labels),
            help or self.help,
            fix,
        )


def analyse(program: Program, stages: StageGraph | None = None, refusals: Iterable[Refusal] = ()) -> Analysis:
    """What rules need to know of a program; `refusals` come on top of those in `stages`."""
    text = script(program)
    every = (*(stages.refusals if stages else ()), *refusals)
    return Analysis(program, text, names(text), stages, tuple(dict.fromkeys(every)))


def check(a: Analysis, wanted: Callable[[str], bool] = lambda code: True) -> list[Diagnostic]:
    """All findings of the wanted codes in document order, without those that a comment silences."""
    found = [d for rule in all_rules() if wanted(rule.code) for d in rule.check(a)]
    ignores = suppressions(a.notebook)
    if ignores:
        kept = [d for d in found if not any(ignore.silences(d) for ignore in ignores)]
        unused = rule(UNUSED)
        if unused is not None and wanted(UNUSED):
            kept += unused_suppressions(unused, a, ignores, found, wanted)
        found = kept
    return sorted(found, key=_order)


def blocking(a: Analysis) -> list[Diagnostic]:
    """The findings that stop `compile`; no comment silences them.

    Names that are missing stop it only where the model needs the statement.
    """
    known = {rule.code for rule in all_rules()}
    assert all(refusal.code in known for refusal in a.refusals), "a refusal that no rule words"
    names = replace(a.names, missing=_needed(a, a.names.missing), unseen=_needed(a, a.names.unseen))
    needed = replace(a, names=names)
    return sorted((d for rule in all_rules() if rule.blocks_compile for d in rule.check(needed)), key=_order)


@cache
def all_rules() -> tuple[Rule, ...]:
    """One instance of every rule, in the order of their codes."""
    rules: list[Rule] = []
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and issubclass(value, Rule) and value.__module__ == module.name:
                rules.append(value())
    return tuple(sorted(rules, key=lambda rule: rule.code))


def rule(code: str) -> Rule | None:
    """The rule of a code or a name."""
    return next((rule for rule in all_rules() if code.upper() == rule.code or code == rule.name), None)


def explain(rule: Rule) -> str:
    """What `nb2prod explain` says."""
    parts = [f"{rule.code} {rule.name} ({rule.severity})", inspect.getdoc(rule) or ""]
    if rule.blocks_compile:
        parts.append("This stops `nb2prod compile`.")
    for title, texts in (("Found in:", rule.fires), ("Not found in:", rule.silent)):
        if texts:
            parts.append(title + "\n\n" + "\n\n".join(_indented(text) for text in texts))
    parts += [
        "To silence it on a line, or from a cell's first line in the whole cell:\n\n"
        f"    # nb2prod: ignore[{rule.code}]"
    ]
    return "\n\n".join(parts)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _short(text: str) -> str:
    """One line, not too long: a subject may be the text of an expression."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _order(found: Diagnostic) -> tuple[object, ...]:
    span = found.span or Span(-1, 0, 0, 0, 0)
    return span.cell, span.line, span.column, found.code, found.message


def _needed(a: Analysis, found: tuple[Missing, ...]) -> tuple[Missing, ...]:
    """Those that stand in a statement that the project will hold; all where there are no stages."""
    if a.stages is None or not found:
        return found
    lines = [(stmt.cell, stmt.span.line, stmt.span.end_line) for stmt in held(a, a.stages)]
    return tuple(
        missing
        for missing in found
        if any(
            missing.place.cell == cell and first <= missing.place.line <= last for cell, first, last in lines
        )
    )


def held(a: Analysis, stages: StageGraph) -> list[Stmt]:
    """The statements of the stages, and the definitions outside of them that they use, directly or not."""
    in_stages = {id for stage in stages.stages for id in stage.stmts}
    dropped = {drop.stmt for drop in stages.dropped}
    held: list[Stmt] = []
    rest: list[tuple[Stmt, Events]] = []
    names: set[str] = set()
    for stmt, events in a.script.stmts():
        if stmt.id in in_stages:
            held.append(stmt)
            names |= _reads(events)
        elif stmt.id not in dropped:
            rest.append((stmt, events))
    while used := [pair for pair in rest if pair[1].names("bind") & names]:
        rest = [pair for pair in rest if pair not in used]
        held += [stmt for stmt, _ in used]
        names |= {name for _, events in used for name in _reads(events)}
    return held


def _reads(events: Events) -> set[str]:
    inner = {event.name for function in events.functions for event in function.outer_reads()}
    return events.names("read") | inner
