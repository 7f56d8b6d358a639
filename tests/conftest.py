"""What all tests share: `--update` writes what a test got as what it expects."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_project import Folder, write_project


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite expected text; read the diff afterwards")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("verify"))


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Folder:
    """The tiny project, to be spoiled."""
    shutil.copytree(pristine, tmp_path / "copy")
    return Folder(tmp_path / "copy")
