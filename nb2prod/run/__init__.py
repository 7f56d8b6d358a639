"""Runs a notebook in the user's Python, plain or instrumented, and says what happened.

    outcome = run_notebook(program, python="python3", folder=Path("."), trace=True)
    if not outcome.ok: print(outcome.error.cell, outcome.error.line, outcome.error.evalue)

Each run has a fresh kernel in a scratch copy of the notebook's folder and starts from the same global seeds.
`instrument` edits the cells, `scratch` copies the folder, `kernel` starts papermill, and
`injected/` is what runs beside the notebook.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nb2prod.ir.program import Program
from nb2prod.ir.trace import Labels, SiteFact, Trace, fingerprint
from nb2prod.run.instrument import Instrumented, Tap, instrument, static_imports
from nb2prod.run.kernel import STARTER, NoKernel, Ran, probe, run_cells, without_colour
from nb2prod.run.scratch import Scratch, scratch_copy
from nb2prod.run.sites import CALL
from nb2prod.source import TAG_PREFIX, Cell, split_lines

__all__ = ["DEFAULT_SEED", "HASH_SEED", "Outcome", "Output", "RunError", "Saved", "Tap", "run_notebook"]

DEFAULT_SEED = 0
HASH_SEED = "0"  # the order of sets is the same in every run
_NO_HISTORY = "--HistoryManager.hist_file=:memory:"
_CELL_FILE = re.compile(r"\S*[/\\]ipykernel_\d+[/\\]\d+\.py")
_SKIP_COMMENT = re.compile(rf"\s*#\s*{TAG_PREFIX}\s*skip\b")


@dataclass(frozen=True, slots=True)
class Output:
    """Something a cell showed; `kind` is stdout, stderr, result, display or error."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run ended early.  `cell` is None where no cell of the notebook is to blame."""

    ename: str
    evalue: str
    cell: int | None = None
    line: int | None = None
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A value that a tap kept: a pickle in the baseline folder, or the reason why there is none.

    `needs_main` says that the pickle refers to something that the notebook defines itself.
    """

    file: str | None = None
    type: str = ""
    shape: tuple[int, ...] | None = None
    hits: int = 0
    needs_main: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run.  `outputs` are by cell; `random` names the files with the state of the random generators."""

    ok: bool
    error: RunError | None = None
    timed_out: bool = False
    died: bool = False
    outputs: Mapping[int, tuple[Output, ...]] = field(default_factory=dict)
    baseline: Path | None = None
    values: Mapping[str, Saved] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    random: Mapping[str, str] = field(default_factory=dict)
    trace: Trace | None = None
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def load(self, name: str) -> Any:
        """A saved value; only for values made by this very Python and its libraries."""
        import pickle

        saved = self.values[name]
        assert self.baseline is not None
        if saved.file is None:
            raise ValueError(f"{name} was not kept: {saved.error}")
        return pickle.loads((self.baseline / saved.file).read_bytes())


