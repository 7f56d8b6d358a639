"""The program around its commands: what it keeps between runs, how it ends, output that cannot be written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod import caches


class Maker:
    """Makes the text of a file, and counts how often."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        return self.file.read_text(encoding="utf-8")


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    monkeypatch.setenv("NB2PROD_CACHE_DIR", str(tmp_path / "cache"))
    source = tmp_path / "source.py"
    source.write_text("old", encoding="utf-8")
    return Maker(source)


def kept(maker: Maker) -> str:
    return str(caches.kept("texts", [maker.file], maker))


def test_made_once(maker: Maker) -> None:
    assert [kept(maker), kept(maker), maker.calls] == ["old", "old", 1]


def test_made_anew_when_a_source_changes(maker: Maker) -> None:
    kept(maker)
    maker.file.write_text("newer", encoding="utf-8")
    assert kept(maker) == "newer"


def test_made_anew_for_another_version(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(maker)
    monkeypatch.setattr(caches, "__version__", "other")
    kept(maker)
    assert maker.calls == 2


@pytest.mark.parametrize("text", ["", "[]", "{", '{"of": 1}', "\udcff"])
def test_a_broken_cache_is_none(maker: Maker, text: str) -> None:
    kept(maker)
    (file,) = caches.cache_folder().glob("*.json")
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert kept(maker) == "old"
    assert json.loads(file.read_text(encoding="utf-8"))["value"] == "old"


def test_a_folder_that_cannot_be_made_is_none(maker: Maker) -> None:
    caches.cache_folder().write_text("a file in its place", encoding="utf-8")
    assert [kept(maker), kept(maker), maker.calls] == ["old", "old", 2]


@pytest.mark.parametrize(
    "command", [["--version"], ["lint", "nowhere.ipynb"], ["explain", "NBP000"], ["--nope"]]
)
def test_the_program_ends_as_its_commands_do(command: list[str], tmp_path: Path) -> None:
    """Leaving at once loses nothing of what was printed, nor the exit code."""
    same = "import sys; sys.argv[0] = 'nb2prod'; from nb2prod.{}; {}()"
    lint = command[0] == "lint"
    of_command = "import sys; from nb2prod.lint_command import main; sys.exit(main(sys.argv[2:]))"
    inside = of_command if lint else same.format("cli import main", "main")
    runs = [
        subprocess.run([sys.executable, *how, *command], capture_output=True, cwd=tmp_path, check=False)
        for how in (["-m", "nb2prod"], ["-c", inside])
    ]
    left, usual = [(ran.returncode, ran.stdout, ran.stderr.replace(b"python -m ", b"")) for ran in runs]
    assert left == usual
    assert left[1] or left[2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", [["lint", "cells.ipynb"], ["explain", "NBP102"]])
def test_output_that_cannot_be_written_is_said(command: list[str], tmp_path: Path) -> None:
    Path(tmp_path, "cells.ipynb").write_text("nothing", encoding="utf-8")
    with Path("/dev/full").open("w") as full:
        run = [sys.executable, "-m", "nb2prod", *command]
        ran = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 2
    assert "cannot be written" in ran.stderr and "Traceback" not in ran.stderr
