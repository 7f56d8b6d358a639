"""What a compile or a verification came to, for the person who asked for it."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nb2prod.cli.failure import failure_text
from nb2prod.cli.style import Paint, columns, one_line
from nb2prod.compiler import Compiled, Outcome
from nb2prod.diagnostics import Diagnostic, Severity, render
from nb2prod.graph.view import Learned, View, cells, plural, size_of, view
from nb2prod.ir.refusal import TAGS

MEANING = {
    "V0": "the notebook's slice gives the same features",
    "V1": "the project's features are the notebook's",
    "V2": "a row alone gets what it gets in the batch",
    "V3": "the target does not reach the features",
    "V4": "other batches give a row the same",
    "V5": "values unseen, alone as in a batch",
    "V6": "what was learned matters to some row",
    "V7": "learning again from a part of the rows",
    "V8": "the same after saving, in a new process, from JSON",
    "V9": "rows held out by the notebook get its features",
    "leakage": "what rows that judge the model teach it",
    "candidates": "the notebook's other models are compared",
    "metrics": "the notebook's metrics",
    "predictions": "the notebook's predictions",
}
SIGNS = {
    "passed": ("good", "+"),
    "failed": ("bad", "x"),
    "skipped": ("warn", "-"),
    "not_applicable": ("dim", "."),
}
OF_THE_NOTEBOOK = (
    "V9",
    "leakage",
    "candidates",
)  # a failure of these says nothing of the model in production
COLOURS = {"verified": "good", "static": "good", "unverified": "warn", "differs": "bad", "refused": "bad"}
_LONG_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{5,}(?![\w.])")
SHOWN = 12  # rows of a table before it says how many more there are


def summary(outcome: Outcome, notebook: Path, paint: Paint, width: int = 100) -> str:
    """Everything that is worth telling at the end, in the order in which one asks."""
    parts = [headline(outcome, notebook, paint)]
    compiled = outcome.compiled
    if outcome.status == "refused":
        return "\n\n".join([*parts, *_refusal(outcome, paint)]) + "\n"
    if compiled is not None:
        seen = view(compiled.graph, compiled.flow)
        parts += [
            _stages(seen, paint, width),
            _inferred(compiled, paint, width),
            _learned(seen, outcome, paint, width),
            _rows(seen, paint, width),
        ]
        parts += [_dropped(seen, paint, width), _row_path(outcome, paint)]
    parts += [_checks(outcome, paint, width), _metrics(outcome, paint)]
    if compiled is not None:
        parts += [_assumed(compiled, paint, width), _findings(compiled.findings, paint, width)]
    parts += [_written(outcome, paint), _next(outcome, paint)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row_path(outcome: Outcome, paint: Paint) -> str:
    """How a request with one row is answered."""
    project = outcome.lowering.project if outcome.lowering else None
    if project is None or not project.row_path_told:
        return ""
    how = "without pandas, if training proves it equal" if project.row_path else "with pandas"
    return f"{paint('bold', 'Single rows')}\n  {how}: {one_line(project.row_path_told, 200)}"


def short_path(path: Path) -> str:
    """A path as one would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative


def headline(outcome: Outcome, notebook: Path, paint: Paint) -> str:
    word = "compiled" if outcome.status == "static" else outcome.status
    said = paint(COLOURS.get(outcome.status, "bold"), word)
    reason = one_line(outcome.report.reason, 300)
    if outcome.status == "refused":
        return f"{said}: {notebook.name}{_why_refused(outcome, reason)}"
    where = f" -> {short_path(outcome.out)}{os.sep}" if outcome.out else ""
    line = f"{said}: {notebook.name}{where}"
    if outcome.written is not None and outcome.written.kept:
        edited = plural(len(outcome.written.kept), "file")
        warning = f"not all written: {edited} that you had edited stayed as they are (see below; exit code 1)"
        line += "\n  " + paint("warn", warning)
    explained = {
        "static": "nothing was run, so nothing is verified",
        "unverified": f"could not verify: {reason}",
        "differs": f"this is a fault of nb2prod, not of the notebook: {reason}",
    }
    return f"{line}\n  {explained[outcome.status]}" if outcome.status in explained else line


def _why_refused(outcome: Outcome, reason: str) -> str:
    if outcome.failure is not None:
        return " does not run" if outcome.failure.cell is not None else " could not be run"
    blocking = outcome.compiled.blocking if outcome.compiled else ()
    return f", for {plural(len(blocking), 'reason')}" if blocking else f": {reason}" if reason else ""


