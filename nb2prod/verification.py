"""Compiling with evidence: runs the notebook twice, emits, probes the raw columns, checks, moves into place.

    run 1, instrumented  ->  Trace           what kind of value each expression met
    run 2, plain         ->  baseline        what the project is compared with
    emit to a scratch folder -> probe -> emit again with the schema -> checks -> the output folder

Nothing stands in the output folder before the checks are over.
"""

from __future__ import annotations

import ast
import json
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nb2prod import __version__, baseline, emit, frontend, verify
from nb2prod.analysis.lift import target_tables
from nb2prod.fresh import FullFailed, run_in_fresh_environment
from nb2prod.ir.project import Column
from nb2prod.ir.trace import Trace
from nb2prod.lower import Lowering
from nb2prod.measured import measured
from nb2prod.run import Outcome as Ran
from nb2prod.run import run_notebook
from nb2prod.run.scratch import scratch_copy
from nb2prod.secrecy import masked
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
from nb2prod.verify import Check, Report

# What the text alone decides; the rest of the refusals waits for the evidence of a run.
BEFORE_RUNNING = ("NBP101", "NBP102", "NBP103", "NBP501", "NBP502", "NBP505")
NOTHING_LEARNED = ("split", "folds", "fit_only", "drop_rows", "write_csv", "read_csv")
COLUMN_FIELDS = ("name", "type", "read", "nullable", "categories", "minimum", "maximum", "example", "gaps")


@dataclass(frozen=True, slots=True)
class Job:
    """One compile or verification: the notebook, its folder, the package and where the project goes."""

    notebook: Notebook
    path: Path
    name: str
    out: Path
    options: Options
    progress: Progress
    work: Path

    @property
    def folder(self) -> Path:
        return self.path.absolute().parent


@dataclass(frozen=True, slots=True)
class Evidence:
    """What both runs of the notebook left."""

    compiled: Compiled
    trace: Trace
    lowering: Lowering
    plain: Ran
    learned: tuple[Mapping[str, str], ...] = ()


def compile_and_verify(
    notebook: Notebook, path: Path, name: str, out: Path, options: Options, progress: Progress
) -> Outcome:
    """The whole compile; `status` is verified, unverified, differs or refused."""
    with _job(notebook, path, name, out, options, progress) as job:
        found = _gather(job)
        if isinstance(found, Outcome):
            return found
        draft = job.work / "draft" / name
        request = _request(job, found, draft)
        progress(Event("emit", "writing the project"))
        found = _with_columns(job, found, request)
        emit.write(files(found.lowering, notebook), draft, force=True)
        report, found = _check(job, found, replace(request, targets=found.lowering.project.target_columns))
        if report.status == "refused":
            return replace(refused(found.compiled, out, reason=report.reason), report=report)
        place = out if report.status != "differs" else out.with_name(out.name + ".failed")
        rendered = files(found.lowering, notebook, report, found.trace)
        written = emit.write(rendered, place, options.force or report.status == "differs")
        code = _exit_code(report) or written.exit_code
        return _outcome(report, code, place, found, written)


def verify_project(project: Path, full: bool, options: Options, progress: Progress) -> Outcome:
    """Runs the notebook of a generated project again and checks the project as it is now.

    `full` also installs it in a fresh environment from its pins, runs its tests, trains and serves there.
    """
    config = _config(project)
    folder = (project / str(config.get("data_root", "."))).resolve()
    path = folder / _notebook_name(project)
    notebook = _source(project / "notebook.ipynb", path)
    name = str(config.get("package", project.name))
    kept = project / TRACE
    options = replace(options, fit_on=str(config.get("fit_on", "all")))
    if options.trace is None and kept.is_file():
        options = replace(options, trace=kept)
    with _job(notebook, path, name, project, options, progress) as job:
        found = _gather(job)
        if isinstance(found, Outcome):
            return found
        request = _request(job, found, project.absolute())
        report, found = _check(job, found, request)
        if full and report.status == "verified":
            try:
                run_in_fresh_environment(project, name, options.python, found.plain.metrics, progress)
            except FullFailed as error:
                report = replace(report, status="differs", reason=str(error))
        return _outcome(report, _exit_code(report), project, found, None)


@contextmanager
def _job(
    notebook: Notebook, path: Path, name: str, out: Path, options: Options, progress: Progress
) -> Iterator[Job]:
    with tempfile.TemporaryDirectory(prefix="nb2prod-") as folder:
        yield Job(notebook, path, name, out, options, progress, Path(folder))


