"""Stages in processes of their own, and the contract that the raw data must keep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from churn import contract, pipeline, store
from churn.contract import ContractError
from churn.pipeline import StageError
from churn.settings import Settings
from churn.train import Result


@pytest.fixture
def apart(settings: Settings, tmp_path: Path) -> Settings:
    """A project without artifacts, with the contract of this one."""
    own = Path(__file__).resolve().parents[1] / "contract.toml"
    if own.exists():
        shutil.copyfile(own, tmp_path / "contract.toml")
    return replace(settings, project=tmp_path)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, trained: Result) -> list[str]:
    """Which stages really ran; training itself is another test's."""
    ran: list[str] = []

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any) -> Any:
            ran.append(name)
            return call(*given)

        return called

    monkeypatch.setattr(pipeline, "load", noted("load", pipeline.load))
    monkeypatch.setattr(store, "training", noted("features", store.training))
    monkeypatch.setattr(pipeline, "train", noted("train", lambda *given: trained))
    return ran


def test_stages_go_on_where_they_stopped_and_skip_what_did_not_change(
    apart: Settings,
    counted: list[str],
    monkeypatch: pytest.MonkeyPatch,
    trained: Result,
) -> None:
    with pytest.raises(StageError, match="run `stage load` first"):
        pipeline.stage(apart, "features")
    with monkeypatch.context() as patch:
        patch.setattr(store, "training", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipeline.stage(apart, "all")
    assert counted == ["load"]
    assert pipeline.stage(apart, "all") == trained
    assert counted == ["load", "features", "train"]
    assert pipeline.stage(apart, "all") == trained
    assert counted == ["load", "features", "train"]
    pipeline.stage(replace(apart, seed=apart.seed + 1), "all")
    assert counted[3:] == ["load", "features", "train"]


def test_a_torn_artefact_is_not_used(apart: Settings, counted: list[str]) -> None:
    pipeline.stage(apart, "load")
    path = apart.artifacts / "stages" / "load.pkl"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StageError, match="torn"):
        pipeline.stage(apart, "features")
    pipeline.stage(apart, "load")
    assert counted == ["load", "load"]


def test_what_does_not_come_back_exactly_does_not_cross(
    apart: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(dict[str, int]):
        def __reduce__(self) -> Any:
            return Forgetful, ()

    monkeypatch.setattr(pipeline, "load", lambda *given: Forgetful(a=1))
    with pytest.raises(StageError, match="raw of stage load cannot cross"):
        pipeline.stage(apart, "load")
    assert not (apart.artifacts / "stages" / "load.json").exists()


def test_the_data_keep_the_contract(apart: Settings, raw: pd.DataFrame) -> None:
    assert [one for one in contract.require(apart, raw, print) if not one.warning] == []


def test_a_missing_column_a_new_type_and_a_new_gap_stop_with_a_report(
    apart: Settings, raw: pd.DataFrame
) -> None:
    agreed = contract._read(apart).get("columns", {})
    if not agreed:
        pytest.skip("the project was compiled without data: it has no contract")
    name = next(iter(agreed))
    broken = {"missing": raw.drop(columns=[name])}
    full = [one for one, rules in agreed.items() if rules.get("nulls") is False]
    if full:
        gap = raw[full[0]].astype(object)
        gap.iloc[0] = None
        broken["nulls"] = raw.assign(**{full[0]: gap})
    numbers = [
        one for one, rules in agreed.items() if rules["type"] in ("int", "float")
    ]
    if numbers:
        broken["type"] = raw.assign(
            **{numbers[0]: raw[numbers[0]].astype(str) + " EUR"}
        )
    for rule, frame in broken.items():
        with pytest.raises(ContractError):
            contract.require(apart, frame, lambda text: None)
        report = json.loads((apart.artifacts / "contract.json").read_text())
        assert rule in {one["rule"] for one in report}, rule


def test_the_policy_may_be_to_warn(apart: Settings, raw: pd.DataFrame) -> None:
    (apart.project / "contract.toml").write_text(
        f'policy = "warn"\nrows = {len(raw) + 1}\n'
    )
    said: list[str] = []
    assert [one.rule for one in contract.require(apart, raw, said.append)] == ["rows"]
    assert said
    (apart.project / "contract.toml").write_text('[columns.a]\ntypo = "int"\n')
    with pytest.raises(ContractError, match="typo"):
        contract.require(apart, raw, said.append)


@pytest.mark.parametrize(
    ("values", "rules", "broken"),
    [
        ([1, 2], {"type": "int"}, []),
        ([1.0, 2.5], {"type": "int"}, ["type"]),
        ([1.0, None], {"type": "int", "nulls": False}, ["nulls"]),
        (["1", "2"], {"type": "int"}, ["type"]),
        ([None, None], {"type": "str"}, []),
        ([-1, 5], {"min": 0, "max": 4}, ["min", "max"]),
        ([1, 1], {"unique": True}, ["unique"]),
        ([1, 5], {"range": [1, 5]}, []),
        ([0.5, 5], {"range": [1, 5]}, ["range"]),
        (["a"], {"range": [1, 5]}, ["type"]),
        (["a", "c"], {"values": ["a", "b"]}, ["values"]),
        ([True, False], {"type": "bool"}, []),
        (pd.to_datetime(["2020-01-01"]), {"type": "datetime"}, []),
    ],
)
def test_the_rules_of_a_column(
    values: Any, rules: dict[str, Any], broken: list[str]
) -> None:
    found = contract.violations(pd.DataFrame({"x": values}), {"columns": {"x": rules}})
    assert [one.rule for one in found] == broken


def test_a_new_column_only_warns() -> None:
    """The notebook's statements may make a feature of it."""
    (found,) = contract.violations(
        pd.DataFrame({"x": [1], "y": [1]}), {"columns": {"x": {}}}
    )
    assert (found.column, found.rule, found.warning) == ("y", "new", True)