def run_notebook(
    program: Program,
    *,
    python: str,
    folder: Path,
    timeout: float | None = None,
    offline: bool = False,
    trace: bool = False,
    taps: Sequence[Tap] = (),
    tail: str | None = None,
    baseline: Path | None = None,
    seed: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Runs the notebook top to bottom in a scratch copy of `folder`.

    `tail` is Python run after the last cell; there `__nb2prod__.save(name, lambda: value)` keeps a value,
    as `taps` do; both need `baseline`, the folder for them.  `on_progress(cell, cells)` comes before a cell.
    """
    started = time.monotonic()
    if baseline is None and (taps or tail):
        raise ValueError("taps and tail need a baseline folder")
    language = program.notebook.language
    if language != "python":
        return _refused("UnknownLanguage", f"the notebook's language is {language}, not Python", started)
    try:
        exe = probe(python)
    except NoKernel as error:
        return _refused("NoKernel", str(error), started)
    cells = [cell for cell in program.notebook.code_cells() if cell.text.strip() and not _skipped(cell)]
    changed = instrument(program, taps, record=trace)
    if baseline is not None:
        baseline.mkdir(parents=True, exist_ok=True)
    with scratch_copy(folder, program.notebook) as scratch:
        run = _Run(program, cells, changed, scratch, baseline)
        config = run.write_config(offline, DEFAULT_SEED if seed is None else seed)
        sources = [(changed.texts.get(cell.index, cell.text), cell.tags) for cell in cells]
        after = [tail] if tail else []
        sources += [(text, ()) for text in [*after, "__nb2prod__.finish()"]]

        def on_cell(place: int) -> None:
            if on_progress is not None and place < len(cells):
                on_progress(cells[place].index, len(program.notebook.cells))

        ran = run_cells(
            sources,
            argv=[exe, str(STARTER), str(config), "-f", "{connection_file}", _NO_HISTORY],
            env=_environment(run.private, offline),
            cwd=scratch.folder,
            private=run.private,
            timeout=timeout,
            on_cell=on_cell,
        )
        return run.outcome(ran, trace, started)


def _refused(ename: str, evalue: str, started: float) -> Outcome:
    return Outcome(False, RunError(ename, evalue), seconds=time.monotonic() - started)


def _skipped(cell: Cell) -> bool:
    """Whether the tag `skip` removes a cell, in the metadata or in its first line."""
    return "skip" in cell.tags or _SKIP_COMMENT.match(cell.text) is not None


def _environment(private: Path, offline: bool) -> dict[str, str]:
    env = {
        "MPLBACKEND": "Agg",  # plots must not wait for anybody
        "PYTHONHASHSEED": HASH_SEED,
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    if offline:
        # for programs that the notebook starts; port 9 is refused with the reason by the recorder
        proxies = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")
        env.update({name: "http://127.0.0.1:9" for proxy in proxies for name in (proxy, proxy.upper())})
        env["no_proxy"] = env["NO_PROXY"] = "localhost,127.0.0.1,::1"
        env["PIP_NO_INDEX"] = env["UV_OFFLINE"] = "1"
    return env


@dataclass(slots=True)
class _Run:
    """One run's inputs, to make sense of what it leaves."""

    program: Program
    cells: list[Cell]
    changed: Instrumented
    scratch: Scratch
    baseline: Path | None

    @property
    def private(self) -> Path:
        return self.scratch.root / "kernel"

    def write_config(self, offline: bool, seed: int) -> Path:
        private = self.private
        private.mkdir()
        config = {
            "sites": len(self.changed.spans),
            "taps": [
                {
                    "name": tap.name,
                    "metric": tap.metric,
                    "with_random": tap.with_random,
                    "streams": tap.streams,
                }
                for tap in self.changed.taps
            ],
            "imports": sorted(static_imports(self.program)),
            "baseline": None if self.baseline is None else str(self.baseline.absolute()),
            "facts": str(private / "facts.json"),
            "failure": str(private / "failure.json"),
            "log": str(private / "log.txt"),
            "seed": seed,
            "offline": offline,
            "linked": [str(path) for path in self.scratch.linked],
        }
        path = private / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        return path

    def outcome(self, ran: Ran, trace: bool, started: float) -> Outcome:
        facts = _json(self.private / "facts.json")
        index = {} if self.baseline is None else _json(self.baseline / "index.json")
        return Outcome(
            ok=not ran.failure,
            error=self.error(ran) if ran.failure else None,
            timed_out=ran.failure == "timeout",
            died=ran.failure == "died",
            outputs={
                cell.index: self.outputs(node, cell)
                for cell, node in zip(self.cells, ran.cells, strict=False)  # ran stops early, or runs more
            },
            baseline=self.baseline,
            values={name: _saved(entry) for name, entry in sorted(index.get("values", {}).items())},
            metrics=dict(sorted(index.get("metrics", {}).items())),
            random=dict(sorted(index.get("random", {}).items())),
            trace=self.trace(facts) if trace and facts else None,
            python=facts.get("python", ""),
            packages=dict(sorted(facts.get("packages", {}).items())),
            modules=dict(sorted(facts.get("modules", {}).items())),
            notes=tuple(self.notes(facts)),
            seconds=time.monotonic() - started,
        )

    def outputs(self, node: Any, cell: Cell) -> tuple[Output, ...]:
        found: list[Output] = []
        for output in node.outputs:
            if output.output_type == "stream":
                # where a stream is cut into messages is chance
                earlier = found.pop().text if found and found[-1].kind == output.name else ""
                found.append(Output(output.name, earlier + self.readable(output.text, cell)))
            elif output.output_type == "error":
                found.append(Output("error", self.readable("\n".join(output.traceback), cell)))
            else:
                kind = "result" if output.output_type == "execute_result" else "display"
                found.append(Output(kind, output.data.get("text/plain", "")))
        return tuple(found)

    def readable(self, text: str, cell: Cell) -> str:
        """A message without colours, with the notebook's own lines and folder."""
        text = without_colour(text)
        if CALL in text:
            for ours, stored in self.changed_lines():
                text = text.replace(ours, stored)
        for before in self.changed.inserted.get(cell.index, ()):
            text = _renumbered(text, before)
        return _CELL_FILE.sub("<cell>", text.replace(str(self.scratch.folder), "."))

    def changed_lines(self) -> list[tuple[str, str]]:
        """Instrumented lines with the stored ones, long ones first: one may be part of another."""
        found = {}
        for cell in self.cells:
            stored = split_lines(cell.text)
            for number, line in enumerate(split_lines(self.changed.texts.get(cell.index, "")), 1):
                at = self.changed.stored_line(cell.index, number)
                if CALL in line and at <= len(stored):
                    found[line.strip()] = stored[at - 1].strip()
        return sorted(found.items(), key=lambda pair: -len(pair[0]))

    def error(self, ran: Ran) -> RunError:
        place = ran.stopped_at
        cell = self.cells[place] if place is not None and place < len(self.cells) else None
        number = None if cell is None else cell.index
        if ran.failure == "timeout":
            return RunError("Timeout", ran.reason, number)
        if ran.failure == "died":
            log = self.private / "log.txt"
            tail = log.read_text(errors="replace")[-4000:] if log.exists() else ""
            return RunError("DeadKernel", "the notebook's Python process died", number, traceback=tail)
        assert place is not None
        shown = next((out for out in reversed(ran.cells[place].outputs) if out.output_type == "error"), None)
        if shown is None:
            return RunError("CellExecutionError", "the cell stopped without an error message", number)
        line = _json(self.private / "failure.json").get("line")
        if line is not None and number is not None:
            line = self.changed.stored_line(number, line)
        text = self.readable("\n".join(shown.traceback), cell or self.cells[-1])
        return RunError(shown.ename, without_colour(shown.evalue), number, line, text)

    def trace(self, facts: Mapping[str, Any]) -> Trace:
        sites = [_fact(self.changed, int(site), entry) for site, entry in facts["sites"].items()]
        return Trace(
            facts["python"],
            fingerprint(self.program.notebook),
            tuple(sorted(facts["packages"].items())),
            tuple(sorted(facts["modules"].items())),
            tuple(sorted(sites, key=lambda site: site.span)),
        )

    def notes(self, facts: Mapping[str, Any]) -> list[str]:
        notes = [f"not instrumented: {what}" for what in self.changed.left_out]
        notes += [f"linked, not copied: {path}" for path in self.scratch.linked]
        stats = facts.get("stats", {})
        if stats.get("unlabelled"):
            notes.append(f"column names of {stats['unlabelled']} values were not recorded: too many")
        if stats.get("failed"):
            notes.append(f"the recorder could not describe {stats['failed']} values")
        return notes


def _fact(changed: Instrumented, site: int, entry: Mapping[str, Any]) -> SiteFact:
    shape = entry.get("shape")
    return SiteFact(
        changed.spans[site],
        tuple(entry["types"]),
        entry["hits"],
        None if shape is None else tuple(shape),
        entry.get("rows"),
        _labels(entry.get("columns")),
        _labels(entry.get("dtypes")),
        entry.get("value"),
        tuple(entry["varies"]),
    )


def _labels(stored: list[str] | None) -> Labels:
    return None if stored is None else tuple(stored)


def _saved(entry: Mapping[str, Any]) -> Saved:
    shape = entry.get("shape")
    return Saved(
        entry.get("file"),
        entry.get("type", ""),
        None if shape is None else tuple(shape),
        entry.get("hits", 0),
        entry.get("needs_main", False),
        entry.get("error", ""),
    )


def _renumbered(text: str, before: int) -> str:
    """Line numbers in a traceback as they were before a line was added."""

    def less(found: re.Match[str]) -> str:
        line = int(found[2])
        return found[1] + str(line - 1 if line > before else line).rjust(len(found[2]))

    return re.sub(r"(, line |^-*>? *)(\d+)(?= |$)", less, text, flags=re.M)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
