"""A Project as lowering makes it from examples/notebooks/churn.ipynb, by hand, for the tests of emit."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from nb2prod.ir.project import Column, DataFile, Module, Param, Project, Provenance, StateEntry

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
PACKAGES = ("numpy", "pandas", "scikit-learn")

LOAD = '''
def load(settings: Settings) -> pd.DataFrame:
    """Cell 3 of churn.ipynb."""
    df = pd.read_csv(settings.data_path("churn"))
    return df
'''

CLEAN_PAYMENT = '''
def clean_payment(value):
    """' electronic check' and 'Electronic check ' are the same thing"""
    if pd.isna(value):
        return value
    return value.strip().capitalize()
'''

TENURE_GROUP = """
def tenure_group(months):
    if months < 6:
        return "new"
    elif months < 24:
        return "settled"
    return "old"
"""

FEATURES = '''
def features(df: pd.DataFrame, st: Staging) -> Any:
    """Cells 8, 10, 14-17, 19, 20 and 23 of churn.ipynb."""
    df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce")
    # half-imported rows (no contract), support says they are being deleted anyway
    df = st.keep("contract_dropna", df, lambda: df.dropna(subset=["Contract"]))
    df["PaymentMethod"] = df["PaymentMethod"].apply(clean_payment)
    df["MonthlyCharges"] = df["MonthlyCharges"].fillna(
        st.value("monthly_charges_median", df["MonthlyCharges"].median)
    )
    df["SupportCalls"] = df["SupportCalls"].fillna(st.value("calls_median", df["SupportCalls"].median))
    # no bill yet -> what an average customer has paid (0 would be better?)
    df["TotalCharges"] = df["TotalCharges"].fillna(st.value("charges_median", df["TotalCharges"].median))

    for c in ["Region", "PaymentMethod", "TechSupport"]:
        df[c] = df[c].fillna(st.value("mode", lambda c=c, df=df: df[c].mode()[0], at=(c,)))

    yes_no = ["Partner", "Dependents", "OnlineSecurity", "TechSupport", "PaperlessBilling"]
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
        test_size=st.parameter("TEST_SIZE"),
        random_state=st.parameter("RANDOM_STATE"),
        stratify=y,
    )
    return st.result(X_train, y_train, y_test)
'''

TARGET = '''
def target(df: pd.DataFrame, st: Staging) -> Any:
    """Cell 23 of churn.ipynb."""
    return (df["Churn"] == "Yes").astype(int)
'''

FIT_MODEL = '''
def fit_model(data: Training, settings: Settings) -> Fitted:
    """Cell 24 of churn.ipynb."""
    X_train, y_train, X_test, y_test = data.X_train, data.y_train, data.X_eval, data.y_eval
    model = RandomForestClassifier(
        n_estimators=settings.parameters.N_TREES,
        min_samples_leaf=4,
        random_state=settings.parameters.RANDOM_STATE,
        n_jobs=1,
    )
    model.fit(X_train, y_train)

    y_pred = model.predict(X_test)
    accuracy = accuracy_score(y_test, y_pred)
    f1 = f1_score(y_test, y_pred)
    auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
    return Fitted(model, {"accuracy": accuracy, "f1": f1, "roc_auc": auc})
'''

DECIDE = '''
def decide(model: Any, X: Any, given: dict[str, Any]) -> Any:
    """Cell 28 of churn.ipynb."""
    pred = model.predict(X)
    return pred
'''

COLUMNS = (
    Column("customerID", "str", read=False, example="9145-UHMWX"),
    Column("gender", "str", categories=("Female", "Male"), example="Male"),
    Column("SeniorCitizen", "int", minimum=0, maximum=1, example=1),
    Column("Partner", "str", categories=("No", "Yes"), example="No"),
    Column("Dependents", "str", categories=("No", "Yes"), example="No"),
    Column("tenure", "int", example=22),
    Column("InternetService", "str", example="Fiber optic"),
    Column("OnlineSecurity", "str", example="No"),
    Column("TechSupport", "str", nullable=True, example="Yes"),
    Column("Contract", "str", nullable=True, example="Month-to-month"),
    Column("PaperlessBilling", "str", example="No"),
    Column("PaymentMethod", "str", nullable=True, example="Mailed check"),
    Column("Region", "str", nullable=True, example="South"),
    Column("SupportCalls", "float", nullable=True, example=3.0),
    Column("MonthlyCharges", "float", nullable=True, example=77.67),
    Column("TotalCharges", "str", nullable=True, example="1719.26"),
    Column("Churn", "str", read=False, example="No"),
)


def churn(data_root: str = "../examples/notebooks") -> Project:
    """The churn project; `data_root` is where the example's data are, from the project."""
    return Project(
        name="churn",
        notebook="churn.ipynb",
        title="Customer churn",
        task="classification",
        python="3.11.7",
        load=Module(imports=("import pandas as pd",), functions=(LOAD.strip(),)),
        features=Module(
            imports=(
                "import numpy as np",
                "import pandas as pd",
                "from sklearn.model_selection import train_test_split",
            ),
            helpers=(CLEAN_PAYMENT.strip(), TENURE_GROUP.strip()),
            functions=(FEATURES.strip(),),
        ),
        target=Module(imports=("import pandas as pd",), functions=(TARGET.strip(),)),
        train=Module(
            imports=(
                "from sklearn.ensemble import RandomForestClassifier",
                "from sklearn.metrics import accuracy_score, classification_report, f1_score, roc_auc_score",
            ),
            functions=(FIT_MODEL.strip(),),
        ),
        infer=Module(functions=(DECIDE.strip(),)),
        parameters=(
            Param("RANDOM_STATE", "int", 42, 2),
            Param("TEST_SIZE", "float", 0.25, 2),
            Param("N_TREES", "int", 300, 2),
        ),
        data_files=(DataFile("churn", "data/churn.csv", 3),),
        data_root=data_root,
        target_columns=("Churn",),
        columns=COLUMNS,
        adapters=("get_dummies", "parameter", "split", "target"),
        state=(
            StateEntry("monthly_charges_median", "value", 'df["MonthlyCharges"].median()', 15, 1, "PROVED"),
        ),
        metrics=("accuracy", "f1", "roc_auc"),
        packages=tuple((name, version(name)) for name in PACKAGES),
        provenance=(
            Provenance(3, 1, "load.load", "", 'df = pd.read_csv("data/churn.csv")'),
            Provenance(4, 1, "", "only shows", "df.info()"),
            Provenance(8, 1, "features.features", "", 'df["TotalCharges"] = pd.to_numeric(...)'),
        ),
        assumptions=("`Churn` is the target | of the model",),
    )


def churn_notebook() -> bytes:
    return (EXAMPLES / "churn.ipynb").read_bytes()


def tiny(**changes: object) -> Project:
    """The smallest project that trains: one column, no split."""
    fields: dict[str, object] = {
        "name": "tiny",
        "notebook": "tiny.ipynb",
        "title": "Tiny",
        "task": "regression",
        "python": "3.11",
        "load": Module(functions=("def load(settings: Settings) -> Any:\n    return None",)),
        "features": Module(functions=("def features(df: Any, st: Any) -> Any:\n    return st.result(df)",)),
        "target": Module(),
        "train": Module(
            functions=("def fit_model(data: Any, settings: Any) -> Any:\n    return Fitted(None)",)
        ),
        "infer": Module(functions=("def decide(model: Any, X: Any, given: Any) -> Any:\n    return X",)),
    }
    return Project(**{**fields, **changes})  # type: ignore[arg-type]


def notebook_with(*sources: str) -> bytes:
    cells = [{"cell_type": "code", "metadata": {}, "source": text, "outputs": []} for text in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
