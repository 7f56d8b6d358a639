"""Library facts: the file format, and the choice of a fact for a call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nb2prod import knowledge
from nb2prod.knowledge import GIVEN, Given, KnowledgeError, library, lookup
from nb2prod.knowledge.read import expand, index, read

FOLDER = Path(knowledge.__file__).parent
LIBRARIES = sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem not in ("stdlib", "star"))
STDLIB = sorted({api.partition(".")[0] for api in read(FOLDER / "stdlib.toml").names})
FACTS = [fact for name in (*LIBRARIES, *STDLIB) for fact in library(name)]

# ---- the format


def test_braces_expand_like_a_shell() -> None:
    assert list(expand("a.{b,c{1,2}}.d")) == ["a.b.d", "a.c1.d", "a.c2.d"]
    assert list(expand("a{,.b}")) == ["a", "a.b"]
    assert list(expand("plain")) == ["plain"]
    with pytest.raises(KnowledgeError, match="unbalanced"):
        list(expand("a.{b,c"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_file_of_ours_is_well_formed_and_its_index_gives_the_same(path: Path) -> None:
    whole, lazy = read(path), index(path)
    assert (lazy.names, lazy.modules, lazy.receivers, lazy.star) == (
        whole.names,
        whole.modules,
        whole.receivers,
        whole.star,
    )
    assert list(lazy.entries) == list(whole.entries)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fact]]\napi = 'x.f'\neffect = 'pure'\ncolour = 'red'", "unknown key colour"),
        ("[[facts]]\napi = 'x.f'", "unknown key facts"),
        ("[[fact]]\napi = 'x.f'", "required"),
        ("[[fact]]\napi = 'x.f'\neffect = 'guesses'", "effect must be one of"),
        ("[[fact]]\napi = 'x.f'\neffect = 'pure'\nreturns = 'thing'", "returns must be one of"),
        ("[[fact]]\napi = 'x.f'\neffect = 'pure'\nmutates = 'self'", "list of text"),
        ("[[fact]]\napi = 'x.f'\neffect = 'pure'\nwhen = {axis = 1}", "condition"),
        ("[[fact]]\napi = 'x.f'\neffect = 'pure'\nwhen = {axis = 'one'}", "condition"),
        ("[[fact]]\napi = 'x.f'\neffect = 'pure'\nwhen = {axis = [[1]]}", "condition"),
        ("[[fact]]\napi = 1\neffect = 'pure'", "api must be"),
        ("fact = 'x'", "fact has the wrong type"),
        ("modules = ['x']", "modules has the wrong type"),
        ("[star]\nx = 1", "star has the wrong type"),
        ("[[fact]]\napi = 'x.f'\neffect = 'learns'", "must say what"),
        ("[[fact]]\napi = ['x.f', 'x.{f,g}']\neffect = 'pure'", "two unconditional"),
        (
            "[[fact]]\napi = 'x.f'\neffect = 'pure'\n[[fact]]\napi = 'x.f'\neffect = 'env'",
            "two unconditional",
        ),
        ("api = ", "Invalid value"),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(KnowledgeError, match=message):
        read(path)


def test_every_name_has_one_unconditional_fact() -> None:
    plain = {fact.api for fact in FACTS if not fact.when}
    assert {fact.api for fact in FACTS} == plain


def test_conditions_are_reachable() -> None:
    """A conditional fact after one with the same condition would never be chosen."""
    seen: set[tuple[str, Any]] = set()
    for fact in FACTS:
        assert (fact.api, fact.when) not in seen, fact.api
        seen.add((fact.api, fact.when))


def test_types_name_classes_that_have_facts() -> None:
    known = {fact.api.rpartition(".")[0] for fact in FACTS} | {fact.api for fact in FACTS}
    assert {fact.type for fact in FACTS if fact.type} <= known


def test_adapters_are_in_the_staging_runtime() -> None:
    there = {path.stem for path in (FOLDER.parents[1] / "templates" / "adapters").glob("*.py")}
    assert {fact.adapter for fact in FACTS if fact.adapter} <= there


# ---- the choice of a fact


@pytest.mark.parametrize(
    ("api", "arguments", "effect"),
    [
        ("pandas.DataFrame.mean", {}, "aggregates"),
        ("pandas.DataFrame.mean", {"axis": 1}, "row-wise"),
        ("pandas.DataFrame.mean", {"0": 1}, "row-wise"),
        ("pandas.DataFrame.mean", {"axis": "columns"}, "row-wise"),
        ("pandas.DataFrame.mean", {"axis": True}, "aggregates"),
        ("pandas.DataFrame.mean", {"axis": GIVEN}, "aggregates"),
        ("pandas.DataFrame.dropna", {"axis": 1}, "schema"),
        ("pandas.Series.fillna", {"0": GIVEN}, "row-wise"),
        ("pandas.Series.fillna", {"method": "ffill"}, "needs-other-rows"),
        ("pandas.Series.fillna", {"method": None, "value": 0}, "row-wise"),
        ("pandas.DataFrame.drop", {"0": ["a"], "axis": 1}, "row-wise"),
        ("pandas.DataFrame.drop", {"0": ["a"], "1": 1}, "row-wise"),
        ("pandas.DataFrame.drop", {"columns": ["a"]}, "row-wise"),
        ("pandas.DataFrame.drop", {"0": GIVEN}, "filters"),
        ("pandas.DataFrame.drop", {"index": GIVEN}, "filters"),
        ("pandas.cut", {"0": GIVEN, "1": 5}, "learns"),
        ("pandas.cut", {"0": GIVEN, "bins": [0, 16, 32]}, "row-wise"),
        ("pandas.cut", {"0": GIVEN, "bins": Given("list")}, "row-wise"),
        ("pandas.cut", {"0": GIVEN, "bins": GIVEN}, "learns"),
        ("numpy.where", {"0": GIVEN}, "aggregates"),
        ("numpy.where", {"0": GIVEN, "1": 1, "2": 0}, "row-wise"),
        ("builtins.open", {"0": "a.txt", "mode": "w"}, "writes-file"),
        ("builtins.open", {"0": "a.txt"}, "reads-file"),
    ],
)
def test_the_fact_that_fits_the_arguments_wins(api: str, arguments: dict[str, object], effect: str) -> None:
    fact = lookup(api, arguments)
    assert fact is not None
    assert fact.effect == effect


def test_inplace_is_settled_by_the_arguments() -> None:
    def of(arguments: dict[str, object] | None) -> tuple[tuple[str, ...], str]:
        fact = lookup("pandas.DataFrame.dropna", arguments)
        assert fact is not None
        return fact.mutates, fact.returns

    assert of(None) == (("self if inplace",), "same")
    assert of({}) == ((), "same")
    assert of({"inplace": False}) == ((), "same")
    assert of({"inplace": True}) == (("self",), "none")
    assert of({"inplace": GIVEN}) == (("self",), "none")


@pytest.mark.parametrize(
    ("api", "found"),
    [
        ("sklearn.preprocessing.StandardScaler.fit_transform", "sklearn.estimator.fit_transform"),
        ("sklearn.ensemble.RandomForestClassifier.fit", "sklearn.classifier.fit"),
        ("sklearn.model_selection.KFold.split", "sklearn.splitter.split"),
        ("sklearn.pipeline.make_pipeline.predict", "sklearn.estimator.predict"),
        ("pandas.DataFrame.groupby.mean", "pandas.DataFrameGroupBy.mean"),
        ("numpy.random.default_rng.normal", "numpy.random.Generator.normal"),
        ("pandas.Series.value_counts.index", "pandas.Series.index"),
        ("sklearn.preprocessing.StandardScaler.no_such_method", None),
        ("pandas.DataFrame.no_such_method", None),
        ("nolibrary.f", None),
        ("../secret.f", None),
        ("", None),
    ],
)
def test_methods_are_found_by_role_and_by_the_type_of_a_result(api: str, found: str | None) -> None:
    fact = lookup(api, {})
    assert (fact and fact.api) == found


def test_methods_of_an_unknown_receiver() -> None:
    assert {fact.api for fact in knowledge.methods("append")} >= {
        "builtins.list.append",
        "pandas.Index.append",
    }
    assert any(fact.mutates == ("self",) for fact in knowledge.methods("dropna", {"inplace": True}))
    assert knowledge.methods("seed") == knowledge.methods("seed", {})
    assert all(fact.api != "numpy.random.seed" for fact in knowledge.methods("seed"))
    assert knowledge.methods("no_such_method") == ()


def test_facts_of_the_user_come_first(tmp_path: Path) -> None:
    ours = tmp_path / "ours.toml"
    ours.write_text(
        "[star]\nmylib = 'clean load'\n"
        "[[fact]]\napi = 'mylib.{clean,load}'\neffect = 'row-wise'\nreturns = 'frame'\n"
        "[[fact]]\napi = 'pandas.cut'\neffect = 'pure'\nwhen = {bins = 'number'}\n"
    )
    extra = (ours,)
    fact = lookup("mylib.clean", {"0": GIVEN}, extra)
    assert fact is not None and fact.returns == "frame"
    assert lookup("mylib.clean") is None
    assert [one.api for one in library("mylib", extra)] == ["mylib.clean", "mylib.load"]
    assert sorted(knowledge.star_names("mylib", extra) or ()) == ["clean", "load"]
    assert "mylib" in knowledge.known_modules(extra)
    for arguments, effect in (({"bins": 4}, "pure"), ({"bins": [1, 2]}, "row-wise")):
        fact = lookup("pandas.cut", arguments, extra)
        assert fact is not None and fact.effect == effect


def test_modules() -> None:
    known = knowledge.known_modules()
    for module in (
        "pandas",
        "numpy.random",
        "sklearn.preprocessing",
        "os",
        "os.path",
        "json",
        "matplotlib.pyplot",
    ):
        assert module in known, module
    for other in ("numpy.mean", "pandas.DataFrame", "nolibrary", "sklearn.classifier", ""):
        assert other not in known, other


def test_star_names() -> None:
    names = knowledge.star_names("math")
    assert names is not None and {"sqrt", "pi"} <= names and "__name__" not in names
    assert knowledge.star_names("nolibrary") is None
    for path in sorted(FOLDER.glob("*.toml")):
        for module, text in read(path).star.items():
            assert all(name.isidentifier() for name in text.split()), module


def test_no_library_is_imported() -> None:
    code = (
        "import sys; from nb2prod import knowledge as k; k.lookup('pandas.DataFrame.mean');"
        "k.lookup('sklearn.svm.SVC.fit'); print(sorted({'pandas', 'numpy', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
