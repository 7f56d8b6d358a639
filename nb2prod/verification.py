"""Compiling with evidence: runs the notebook twice, emits, probes the raw columns, checks, moves into place.

    run 1, instrumented  ->  Trace           what kind of value each expression met
    run 2, plain         ->  baseline        what the project is compared with
    emit to a scratch folder -> probe -> emit again with the schema -> checks -> the output folder

Nothing stands in the output folder before the checks are over.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nb2prod import __version__, baseline, emit, verify
from nb2prod.compiler import (
    Compiled,
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
    refused,
)
from nb2prod.ir.project import Column
from nb2prod.ir.trace import Trace
from nb2prod.lower import Lowering
from nb2prod.run import Outcome as Ran
from nb2prod.run import run_notebook
from nb2prod.run.scratch import scratch_copy
from nb2prod.source import Notebook
from nb2prod.verify import Check, Report

COLUMN_FIELDS = ("name", "type", "read", "nullable", "categories", "minimum", "maximum", "example")


def compile_and_verify(
    notebook: Notebook, path: Path, name: str, out: Path, options: Options, progress: Progress
) -> Outcome:
    """The whole compile; `status` is verified, unverified, differs or refused."""
    before = analyse(notebook, None, options.model)
    if before.graph.sink is None or any(r.code in ("NBP501", "NBP502", "NBP505") for r in before.graph.refusals):
        return refused(before, out)
    trace = load_trace(options.trace, notebook)
    with tempfile.TemporaryDirectory(prefix="nb2prod-") as folder:
        work = Path(folder)
        if trace is None:
            traced = _run(before, path, options, progress, "trace", work / "traced", trace=True)
            if not traced.ok or traced.trace is None:
                return refused(before, out, _failure(traced), _reason(traced))
            trace = traced.trace
        compiled = analyse(notebook, trace, options.model)
        if compiled.blocked:
            return refused(compiled, out)
        lowering = lowered(compiled, path, name, out, trace, ())
        plain = _run(compiled, path, options, progress, "run", work / "baseline", lowering=lowering)
        if not plain.ok:
            return refused(compiled, out, _failure(plain), _reason(plain))
        return _checked(compiled, path, name, out, options, progress, trace, lowering, plain, work)


def _run(
    compiled: Compiled,
    path: Path,
    options: Options,
    progress: Progress,
    phase: str,
    keep: Path,
    trace: bool = False,
    lowering: Lowering | None = None,
) -> Ran:
    what = "looking at every value" if trace else "plain, for comparison"
    tail = baseline.tail(compiled.graph, compiled.flow, lowering) if lowering is not None else None
    asked = baseline.taps(compiled.graph, compiled.flow) if lowering is not None else []
    return run_notebook(
        compiled.program,
        python=options.python,
        folder=path.absolute().parent,
        timeout=options.timeout,
        offline=options.offline,
        trace=trace,
        taps=asked,
        tail=tail,
        baseline=keep,
        seed=options.seed,
        on_progress=lambda cell, cells: progress(Event(phase, f"running the notebook, {what}", cell, cells)),
    )


def _checked(
    compiled: Compiled,
    path: Path,
    name: str,
    out: Path,
    options: Options,
    progress: Progress,
    trace: Trace,
    lowering: Lowering,
    plain: Ran,
    work: Path,
) -> Outcome:
    """Emit, probe, emit again, check; then into the output folder, or beside it where it differs."""
    draft = work / "draft" / name
    request = _request(compiled, path, name, draft, lowering, work, trace, plain, options)
    progress(Event("emit", "writing the project"))
    if not trace.columns:
        emit.write(files(lowering, path, None), draft, force=True)
        trace = replace(trace, columns=_probe(request, options, progress))
        lowering = lowered(compiled, path, name, out, trace, trace.columns)
    emit.write(files(lowering, path, None), draft, force=True)
    with scratch_copy(path.absolute().parent, compiled.notebook) as scratch:
        script = baseline.write_script(compiled.graph, compiled.flow, work)
        sliced = verify.Slice(script, baseline.SLICE_X, scratch.folder)
        checks = verify.run_checks(
            replace(request, slice=sliced), python=options.python, on_event=_follow(progress, request)
        )
    report = Report.of(checks, notebook=path.name, version=__version__, findings=findings(compiled))
    place = out if report.status != "differs" else out.with_name(out.name + ".failed")
    written = emit.write(files(lowering, path, report), place, options.force or report.status == "differs")
    code = {"verified": 0, "unverified": 3}.get(report.status, 4)
    return Outcome(
        report.status, code or written.exit_code, report, place, compiled, lowering, written, dict(plain.metrics)
    )


def _request(
    compiled: Compiled,
    path: Path,
    name: str,
    draft: Path,
    lowering: Lowering,
    work: Path,
    trace: Trace,
    plain: Ran,
    options: Options,
) -> verify.Request:
    assert plain.baseline is not None
    return verify.Request(
        project=draft,
        package=name,
        baseline=plain.baseline,
        targets=lowering.project.target_columns,
        statements=tuple(verify.Place(p[1], p[2], p[0]) if p else None for p in lowering.body),
        unstable=unstable(compiled, trace, plain),
        seed=0 if options.seed is None else options.seed,
        env={f"{name.upper()}_DATA_ROOT": str(path.absolute().parent)},
    )


def unstable(compiled: Compiled, trace: Trace, plain: Ran) -> tuple[str, ...]:
    """Metrics that were not the same in the two runs of the notebook; then the model is not either."""
    differing = []
    for metric in compiled.graph.metrics:
        stmt = compiled.flow.by_id[metric.stmt]
        site = trace.at(stmt.text.span(metric.node))
        seen = plain.metrics.get(metric.name)
        if site is not None and seen is not None and isinstance(site.value, (int, float)) and "value" not in site.varies:
            if site.value != seen and not (site.value != site.value and seen != seen):
                differing.append(metric.name)
    return (*differing, "model") if differing else ()


def _probe(request: verify.Request, options: Options, progress: Progress) -> tuple[Column, ...]:
    """What the emitted features read of the raw data; nothing where they do not even run."""
    progress(Event("emit", "finding out which columns the features read"))
    try:
        facts = verify.run_probe(request, python=options.python)
    except verify.CheckError:
        return ()  # the checks say what is wrong
    columns = []
    for fact in facts["columns"]:
        known = {field: fact[field] for field in COLUMN_FIELDS}
        known["categories"] = None if known["categories"] is None else tuple(known["categories"])
        columns.append(Column(**known))
    return tuple(columns)


def _follow(progress: Progress, request: verify.Request) -> Callable[[verify.Event], None]:
    total = len(request.checks)

    def follow(event: verify.Event) -> None:
        check = str(event.get("check", ""))
        if check in request.checks:
            at = request.checks.index(check)
            rows = f", {event['done']} of {event['of']}" if event.get("event") == "progress" else ""
            progress(Event("verify", f"check {check}{rows}", at + (event.get("event") == "done"), total))

    return follow


def _failure(ran: Ran) -> Failure | None:
    if ran.error is None:
        return None
    error = ran.error
    return Failure(error.ename, error.evalue, error.cell, error.line, error.traceback)


def _reason(ran: Ran) -> str:
    error = ran.error
    if error is None:
        return "the notebook did not run"
    place = "" if error.cell is None else f"cell {error.cell}" + (f", line {error.line}" if error.line else "") + ": "
    return f"{place}{error.ename}: {error.evalue}"


def write_trace(trace: Trace, path: Path) -> None:
    """Stores a trace so that a later compile needs no run for it."""
    path.write_text(trace.to_json(), encoding="utf-8")


