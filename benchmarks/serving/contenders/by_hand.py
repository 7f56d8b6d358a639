"""The churn notebook's model as its author would serve it: its cells, and what they learned from a file.

`answer` is what all contenders but ours call; the benchmark checks that they answer what ours does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

CATEGORIES = ["InternetService", "Contract", "PaymentMethod", "Region", "TenureGroup"]
NUMBERS = ["tenure", "MonthlyCharges", "TotalCharges", "SupportCalls", "AvgCharge"]
YES_NO = ["Partner", "Dependents", "OnlineSecurity", "TechSupport", "PaperlessBilling"]


def clean_payment(value: Any) -> Any:
    return value if pd.isna(value) else value.strip().capitalize()


def tenure_group(months: float) -> str:
    if months < 6:
        return "new"
    return "settled" if months < 24 else "old"


class Model:
    """The model with the medians, modes and columns that training saw."""

    def __init__(self, folder: Path) -> None:
        stored = joblib.load(folder / "by_hand.joblib")
        self.model, self.learned, self.columns = stored["model"], stored["learned"], stored["columns"]
        self.mean, self.std = (pd.Series(self.learned[name]) for name in ("mean", "std"))

    def features(self, df: pd.DataFrame) -> pd.DataFrame:
        learned = self.learned
        df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce")
        df["PaymentMethod"] = df["PaymentMethod"].apply(clean_payment)
        for column in ["MonthlyCharges", "SupportCalls", "TotalCharges"]:
            df[column] = df[column].astype(float).fillna(learned["median"][column])
        for column in ["Region", "PaymentMethod", "TechSupport"]:
            df[column] = df[column].fillna(learned["mode"][column])
        for column in YES_NO:
            df[column] = df[column].map({"Yes": 1, "No": 0})
        df["gender"] = (df["gender"] == "Male").astype(int)
        df["AvgCharge"] = df["TotalCharges"] / (df["tenure"] + 1)
        df["TenureGroup"] = df["tenure"].apply(tenure_group)
        df["Family"] = df["Partner"] + df["Dependents"]
        df = pd.get_dummies(df, columns=CATEGORIES)
        df[NUMBERS] = (df[NUMBERS] - self.mean) / self.std
        return df.reindex(columns=self.columns, fill_value=False)

    def answer(self, row: dict[str, Any]) -> dict[str, Any]:
        odds = self.model.predict_proba(self.features(pd.DataFrame([row])))[0]
        label = self.model.classes_[int(np.argmax(odds))]
        return {"prediction": int(label), "probability": float(odds[1])}
