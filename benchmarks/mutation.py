"""Tests the verifier: deletes one wrap of a generated `features` after the other, and looks what fails.

    python benchmarks/mutation.py [--python EXE] NOTEBOOK...

Each notebook is run and compiled once, then checked without each of its wraps.  Printed are how many
deletions are noticed and by which check, and those that are not.  A wrap is idle where its value changes the
features of no row and no probe (V6): without it nothing is different.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nb2prod import baseline, emit, frontend, verification, verify
from nb2prod.ir.stages import Site
from nb2prod.run.scratch import scratch_copy
from nb2prod.static import Event, Options, files, lowered

CHECKS = ("V1", "V2", "V3", "V4", "V5", "V7")


@dataclass(frozen=True)
class Mutant:
    """A project without one wrap; `noticed` is the check that fails, empty where none does."""

    site: Site
    noticed: str
    idle: bool = False

    def __str__(self) -> str:
        return f"{self.site.kind}({self.site.key}) in cell {self.site.span.cell}, line {self.site.span.line}"


class Noticed(Exception):
    """A check has failed; the rest need not run."""


def mutants(path: Path, python: str, work: Path) -> Iterator[Mutant]:
    """Each deletion of a wrap in the project of a notebook, and what became of it."""
    options = Options(python=python)
    with verification._job(
        frontend.read(path), path.absolute(), "project", work / "project", options, quiet
    ) as job:
        found = verification._gather(job)
        if not isinstance(found, verification.Evidence):
            return
        request = verification._request(job, found, job.work / "draft" / "project")
        found = verification._with_columns(job, found, request)
        # that a key is missing from the state would give every deletion away: rows must
        request = replace(request, learned=(), targets=found.lowering.project.target_columns)
        emit.write(files(found.lowering, found.compiled.notebook), request.project, force=True)
        whole = verify.run_checks(replace(request, checks=("V1", "V6")), python=python)
        unused = {key.partition("[")[0].partition("#")[0] for key in whole[1].facts.get("unused", ())}
        with scratch_copy(job.folder, job.notebook) as scratch:
            script = baseline.write_script(found.compiled.graph, found.compiled.flow, job.work)
            sliced = verify.Slice(script, baseline.SLICE_X, scratch.folder)
            request = replace(request, checks=CHECKS, slice=sliced)
            for site in found.compiled.graph.sites:
                write_without(site, found, path, job, request.project)
                name = first_failure(request, python)
                yield Mutant(site, name, not name and site.key in unused)


def write_without(
    site: Site, found: verification.Evidence, path: Path, job: verification.Job, place: Path
) -> None:
    """The project in which the expression of a site stands bare."""
    sites = tuple(other for other in found.compiled.graph.sites if other is not site)
    compiled = replace(found.compiled, graph=replace(found.compiled.graph, sites=sites))
    made = lowered(compiled, path, "project", job.out, found.trace, found.trace.columns)
    emit.write(files(made, found.compiled.notebook), place, force=True)


def first_failure(request: verify.Request, python: str) -> str:
    """The first check that does not pass."""

    def follow(event: verify.Event) -> None:
        if event["event"] == "died" or event.get("status") in ("failed", "skipped"):
            raise Noticed(event.get("check", "died"))

    try:
        verify.run_checks(request, python=python, on_event=follow)
    except Noticed as noticed:
        return str(noticed)
    return ""


def quiet(event: Event) -> None:
    """Nobody watches."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("notebooks", type=Path, nargs="+")
    parser.add_argument("--python", default=sys.executable)
    asked = parser.parse_args()
    every: list[Mutant] = []
    for path in asked.notebooks:
        with tempfile.TemporaryDirectory() as work:
            found = list(mutants(path, asked.python, Path(work)))
        print(f"{path.name}: {told(found)}", flush=True)
        every += found
    print(f"together: {told(every)}")
    return 0


def told(found: list[Mutant]) -> str:
    by = Counter(one.noticed for one in found if one.noticed)
    missed = [str(one) for one in found if not one.noticed and not one.idle]
    idle = sum(one.idle for one in found)
    checks = ", ".join(f"{name} {count}" for name, count in sorted(by.items()))
    text = f"{len(found)} wraps, {by.total()} deletions noticed ({checks}), {idle} idle, {len(missed)} missed"
    return text + "".join(f"\n    {one}" for one in missed)


if __name__ == "__main__":
    sys.exit(main())
