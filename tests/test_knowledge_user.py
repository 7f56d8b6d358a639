"""The user's own facts: `[tool.nb2prod] knowledge` of the pyproject.toml beside or above the notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from percent import notebook

from nb2prod import frontend, knowledge
from nb2prod.knowledge import KnowledgeError

NOTEBOOK = """
# %% tags=load
import pandas as pd
import mylib
from sklearn.linear_model import LinearRegression
df = pd.read_csv("houses.csv")
# %% tags=features
df["age"] = mylib.years(df["built"])
df["place"] = mylib.level(df["city"])
X = df[["age", "place"]]
y = df["price"]
# %% tags=train
model = LinearRegression()
model.fit(X, y)
"""
FACTS = """
[[fact]]
api = "mylib.years"
effect = "row-wise"
returns = "column"

[[fact]]
api = "mylib.level"
effect = "EFFECT"
returns = "column"
learns = "the mean price of each city"
why = "the mean price of each city"
"""


def ipynb(text: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "metadata": {"tags": list(cell.tags)},
            "source": cell.text,
            "outputs": [],
            "execution_count": None,
        }
        for cell in notebook(text.lstrip()).cells
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def written(folder: Path, facts: str, settings: str = 'knowledge = ["facts/ours.toml"]') -> Path:
    """A notebook two folders below the pyproject.toml that names the facts."""
    (folder / "facts").mkdir(parents=True)
    (folder / "facts" / "ours.toml").write_text(facts)
    (folder / "pyproject.toml").write_text(f"[project]\nname = 'x'\n[tool.nb2prod]\n{settings}\n")
    place = folder / "notebooks" / "prices"
    place.mkdir(parents=True)
    (place / "pyproject.toml").write_text("[tool.ruff]\nline-length = 90\n")  # says nothing about nb2prod
    path = place / "houses.ipynb"
    path.write_text(ipynb(NOTEBOOK))
    return path


def compiled(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nb2prod", "compile", str(path), "--static", "--json"]
    return subprocess.run([*command, "-o", str(path.parent / "out")], capture_output=True, text=True)


def test_a_row_wise_fact_is_believed_and_a_learning_one_refuses(tmp_path: Path) -> None:
    """End to end: the same notebook compiles or is refused by what the user's file says."""
    path = written(tmp_path / "row", FACTS.replace("EFFECT", "row-wise"))
    done = compiled(path)
    assert done.returncode == 0, done.stderr
    body = (path.parent / "out" / "src" / "houses" / "features.py").read_text()
    assert 'df["age"] = mylib.years(df["built"])' in body
    assert 'df["place"] = mylib.level(df["city"])' in body

    path = written(tmp_path / "learns", FACTS.replace("EFFECT", "learns"))
    done = compiled(path)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert "NBP403" in report["reason"] and "mylib.level" in report["reason"]
    assert "the mean price of each city" in report["reason"]

    path = written(tmp_path / "aggregates", FACTS.replace("EFFECT", "aggregates"))
    done = compiled(path)
    assert done.returncode == 0, done.stderr
    body = (path.parent / "out" / "src" / "houses" / "features.py").read_text()
    assert "st.value(" in body and 'mylib.level(df["city"])' in body


