"""The verifier is itself tested: deleting any one wrap of a generated `features` must not stay unnoticed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from mutation import mutants  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize("name", ["churn", "house_prices", "titanic_twins", "reviews_text", "segments"])
def test_deleting_a_wrap_is_noticed(name: str, tmp_path: Path) -> None:
    found = list(mutants(ROOT / "examples" / "notebooks" / f"{name}.ipynb", sys.executable, tmp_path))
    assert found
    assert [str(one) for one in found if not one.noticed] == []
