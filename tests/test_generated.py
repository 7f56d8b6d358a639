"""`generated/` is the committed output of the churn example: it is current, and it works on its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod import emit, frontend
from nb2prod.compiler import REPORT, TRACE, Options, analyse, files, load_trace, lowered
from nb2prod.verification import verify_project

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples" / "notebooks" / "churn.ipynb"
COMMITTED = ROOT / "generated" / "churn"


def emitted(folder: Path) -> Path:
    """The churn project as this version emits it from the committed trace."""
    notebook = frontend.read(NOTEBOOK)
    trace = load_trace(COMMITTED / TRACE, notebook)
    assert trace is not None
    compiled = analyse(notebook, trace)
    assert not compiled.blocked
    lowering = lowered(compiled, NOTEBOOK, "churn", COMMITTED, trace, trace.columns)
    emit.write(files(lowering, notebook, None, trace), folder / "churn", force=True)
    return folder / "churn"


def test_generated_is_current_to_the_byte(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fresh = emitted(tmp_path)
    names = {p.relative_to(fresh) for p in fresh.rglob("*") if p.is_file()} - {Path(emit.MANIFEST)}
    if request.config.getoption("--update"):
        for name in names:
            (COMMITTED / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / name, COMMITTED / name)
    committed = {p.relative_to(COMMITTED) for p in _tracked(COMMITTED)}
    assert names == committed - {Path(emit.MANIFEST), Path(REPORT)}
    for name in sorted(names):
        assert (fresh / name).read_bytes() == (COMMITTED / name).read_bytes(), name


def test_emitting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = emitted(tmp_path / "a"), emitted(tmp_path / "b")
    for path in sorted(p for p in first.rglob("*") if p.is_file()):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path


def test_nothing_of_this_machine_is_in_it() -> None:
    for path in _tracked(COMMITTED):
        text = path.read_text(encoding="utf-8")
        assert str(ROOT) not in text and "/tmp/" not in text and "/root/" not in text, path
        assert "nb2prod" not in text or path.suffix != ".py", f"{path}: imports or names the compiler"


@pytest.mark.slow
def test_generated_verifies_in_its_own_fresh_environment(tmp_path: Path) -> None:
    copy = tmp_path / "generated" / "churn"
    shutil.copytree(COMMITTED, copy)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    outcome = verify_project(copy, True, Options(python=sys.executable), lambda event: None)
    assert outcome.status == "verified", outcome.report.reason


def test_the_notebooks_code_needs_no_libraries_of_the_service() -> None:
    """It is verified in the notebook's own environment, which has none of them."""
    script = (
        "import sys; sys.modules.update(dict.fromkeys(sys.argv[1].split(), None))\n"
        "import churn.load, churn.features, churn.target, churn.infer, churn.train, churn.features_row"
    )
    absent = "pydantic fastapi uvicorn prometheus_client mlflow typer"
    environment = {**os.environ, "PYTHONPATH": str(COMMITTED / "src")}
    subprocess.run([sys.executable, "-c", script, absent], env=environment, check=True)


def _tracked(folder: Path) -> list[Path]:
    left_by_use = ("__pycache__", "mlruns", "artifacts", "mlflow.db", ".egg-info", ".pytest_cache", ".venv")
    return [p for p in folder.rglob("*") if p.is_file() and not any(n in str(p) for n in left_by_use)]