def _config(project: Path) -> dict[str, object]:
    try:
        return tomllib.loads((project / "config.toml").read_text(encoding="utf-8"))
    except OSError as error:
        raise CompileError(f"{project} is not a project of nb2prod: no config.toml", 2) from error
    except tomllib.TOMLDecodeError as error:
        raise CompileError(f"{project / 'config.toml'}: {error}", 2) from error


def _source(copy: Path, original: Path) -> Notebook:
    """A project's notebook; the original where the copy is that with secrets masked: only it runs."""
    notebook = frontend.read(copy)
    try:
        source = frontend.read(original)
        text = original.read_bytes().decode("utf-8", "surrogateescape")
    except (frontend.ReadError, OSError):
        return notebook
    stored = copy.read_bytes().decode("utf-8", "surrogateescape")
    return source if text != stored and masked(text, source) == stored else notebook


def _notebook_name(project: Path) -> str:
    """What the notebook was called, from the report of its compile."""
    try:
        report = json.loads((project / REPORT).read_text(encoding="utf-8"))
        return Path(str(report["notebook"])).name
    except (OSError, ValueError, KeyError, TypeError):
        return "notebook.ipynb"


def _exit_code(report: Report) -> int:
    return {"verified": 0, "refused": 1, "unverified": 3}.get(report.status, 4)


def _outcome(
    report: Report, code: int, out: Path, found: Evidence, written: emit.WriteResult | None
) -> Outcome:
    metrics = dict(found.plain.metrics)
    return Outcome(
        report.status, code, report, out, found.compiled, found.lowering, written, metrics, found.learned
    )


# the runs


def _gather(job: Job) -> Evidence | Outcome:
    """Both runs and what they show; an Outcome where the notebook is refused."""
    before = analyse(job.notebook, None, job.options.model)
    if before.graph.sink is None or any(d.code in BEFORE_RUNNING for d in before.blocking):
        return refused(before, job.out)
    need_split(before, job.options)
    trace = load_trace(job.options.trace, job.notebook)
    if trace is None:
        traced = _run(job, before, "trace")
        if not traced.ok or traced.trace is None:
            return _refused(job, before, traced)
        trace = traced.trace
    compiled = analyse(job.notebook, trace, job.options.model)
    if compiled.blocked:
        return refused(compiled, job.out)
    lowering = lowered(compiled, job.path, job.name, job.out, trace, trace.columns, job.options)
    plain = _run(job, compiled, "run", lowering)
    if not plain.ok:
        return _refused(job, compiled, plain)
    return Evidence(compiled, trace, lowering, plain)


def _run(job: Job, compiled: Compiled, phase: str, lowering: Lowering | None = None) -> Ran:
    graph, flow = compiled.graph, compiled.flow
    what = "running the notebook, " + (
        "looking at every value" if lowering is None else "plain, to compare with"
    )
    return run_notebook(
        compiled.program,
        python=job.options.python,
        folder=job.folder,
        timeout=job.options.timeout,
        offline=job.options.offline,
        trace=lowering is None,
        taps=[
            *baseline.asides(graph, flow, compiled.types),
            *(baseline.taps(graph, flow, compiled.types) if lowering is not None else ()),
        ],
        tail=baseline.tail(graph, flow, lowering) if lowering is not None else None,
        baseline=job.work / phase,
        seed=job.options.seed,
        on_progress=lambda cell, cells: job.progress(Event(phase, what, cell, cells)),
    )


def _refused(job: Job, compiled: Compiled, ran: Ran) -> Outcome:
    return refused(compiled, job.out, _failure(ran), _reason(ran))


def _failure(ran: Ran) -> Failure | None:
    error = ran.error
    if error is None:
        return None
    return Failure(error.ename, error.evalue, error.cell, error.line, error.traceback)


def _reason(ran: Ran) -> str:
    error = ran.error
    if error is None:
        return "the notebook did not run"
    line = f", line {error.line}" if error.line else ""
    place = "" if error.cell is None else f"cell {error.cell}{line}: "
    return f"{place}{error.ename}: {error.evalue}"


# the checks


