"""Compares a generated project with the notebook's own run, and says what that came to.

    checks = run_checks(request, python="python3", on_event=show)
    report = Report.of(checks, notebook="churn.ipynb", version=__version__)

The comparing is done by `injected/check_project.py` in the user's Python; this module starts it, follows it,
and makes a failure of that process a failure of the check it was at.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).resolve().parent / "injected" / "check_project.py"
CHECKS = ("V0", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "metrics", "predictions", "V9", "leakage")
COMPARED = "candidates"  # asked for where the notebook judges other models too
# What must have been seen, not merely not contradicted; the rest do not speak of the model in production.
REQUIRED = ("V0", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "metrics", "predictions")
JUDGED = ("metrics", "predictions")  # what evaluation rows decide
ABSENT = ("V3", "V7", "metrics")  # a notebook may have no target, fixed positions of rows, no metric


@dataclass(frozen=True, slots=True)
class Place:
    """The notebook's line behind a statement of the generated `features`."""

    cell: int
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Slice:
    """The notebook's sliced statements as a script: its file, its X, and the folder to run it in."""

    path: Path
    variable: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Request:
    """What to check.

    `baseline` is the folder that the notebook's plain run left.  `values` maps roles to names of values in
    it where they differ: X_train, y_train, X_eval, y_eval, model, predictions_train, predictions_eval,
    predictions_all (the notebook's final ones), and features, for the random state before the features.
    `statements` are the places of the statements of `features`, in order, without its docstring.
    `learned` are the keys under which training must have learned something, without `at` and numbers.
    `fit_on` is the project's choice of rows to learn from: all (as the notebook) or train.
    `apart` says that a table of its own holds the target.
    `unstable` names metrics, and "model", that differ between two runs of the notebook itself.
    `env` is added to the environment (where the raw data are).
    """

    project: Path
    package: str
    baseline: Path
    targets: tuple[str, ...] = ()
    slice: Slice | None = None
    statements: tuple[Place | None, ...] = ()
    learned: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    unstable: tuple[str, ...] = ()
    fit_on: str = "all"
    checks: tuple[str, ...] = CHECKS
    seed: int = 0
    apart: bool = False
    env: Mapping[str, str] = field(default_factory=dict)

    def to_json(self, task: str) -> dict[str, Any]:
        """The request as the script reads it."""
        found = {name: value for name, value in asdict(self).items() if name != "env"}
        return {**found, "task": task}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `status` is passed, failed, skipped or not_applicable, `detail` its reason.

    `facts` is what else it found, for the rules.
    """

    id: str
    status: str
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, str]:
        return {"id": self.id, "status": self.status, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Report:
    """What a compilation came to; `findings` are diagnostics in their JSON form."""

    status: str
    checks: tuple[Check, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    notebook: str = ""
    nb2prod_version: str = ""
    reason: str = ""

    @classmethod
    def of(
        cls, checks: Sequence[Check], *, notebook: str, version: str, findings: Sequence[dict[str, Any]] = ()
    ) -> Report:
        status, reason = outcome(checks)
        return cls(status, tuple(checks), tuple(findings), notebook, version, reason)

    @classmethod
    def refused(
        cls, reason: str, *, notebook: str, version: str, findings: Sequence[dict[str, Any]] = ()
    ) -> Report:
        return cls("refused", (), tuple(findings), notebook, version, reason)

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "reason": self.reason,
            "checks": [check.to_json() for check in self.checks],
            "findings": list(self.findings),
            "notebook": self.notebook,
            "nb2prod_version": self.nb2prod_version,
        }


def outcome(checks: Sequence[Check]) -> tuple[str, str]:
    """verified, unverified or differs, and why.  Nothing that was skipped counts as seen."""
    found = {check.id: check for check in checks}
    failed = [check for check in checks if check.status == "failed" and check.id in REQUIRED]
    skewed = found.get("V9", Check("V9", "skipped"))
    if failed and skewed.status == "failed" and all(check.id in JUDGED for check in failed):
        return "unverified", f"the notebook prepares its evaluation rows in another way: {skewed.detail}"
    if failed and failed[0].id == "V3":
        return "refused", f"NBP203 target-leakage: the target reaches the features: {failed[0].detail}"
    if failed:
        return "differs", f"{failed[0].id}: {failed[0].detail}"
    for name in REQUIRED:
        check = found.get(name, Check(name, "skipped", "was not made"))
        if check.status == "skipped" or (check.status == "not_applicable" and name not in ABSENT):
            return "unverified", f"{name}: {check.detail}"
    return "verified", ""


class CheckError(Exception):
    """The checks could not be made at all."""


Event = Mapping[str, Any]


def run_checks(
    request: Request,
    *,
    python: str,
    timeout: float | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> tuple[Check, ...]:
    """Make the checks in the user's Python; `on_event` hears of each start, progress and end.

    If the process dies or takes longer than `timeout` seconds, the check it was at says so and the rest is
    skipped: a death is a failure of the project, a time-out means that nothing is known.
    """
    done: dict[str, Check] = {}
    running = ""
    ended = "its process ended early"
    with _process(request, "check", python, timeout) as events:
        for event in events:
            if event["event"] == "start":
                running = event["check"]
            elif event["event"] == "done":
                done[running] = Check(running, event["status"], event["detail"], event["facts"])
                running = ""
            elif event["event"] in ("died", "timeout"):
                ended = event["detail"]
                if running or not done:
                    status = "failed" if event["event"] == "died" else "skipped"
                    name = running or request.checks[0]
                    done[name] = Check(name, status, ended)
            on_event(event)
    return tuple(done.get(name, Check(name, "skipped", f"not made: {ended}")) for name in request.checks)


def run_probe(request: Request, *, python: str, timeout: float | None = None) -> dict[str, Any]:
    """Facts on the raw columns (type, domain, whether a feature reads them), from the project on its data."""
    with _process(request, "probe", python, timeout) as events:
        for event in events:
            if event["event"] == "probe":
                return dict(event["facts"])
            raise CheckError(event.get("detail", "no answer"))
    raise CheckError("the process ended without an answer")


@contextlib.contextmanager
def _process(request: Request, task: str, python: str, timeout: float | None) -> Iterator[Iterator[Event]]:
    """The script at work in a folder of its own; what it says, and at last how it ended if not well."""
    with tempfile.TemporaryDirectory(prefix="nb2prod-check-") as folder:
        asked = Path(folder, "request.json")
        asked.write_text(json.dumps(request.to_json(task), default=str), encoding="utf-8")
        environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", **request.env}
        errors = Path(folder, "errors.txt")
        work = Path(folder, "work")
        work.mkdir()
        with errors.open("wb") as stream:
            try:
                child = subprocess.Popen(
                    [python, str(SCRIPT), str(asked)],
                    stdout=subprocess.PIPE,
                    stderr=stream,
                    stdin=subprocess.DEVNULL,
                    env=environment,
                    cwd=work,
                    text=True,
                    encoding="utf-8",
                )
            except OSError as error:
                raise CheckError(f"{python} cannot be started: {error}") from error
            try:
                yield _events(child, errors, None if timeout is None else time.monotonic() + timeout)
            finally:
                child.kill()
                child.wait()
                if child.stdout is not None:
                    child.stdout.close()


def _events(child: subprocess.Popen[str], errors: Path, until: float | None) -> Iterator[Event]:
    """What the script says line by line; a thread reads, so that waiting can end at the time-out."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert child.stdout is not None
        with contextlib.suppress(ValueError):  # closed while we read
            for line in child.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        except queue.Empty:
            yield {"event": "timeout", "detail": "took longer than the time-out"}
            return
        if line is None:
            break
        yield json.loads(line)
    if child.wait() != 0:
        said = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
        yield {"event": "died", "detail": f"the process died ({how})" + (f": {said[-1]}" if said else "")}
