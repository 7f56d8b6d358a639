"""The feature store: a hit is the whole result, and no crash or race leaves half a version."""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from churn import catalogue, store, values, versions
from churn.load import load
from churn.settings import Settings

Compute = Callable[..., Any]


@pytest.fixture
def apart(settings: Settings, tmp_path: Path) -> Settings:
    """A project with an empty store of its own."""
    return replace(settings, project=tmp_path)


@pytest.fixture
def compute(apart: Settings) -> Compute:
    """Asks the store for the features, from the same random state each time; returns them with what it said."""
    package = versions.freeze_code(apart.artifacts / "code")
    raw = load(apart)

    def computed(settings: Settings = apart, raw: Any = raw) -> Any:
        said: list[str] = []
        random.seed(1)
        np.random.seed(1)
        data = store.training(settings, package, raw, said.append)
        return data, " ".join(said), (random.random(), np.random.random())

    return computed


def test_a_hit_is_the_whole_result_and_draws_go_on_as_they_would(
    compute: Compute, apart: Settings
) -> None:
    first, said, drawn = compute()
    assert "store" not in said and "not kept" not in said, said
    again, said, redrawn = compute()
    assert "come from the store" in said
    assert store.digests(again) == store.digests(first)
    assert redrawn == drawn
    (entry,) = store.entries(apart)
    assert entry.feature_version == again.state.version