def test_what_nothing_is_known_of_is_an_assumption_that_is_said(tmp_path: Path) -> None:
    """In the report and in the README of the project; never silently."""
    path = written(tmp_path, FACTS.partition('\n[[fact]]\napi = "mylib.level"')[0])
    done = compiled(path)
    assert done.returncode == 0, done.stderr
    readme = (path.parent / "out" / "README.md").read_text()
    assert "mylib.level is taken to work row by row: nothing is known of it" in readme
    assert "mylib.years" not in readme.partition("What was assumed")[2].partition("##")[0]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            "\n[[fact]]\napi = 'mylib.f'\neffect = 'pure'\ncolour = 'red'",
            r"ours.toml:5: fact 1 \(mylib.f\): unknown",
        ),
        (
            "[[fact]]\napi = 'a.f'\neffect = 'pure'\n[[fact]]\napi = 'a.g'\neffect = 'x'",
            r"ours.toml:6: .*effect must",
        ),
        ("[[facts]]\napi = 'mylib.f'", "ours.toml: unknown key facts"),
        ("[[fact]]\napi = 'mylib.{f'\neffect = 'pure'", "ours.toml:1: .*unbalanced brace"),
        (
            "[[fact]]\napi = 'a.f'\neffect = 'learns'\nlearns = 'x'\nadapter = 'qcut'",
            "ours.toml:5: .*adapter is not",
        ),
        ("api = ", r"ours.toml: Invalid value \(at"),
    ],
)
def test_a_wrong_file_is_wrong_usage_with_its_place(tmp_path: Path, facts: str, message: str) -> None:
    path = written(tmp_path, facts)
    with pytest.raises(KnowledgeError, match=message):
        frontend.read(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('knowledge = "ours.toml"', "pyproject.toml: tool.nb2prod.knowledge must be a list of file names"),
        (
            'knowledge = ["theirs.toml"]',
            "pyproject.toml: tool.nb2prod.knowledge: .*theirs.toml is not a file",
        ),
        ("knowledge = [", "pyproject.toml: "),
    ],
)
def test_wrong_settings_are_wrong_usage(tmp_path: Path, settings: str, message: str) -> None:
    path = written(tmp_path, FACTS, settings)
    with pytest.raises(KnowledgeError, match=message):
        frontend.read(path)


def test_the_command_line_says_where_and_ends_with_2(tmp_path: Path) -> None:
    path = written(tmp_path, "[[fact]]\napi = 'mylib.f'\neffect = 'pure'\ncolour = 'red'")
    for command in (["compile", "--static"], ["lint"], ["graph"]):
        done = subprocess.run(
            [sys.executable, "-m", "nb2prod", *command, str(path)], capture_output=True, text=True
        )
        assert done.returncode == 2, command
        assert "ours.toml:4: fact 1 (mylib.f): unknown key colour" in done.stderr.replace("\n", "")
        assert "Traceback" not in done.stderr


def test_the_nearest_pyproject_with_our_table_counts(tmp_path: Path) -> None:
    path = written(tmp_path, FACTS.replace("EFFECT", "pure"))
    assert frontend.read(path).facts == (tmp_path / "facts" / "ours.toml",)
    (path.parent / "pyproject.toml").write_text("[tool.nb2prod]\n")
    assert frontend.read(path).facts == ()


def test_lint_knows_what_the_user_s_functions_draw(tmp_path: Path) -> None:
    facts = "[[fact]]\napi = 'mylib.{years,level}'\neffect = 'draws'\nrandom = 'numpy'"
    path = written(tmp_path, facts)
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod", "lint", str(path)], capture_output=True, text=True
    )
    assert "NBP310" in done.stdout and "years" in done.stdout


def test_facts_of_the_user_reach_every_lookup(tmp_path: Path) -> None:
    """Star imports, submodules, the methods of their classes and their roles."""
    ours = tmp_path / "ours.toml"
    ours.write_text(
        "modules = 'mylib.text'\n[star]\n'mylib.text' = 'clean'\n"
        "[[fact]]\napi = 'mylib.Encoder'\neffect = 'constructs'\nreturns = 'estimator'\n"
        "role = 'transformer'\n"
        "[[fact]]\napi = 'mylib.Table.trim'\neffect = 'filters'\nmutates = ['self']\n"
    )
    extra = (ours,)
    assert knowledge.star_names("mylib.text", extra) == {"clean"}
    assert "mylib.text" in knowledge.known_modules(extra)
    assert knowledge.lookup("mylib.Encoder.fit_transform", {}, extra) is not None
    assert any(fact.mutates for fact in knowledge.methods("trim", {}, extra))
