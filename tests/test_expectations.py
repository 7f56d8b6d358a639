"""What a notebook's own checks say of its data, and what the data confirm."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from golden_project import churn, churn_notebook

from nb2prod.emit import emit
from nb2prod.expectations import expectations, fewest_rows
from nb2prod.ir.project import Column, Project, Provenance

AGE = Column("age", "int", minimum=18, maximum=90, gaps=False)
PLAN = Column("plan", "str", categories=("basic", "pro"), gaps=True)


def project(*statements: str, columns: tuple[Column, ...] = (AGE, PLAN)) -> Project:
    told = tuple(Provenance(3, 1, "", "only shows", text) for text in statements)
    return replace(churn(), columns=columns, provenance=told)


def rules(*statements: str) -> dict[str, dict[str, object]]:
    return {
        name: {one.rule: one.value for one in found} for name, found in expectations(project(*statements))
    }


def test_types_and_columns_without_gaps_come_from_the_data() -> None:
    assert rules() == {"age": {"type": "int", "nulls": False}, "plan": {"type": "str"}}


@pytest.mark.parametrize(
    ("statement", "rule", "value"),
    [
        ("assert (df['age'] >= 0).all()", "min", 0),
        ("assert df['age'].min() > 0", "min", 0),
        ("assert df['age'].between(0, 120).all()", "max", 120),
        ("assert df['age'].max() <= 99 and df['age'].notna().all()", "max", 99),
    ],
)
def test_an_assertion_is_a_bound(statement: str, rule: str, value: float) -> None:
    assert rules(statement)["age"][rule] == value


@pytest.mark.parametrize(
    "statement",
    ["assert (df['age'] >= 40).all()", "assert df['age'].max() < 50", "assert df['nobody'].min() > 0"],
)
def test_what_the_data_do_not_confirm_was_about_another_frame(statement: str) -> None:
    assert rules(statement)["age"] == {"type": "int", "nulls": False}


def test_a_column_whose_values_were_looked_at_has_these_values() -> None:
    assert rules("print(df['plan'].value_counts())")["plan"]["values"] == ("basic", "pro")


@pytest.mark.parametrize("what", ["df", "df['age']", "df[['age', 'plan']]"])
def test_a_column_that_was_described_has_its_range_and_a_text_has_none(what: str) -> None:
    found = rules(f"{what}.describe().T")
    assert found["age"]["range"] == (18, 90) and "range" not in found["plan"]


@pytest.mark.parametrize("what", ["other", "df['nobody']", "df.groupby('plan')"])
def test_what_was_described_elsewhere_has_no_range(what: str) -> None:
    assert "range" not in rules(f"{what}.describe()")["age"]


def test_whoever_counted_the_gaps_is_the_reason_for_none() -> None:
    found = dict(expectations(project("df.isnull().sum()")))
    (one,) = [one for one in found["age"] if one.rule == "nulls"]
    assert (one.value, one.because) == (False, "cell 3: df.isnull().sum()")
    assert "nulls" not in [one.rule for one in found["plan"]]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [("assert len(df) > 100", 101), ("assert len(df) >= 100", 100), ("assert len(df) < 9", 1)],
)
def test_the_fewest_rows(statement: str, rows: int) -> None:
    assert fewest_rows(project(statement)) == rows


def test_the_contract_is_toml_whatever_the_names() -> None:
    odd = Column('a "b"\n', "str", categories=("x", 'y"\n'), gaps=False)
    text = f"df[{odd.name!r}].value_counts()"
    files = emit(project(text, columns=(odd,)), churn_notebook())
    (contract,) = [file for file in files if file.path == "contract.toml"]
    agreed = tomllib.loads(contract.text)
    assert agreed["columns"] == {odd.name: {"type": "str", "nulls": False, "values": ["x", 'y"\n']}}


def test_without_data_there_is_no_contract() -> None:
    assert not [file for file in emit(project(columns=()), churn_notebook()) if file.path == "contract.toml"]
