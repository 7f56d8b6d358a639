"""The raw data, as churn.ipynb reads it."""

# The notebook's statements have no types.
# mypy: ignore-errors
from __future__ import annotations

import pandas as pd

from .settings import Settings


def load(settings: Settings) -> pd.DataFrame:
    """Cell 3 of churn.ipynb."""
    df = pd.read_csv(settings.data_path("churn"))
    return df
