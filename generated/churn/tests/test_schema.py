"""Rows that do not fit are rejected with the column and the reason."""

from __future__ import annotations

import math
from typing import Any

import pytest

from churn.schema import COLUMNS, Row, check
from churn.versions import Version

SCHEMA = Row.model_json_schema()["properties"]


def test_real_rows_are_valid(version: Version, rows: list[dict[str, Any]]) -> None:
    valid, errors = check(rows)
    assert errors == []
    assert list(valid) == list(range(len(rows)))


@pytest.mark.skipif(
    not COLUMNS, reason="the notebook was not run: no column is known to be needed"
)
def test_other_columns_are_ignored(rows: list[dict[str, Any]]) -> None:
    valid, errors = check([{**rows[0], "not a column of ours": 1}])
    assert errors == []
    assert set(valid[0]) == set(COLUMNS)


def test_a_missing_column_is_named(rows: list[dict[str, Any]]) -> None:
    for column in COLUMNS:
        _, errors = check(
            [{name: value for name, value in rows[0].items() if name != column}]
        )
        assert [(error.row, error.column, error.code) for error in errors] == [
            (0, column, "missing_column")
        ]


def test_a_missing_value_is_refused_where_training_had_none(
    rows: list[dict[str, Any]],
) -> None:
    for column in COLUMNS:
        for missing in (None, math.nan):
            _, errors = check([{**rows[0], column: missing}])
            codes = [(error.column, error.code) for error in errors]
            nullable = "anyOf" in SCHEMA[column] or "type" not in SCHEMA[column]
            assert codes == ([] if nullable else [(column, "missing_value")])


def test_a_value_of_another_type_is_refused(rows: list[dict[str, Any]]) -> None:
    wrong: dict[str, list[Any]] = {
        "number": ["12", True, [1]],
        "integer": ["12", True, 1.5],
        "boolean": ["true", 1],
        "string": [12, True],
    }
    for column in COLUMNS:
        kinds = [SCHEMA[column], *SCHEMA[column].get("anyOf", [])]
        kind = next(
            (one["type"] for one in kinds if one.get("type", "null") != "null"), ""
        )
        for value in wrong.get(kind, []):
            _, errors = check([{**rows[0], column: value}])
            assert [error.column for error in errors] == [column], value


def test_a_whole_number_is_a_number(rows: list[dict[str, Any]]) -> None:
    for column in COLUMNS:
        if SCHEMA[column].get("type") == "number":
            assert check([{**rows[0], column: 1}])[1] == []


def test_what_is_no_row_is_refused() -> None:
    _, errors = check(["a row", None, 1])
    assert [(error.row, error.code) for error in errors] == [
        (at, "not_an_object") for at in range(3)
    ]
