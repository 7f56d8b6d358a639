"""The verifier is itself tested: deleting any one wrap of a generated `features` must not stay unnoticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nb2prod import emit, frontend, verification, verify
from nb2prod.compiler import Event, Options, files, lowered

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
CHECKS = ("V1", "V2", "V3", "V4", "V5")


def quiet(event: Event) -> None:
    """Nobody watches."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["churn", "house_prices", "titanic_twins", "reviews_text", "segments"])
def test_deleting_a_wrap_is_noticed(name: str, tmp_path: Path) -> None:
    path = EXAMPLES / f"{name}.ipynb"
    with verification._job(frontend.read(path), path, name, tmp_path / name, Options(), quiet) as job:
        found = verification._gather(job)
        assert isinstance(found, verification.Evidence)
        request = verification._request(job, found, job.work / "draft" / name)
        found = verification._with_columns(job, found, request)
        sites = found.compiled.graph.sites
        assert sites
        unnoticed = []
        for site in sites:
            graph = replace(found.compiled.graph, sites=tuple(s for s in sites if s is not site))
            compiled = replace(found.compiled, graph=graph)
            lowering = lowered(compiled, path, name, job.out, found.trace, found.trace.columns)
            emit.write(files(lowering, path), request.project, force=True)
            checks = verify.run_checks(replace(request, checks=CHECKS), python=job.options.python)
            if all(check.status in ("passed", "not_applicable") for check in checks):
                unnoticed.append(f"{site.kind}({site.key}) in cell {site.span.cell}")
        assert not unnoticed
