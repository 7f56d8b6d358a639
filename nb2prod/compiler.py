"""The order of the work, from a notebook to a verified project.

    program = frontend.parse(notebook)           # statements
    flow    = defuse(program, types)             # what reads what
    graph   = run_passes(cut(flow), ...)         # stages, with the sites that learn
    lowered = lower(graph)                       # functions
    files   = emit(lowered.project)              # a project
    report  = verification                       # the same results as the notebook?

The steps are in `static.py`, and with the evidence of runs in `verification.py`.
"""

from __future__ import annotations

from pathlib import Path

from nb2prod import __version__, emit, frontend
from nb2prod.analysis.cut import cut
from nb2prod.analysis.defuse import defuse
from nb2prod.analysis.tags import without_skipped
from nb2prod.analysis.types import infer
from nb2prod.ir.trace import Trace
from nb2prod.lower import lower
from nb2prod.names import package_name
from nb2prod.passes import PASSES, run_passes
from nb2prod.rowpath import row_path
from nb2prod.source import Notebook
from nb2prod.static import (
    REPORT,
    TRACE,
    Compiled,
    CompileError,
    Event,
    Failure,
    Options,
    Outcome,
    Progress,
    analyse,
    files,
    findings,
    load_trace,
    lowered,
    need_split,
    refused,
)
from nb2prod.verify import JUDGED, REQUIRED, Check, Report

__all__ = [
    "FORMS", "REPORT", "TRACE", "CompileError", "Compiled", "Event", "Failure", "Options", "Outcome",
    "Progress", "analyse", "compile_notebook", "files", "intermediate", "load_trace", "lowered",
    "verify_project",
]  # fmt: skip

FORMS = ("parse", "defuse", "cut", *(step.__name__ for step in PASSES), "lower", "row_path")


def compile_notebook(path: Path, options: Options, progress: Progress = lambda event: None) -> Outcome:
    """Compiles a notebook; see `Outcome`.  Raises CompileError or frontend.ReadError for bad input."""
    progress(Event("read", f"reading {path.name}"))
    notebook = frontend.read(path)
    name = package_name(path.name) if options.name is None else options.name
    out = (options.out or Path.cwd() / name).absolute()
    if options.static:
        return _static(notebook, path, name, out, options)
    from nb2prod import verification  # processes and kernels: not needed to read a notebook

    return verification.compile_and_verify(notebook, path, name, out, options, progress)


def _static(notebook: Notebook, path: Path, name: str, out: Path, options: Options) -> Outcome:
    evidence = load_trace(options.trace, notebook)
    compiled = analyse(notebook, evidence, options.model)
    if compiled.blocked:
        return refused(compiled, out)
    need_split(compiled, options)
    columns = evidence.columns if evidence else ()
    lowering = lowered(compiled, path, name, out, evidence, columns, options)
    skipped = tuple(Check(id, "skipped", "--static: nothing was run") for id in REQUIRED if id not in JUDGED)
    report = Report(
        "unverified", skipped, findings(compiled), path.name, __version__, "--static: nothing was run"
    )
    written = emit.write(files(lowering, notebook, report, evidence), out, options.force)
    return Outcome("static", 1 if written.kept else 0, report, out, compiled, lowering, written)


def intermediate(notebook: Notebook, after: str, trace: Trace | None = None) -> str:
    """The printed form of one intermediate step, with the evidence of a run where there is one."""
    program = without_skipped(frontend.parse(notebook))
    if after == "parse":
        return program.dump()
    types = infer(program, trace)
    flow = defuse(program, types)
    if after == "defuse":
        return flow.dump()
    graph = cut(flow, types)
    if after == "cut":
        return graph.dump()
    graph = run_passes(graph, flow, types, None if after in ("lower", "row_path") else after)
    if after not in ("lower", "row_path") or graph.sink is None or graph.refusals:
        return graph.dump()
    lowering = lower(graph, flow, types, name="project", notebook=Path(notebook.path).name, data_root="..")
    lowered = lowering.project
    if after == "row_path":
        return row_path(lowered.features, lowering.body).dump()
    modules = (lowered.load, lowered.features, lowered.target, lowered.train, lowered.infer)
    return "\n\n\n".join(text for m in modules for text in (*m.imports, *m.helpers, *m.functions))


def verify_project(
    project: Path, full: bool, options: Options, progress: Progress = lambda event: None
) -> Outcome:
    """Checks a generated project again; see `verification.verify_project`."""
    from nb2prod import verification

    return verification.verify_project(project, full, options, progress)
