"""The wheel holds everything that runs: templates, knowledge, the page of the graph, and one command."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from nb2prod import __version__

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(out.glob(f"nb2prod-{__version__}-*.whl")))


def files(folder: str) -> set[str]:
    found = (
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(ROOT).as_posix() for path in found}


def test_every_file_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert files("nb2prod") <= names
    assert {f"nb2prod/{name}" for name in files("templates")} <= names
    assert {"nb2prod/py.typed", "nb2prod/graph/page.html", "nb2prod/knowledge/pandas.toml"} <= names


def test_nothing_else_is(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"nb2prod", f"nb2prod-{__version__}.dist-info"}
    assert not [name for name in wheel.namelist() if name.endswith(".pyc")]


def test_the_command_and_its_extras(wheel: zipfile.ZipFile) -> None:
    info = f"nb2prod-{__version__}.dist-info"
    assert "nb2prod = nb2prod.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
    metadata = wheel.read(f"{info}/METADATA").decode()
    for extra in ("run", "test"):
        assert f"Provides-Extra: {extra}" in metadata


def test_what_lint_needs_is_little() -> None:
    """Libraries of notebooks, kernels and tracking come with the extra `run`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {need.split(">")[0].split("=")[0] for need in project["dependencies"]}
    assert needed == {"jinja2", "libcst", "nbformat", "pydantic", "ruff", "typer"}
