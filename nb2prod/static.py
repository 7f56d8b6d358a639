"""What compiling is made of, short of running anything: options, outcome, analysis, lowering, files.

`compiler.py` puts these steps in order; `verification.py` adds the evidence of runs between them.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nb2prod import __version__, emit, frontend, rules
from nb2prod.analysis.cut import cut
from nb2prod.analysis.defuse import defuse
from nb2prod.analysis.tags import without_skipped
from nb2prod.analysis.types import Types, infer
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Program
from nb2prod.ir.project import Column
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import StageGraph
from nb2prod.ir.trace import Trace, fingerprint
from nb2prod.lower import Lowering, lower
from nb2prod.passes import run_passes
from nb2prod.rowpath import model_path, row_path
from nb2prod.secrecy import masked
from nb2prod.source import Notebook, Span
from nb2prod.verify import Report

REPORT = "nb2prod-report.json"
TRACE = ".nb2prod-trace.json"


class CompileError(Exception):
    """The compile cannot start; `code` is the exit code."""

    def __init__(self, message: str, code: int = 1, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.help = help


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None and False are the defaults."""

    out: Path | None = None
    name: str | None = None
    python: str = sys.executable
    static: bool = False
    trace: Path | None = None
    offline: bool = False
    timeout: float | None = None
    seed: int | None = None
    model: str | None = None
    force: bool = False
    fit_on: str = "all"
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """How far the work is: `done` of `total` cells or checks of a phase."""

    phase: str
    text: str
    done: int = 0
    total: int = 0


Progress = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A notebook as far as its text (and trace) can be understood."""

    notebook: Notebook
    program: Program
    types: Types
    flow: Flow
    graph: StageGraph
    findings: tuple[Diagnostic, ...] = ()
    blocking: tuple[Diagnostic, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether it must not be compiled."""
        return bool(self.blocking) or self.graph.sink is None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the notebook itself did not run."""

    ename: str
    evalue: str
    cell: int | None
    line: int | None
    traceback: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a compilation came to; `metrics` are (notebook, project) by name."""

    status: str
    exit_code: int
    report: Report
    out: Path | None = None
    compiled: Compiled | None = None
    lowering: Lowering | None = None
    written: emit.WriteResult | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    learned: tuple[Mapping[str, str], ...] = ()
    failure: Failure | None = None


def analyse(notebook: Notebook, trace: Trace | None = None, model: str | None = None) -> Compiled:
    """Everything that the text tells, with the evidence of a run where there is one; runs nothing."""
    program = without_skipped(frontend.parse(notebook))
    types = infer(program, trace)
    flow = defuse(program, types)
    graph = run_passes(cut(flow, types, model), flow, types)
    subject = rules.analyse(program, graph, [*_beside(notebook, program), *_inferred(graph)])
    blocking = rules.blocking(subject)
    found = [*blocking, *(d for d in rules.check(subject) if d not in blocking)]
    return Compiled(notebook, program, types, flow, graph, tuple(found), tuple(blocking))


def _inferred(graph: StageGraph) -> list[Refusal]:
    """What the findings say of untagged cells."""
    return [
        Refusal("NBP504", Span(cell, 1, 1, 1, 1), graph.tags[cell].replace(",", " and "), reason)
        for cell, reason in sorted(graph.inferred.items())
    ]


def need_split(compiled: Compiled, options: Options) -> None:
    """CompileError where the option asks for the training rows of a split that the notebook does not make."""
    sites = compiled.graph.sites
    if options.fit_on == "train" and not compiled.blocked and all(site.kind != "split" for site in sites):
        raise CompileError(
            "--fit-on train: the notebook splits off no rows to judge its model by",
            2,
            "leave the option out: everything is learned from the rows that the model is fitted on",
        )


def _beside(notebook: Notebook, program: Program) -> list[Refusal]:
    """Imports of modules that lie beside the notebook: the project would not find them."""
    folder = Path(notebook.path).parent
    magics = [m.text.split()[-1] for m in program.magics if m.name in ("writefile", "file")]
    written = {Path(path).stem for path in magics}
    found = []
    for stmt in program.stmts():
        node = stmt.node
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            top = name.split(".")[0]
            if top and ((folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()):
                detail = "the module lies beside the notebook; install it as a package"
                found.append(Refusal("NBP403", stmt.span, f"import {name}", detail))
            elif top in written:
                detail = "a cell writes the module; define its functions in the notebook"
                found.append(Refusal("NBP403", stmt.span, f"import {name}", detail))
    return found


def lowered(
    compiled: Compiled,
    path: Path,
    name: str,
    out: Path,
    trace: Trace | None,
    columns: tuple[Column, ...],
    options: Options | None = None,
) -> Lowering:
    """Lowering with what the output folder and the options decide."""
    root = Path(os.path.relpath(path.absolute().parent, out)).as_posix()
    made = lower(
        compiled.graph,
        compiled.flow,
        compiled.types,
        name=name,
        notebook=path.name,
        data_root=root,
        trace=trace,
        columns=columns,
    )
    chosen = options or Options()
    project = replace(made.project, fit_on=chosen.fit_on, targets=chosen.targets)
    pandas = dict(project.packages).get("pandas", "")
    rows = row_path(project.features, made.body, pandas, project.guards)
    texts = [
        one for module in (project.features, project.train) for one in (*module.helpers, *module.functions)
    ]
    forms = model_path(texts) if rows.text else ""
    return replace(
        made, project=replace(project, row_path=rows.text, row_path_told=rows.told(), model_row=forms)
    )


def files(
    lowering: Lowering, notebook: Notebook, report: Report | None = None, trace: Trace | None = None
) -> tuple[emit.RenderedFile, ...]:
    """The project's files, with the report and the trace where there is one; secrets are masked in all."""
    text = Path(notebook.path).read_bytes().decode("utf-8", "surrogateescape")
    copied = masked(text, notebook).encode("utf-8", "surrogateescape")
    rendered = list(emit.emit(lowering.project, copied))
    if report is not None:
        told = json.dumps(report.to_json(), indent=1) + "\n"
        rendered.append(emit.RenderedFile(REPORT, masked(told, notebook)))
    if trace is not None:
        rendered.append(emit.RenderedFile(TRACE, masked(trace.to_json(), notebook)))
    return tuple(rendered)


def findings(compiled: Compiled) -> tuple[dict[str, object], ...]:
    return tuple(found.to_json() for found in compiled.findings)


def refused(compiled: Compiled, out: Path, failure: Failure | None = None, reason: str = "") -> Outcome:
    """No project; the report stands beside where it would have been."""
    first = next((f"{f.code} {f.message}" for f in compiled.blocking), "")
    report = Report.refused(
        reason or first,
        notebook=Path(compiled.notebook.path).name,
        version=__version__,
        findings=findings(compiled),
    )
    place = out.with_name(f"{out.name}.{REPORT}")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    return Outcome("refused", 1, report, None, compiled, failure=failure)


def load_trace(path: Path | None, notebook: Notebook) -> Trace | None:
    """A trace from a file; CompileError where it belongs to another notebook or is none."""
    if path is None:
        return None
    try:
        trace = Trace.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CompileError(f"{path}: {error}", 2) from error
    if trace.source != fingerprint(notebook):
        raise CompileError(f"{path}: this trace was made by other code", 2, "run compile without --trace")
    return trace
