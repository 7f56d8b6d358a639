"""The row path: what a row alone gets in plain Python is what pandas gives it, or pandas is asked."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pandas")

import row_laws as laws
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2prod.ir.project import Module
from nb2prod.rowpath import row_path, table

PYTHONS = [exe for exe in os.environ.get("NB2PROD_PYTHONS", "").split(os.pathsep) if exe]
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 99) | st.sampled_from(laws.INTS)
REAL = st.floats() | st.sampled_from(laws.FLOATS)
WORD = st.none() | st.text(max_size=9) | st.sampled_from(laws.WORDS)
TIME = st.none() | st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)).map(
    lambda t: t.replace(microsecond=0)
)
NUMERAL = (
    WORD | st.from_regex(r"[-+]?\d{0,18}\.?\d{0,5}(e\d)?", fullmatch=True) | st.sampled_from(laws.NUMERALS)
)
DATE = WORD | st.dates().map(str) | st.sampled_from(laws.DATES)
ROWS = st.fixed_dictionaries(
    {
        "i": WHOLE, "j": WHOLE, "f": REAL, "g": REAL, "s": WORD, "t": WORD, "n": WORD, "b": st.booleans(),
        "c": st.booleans(), "w": TIME, "v": TIME, "d": DATE, "x": NUMERAL,
    }
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(laws.SNIPPETS), ROWS)
def test_a_row_alone_is_what_pandas_makes_of_it(snippet: str, row: dict[str, Any]) -> None:
    found, why = laws.outcome(snippet, row)
    assert found != "wrong", why


def test_every_snippet_holds_on_a_few_rows() -> None:
    assert laws.main(seed=0, rows=1)["wrong"] == []


@pytest.mark.slow
@pytest.mark.parametrize("exe", ["", *PYTHONS])
def test_every_snippet_holds_in_three_generations_of_pandas(exe: str) -> None:
    """And most rows that pandas answers are answered without it."""
    script = Path(__file__).with_name("row_laws.py")
    if exe:
        done = subprocess.run([exe, str(script), "2", "40"], capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
    else:
        report = laws.main(seed=1, rows=40)
    assert report["wrong"] == [], report["versions"]
    assert report["idle"] == [], report["versions"]


@pytest.mark.parametrize("chosen", ["iloc[:, 1:3]", "iloc[:, 3]", "values[:, 0:2]", "loc[:, kept]"])
def test_a_choice_of_columns_has_a_row_form_or_a_reason(chosen: str) -> None:
    body = f"def features(df, st):\n    kept = ['a']\n    X = df.{chosen}\n    return st.result(X)"
    made = row_path(Module(functions=(body,)))
    assert bool(made.text) != bool(made.reason), made


@pytest.mark.parametrize(
    "asked", ["'s' in r", "list(r)", "r == 1", "bool(r)", "r.name", "r.isna()", "r[['s']]"]
)
def test_a_row_is_asked_for_single_values_only(asked: str) -> None:
    """Whatever else a Series would answer is left to pandas."""
    row = {name: pool[-1] for name, pool in laws.POOLS.items()}
    assert laws.outcome(f"df['out'] = df.apply(lambda r: {asked}, axis=1)", row)[0] in ("left", "neither")


@pytest.mark.parametrize(
    "loop",
    [
        "    last = v if last is None else last\n    got.append(last)",
        "    count += 1\n    got.append(count)",
        "    got.append(len(got))",
        "    if v > 0:\n        sign = 1\n    got.append(sign)",
        "    got.append(v)\n    break",
        "    got.append(df['g'])",
    ],
)
def test_a_loop_in_which_rows_know_of_each_other_has_no_row_form(loop: str) -> None:
    body = f"last, count, sign, got = None, 0, 0, []\nfor v in df['f']:\n{loop}\ndf['out'] = got"
    assert not row_path(Module(functions=(laws.text_of(body) + "    return st.result(df)",))).text


def test_every_operation_of_the_table_has_a_law() -> None:
    texts = "\n".join(laws.compiled(snippet)[2].split("def bind(")[-1] for snippet in laws.SNIPPETS)
    forms = [*table.COLUMN_METHODS.values(), *table.TEXT_METHODS.values(), *table.FUNCTIONS.values()]
    forms += table.FRAME_METHODS.values()
    rows = {form.row.partition(":")[0] for form in forms if form.row}
    rows |= {*table.BINARY.values(), *table.UNARY.values(), *table.TYPES.values()}
    rows |= {name for name, _ in table.COMPARED.values()}
    assert {row for row in rows if f"{row}(" not in texts and f"({row}," not in texts} == set()


def test_the_law_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that says something else than pandas does is found."""
    monkeypatch.setitem(table.COLUMN_METHODS, "isna", table.Form("is_known"))
    laws.compiled.cache_clear()
    row = {**{name: pool[-1] for name, pool in laws.POOLS.items()}, "s": None}
    assert laws.outcome("df['out'] = df['s'].isna()", row)[0] == "wrong"
    laws.compiled.cache_clear()


@pytest.mark.parametrize(
    "pandas, expected", [("1.5.3", "filled("), ("2.2.0", "filled("), ("3.1.0", "return")]
)
def test_a_change_through_a_chain_is_what_that_pandas_makes_of_it(pandas: str, expected: str) -> None:
    body = 'def features(df, st):\n    df["a"].fillna(0, inplace=True)\n    return st.result(df)'
    made = row_path(Module(functions=(body,)), pandas=pandas)
    assert expected in made.dump()
    assert ("filled(" in made.dump()) == (expected == "filled(")
    assert row_path(Module(functions=(body,))).text == ""
