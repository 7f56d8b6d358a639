"""What training never showed: other batches, values unseen, learned values that no row uses, fewer rows."""

from __future__ import annotations

import sys

import pytest
from tiny_project import Folder, raw_rows

from nb2prod.verify import run_probe

FILTERS = {
    'df[df["calls"] + df["fare"] < 70]': ["few_calls"],
    # what it drops lies above all calls of training
    'df[df["calls"] < 30]': [],
    # of one row alone it knows nothing
    'df[df["fare"] < df["fare"].quantile(0.9)]': [],
    "df.sample(frac=0.8, random_state=1)": [],
    # the target is not there when rows are served
    'df[(df["churn"] == "yes") | (df["calls"] > 9)]': [],
}


def test_what_a_batch_does_to_a_row_is_found_with_its_statement(folder: Folder) -> None:
    before = "    df = st.get_dummies"
    unlike = "    if len(df) == 2:\n        df['fare'] = df['fare'] + 1\n"
    found = folder.edit(before, unlike + before).inside("V1", "V2", "V4")
    assert [found[name].status for name in found] == ["passed", "passed", "failed"], found
    assert "rows two of them" in found["V4"].detail
    assert "first differing statement" in found["V4"].detail and "'fare'" in found["V4"].detail


def test_what_an_unseen_value_does_to_its_company_is_found_with_its_statement(folder: Folder) -> None:
    before = "    df = st.get_dummies"
    far = "    if len(df) > 2 and df['calls'].max() > 200:\n        df['fare'] = df['fare'] + 1\n"
    found = folder.edit(before, far + before).inside("V1", "V2", "V4", "V5")
    assert [found[name].status for name in found] == ["passed", "passed", "passed", "failed"], found
    assert found["V5"].detail.startswith("row with calls far above: in a batch against alone")
    assert "first differing statement" in found["V5"].detail


def test_a_number_that_comes_as_text_must_not_become_another(folder: Folder) -> None:
    right = "numbers = pd.to_numeric(column)"
    found = folder.edit(right, f"{right}.add(column.map(type).eq(str))", "state").inside("V1", "V5")["V5"]
    assert found.status == "failed"
    assert found.detail == "row with age number as text: other features than the same value gave in training"


def test_every_probe_has_an_outcome(folder: Folder) -> None:
    found = folder.inside("V1", "V5")["V5"]
    assert found.status == "passed"
    outcomes = {(one["column"], one["kind"]): one for one in found.facts["probes"]}
    assert outcomes["fare", "missing"]["outcome"] == "other"  # its mean stands in
    assert outcomes["calls", "missing"]["features"] == ["2"]  # nothing does; an array
    assert outcomes["town", "unseen"]["outcome"] == "other"
    assert outcomes["age", "number as text"]["outcome"] == "same"
    assert not any(column == "churn" for column, _ in outcomes)


def test_a_learned_value_that_no_row_uses_is_named(folder: Folder) -> None:
    before = "    df = st.get_dummies"
    idle = "    st.value('idle', df['fare'].max)\n"
    found = folder.edit(before, idle + before).inside("V1", "V6")["V6"]
    assert found.status == "passed"
    assert found.facts == {"probed": ["fare_mean"], "unused": ["idle"]}
    assert "to a probe only: fare_mean; to none: idle" in found.detail


def test_a_number_that_should_be_learned_is_found(folder: Folder) -> None:
    median = float(raw_rows()["age"].median())
    found = folder.edit('st.value("age_median", df["age"].median)', repr(median)).inside("V1", "V2", "V7")
    assert [found[name].status for name in found] == ["passed", "passed", "failed"], found
    assert "notebook's slice against project: column '0'" in found["V7"].detail


def test_a_notebook_that_knows_the_number_of_its_rows_cannot_learn_from_a_part(folder: Folder) -> None:
    script = folder.root / "slice.py"
    script.write_text(script.read_text() + "assert len(df) > 120\n")
    found = folder.inside("V1", "V7")["V7"]
    assert found.status == "not_applicable" and "AssertionError" in found.detail


def test_the_range_of_a_number_is_of_all_rows_and_not_of_those_that_training_kept(folder: Folder) -> None:
    columns = {one["name"]: one for one in run_probe(folder.request, python=sys.executable)["columns"]}
    calls = raw_rows()["calls"]
    assert calls.max() >= 30  # the notebook drops these
    assert (columns["calls"]["minimum"], columns["calls"]["maximum"]) == (calls.min(), calls.max())


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_that_tells_of_a_row_alone_is_a_guard(folder: Folder, text: str) -> None:
    folder.edit('df[df["calls"] < 30]', text)
    assert run_probe(folder.request, python=sys.executable)["guards"] == FILTERS[text]