def _request(job: Job, found: Evidence, project: Path) -> verify.Request:
    assert found.plain.baseline is not None
    graph = found.compiled.graph
    return verify.Request(
        project=project,
        package=job.name,
        baseline=found.plain.baseline,
        targets=found.lowering.project.target_columns,
        statements=tuple(verify.Place(p[1], p[2], p[0]) if p else None for p in found.lowering.body),
        unstable=unstable(found),
        learned=_learned(found),
        fit_on=job.options.fit_on,
        checks=(*verify.CHECKS, verify.COMPARED) if found.lowering.project.candidates else verify.CHECKS,
        seed=job.options.seed or 0,
        apart=bool(target_tables(found.compiled.flow, graph)),
        env={f"{job.name.upper()}_DATA_ROOT": str(job.folder)},
    )


def _learned(found: Evidence) -> tuple[str, ...]:
    """The keys of the sites that the notebook's run passed through; in a branch not taken none is learned."""
    graph, types = found.compiled.graph, found.compiled.types
    inner = {id(n) for s in graph.sites for n in ast.walk(s.node) if n is not s.node}  # run inside a thunk
    seen = [s for s in graph.sites if id(s.node) not in inner and types.site(s.node) is not None]
    keys = [s.key for s in seen if s.kind not in NOTHING_LEARNED]
    return tuple(dict.fromkeys(keys))


def unstable(found: Evidence) -> tuple[str, ...]:
    """Metrics that were not the same in the two runs of the notebook; then the model is not either."""
    differing = []
    for metric in found.compiled.graph.metrics:
        site = found.compiled.types.site(metric.seen or metric.node)
        seen = found.plain.metrics.get(metric.name)
        if site is None or seen is None or not isinstance(site.value, (int, float)) or "value" in site.varies:
            continue
        if site.value != seen and not (site.value != site.value and seen != seen):
            differing.append(metric.name)
    return (*differing, "model") if differing else ()


def _with_columns(job: Job, found: Evidence, request: verify.Request) -> Evidence:
    """The evidence with the raw columns that the emitted features read, if the trace has none yet."""
    if found.trace.columns:
        return found
    emit.write(files(found.lowering, job.notebook), request.project, force=True)
    job.progress(Event("emit", "finding out which columns the features read"))
    try:
        facts = verify.run_probe(request, python=job.options.python)
    except verify.CheckError:
        return found  # the checks say what is wrong
    columns = []
    for fact in facts["columns"]:
        known = {field: fact[field] for field in COLUMN_FIELDS}
        known["categories"] = None if known["categories"] is None else tuple(known["categories"])
        columns.append(Column(**known))
    targets = tuple(facts["targets"])
    guards = tuple(facts["guards"])
    trace = replace(found.trace, columns=tuple(columns), targets=targets, guards=guards)
    lowering = lowered(found.compiled, job.path, job.name, job.out, trace, trace.columns, job.options)
    return replace(found, trace=trace, lowering=lowering, learned=tuple(facts["learned"]))


def _check(job: Job, found: Evidence, request: verify.Request) -> tuple[Report, Evidence]:
    """The report, and the evidence with what the checks measured among its findings."""
    with scratch_copy(job.folder, job.notebook) as scratch:
        script = baseline.write_script(found.compiled.graph, found.compiled.flow, job.work)
        sliced = verify.Slice(script, baseline.SLICE_X, scratch.folder)
        checks = verify.run_checks(
            replace(request, slice=sliced), python=job.options.python, on_event=_follow(job.progress, request)
        )
    if found.compiled.graph.sink is not None and found.compiled.graph.sink.y is not None:
        unknown = Check("V3", "skipped", "which raw columns the target is made of is not known")
        checks = tuple(unknown if c.id == "V3" and c.status == "not_applicable" else c for c in checks)
    seen = replace(found.compiled, findings=(*found.compiled.findings, *measured(found.compiled, checks)))
    report = Report.of(checks, notebook=job.path.name, version=__version__, findings=findings(seen))
    return report, replace(found, compiled=seen)


def _follow(progress: Progress, request: verify.Request) -> Callable[[verify.Event], None]:
    total = len(request.checks)

    def follow(event: verify.Event) -> None:
        check = str(event.get("check", ""))
        if check in request.checks:
            at = request.checks.index(check)
            rows = f", {event['done']} of {event['of']}" if event.get("event") == "progress" else ""
            progress(Event("verify", f"check {check}{rows}", at + (event.get("event") == "done"), total))

    return follow
