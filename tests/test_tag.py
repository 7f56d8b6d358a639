"""Stages of untagged cells: what `nb2prod tag` says and writes, and that compile needs no tags."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from percent import notebook as cells
from test_cli import WORKS, nb2prod, save

from nb2prod import frontend, tagging
from nb2prod.compiler import analyse, lowered
from nb2prod.ipynb_tags import with_tags
from nb2prod.source import Notebook

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
UNTAGGED = WORKS.replace(" tags=load", "").replace(" tags=features", "").replace(" tags=train", "")


def names(path: Path) -> str:
    return path.stem


def untagged(notebook: Notebook) -> Notebook:
    return replace(notebook, cells=tuple(replace(cell, tags=()) for cell in notebook.cells))


def as_suggested(notebook: Notebook) -> Notebook:
    """The notebook with the suggested tags."""
    stages = {one.cell: one.stages for one in tagging.suggest(notebook)}
    tagged = (replace(cell, tags=cell.tags + stages.get(cell.index, ())) for cell in notebook.cells)
    return replace(notebook, cells=tuple(tagged))


# what is said


def test_stages_are_suggested_with_their_reasons(tmp_path: Path) -> None:
    said = nb2prod("tag", save(tmp_path / "a.ipynb", UNTAGGED))
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        "cell 0  load      the data enter here",
        "cell 1  features  `model` is fitted on what it makes",
        "cell 2  train     fits `model`; scores",
        "",
        "nothing was written; --write keeps these tags",
    ]


def test_suggestions_as_json(tmp_path: Path) -> None:
    said = json.loads(nb2prod("tag", save(tmp_path / "a.ipynb", UNTAGGED), "--json").stdout)
    assert said[1] == {"cell": 1, "stages": ["features"], "reason": "`model` is fitted on what it makes"}


def test_only_cells_without_a_tag_are_asked_about(tmp_path: Path) -> None:
    text = WORKS.replace("# %% tags=features", "# %% tags=hide-input").replace("# %% tags=train\n", "# %%\n")
    text = text.replace("from sklearn", "# nb2prod: train\nfrom sklearn")
    said = nb2prod("tag", save(tmp_path / "a.ipynb", text)).stdout
    assert [line.split()[:3] for line in said.splitlines()[:-2]] == [["cell", "1", "features"]]
    assert "no code cell is without a tag" in nb2prod("tag", save(tmp_path / "b.ipynb", WORKS)).stdout


def test_a_notebook_on_standard_input(tmp_path: Path) -> None:
    text = save(tmp_path / "a.ipynb", UNTAGGED).read_text(encoding="utf-8")
    assert "cell 2  train" in nb2prod("tag", "-", stdin=text).stdout


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("{}", 1, "not a notebook"),
        ("[", 1, "not JSON"),
        (None, 2, "Invalid value for NOTEBOOK"),
        (
            '{"cells": [{"cell_type": "code", "source": "x = 1", "metadata": {}}]}',
            1,
            "no statement fits a model",
        ),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path: Path, content: str | None, code: int, said: str) -> None:
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = nb2prod("tag", path, "--write")
    assert result.exit_code == code and said in result.stderr and not result.stdout
    assert content is None or path.read_text(encoding="utf-8") == content


def test_standard_input_cannot_be_written() -> None:
    assert nb2prod("tag", "-", "--write", stdin="{}").exit_code == 2


@pytest.mark.parametrize("metadata", ['"text"', '{"tags": "load"}'])
def test_tags_that_are_no_list_are_left_alone(tmp_path: Path, metadata: str) -> None:
    path = save(tmp_path / "a.ipynb", UNTAGGED)
    text = path.read_text(encoding="utf-8").replace('{"tags": []}', metadata, 1)
    path.write_text(text, encoding="utf-8")
    result = nb2prod("tag", path, "--write")
    assert result.exit_code == 1 and "cell 0" in result.stderr
    assert path.read_text(encoding="utf-8") == text


def test_what_is_not_python_gets_no_tag(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", UNTAGGED + "# %%\nx = = 1\n")
    assert nb2prod("tag", path, "--write").exit_code == 0
    assert [cell.tags for cell in frontend.read(path).cells] == [("load",), ("features",), ("train",), ()]
    said = nb2prod("tag", path, "--write").stdout.splitlines()
    assert said == ["cell 3  -  not valid Python: invalid syntax", "", "nothing was written"]


# what is written

BEFORE = """\
{
 "cells": [
  {
   "cell_type": "code",
   "metadata": {},
   "source": ["caf\\u00e9 = 'é'"]
  },
  {
   "cell_type": "code",
   "metadata": {
    "collapsed": true
   },
   "source": []
  },
  {
   "metadata": {"tags": ["hide-input"], "z": 1}, "cell_type": "code", "source": []
  }
 ],
 "nbformat": 4, "metadata": {}
}
"""
AFTER = """\
{
 "cells": [
  {
   "cell_type": "code",
   "metadata": {
    "tags": [
     "load",
     "features"
    ]
   },
   "source": ["caf\\u00e9 = 'é'"]
  },
  {
   "cell_type": "code",
   "metadata": {
    "collapsed": true,
    "tags": [
     "train"
    ]
   },
   "source": []
  },
  {
   "metadata": {"tags": ["hide-input", "infer"], "z": 1}, "cell_type": "code", "source": []
  }
 ],
 "nbformat": 4, "metadata": {}
}
"""


def test_tags_look_like_their_surroundings() -> None:
    tags = {0: ["load", "features"], 1: ["train"], 2: ["infer"]}
    assert with_tags(BEFORE.encode(), tags).decode() == AFTER
    windows = BEFORE.replace("\n", "\r\n").encode("utf-8-sig")
    assert with_tags(windows, tags) == AFTER.replace("\n", "\r\n").encode("utf-8-sig")


def test_cells_of_old_notebooks_stand_in_worksheets() -> None:
    text = '{"worksheets":[{"cells":[{"cell_type":"code"}]},{"cells":[{"metadata":{ }}]}],"nbformat":3}'
    written = with_tags(text.encode(), {0: ["load"], 1: ["train"]})
    assert written.decode() == (
        '{"worksheets":[{"cells":[{"cell_type":"code","metadata":{"tags":["load"]}}]},'
        '{"cells":[{"metadata":{"tags":["train"] }}]}],"nbformat":3}'
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
CELLS = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "metadata": st.dictionaries(
            st.text(max_size=4).filter(lambda key: key != "tags"), VALUES, max_size=3
        ),
        "source": st.text(max_size=10),
        "outputs": st.lists(VALUES, max_size=2),
    }
)
LAYOUTS = st.sampled_from(
    [{"indent": 1}, {"indent": 4}, {"indent": "\t"}, {}, {"separators": (",", ":")}, {"ensure_ascii": False}]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=4), LAYOUTS, st.data())
def test_writing_is_what_a_library_would_do_and_nothing_else(
    rows: list[dict[str, Any]], layout: dict[str, Any], data: st.DataObject
) -> None:
    stages = st.lists(st.sampled_from(["load", "train"]), min_size=1, max_size=2, unique=True)
    tags = data.draw(st.dictionaries(st.integers(0, len(rows) - 1), stages))
    before = json.dumps({"cells": rows, "nbformat": 4}, **layout)
    after = [
        {**row, "metadata": {**row["metadata"], "tags": tags[n]}} if n in tags else row
        for n, row in enumerate(rows)
    ]
    expected = json.dumps({"cells": after, "nbformat": 4}, **layout)
    assert with_tags(before.encode("utf-8"), tags).decode("utf-8") == expected


@pytest.mark.parametrize("path", EXAMPLES, ids=names)
def test_only_tags_are_added_and_only_once(path: Path, tmp_path: Path) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    for row in stored["cells"]:
        row["metadata"].pop("tags", None)
    copy = tmp_path / path.name
    copy.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    suggested = {one.cell: list(one.stages) for one in tagging.suggest(frontend.read(copy))}
    assert nb2prod("tag", copy, "--write").exit_code == 0
    for number, stages in suggested.items():
        stored["cells"][number]["metadata"]["tags"] = stages
    assert copy.read_text(encoding="utf-8") == json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
    written = copy.read_bytes()
    again = nb2prod("tag", copy, "--write")
    assert again.exit_code == 0 and copy.read_bytes() == written


def test_a_link_stays_a_link_and_rights_stay(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", UNTAGGED)
    path.chmod(0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    assert nb2prod("tag", link, "--write").exit_code == 0
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert frontend.read(path).cells[2].tags == ("train",)


def test_a_write_that_fails_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.ipynb", UNTAGGED)
    before = path.read_bytes()

    def full(*names: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, "replace", full)
    result = nb2prod("tag", path, "--write")
    assert result.exit_code == 1 and "No space left" in result.stderr
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


# what compile does without tags


def modules(notebook: Notebook, path: Path) -> dict[str, tuple[str, ...]]:
    compiled = analyse(notebook)
    # a cell tagged eda takes a model out of the comparison, which no data flow tells
    compiled = replace(compiled, graph=replace(compiled.graph, candidates=()))
    project = lowered(compiled, path, "project", Path("out"), None, ()).project
    parts = {"load": project.load, "features": project.features, "target": project.target}
    parts |= {"train": project.train, "infer": project.infer}
    return {name: (*part.imports, *part.helpers, *part.functions) for name, part in parts.items()}


@pytest.mark.parametrize("path", EXAMPLES, ids=names)
def test_the_examples_without_tags_give_the_same_project(path: Path) -> None:
    tagged = frontend.read(path)
    with_tags, without = analyse(tagged), analyse(untagged(tagged))
    assert with_tags.graph.sink is not None and without.graph.sink is not None
    assert without.graph.sink.stmt == with_tags.graph.sink.stmt
    assert [found.code for found in without.blocking] == [found.code for found in with_tags.blocking]
    if not with_tags.blocking:
        assert modules(untagged(tagged), path) == modules(tagged, path)


@pytest.mark.parametrize("path", EXAMPLES, ids=names)
def test_compiling_does_what_the_written_tags_would_do(path: Path) -> None:
    notebook = untagged(frontend.read(path))

    def kept(notebook: Notebook) -> list[str]:
        said = analyse(notebook).graph.dump().splitlines()
        return [line for line in said if not line.startswith(("  inferred", "  assumed", "  dropped"))]

    assert kept(as_suggested(notebook)) == kept(notebook)


def test_what_was_inferred_is_in_the_report(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", UNTAGGED)
    said = nb2prod("compile", path, "--static", "--json", "-o", tmp_path / "out")
    found = [one for one in json.loads(said.stdout)["findings"] if one["code"] == "NBP504"]
    assert [(one["cell"], one["message"]) for one in found] == [
        (0, "taken to be load: the data enter here"),
        (1, "taken to be features: `model` is fitted on what it makes"),
        (2, "taken to be train: fits `model`; scores"),
    ]
    summary = nb2prod("compile", path, "--static", "-o", tmp_path / "out").stdout
    assert "Inferred stages (3 untagged cells" in summary and "NBP504" not in summary
    tagged = nb2prod("compile", save(path, WORKS), "--static", "-o", tmp_path / "other").stdout
    assert "Inferred stages" not in tagged


def test_the_chosen_model_is_said_where_there_are_several(tmp_path: Path) -> None:
    second = "# %%\nother = LogisticRegression(C=2).fit(X, y)\nprint(other.score(X, y))\n"
    path = save(tmp_path / "a.ipynb", UNTAGGED + second)
    said = nb2prod("compile", path, "--static", "-o", tmp_path / "out").stdout
    assert "the model is `other` (cell 3, line 1), not `model`" in said
    asked = nb2prod("compile", path, "--static", "-o", tmp_path / "out", "--model", "model", "--json")
    assert any("fits `model`" in one["message"] for one in json.loads(asked.stdout)["findings"])


def test_what_is_made_of_a_model_taken_from_a_loop_is_inference(tmp_path: Path) -> None:
    text = """\
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import Lasso, Ridge
from sklearn.metrics import r2_score
df = pd.read_csv("rows.csv")
# %%
X = df[["a"]]
y = np.log(df["y"])
# %%
models = {"ridge": Ridge(), "lasso": Lasso()}
for name, m in models.items():
    m.fit(X, y)
