"""A row that training never saw the like of gets what config.toml says, and never a silent answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from churn.infer import score
from churn.policies import CODES, Policies, PolicyError
from churn.versions import Version


def outside(
    version: Version, row: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The row with one value that training never saw in its column, for each kind and column."""
    for column, seen in version.info["profile"].items():
        if not seen["missing"]:
            yield "missing", column, {**row, column: None}
        if seen.get("values"):
            yield "unseen", column, {**row, column: "never seen in training"}
        if seen.get("range"):
            low, high = seen["range"]
            yield "range", column, {**row, column: math.ceil(high + (high - low)) + 1}


def test_what_is_rejected_has_its_column_and_code(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    strict = replace(
        version, policies=Policies(missing="reject", unseen="reject", range="reject")
    )
    for kind, column, row in outside(version, rows[0]):
        scores = score([row], strict)
        assert scores.predictions == [None]
        assert [(error.column, error.code) for error in scores.errors] == [
            (column, CODES[kind])
        ]


def test_what_is_flagged_says_so_or_has_no_answer(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    lenient = replace(
        version, policies=Policies(missing="flag", unseen="flag", range="flag")
    )
    for kind, column, row in outside(version, rows[0]):
        scores = score([row], lenient)
        assert scores.errors or f"{kind}:{column}" in scores.flags[0]


def test_what_is_allowed_is_not_flagged(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    open_ = replace(
        version, policies=Policies(missing="allow", unseen="allow", range="allow")
    )
    for kind, column, row in outside(version, rows[0]):
        assert f"{kind}:{column}" not in score([row], open_).flags[0]


def test_a_column_can_have_a_policy_of_its_own(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    for kind, column, row in outside(version, rows[0]):
        own = Policies.read({kind: "flag", "columns": {column: {kind: "reject"}}})
        assert [
            e.code for e in score([row], replace(version, policies=own)).errors
        ] == [CODES[kind]]


@pytest.mark.parametrize(
    "table", [{"unseen": "drop"}, {"strange": "flag"}, {"columns": {"a": {"range": 1}}}]
)
def test_a_policy_that_there_is_not_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="policies"):
        Policies.read(table)