def _refusal(outcome: Outcome, paint: Paint) -> Iterator[str]:
    """The failure of the run, or the findings that stand in the way."""
    compiled = outcome.compiled
    if outcome.failure is not None:
        yield failure_text(outcome.failure, compiled.notebook if compiled else None, paint)
    elif compiled is not None:
        blocking = compiled.blocking
        yield from (finding_text(found, compiled, paint) for found in blocking[:SHOWN])
        if len(blocking) > SHOWN:
            yield f"... and {len(blocking) - SHOWN} more"
        others = len(compiled.findings) - len(blocking)
        if others:
            path = _quoted(short_path(Path(compiled.notebook.path)))
            yield paint("dim", f"{plural(others, 'other finding')}: nb2prod lint {path}")
    yield "No project was written."


def finding_text(found: Diagnostic, compiled: Compiled, paint: Paint) -> str:
    """A finding with its source lines, its first line coloured."""
    first, _, rest = render(found, compiled.notebook).partition("\n")
    return paint("bad" if found.severity is Severity.ERROR else "warn", one_line(first, 300)) + "\n" + rest


def _stages(seen: View, paint: Paint, width: int) -> str:
    rows = []
    for node in seen.nodes:
        rows.append((str(node.role), one_line(size_of(node), width - 42), node.function))
    return _titled("Stages", columns(rows, [_in("word", paint), str, _in("dim", paint)]), paint)


def _inferred(compiled: Compiled, paint: Paint, width: int) -> str:
    """What untagged cells were taken to be, cells of one kind together."""
    graph = compiled.graph
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for cell in sorted(graph.inferred):
        groups[graph.tags[cell]].append(cell)
    rows = []
    for stages, found in sorted(
        groups.items(), key=lambda group: [TAGS.index(t) for t in group[0].split(",")]
    ):
        why = "; ".join(dict.fromkeys(w for cell in found for w in graph.inferred[cell].split("; ")))
        rows.append((stages.replace(",", ", "), one_line(cells(tuple(found)), 40), one_line(why, width - 60)))
    title = f"Inferred stages ({plural(len(graph.inferred), 'untagged cell')}; all reasons: nb2prod tag)"
    return _titled(title, columns(rows, [_in("word", paint), str, _in("dim", paint)]), paint) if rows else ""


def _learned(seen: View, outcome: Outcome, paint: Paint, width: int) -> str:
    learned = [one for node in seen.nodes for one in node.learned]
    if not learned:
        return ""
    values = _values(outcome)
    rows = []
    for one in learned[:SHOWN]:
        place = f"cell {one.span.cell}, line {one.span.line}"
        value = one_line(_value(one, values), 36)
        rows.append((one_line(one.key, 32), value, one_line(one.why, 46), place))
    lines = columns(rows, [_in("word", paint), str, str, _in("dim", paint)])
    if len(learned) > SHOWN:
        lines.append(f"  ... and {len(learned) - SHOWN} more: PROVENANCE.md")
    return _titled(f"Learned from the training data ({len(learned)})", lines, paint)


