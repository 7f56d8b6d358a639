"""What somebody who is new here may get wrong: one error that says what, and nothing torn."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from churn import cli, cli_features, contract, infer, pipeline, registry, versions
from churn.contract import ContractError
from churn.settings import PREFIX, Settings, SettingsError, load_settings
from churn.train import Result


@pytest.fixture
def away(
    settings: Settings, trained: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A project whose data are `bad` in its folder, and which has no contract."""
    given = replace(
        settings,
        project=tmp_path,
        data_root=tmp_path,
        data=dict.fromkeys(settings.data, "bad"),
    )
    monkeypatch.setattr(cli, "load_settings", lambda project: given)
    monkeypatch.setattr(cli_features, "load_settings", lambda project: given)
    return given


@pytest.fixture
def fails(away: Settings) -> Callable[[list[str]], str]:
    """What a command says that must fail with one error, and register nothing."""

    def told(command: list[str]) -> str:
        before = registry.listing(away)
        ran = CliRunner().invoke(cli.app, command)
        assert ran.exit_code == 1 and "Traceback" not in ran.output
        (line,) = [
            line for line in ran.stderr.splitlines() if line.startswith("error: ")
        ]
        assert registry.listing(away) == before
        return line

    return told


COMMANDS = [
    ["train"],
    ["stage", "load"],
    ["features", "materialise"],
    ["retrain", "--force"],
]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xff\xfe\x00\xd8", None, "a folder"]
)
@pytest.mark.parametrize("command", COMMANDS)
def test_data_that_cannot_be_read_say_which(
    command: list[str], content: Any, away: Settings, fails: Callable[[list[str]], str]
) -> None:
    if not away.data:
        pytest.skip("the notebook makes its data")
    if isinstance(content, bytes):
        (away.data_root / "bad").write_bytes(content)
    elif content:
        (away.data_root / "bad").mkdir()
    assert str(away.data_root / "bad") in fails(command)
    assert not (away.artifacts / "stages" / "load.json").exists()


def test_data_without_the_columns_say_at_which_statement(
    fails: Callable[[list[str]], str],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a file with another separator."""
    package = versions.freeze_code(settings.artifacts / "code")
    raw, bad = (
        pipeline.load(settings, package, print),
        pd.DataFrame({"a;b": ["1;2"] * 5}),
    )
    monkeypatch.setattr(
        pipeline,
        "load",
        lambda *given: dict.fromkeys(raw, bad) if isinstance(raw, dict) else bad,
    )
    assert re.search(
        r"error: (features|target)\S*\.py, line \d+, `.+`: \w+: ", fails(["train"])
    )


def test_data_without_rows_or_with_other_columns_break_the_contract(
    settings: Settings, raw: pd.DataFrame, tmp_path: Path
) -> None:
    own = replace(settings, project=tmp_path)
    with pytest.raises(ContractError, match="0 rows; at least 1"):
        contract.require(own, raw.iloc[:0], print)
    (tmp_path / "contract.toml").write_text(
        "".join(f'[columns.{name}]\ntype = "int"\n' for name in "abcde")
    )
    with pytest.raises(
        ContractError, match="column 'c' is missing; and 2 more; there are 'x;y' "
    ):
        contract.require(own, pd.DataFrame({"x;y": ["1;2"]}), print)


@pytest.mark.parametrize(
    "text",
    [
        'rows = "a"',
        "columns = 3",
        "[columns]\nx = 3",
        '[columns.x]\nmin = "a"',
        "[columns.x]\nrange = [1]",
        "[columns.x]\nvalues = 3",
        '[columns.x]\ntype = "number"',
        "[columns.x",
    ],
)
def test_a_contract_that_cannot_be_is_refused(
    text: str, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "contract.toml").write_text(text)
    with pytest.raises(ContractError, match="contract.toml: "):
        contract.require(
            replace(settings, project=tmp_path), pd.DataFrame({"x": [1]}), print
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "config.toml"),
        ("# \xe9", "config.toml"),
        ("typo = 1", "unknown setting typo"),
        ("seed = -1", "seed is -1"),
        ("port = 70_000", "port is 70000"),
        ("workers = 0", "workers is 0"),
        ("monitor_days = nan", "monitor_days is nan"),
        ("monitor_rows = 0", "monitor_rows is 0"),
        ("retrain_gain = nan", "retrain_gain is nan"),
        ("request_seconds = inf", "request_seconds is inf"),
        ('webhook = "example.org"', "webhook is 'example.org'"),
        ('approval = "maybe"', "approval is 'maybe'"),
        ('model_name = ""', "model_name is empty"),
        ('model_name = "a/b"', "model_name is 'a/b'"),
        ("data = 1", r"must be a table, \[data\]"),
        ("parameters = 1", r"must be a table, \[parameters\]"),
        ("policies = 1", r"must be a table, \[policies\]"),
        ("[policies]\ncolumns = 1", "columns must be tables"),
        ("data_root = 5", "data_root is 5"),
        ("tracking_uri = 5", "tracking_uri is 5"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "MLFLOW_TRACKING_URI",
        f"{PREFIX}DATA_ROOT",
    ):  # each goes before what the file says
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config.toml").write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError, match=told):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    "address", ["sqlite:///{}/torn.db", "postgresql+nodriver://localhost/x"]
)
def test_a_tracking_store_that_cannot_be_read_is_one_error(
    address: str, away: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (away.project / "torn.db").write_bytes(b"torn" * 1000)
    lost = replace(away, tracking_uri=address.format(away.project))
    monkeypatch.setattr(cli, "load_settings", lambda project: lost)
    ran = CliRunner().invoke(cli.app, ["versions"])
    assert (
        ran.exit_code == 1
        and ran.stderr.startswith("error: ")
        and "Traceback" not in ran.output
    )


def test_a_damaged_file_to_predict_is_refused(tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.parquet"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\xd8")
        with pytest.raises(infer.FileError, match=name):
            infer.read_rows(tmp_path / name)
