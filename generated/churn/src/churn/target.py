"""The target, which exists in training only."""

# The notebook's statements have no types.
# mypy: ignore-errors
from __future__ import annotations

from typing import Any

import pandas as pd

from .staging import Staging


def target(df: pd.DataFrame, st: Staging) -> Any:
    """Cell 23 of churn.ipynb."""
    y = (df["Churn"] == "Yes").astype(int)
    return y
