"""Hazards (cases/hazards): each is compiled right, or refused with the reason; never silently wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import forked
from hazard_cases import Hazard, hazards, write_data, write_notebook
from hazard_oracle import disagreement

from nb2prod import compiler, frontend
from nb2prod.compiler import Options, Outcome, compile_notebook
from nb2prod.diagnostics import Diagnostic
from nb2prod.lower import lower

CASES = hazards()


def parameters() -> list[object]:
    marks = {
        case.name: [pytest.mark.xfail(reason=case.gap, strict=True)] if case.gap else [] for case in CASES
    }
    return [pytest.param(case, id=f"{case.topic}: {case.name}", marks=marks[case.name]) for case in CASES]


def test_names_are_unique() -> None:
    assert len({(case.topic, case.name) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if not case.gap])
def test_static(case: Hazard, tmp_path: Path) -> None:
    """Without a run: no crash, what is refused has its reason, what is emitted reads as the case says."""
    path = write_notebook(case, tmp_path)
    compiled = compiler.analyse(frontend.read(path))
    if compiled.blocked:
        assert case.code, [found.message for found in compiled.findings if found.severity == "error"]
        assert refused_as_said(case, compiled.findings)
        return
    project = lower(
        compiled.graph, compiled.flow, compiled.types, name="hazard", notebook=path.name, data_root=".."
    ).project
    for name in {module for module, _ in case.emitted}:
        module = getattr(project, name)
        lines = iter(
            [line.strip() for text in (*module.helpers, *module.functions) for line in text.split("\n")]
        )
        for wanted in [line for where, line in case.emitted if where == name]:
            assert wanted in lines, f"{name}: {wanted}"


@pytest.fixture(scope="module")
def forks() -> Iterator[None]:
    with forked():
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("case", parameters())
def test_compiled(case: Hazard, tmp_path: Path) -> None:
    """With two runs of the notebook and the checks, and compared once more by another way."""
    if case.needs:
        pytest.importorskip(case.needs)
    outcome = compiled_in(case, tmp_path)
    if case.code:
        assert outcome.status == "refused", outcome.report.reason
        assert outcome.compiled is not None and refused_as_said(case, outcome.compiled.findings)
        return
    if not case.verified:
        assert outcome.status == "unverified" and outcome.report.reason
        return
    assert outcome.status == "verified", outcome.report.reason
    found = {check.id: (check.id, check.status) for check in outcome.report.checks}
    assert case.checks == tuple(found[name] for name, _ in case.checks)
    assert outcome.out is not None
    (tmp_path / "work").mkdir()
    assert disagreement(case, tmp_path / "data", outcome.out, tmp_path / "work") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["a list is filled in several stages", "one seed for the draws of two stages"]
)
def test_in_real_kernels(name: str, tmp_path: Path) -> None:
    """The same with kernels and processes of their own."""
    case = next(case for case in CASES if case.name == name)
    assert compiled_in(case, tmp_path).status == ("verified" if case.verified else "unverified")


def compiled_in(case: Hazard, folder: Path) -> Outcome:
    data = folder / "data"
    data.mkdir()
    write_data(data)
    return compile_notebook(write_notebook(case, data), Options(out=folder / "hazard"))


def refused_as_said(case: Hazard, found: tuple[Diagnostic, ...]) -> bool:
    said = [
        (each.code, each.span.cell) for each in found if each.span is not None and each.severity == "error"
    ]
    assert (case.code, case.cell) in said, said
    return True
