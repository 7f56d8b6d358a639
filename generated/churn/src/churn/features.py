"""The features: one body of code, which training runs to learn and serving runs to apply."""

# The notebook's statements have no types.
# mypy: ignore-errors
# ruff: noqa: B023, RUF059 -- the notebook's own style

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .settings import Parameters, Settings
from .staging import Staging
from .state import State
from .target import target
from .versions import definition

# The raw columns that a feature depends on; a row needs no others.
READS: tuple[str, ...] | None = (
    "gender",
    "SeniorCitizen",
    "Partner",
    "Dependents",
    "tenure",
    "InternetService",
    "OnlineSecurity",
    "TechSupport",
    "Contract",
    "PaperlessBilling",
    "PaymentMethod",
    "Region",
    "SupportCalls",
    "MonthlyCharges",
    "TotalCharges",
)


@dataclass
class Training:
    """What `fit` made of the training data; ids are positions of raw rows, -1 for a row that is none of them."""

    X_train: Any
    y_train: Any
    X_eval: Any
    y_eval: Any
    train_ids: np.ndarray
    eval_ids: np.ndarray | None
    state: State
    extras: dict[str, Any] = field(default_factory=dict)


def fit(
    raw: pd.DataFrame | dict[str, pd.DataFrame], settings: Settings | None = None
) -> Training:
    """Learn from the raw data: features, target and everything that `transform` needs."""
    parameters = asdict(settings.parameters if settings else Parameters())
    st = Staging.for_fit(raw, parameters, READS, definition())
    main = st.main.copy()
    X_train = features(st.main, st)
    apart = settings is not None and settings.fit_on == "train"
    # once more, now that the split is known: nothing is learned from the other rows
    if apart:
        st = Staging.for_fit(raw, parameters, READS, definition(), rehearsal=st)
        X_train = features(st.main, st)
    state = st.freeze()
    X_eval, y_eval = None, st.y_eval
    if st.eval_ids is not None and (st.eval_ids >= 0).all():
        judged = Staging.for_evaluation(main.iloc[st.eval_ids], state)
        X_eval = features(judged.main, judged)
        y_eval = judged.y if apart or y_eval is None else y_eval
    assert st.train_ids is not None
    return Training(
        X_train, st.y, X_eval, y_eval, st.train_ids, st.eval_ids, state, st.extras
    )


def transform(rows: pd.DataFrame, state: State) -> Any:
    """The features of raw rows, one output row for each, with what was learned in training."""
    st = Staging.for_serving(rows, state)
    return features(st.main, st)


def clean_payment(value):
    """' electronic check' and 'Electronic check ' are the same thing"""
    if pd.isna(value):
        return value
    return value.strip().capitalize()


# a few more columns, and does the first one separate anything?
def tenure_group(months):
    if months < 6:
        return "new"
    elif months < 24:
        return "settled"
    return "old"


def features(df: pd.DataFrame, st: Staging) -> Any:
    """Cells 8, 10, 14, 15, 16, 17, 19, 20 and 23 of churn.ipynb."""
    RANDOM_STATE = st.parameter("random_state")
    TEST_SIZE = st.parameter("test_size")

    df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce")

    # half-imported rows (no contract), support says they are being deleted anyway
    df = st.keep("dropna", df, lambda: df.dropna(subset=["Contract"]))

    df["PaymentMethod"] = df["PaymentMethod"].apply(clean_payment)

    df["MonthlyCharges"] = df["MonthlyCharges"].fillna(
        st.value("monthly_charges_median", df["MonthlyCharges"].median)
    )
    df["SupportCalls"] = df["SupportCalls"].fillna(
        st.value("support_calls_median", df["SupportCalls"].median)
    )
    # no bill yet -> what an average customer has paid (0 would be better?)
    df["TotalCharges"] = df["TotalCharges"].fillna(
        st.value("total_charges_median", df["TotalCharges"].median)
    )

    for c in ["Region", "PaymentMethod", "TechSupport"]:
        df[c] = df[c].fillna(st.value("mode", lambda: df[c].mode()[0], at=(c,)))

    yes_no = [
        "Partner",
        "Dependents",
        "OnlineSecurity",
        "TechSupport",
        "PaperlessBilling",
    ]
    for c in yes_no:
        df[c] = df[c].map({"Yes": 1, "No": 0})
    df["gender"] = (df["gender"] == "Male").astype(int)

    df["AvgCharge"] = df["TotalCharges"] / (df["tenure"] + 1)
    df["TenureGroup"] = df["tenure"].apply(tenure_group)
    df["Family"] = df["Partner"] + df["Dependents"]

    cat = ["InternetService", "Contract", "PaymentMethod", "Region", "TenureGroup"]
    df = st.get_dummies("dummies", df, columns=cat, drop_first=True)

    # scale by hand
    num = ["tenure", "MonthlyCharges", "TotalCharges", "SupportCalls", "AvgCharge"]
    mu = st.value("num_mean", df[num].mean)
    sd = st.value("num_std", df[num].std)
    df[num] = (df[num] - mu) / sd

    X = df.drop(columns=["customerID", "Churn"])
    y = st.target(target, df)
    X_train, X_test, y_train, y_test = st.split(
        train_test_split,
        X,
        y,
        test_size=TEST_SIZE,
        random_state=RANDOM_STATE,
        stratify=y,
    )
    return st.result(X_train, y_train, y_test)
