"""The classes and modules that notebooks use most are known whole: no public name is without a fact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pandas", minversion="3")  # names of older versions: NB2PROD_PYTHONS

PYTHONS = [sys.executable, *(exe for exe in os.environ.get("NB2PROD_PYTHONS", "").split(os.pathsep) if exe)]


@pytest.mark.parametrize("exe", PYTHONS)
def test_no_public_name_is_unknown(exe: str) -> None:
    """In this Python, and in those that NB2PROD_PYTHONS names; what is not installed is not looked at."""
    script = Path(__file__).with_name("known_names.py")
    done = subprocess.run([exe, "-W", "ignore", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["unknown"] == []
    assert len(report["looked"]) > 20