def test_other_data_parameters_seeds_and_code_are_other_versions(
    compute: Compute, apart: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute()
    raw = load(apart)
    main = raw if isinstance(raw, pd.DataFrame) else next(iter(raw.values()))
    fewer = main.iloc[:-1].copy()
    package = versions.freeze_code(apart.artifacts / "code")

    def key(settings: Settings = apart, raw: Any = raw) -> str:
        random.seed(1)
        np.random.seed(1)
        return str(store._wanted(settings, package, raw)["key"])

    keys = [key(), key(raw=fewer), key(replace(apart, seed=7))]
    keys.append(key(replace(apart, fit_on="train")))
    code = versions.Version(package, None, None).module("versions")
    monkeypatch.setattr(code, "definition", lambda: "other code")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    random.seed(2)
    assert (
        store._wanted(apart, package, raw)["key"] not in keys
    )  # where the generators stand counts too


def test_a_damaged_version_is_computed_again(compute: Compute, apart: Settings) -> None:
    first, _, _ = compute()
    (entry,) = store.entries(apart)
    path = max(
        (apart.artifacts / "features" / entry.folder).glob("*"),
        key=lambda path: path.stat().st_size,
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    again, said, _ = compute()
    assert "damaged" in said
    assert store.digests(again) == store.digests(first)
    assert "come from the store" in compute()[1]


@pytest.mark.parametrize("cells", [[1.5, "text", None], ["text", None, np.nan]])
def test_what_does_not_come_back_exactly_is_not_kept(
    cells: list[Any], compute: Compute, apart: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first cannot be written; of the second, two ways to be missing come back as one."""
    package = versions.freeze_code(apart.artifacts / "code")
    module = versions.Version(package, None, None).module("features")
    fit = module.fit
    mixed = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    monkeypatch.setattr(
        module, "fit", lambda raw, settings: replace(fit(raw, settings), X_eval=mixed)
    )
    data, said, _ = compute()
    assert "not kept" in said and "X_eval" in said
    assert data.X_eval is mixed
    assert store.entries(apart) == []


EXACT = {
    "floats": pd.DataFrame(
        {"a": [0.1, np.nan, -0.0], "b": [1.0, 2.0, 3.0]}, index=[5, 3, 9]
    ),
    "row by row": pd.DataFrame(np.arange(6.0).reshape(3, 2)),
    "mixed types": pd.DataFrame(
        {
            "a": [1, 2],
            "b": [True, False],
            "c": pd.Categorical(["x", "y"], ["y", "x", "z"]),
        }
    ),
    "texts": pd.Series(["a", "b"], name="t"),
    "whole numbers": pd.Series([1, 2], dtype="int8", name="y"),
    "matrix": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "sparse": sparse.random(20, 30, 0.1, "csr", random_state=0),
    "sparse by column": sparse.csc_matrix(np.eye(4)),
    "list": ["a", "b"],
    "nothing": None,
}


@pytest.mark.parametrize("name", EXACT)
def test_a_value_comes_back_exactly(name: str, tmp_path: Path) -> None:
    value = EXACT[name]
    again = values.read(values.write(value, tmp_path, "value"), tmp_path, "value")
    assert values.digest(again) == values.digest(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pd.Series([1, 2]), pd.Series([1.0, 2.0])),
        (pd.Series([None, "a"], dtype=object), pd.Series([np.nan, "a"], dtype=object)),
        (pd.Series([1, "a"], dtype=object), pd.Series(["1", "a"], dtype=object)),
        (pd.Series([1], index=[0]), pd.Series([1], index=[1])),
        (pd.Categorical(["x"], ["x", "y"]), pd.Categorical(["x"], ["y", "x"])),
        (np.ones((2, 3)), np.ones((3, 2)).T),
        (np.array([0.0]), np.array([-0.0])),
        (sparse.csr_matrix(np.eye(2)), sparse.csc_matrix(np.eye(2))),
        ([1], [True]),
    ],
)
def test_the_hash_tells_what_a_model_could_notice(one: Any, other: Any) -> None:
    wrapped = [
        pd.Series(part) if isinstance(part, pd.Categorical) else part
        for part in (one, other)
    ]
    assert values.digest(wrapped[0]) != values.digest(wrapped[1])


def test_writers_at_once_and_killed_ones_leave_whole_versions_only(
    compute: Compute, apart: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes of their own: two write the same versions, and one after the other is killed at a random moment."""
    package = versions.freeze_code(apart.artifacts / "code")
    module = versions.Version(package, None, None).module("features")
    data = module.fit(load(apart), apart)
    # the computation is not what is tested
    monkeypatch.setattr(module, "fit", lambda raw, settings: data)
    processes = multiprocessing.get_context("fork")

    def write(first: int, count: int) -> None:
        for seed in range(first, first + count):
            compute(replace(apart, seed=seed))

    pair = [processes.Process(target=write, args=(0, 5)) for _ in range(2)]
    for one in pair:
        one.start()
    moments = random.Random(0)
    for first in range(1000, 7000, 1000):
        doomed = processes.Process(target=write, args=(first, 1000))
        doomed.start()
        time.sleep(moments.random() / 2)
        doomed.kill()
        doomed.join()
    for one in pair:
        one.join()
    assert [one.exitcode for one in pair] == [0, 0]
    found = store.entries(apart)
    assert sorted(one.seed for one in found if one.seed < 1000) == list(range(5))
    folder = apart.artifacts / "features"
    for entry in found:
        facts = json.loads(entry.facts)
        assert (
            store.digests(store._read(folder / entry.folder, package, facts))
            == facts["digests"]
        )
    store.gc(apart, 3, set())
    assert len(store.entries(apart)) == 3
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 3


def test_versions_in_use_survive_gc_and_versions_are_compared(
    compute: Compute, apart: Settings
) -> None:
    compute()
    raw = load(apart)
    shorter = raw.iloc[: len(raw) * 2 // 3] if isinstance(raw, pd.DataFrame) else raw
    compute(replace(apart, seed=7), raw=shorter)
    new, old = store.entries(apart)
    assert catalogue.describe(apart, new)["columns"]
    same = catalogue.diff(apart, old, old)
    assert not (
        same["because"]
        or same["changed"]
        or same["learned"]
        or same["added"]
        or same["removed"]
    )
    found = catalogue.diff(apart, old, new)
    assert "seed" in found["because"]
    told = [catalogue.text(one) for one in (catalogue.describe(apart, new), found)]
    assert not any("'numpy'" in one or "{'" in one for one in told)
    assert store.find(apart, old.key[:12]) == old
    with pytest.raises(store.StoreError):
        store.find(apart, "no such version")
    store.gc(apart, 0, {old.feature_version})
    assert old in store.entries(apart)