# %%
best = models["ridge"]
values = np.exp(best.predict(X))
print(r2_score(np.exp(y), values))
"""
    said = nb2prod("tag", save(tmp_path / "a.ipynb", text)).stdout
    assert "cell 3  train, infer  a prediction of `best` needs it" in said
    compiled = nb2prod("compile", tmp_path / "a.ipynb", "--static", "-o", tmp_path / "out").stdout
    assert "the model is `models['ridge']`" in compiled
    assert "np.exp(model.predict(X))" in (tmp_path / "out/src/a/infer.py").read_text()


def test_refused_only_where_there_is_no_model(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", UNTAGGED.split("# %%\nfrom sklearn")[0])
    said = nb2prod("compile", path, "--static", "-o", tmp_path / "out")
    assert (
        said.exit_code == 1 and "NBP505" in said.stderr and "tag the cell that fits the model" in said.stderr
    )


def test_comments_and_empty_cells_change_nothing() -> None:
    plain = tagging.suggest(cells(UNTAGGED))
    padded = tagging.suggest(cells(UNTAGGED.replace("# %%\n", "# %%\n# nothing to see\n# %%\n")))
    assert [one.stages for one in padded if one.stages != ("skip",)] == [one.stages for one in plain]


def test_agreement_with_tags_by_hand_is_measured(tmp_path: Path) -> None:
    for path in EXAMPLES:
        (tmp_path / path.stem).mkdir()
        (tmp_path / path.stem / path.name).write_bytes(path.read_bytes())
    command = [sys.executable, str(ROOT / "benchmarks" / "untagged.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert f"{len(EXAMPLES)} notebooks: the same model in {len(EXAMPLES)}" in ran.stdout