def _values(outcome: Outcome) -> dict[str, list[tuple[str, str]]]:
    """What was learned, by key; a key that a loop repeats has a value for each round."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in outcome.learned:
        key, _, rest = str(entry.get("key", "")).partition("[")
        found[key].append((rest.rstrip("]").strip("\"'"), str(entry.get("value", ""))))
    return found


def _value(one: Learned, values: dict[str, list[tuple[str, str]]]) -> str:
    known = values.get(one.key.partition("[")[0], [])
    text = ", ".join(f"{at}: {value}" if at else value for at, value in known)
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.6g}", text)


def _rows(seen: View, paint: Paint, width: int) -> str:
    chosen = [one for node in seen.nodes for one in node.chosen]
    rows = [
        (one.key, one_line(one.why, width - 50), f"cell {one.span.cell}, line {one.span.line}")
        for one in chosen
    ]
    lines = columns(rows, [_in("word", paint), str, _in("dim", paint)])
    return _titled("Only while training", lines, paint) if rows else ""


def _dropped(seen: View, paint: Paint, width: int) -> str:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for left in seen.dropped:
        groups[left.reason].append(left.cell)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [
        (one_line(reason, 60), str(len(found)), one_line(cells(tuple(found)), width - 60))
        for reason, found in ordered
    ]
    title = f"Left out ({plural(len(seen.dropped), 'statement')})"
    return _titled(title, columns(rows, [str, str, _in("dim", paint)]), paint) if rows else ""


def _checks(outcome: Outcome, paint: Paint, width: int) -> str:
    if outcome.status == "static" or not outcome.report.checks:
        return ""
    lines = []
    name = max(len(check.id) for check in outcome.report.checks)
    what = max(len(MEANING.get(check.id, "")) for check in outcome.report.checks)
    for check in outcome.report.checks:
        colour, sign = SIGNS.get(check.status, ("bad", "?"))
        state = "" if check.status == "passed" else check.status.replace("_", " ") + ": "
        if check.id in OF_THE_NOTEBOOK and check.status == "failed":
            colour, sign, state = "warn", "!", ""
        head = f"{check.id:<{name}}  {MEANING.get(check.id, ''):<{what}}"
        room = width if check.status != "failed" else 1000
        detail = paint("dim", one_line(check.detail, max(room - len(head) - len(state) - 6, 40)))
        lines.append(f"  {paint(colour, sign)} {head}  {paint(colour, state)}{detail}".rstrip())
    return _titled("Checks", lines, paint)


def _metrics(outcome: Outcome, paint: Paint) -> str:
    """The notebook's numbers; the check `metrics` says whether the project gives the same."""
    if not outcome.metrics:
        return ""
    check = next((check for check in outcome.report.checks if check.id == "metrics"), None)
    same = check is not None and check.status == "passed"
    rows = [
        (name, repr(value), "the same in the project" if same else "")
        for name, value in outcome.metrics.items()
    ]
    lines = columns(rows, [_in("word", paint), str, _in("good", paint)])
    if check is not None and check.status == "failed":
        lines.append("  " + paint("bad", one_line(check.detail, 400)))
    return _titled("Metrics of the notebook", lines, paint)


def _assumed(compiled: Compiled, paint: Paint, width: int) -> str:
    lines = [f"  {one_line(text, width + 60)}" for text in compiled.graph.assumptions]
    return _titled("Assumed", lines, paint) if lines else ""


def _findings(findings: tuple[Diagnostic, ...], paint: Paint, width: int) -> str:
    findings = tuple(found for found in findings if found.code != "NBP504")  # these have a table of their own
    if not findings:
        return ""
    order = list(Severity)
    counts = Counter(found.severity for found in findings)
    total = ", ".join(plural(counts[severity], severity) for severity in order if counts[severity])
    rows = []
    for found in sorted(findings, key=lambda one: order.index(one.severity))[:SHOWN]:
        place = f"cell {found.span.cell}, line {found.span.line}" if found.span else ""
        rows.append((f"{found.severity} {found.code}", place, one_line(found.message, max(width - 40, 40))))
    lines = columns(rows, [_in("warn", paint), _in("dim", paint), str])
    if len(findings) > SHOWN:
        lines.append(f"  ... and {len(findings) - SHOWN} more: nb2prod lint")
    return _titled(f"Findings ({total}; they do not stop the compile)", lines, paint)


def _written(outcome: Outcome, paint: Paint) -> str:
    written = outcome.written
    if written is None:
        return ""
    lines = []
    if written.kept:
        lines.append(
            paint(
                "warn", "You had edited these files, so they stay; the new text is beside each as FILE.new:"
            )
        )
        lines += [f"  {path}" for path in written.kept]
    if written.removed:
        lines.append("No longer part of the project, and removed: " + ", ".join(written.removed))
    return "\n".join(lines)


def _next(outcome: Outcome, paint: Paint) -> str:
    lowering = outcome.lowering
    if outcome.out is None or lowering is None or outcome.written is None or outcome.status == "differs":
        return ""
    project = lowering.project
    steps = [
        (f"cd {_quoted(short_path(outcome.out))}", ""),
        ("pip install -e '.[test]'", ""),
        (f"python -m {project.name} train", "trains, checks, logs to MLflow, registers"),
        (f"python -m {project.name} serve", "answers on localhost:8000"),
    ]
    row = {c.name: None if c.example != c.example else c.example for c in project.columns if c.read}
    if row:
        body = shlex.quote(json.dumps(row, ensure_ascii=False))
        steps.append((f"curl -s localhost:8000/predict -H 'content-type: application/json' -d {body}", ""))
    lines = []
    for command, why in steps:
        lines.append(f"  {paint('bold', command)}" + (paint("dim", f"   # {why}") if why else ""))
    return _titled("Next", lines, paint)


def _quoted(path: str) -> str:
    return shlex.quote(path)


def _titled(title: str, lines: list[str], paint: Paint) -> str:
    return "\n".join([paint("head", title), *lines])


def _in(style: str, paint: Paint) -> Callable[[str], str]:
    return partial(paint, style)
