"""Every rule is tested by what its class says: where it fires, where it is silent, how it words refusals."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from percent import notebook

from nb2prod import frontend, rules
from nb2prod.diagnostics import Diagnostic, render
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Role, Stage, StageGraph
from nb2prod.rules import Rule
from nb2prod.source import Span

RULES = rules.all_rules()
FIRES = [(rule, text) for rule in RULES for text in rule.fires]
SILENT = [(rule, text) for rule in RULES for text in rule.silent]
REFUSED = [(rule, *example) for rule in RULES for example in rule.refused]


def analysis(text: str, *refusals: Refusal) -> rules.Analysis:
    return rules.analyse(frontend.parse(notebook(text)), None, refusals)


def codes(text: str) -> list[str]:
    return [found.code for found in rules.check(analysis(text))]


def assert_well_made(found: Diagnostic, text: str) -> None:
    assert re.match(r"[a-z`0-9]", found.message), found.message
    assert not found.message.endswith(".") and "{" not in found.message + found.help
    assert found.help and not found.help.endswith(".")
    for span in [label.span for label in found.labels] + ([found.span] if found.span else []):
        lines = notebook(text).cells[span.cell].text.splitlines() or [""]
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert span.column >= 1 and span.end_column <= len(lines[span.end_line - 1]) + 1
    assert render(found, notebook(text)) and found.to_json()["code"] == found.code


@pytest.mark.parametrize(("rule", "text"), FIRES, ids=[f"{r.code}-{n}" for n, (r, _) in enumerate(FIRES)])
def test_fires_and_says_it_well(rule: Rule, text: str) -> None:
    found = [d for d in rules.check(analysis(text)) if d.code == rule.code]
    assert len(found) == 1, [render(d) for d in found]
    assert_well_made(found[0], text)


@pytest.mark.parametrize(("rule", "text"), SILENT, ids=[f"{r.code}-{n}" for n, (r, _) in enumerate(SILENT)])
def test_silent(rule: Rule, text: str) -> None:
    assert [render(d) for d in rules.check(analysis(text)) if d.code == rule.code] == []


@pytest.mark.parametrize(("rule", "subject", "detail"), REFUSED)
def test_refusals_in_words(rule: Rule, subject: str, detail: str) -> None:
    text = "x = 1"
    a = analysis(text, Refusal(rule.code, Span(0, 1, 1, 1, 6), subject, detail))
    (found,) = rules.check(a)
    assert found.code == rule.code and subject in found.message + found.help
    assert_well_made(found, text)
    assert [d.code for d in rules.blocking(a)] == ([rule.code] if rule.blocks_compile else [])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_documented_and_named_like_its_file(rule: Rule) -> None:
    assert Path(inspect.getfile(type(rule))).stem == rule.name.replace("-", "_")
    assert type(rule).__name__ == "".join(word.capitalize() for word in rule.name.split("-"))
    text = rules.explain(rule)
    assert rule.code in text and "Why it matters: " in text and "Instead: " in text
    assert rule.fires or rule.refused or rule.code in ("NBP300", "NBP408", "NBP410")


def test_codes_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


def test_rules_are_found_by_code_and_by_name() -> None:
    assert rules.rule("nbp102") is rules.rule("use-before-definition") is not None
    assert rules.rule("NBP999") is None


def test_comments_silence() -> None:
    assert codes("x = 1\nprint(a)  # nb2prod: ignore[NBP101]\nprint(b)") == ["NBP101"]
    assert codes("# nb2prod: ignore[NBP101, NBP108]\nprint(a)\nprint(b)\n_") == []
    assert codes("print(a)  # nb2prod: ignore[NBP102]") == ["NBP101", "NBP506"]


def test_no_comment_silences_what_stops_compile() -> None:
    a = analysis("print(a)  # nb2prod: ignore[NBP101]")
    assert (rules.check(a), [d.code for d in rules.blocking(a)]) == ([], ["NBP101"])


def test_names_stop_compile_only_on_the_slice() -> None:
    program = frontend.parse(notebook("print(a)\n# %%\nprint(b)\n# %%\nx = 1"))
    stages = StageGraph(stages=(Stage(Role.LOAD, (2, 3)),))
    assert [d.span and d.span.cell for d in rules.blocking(rules.analyse(program, stages))] == [1]


def test_a_definition_that_a_stage_uses_counts_as_its_part() -> None:
    program = frontend.parse(notebook("a = nowhere\nb = a\nc = elsewhere\n# %%\nx = b"))
    stages = StageGraph(stages=(Stage(Role.FEATURES, (4,)),))
    assert [d.message for d in rules.blocking(rules.analyse(program, stages))] == [
        "`nowhere` is not defined anywhere"
    ]


@pytest.mark.parametrize(
    "setup",
    ["from mylib import *", "%run a.py", "%store -r x", "exec('x = 1')", "x = = 1", "globals()['x'] = 1",
     "x = !ls", "%%capture x\n1"],
)  # fmt: skip
def test_what_nobody_sees_is_not_compiled(setup: str) -> None:
    program = frontend.parse(notebook(f"# %%\n{setup}\n# %%\ny = x"))
    stmts = tuple(stmt.id for stmt in program.stmts())
    held = StageGraph(stages=(Stage(Role.FEATURES, stmts),))
    other = StageGraph(stages=(Stage(Role.FEATURES, ()),))
    assert [d.code for d in rules.blocking(rules.analyse(program, held))] == ["NBP408"]
    assert [rules.blocking(rules.analyse(program, stages)) for stages in (None, other)] == [[], []]


def test_one_fault_one_finding() -> None:
    assert codes("print(a)\nprint(a)\n# %%\nprint(a)") == ["NBP101"]
    assert codes("print(a)\n# %%\nprint(a)\na = 1") == ["NBP102"]
