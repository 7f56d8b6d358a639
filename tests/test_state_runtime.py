"""The staging runtime of the generated project: what many rows teach must hold for each row alone."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sklearn import preprocessing as sk
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

TEMPLATES = Path(__file__).parent.parent / "templates"
ADAPTERS = sorted(path.stem for path in (TEMPLATES / "adapters").glob("*.py"))


def render(folder: Path, adapters: list[str]) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    for name in ("state", "staging"):
        template = environment.get_template(f"package/src/__package__/{name}.py.jinja")
        text = template.render(project=SimpleNamespace(name=folder.name, adapters=adapters))
        (folder / f"{name}.py").write_text(text)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runtime")
    render(root / "runtime_under_test", ADAPTERS)
    return root


@pytest.fixture(scope="session")
def runtime(root: Path) -> ModuleType:
    sys.path.insert(0, str(root))
    module = importlib.import_module("runtime_under_test.staging")
    module.State = importlib.import_module("runtime_under_test.state").State
    return module


Body = Callable[[pd.DataFrame, Any], Any]


def fit(runtime: ModuleType, body: Body, raw: Any, **options: Any) -> tuple[Any, Any, Any]:
    st = runtime.Staging.for_fit(raw, **options)
    X = body(st.main, st)
    return X, st.freeze(), st


def serve(runtime: ModuleType, body: Body, rows: pd.DataFrame, state: Any) -> Any:
    st = runtime.Staging.for_serving(rows, state)
    return body(st.main, st)


def dense(X: Any) -> pd.DataFrame:
    if hasattr(X, "toarray"):
        X = X.toarray()
    X = pd.DataFrame(np.asarray(X)) if isinstance(X, np.ndarray) else pd.DataFrame(X)
    return X.reset_index(drop=True).astype(object).where(lambda frame: frame.notna(), None)


def assert_same(left: Any, right: Any) -> None:
    left, right = dense(left), dense(right)
    assert list(left.columns) == list(right.columns)
    for column in left.columns:
        for a, b in zip(left[column], right[column], strict=True):
            close = isinstance(a, float) and b is not None and np.isclose(a, float(b), rtol=1e-9, atol=0)
            assert close or a == b or (a is None and b is None), (column, a, b)


def assert_rows_alone(runtime: ModuleType, body: Body, raw: pd.DataFrame) -> Any:
    """Every kept row gets, alone, in a batch, and through JSON, what it got in training."""
    X, state, st = fit(runtime, body, raw)
    kept = raw.iloc[st.train_ids]
    assert_same(X, serve(runtime, body, kept, state))
    for at in range(min(len(kept), 12)):
        expected = X[at : at + 1] if not hasattr(X, "iloc") else X.iloc[[at]]
        assert_same(expected, serve(runtime, body, kept.iloc[[at]], state))
        if not kept.select_dtypes(["datetime", "category"]).columns.any():
            row = json.loads(kept.iloc[[at]].to_json(orient="records", double_precision=15))
            through_json = pd.DataFrame(row, columns=kept.columns, dtype=object)
            assert_same(expected, serve(runtime, body, through_json, state))
    serve(runtime, body, kept.iloc[:0], state)
    return state


# --- the sites, each a body --------------------------------------------------------------------------


def statistics(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["number"] = df["number"].fillna(st.value("median", df["number"].median))
    df["whole"] = df["whole"] - st.value("mean", df["whole"].mean)
    counts = st.value("counts", df["text"].value_counts)
    df["often"] = df["text"].map(counts)
    return st.result(df[["number", "whole", "often"]])


def columns_loop(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    for c in st.value("gaps", lambda: df.columns[df.isnull().any()]):
        df[c] = df[c].fillna(st.value("mode", lambda c=c: df[c].mode().get(0), at=(c,)))
    return st.result(df[["number", "text"]])


def dummies(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    return st.result(st.get_dummies("dummies", df[["text", "number"]]))


def dummies_of_many(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    options = {"columns": ["text", "whole", "flag"], "drop_first": True, "dummy_na": True, "dtype": float}
    return st.result(st.get_dummies("dummies", df, **options).drop(columns=["date", "kind"]))


def dummies_of_column(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    kinds = st.get_dummies("kinds", df["kind"], prefix="kind")
    return st.result(pd.concat([kinds, st.get_dummies("texts", df["text"])], axis=1))


def quantiles(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["band"] = st.qcut("bands", df["number"], 4, labels=False, duplicates="drop")
    df["interval"] = st.qcut("intervals", df["whole"], 3, duplicates="drop").astype(str)
    return st.result(df[["band", "interval"]])


def bins(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["band"] = st.cut("bands", df["number"], 5, labels=["a", "b", "c", "d", "e"]).astype(object)
    df["left"] = st.cut("left", df["whole"], 3, right=False).astype(str)
    return st.result(df[["band", "left"]])


def codes(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["text"], _ = st.factorize("texts", df["text"])
    df["number"], _ = st.factorize("numbers", df["number"], sort=True)
    df["kind"] = st.astype_category("kinds", df["kind"]).cat.codes
    df["flag"] = st.astype_category("flags", df["flag"]).cat.codes
    return st.result(df[["text", "number", "kind", "flag"]])


def groups(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["mean"] = st.group_transform("mean", df, "text", "number", "mean")
    df["count"] = st.group_transform("count", df, ["text", "flag"], "whole", "count")
    df["span"] = st.group_transform("span", df, ["flag"], "whole", lambda x: x.max() - x.min())
    return st.result(df[["mean", "count", "span"]])


def group_fills(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["number"] = st.group_transform("fill", df, "flag", "number", lambda x: x.fillna(x.median()))
    df["other"] = st.group_transform("fill2", df, ["text", "flag"], "number", lambda x: x.fillna(x.mean()))
    return st.result(df[["number", "other"]])


def group_values(df: pd.DataFrame, st: Any) -> pd.Series:
    def score(x: pd.Series) -> pd.Series:
        return x - st.group_value("mean", x.name, x.mean)

    return st.result(df.groupby("flag")["whole"].transform(score))


def encoders(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    le = LabelEncoder()
    for c in ["text", "kind"]:
        df[c] = st.fit_transform("le", le, df[c].astype(str), at=(c,))
    sc = StandardScaler()
    df["flag"] = le.transform(df["kind"].map(dict(enumerate(le.classes_))))
    df[["whole", "number"]] = st.fit_transform("scaler", sc, df[["whole", "number"]])
    return st.result(df[["text", "kind", "whole", "number", "flag"]])


def encoded_each(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    return st.result(st.fit_transform_each("le", LabelEncoder(), df[["text", "kind"]].astype(str)))


def scales(df: pd.DataFrame, st: Any) -> Any:
    df["whole"] = st.scaled("whole", sk.minmax_scale, df["whole"], feature_range=(0, 2))
    for function in (sk.scale, sk.maxabs_scale, sk.robust_scale):
        df["number"] = st.scaled("number", function, df["number"].fillna(0), at=(function.__name__,))
    df[["whole", "number"]] = st.scaled(
        "ranks", sk.quantile_transform, df[["whole", "number"]], n_quantiles=5
    )
    return st.result(st.scaled("normal", sk.power_transform, df[["whole", "number"]]))


def round_trip(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    st.write_csv(df[["text", "number", "whole", "flag"]], "a.csv", index=False)
    return st.result(st.read_csv("a.csv"))


def preprocessor(df: pd.DataFrame, st: Any) -> Any:
    numbers = SimpleImputer(strategy="median")
    ct = ColumnTransformer(
        [("n", numbers, ["number", "whole"]), ("t", OneHotEncoder(handle_unknown="ignore"), ["text"])]
    )
    return st.result(st.fit_transform("preprocessor", ct, df))


def filters(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df = st.keep("known", df, lambda: df.dropna(subset=["number"]))
    df = st.keep("low", df, lambda: df[df["whole"] < 60]).reset_index(drop=True)
    st.fit_only("same", lambda: df.drop_duplicates(inplace=True), df)
    df["scaled"] = df["number"] / st.value("largest", lambda: df["number"].abs().max() + 1)
    return st.result(df[["scaled", "whole"]])


def imputed(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    known = st.keep("known", df, lambda: df[df["number"].notna()])
    model = st.fit("line", LinearRegression(), known[["whole"]], known["number"])
    gaps = df["number"].isna()
    df.loc[gaps, "number"] = st.apply("imputed", model.predict, df.loc[gaps, ["whole"]])
    return st.result(df[["number"]])


def dates(df: pd.DataFrame, st: Any) -> pd.DataFrame:
    df["age"] = (st.value("newest", df["date"].max) - df["date"]).dt.days
    df["month"] = df["date"].dt.month
    return st.result(df[["age", "month"]])


def rows_ratio(df: pd.DataFrame, st: Any) -> pd.Series:
    return st.result(df.apply(lambda r: r.whole / (1 + st.once("largest", df["whole"].max)), axis=1))


BODIES = [
    statistics,
    columns_loop,
    dummies,
    dummies_of_many,
    dummies_of_column,
    quantiles,
    bins,
    codes,
    groups,
    group_fills,
    group_values,
    encoders,
    encoded_each,
    scales,
    round_trip,
    preprocessor,
    dates,
]


@some.composite
def frames(draw: Any) -> pd.DataFrame:
    """A table with gaps, text, truth values, categories and dates; never all missing, as in real training."""
    n = draw(some.integers(6, 25))
    random = np.random.default_rng(draw(some.integers(0, 2**31)))
    number = np.where(
        random.random(n) < draw(some.sampled_from([0, 0.2, 0.6])), np.nan, random.normal(0, 50, n)
    )
    text = random.choice(np.array(["a", "b", "Zürich", "x y", "7"], dtype=object), n)
    text[random.random(n) < draw(some.sampled_from([0, 0.3]))] = np.nan
    number[0], number[1], text[0], text[1] = 1.5, -3.0, "a", "b"
    kinds = pd.Categorical(random.choice(["low", "mid", "high"], n), ["low", "mid", "high", "never"])
    return pd.DataFrame(
        {
            "number": number,
            "whole": np.append(random.integers(-5, 100, n - 2), [3, 40]),
            "text": text,
            "flag": random.random(n) < 0.5,
            "kind": kinds,
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 900, n), "D"),
        }
    )


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=frames())
def test_a_row_alone_gets_what_it_got_in_training(runtime: ModuleType, body: Body, raw: pd.DataFrame) -> None:
    assert_rows_alone(runtime, body, raw)


@pytest.mark.parametrize("body", [imputed, filters, rows_ratio], ids=lambda body: body.__name__)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=frames())
def test_sites_for_which_no_rows_are_another_matter(
    runtime: ModuleType, body: Body, raw: pd.DataFrame
) -> None:
    raw.loc[3, "number"] = np.nan
    X, state, st = fit(runtime, body, raw)
    for at, row in enumerate(st.train_ids[:8]):
        assert_same(X.iloc[[at]], serve(runtime, body, raw.iloc[[row]], state))


def churn() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [31, 45, None, 22, 60, 37, 51, 28],
            "town": ["Bern", "Rome", "Rome", None, "Bern", "Oslo", "Rome", "Bern"],
            "calls": [1, 0, 3, 2, 8, 1, 0, 5],
            "churn": ["yes", "no", "no", "yes", "no", "yes", "no", "no"],
        }
    )


def churn_target(df: pd.DataFrame, st: Any) -> Any:
    le = LabelEncoder()
    y = st.fit_transform("target", le, df["churn"])
    st.to_inference(le=le)
    return y


def churn_features(df: pd.DataFrame, st: Any) -> Any:
    df = st.keep("dropna", df, lambda: df.dropna(subset=["town"]))
    df["age"] = df["age"].fillna(st.value("age_median", df["age"].median))
    y = st.target(churn_target, df)
    X = st.get_dummies("dummies", df.drop(columns="churn"), columns=["town"])
    X_train, _, y_train, y_test = st.split(train_test_split, X, y, test_size=0.3, random_state=1)
    sc = StandardScaler()
    X_train = st.fit_transform("scaler", sc, X_train)
    st.to_training(X=X)
    return st.result(X_train, y_train, y_test)


def test_row_ids_travel_through_filters_and_the_split(runtime: ModuleType) -> None:
    raw = churn().set_index(pd.Index(list("abcdefgh")))
    X, state, st = fit(runtime, churn_features, raw)
    expected = [churn()["churn"].eq("yes").astype(int)[i] for i in [*st.train_ids, *st.eval_ids]]
    assert [*st.y, *st.y_eval] == expected
    assert sorted([*st.train_ids, *st.eval_ids]) == [0, 1, 2, 4, 5, 6, 7]
    assert_same(X, serve(runtime, churn_features, raw.iloc[st.train_ids], state))
    assert list(st.extras) == ["X"] and list(state.shared["le"].classes_) == ["no", "yes"]


def test_the_target_is_not_needed_and_a_needed_column_is(runtime: ModuleType) -> None:
    raw = churn()
    X, state, st = fit(runtime, churn_features, raw, reads=["age", "town", "calls"])
    row = raw.iloc[st.train_ids[:1]]
    assert_same(X[:1], serve(runtime, churn_features, row[["calls", "town", "age"]].assign(more=1), state))
    with pytest.raises(ValueError, match="town") as caught:
        serve(runtime, churn_features, row.drop(columns="town"), state)
    assert caught.value.column == "town"
    with pytest.raises(ValueError, match="cannot be read as float64"):
        serve(runtime, churn_features, row.assign(age="old"), state)


def test_a_missing_feature_that_training_never_missed_is_named(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        return st.result(df[["age", "calls"]])

    _, state, _ = fit(runtime, body, churn())
    X = serve(runtime, body, pd.DataFrame({"age": [None, 2], "calls": [3, None]}), state)
    assert state.unexpected_missing(X) == [(1, "calls")]


def test_stored_values_are_copies_both_ways(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        columns = st.value("columns", lambda: list(df.columns))
        columns.remove("churn")
        means = st.value("means", lambda: df[["age", "calls"]].mean())
        means["age"] = 0.0
        return st.result(df[columns].assign(m=means["calls"]))

    X, state, _ = fit(runtime, body, churn())
    assert "churn" in state.entries["columns"].value and state.entries["means"].value["age"] > 0
    for _ in range(2):
        assert_same(X, serve(runtime, body, churn(), state))


def test_serving_must_ask_for_what_fitting_learned(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        for c in df.columns[df.isnull().any()]:  # not staged: another row misses other columns
            df[c] = df[c].fillna(st.value("mode", lambda c=c: df[c].mode()[0], at=(c,)))
        return st.result(df)

    _, state, _ = fit(runtime, body, churn())
    with pytest.raises(ValueError, match="did not ask for"):
        serve(runtime, body, churn().iloc[[0]], state)
    with pytest.raises(ValueError, match=r'nothing was learned under \'mode\["calls"\]\''):
        serve(runtime, body, churn().assign(calls=np.nan), state)


def test_a_repeated_key_is_numbered_and_inner_sites_belong_to_their_thunk(runtime: ModuleType) -> None:
    def centred(x: pd.Series, st: Any) -> pd.Series:
        return x - st.value("mean", x.mean)

    def body(df: pd.DataFrame, st: Any) -> Any:
        df["a"], df["b"] = centred(df["age"], st), centred(df["calls"], st)
        df = st.keep("near", df, lambda: df[centred(df["calls"], st).abs() < 3])
        return st.result(df[["a", "b"]])

    X, state, st = fit(runtime, body, churn())
    assert list(state.entries) == ["mean", "mean#2", "near"]
    assert_same(X, serve(runtime, body, churn().iloc[st.train_ids], state))


def test_shuffled_and_renumbered_rows_keep_their_identity(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        df = st.keep("shuffle", df, lambda: df.sample(frac=1, random_state=3)).reset_index(drop=True)
        train = st.keep("train", df, lambda: df.sample(frac=0.6, random_state=1))
        return st.result(train[["calls"]])

    X, _, st = fit(runtime, body, churn())
    assert list(X["calls"]) == list(churn()["calls"].iloc[st.train_ids])


def test_renumbered_in_one_expression_is_unknown_rather_than_wrong(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        df = st.keep("old", df, lambda: df[df["age"] > 40].reset_index(drop=True))
        return st.result(df[["calls"]])

    _, _, st = fit(runtime, body, churn())
    assert list(st.train_ids) == [-1, -1, -1]


def split_rows(df: pd.DataFrame, st: Any) -> Any:
    """A filter by a learned limit, a statistic, a split, and a filter after it."""
    limit = st.value("limit", lambda: df["calls"].quantile(0.9))
    df = st.keep("usual", df, lambda: df[df["calls"] <= limit])
    df["age"] = df["age"] - st.value("age", df["age"].mean)
    y = st.target(lambda df, st: df["churn"] - st.value("rate", df["churn"].mean), df)
    X, _, y, y_test = st.split(train_test_split, df[["age", "calls"]], y, random_state=0)
    X = st.keep("known", X, lambda: X[X["age"].notna()])
    return st.result(X, y, y_test)


def numbered() -> pd.DataFrame:
    calls = np.arange(40)
    return pd.DataFrame({"age": calls**2 * 1.0, "calls": calls, "churn": calls % 3}).astype({"churn": float})


def test_a_constant_is_added_where_training_added_one(runtime: ModuleType) -> None:
    pytest.importorskip("statsmodels")

    def body(df: pd.DataFrame, st: Any) -> Any:
        df["one"] = 1.0
        kept = st.add_constant("none", df[["one", "calls"]])
        return st.result(st.add_constant("some", kept[["calls"]], prepend=False))

    X = assert_rows_alone(runtime, body, churn()).outputs["columns"]
    assert X == ["calls", "const"]


def test_after_a_rehearsal_only_the_training_rows_teach(runtime: ModuleType) -> None:
    raw = numbered()
    _, as_written, rehearsal = fit(runtime, split_rows, raw)
    X, state, st = fit(runtime, split_rows, raw, rehearsal=rehearsal)
    assert list(st.train_ids) == list(rehearsal.train_ids) and list(st.eval_ids) == list(rehearsal.eval_ids)
    train = raw.iloc[st.train_ids]
    assert state.entries["age"].value == train["age"].mean() != as_written.entries["age"].value
    assert state.entries["rate"].value == train["churn"].mean()
    assert state.entries["usual"].value == {"rows": len(train), "kept": len(train)}
    assert_same(X, serve(runtime, split_rows, train, state))


def test_evaluation_rows_have_a_target_and_teach_nothing(runtime: ModuleType) -> None:
    raw = numbered()
    _, state, st = fit(runtime, split_rows, raw)
    judged = runtime.Staging.for_evaluation(raw.iloc[st.eval_ids], state)
    X = split_rows(judged.main, judged)
    assert_same(X, serve(runtime, split_rows, raw.iloc[st.eval_ids], state))
    assert list(judged.y) == list(st.y_eval) and len(judged.y) == len(X)


def test_what_a_rehearsal_made_up_before_the_split_is_made_up_of_training_rows(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        X, y = df[["calls"]], st.target(lambda df, st: df["churn"], df)
        X, y = st.keep("more", (X, y), lambda: (pd.concat([X, X], ignore_index=True), pd.concat([y, y])))
        X, _, y, y_test = st.split(train_test_split, X, y, random_state=0)
        return st.result(X, y, y_test)

    _, _, rehearsal = fit(runtime, body, numbered())
    X, _, st = fit(runtime, body, numbered(), rehearsal=rehearsal)
    known = rehearsal.train_ids[rehearsal.train_ids >= 0]
    assert len(X) == 2 * len(known) and list(st.train_ids) == [*known, *[-1] * len(known)]
    assert set(X["calls"]) == set(numbered()["calls"].iloc[known])


def test_rows_of_a_second_frame_go_before_the_split_in_any_pass(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        n = st.value("n", lambda: len(df))
        both = pd.concat([df, st.frame("test")])
        train = st.keep("train", both, lambda: both[:n])
        y = st.target(lambda df, st: df["churn"], train)
        X, _, y, y_test = st.split(train_test_split, train[["calls"]], y, random_state=0)
        return st.result(X, y, y_test)

    raw = {"train": numbered(), "test": numbered()[:7]}
    _, _, rehearsal = fit(runtime, body, raw)
    X, _, st = fit(runtime, body, raw, rehearsal=rehearsal)
    assert list(X["calls"]) == list(raw["train"]["calls"].iloc[st.train_ids])
    assert list(st.train_ids) == list(rehearsal.train_ids)


def test_resampling_disappears(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        X, y = df[["calls"]], st.target(lambda df, st: df["churn"], df)
        X, y = st.keep("more", (X, y), lambda: (pd.concat([X, X], ignore_index=True), pd.concat([y, y])))
        return st.result(X, y)

    X, state, st = fit(runtime, body, churn())
    assert len(X) == len(st.y) == 16 and list(st.train_ids) == [*range(8), *[-1] * 8]
    assert_same(X.iloc[:8], serve(runtime, body, churn(), state))


def test_rows_of_an_array_are_known_by_what_they_hold(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        X = np.array([[1.0], [2.0], [2.0], [4.0], [5.0], [6.0], [7.0], [8.0]])
        target = np.array([0, 1, 0, 1, 0, 1, 0, 1])
        order = [5, 2, 7, 0]
        X = st.keep("some", X, lambda: X[order])
        return st.result(X, st.keep("theirs", target, lambda: target[order]))

    _, _, st = fit(runtime, body, churn())
    assert list(st.train_ids) == [5, -1, 7, 0], "of two equal rows it is not known which it is"


def test_secondary_frames_have_no_rows_and_tables_are_state(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        test, towns = st.frame("test"), st.table("towns")
        for data in [df, test]:
            data["age"] = data["age"].fillna(st.value("age", data["age"].mean))
            data["calls"] = st.fit_transform("scale", StandardScaler(), data[["calls"]])
        both = pd.concat([df, test])
        n = st.value("n", lambda: len(df))
        both = both.merge(towns, on="town", how="left")
        train = st.keep("train", both, lambda: both[:n])
        return st.result(train[["age", "calls", "size"]] * st.parameter("factor"))

    raw = {
        "train": churn(),
        "test": churn()[:5],
        "towns": pd.DataFrame({"town": ["Bern", "Oslo"], "size": [2, 1]}),
    }
    X, state, st = fit(runtime, body, raw, parameters={"factor": 2})
    assert list(st.train_ids) == list(range(8))
    for at in range(8):
        assert_same(X.iloc[[at]], serve(runtime, body, raw["train"].iloc[[at]], state))


def test_sparse_features_and_text(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        return st.result(st.fit_transform("words", TfidfVectorizer(), df["text"]))

    raw = pd.DataFrame({"text": ["a cat sat", "the dog ran", "a dog and the cat", "none of it"]})
    assert_rows_alone(runtime, body, raw)


def test_the_dtypes_of_training_come_back(runtime: ModuleType) -> None:
    raw = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [1.5, np.nan],
            "b": [True, False],
            "s": ["12", "x"],
            "o": pd.Series(["a", None], dtype=object),
            "c": pd.Categorical([1, 2]),
            "d": pd.to_datetime(["2024-01-02", "2024-02-03"]),
            "n": pd.array([1, None], dtype="Int64"),
        }
    )
    _, state, _ = fit(runtime, lambda df, st: st.result(df), raw)
    row = {"i": 4.0, "f": 3, "b": 1, "s": 7, "o": None, "c": 2.0, "d": "2024-05-06", "n": None}
    rows = state.prepare(pd.DataFrame([row], dtype=object))
    assert list(rows.dtypes) == list(raw.dtypes)
    assert rows["s"][0] == "7" and rows["o"][0] is None and rows["c"][0] == 2
    assert state.prepare(pd.DataFrame([{**row, "i": None}]))["i"].dtype == float


def test_what_a_group_function_must_be(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        return st.result(st.group_transform("z", df, "town", "calls", lambda x: (x - x.mean()) / 2))

    with pytest.raises(ValueError, match="neither one value a group nor fills"):
        fit(runtime, body, churn())


def test_what_cannot_be_stored_is_named(runtime: ModuleType) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        st.value("rows", lambda: (value for value in df))
        return st.result(df)

    with pytest.raises((ValueError, TypeError), match=r"rows|generator"):
        fit(runtime, body, churn())


VALUES: dict[str, Any] = {
    "float": 28.0,
    "nan": float("nan"),
    "numpy": np.float64(1 / 3),
    "small": np.int8(3),
    "truth": np.bool_(True),
    "list": ["a", 1, None, 2.5],
    "tuple": (1, "x"),
    "dict": {"a": {"b": 1}},
    "pairs": {(1, "a"): 2, 3: np.float32(0.5)},
    "index": pd.Index(["age", "town"]),
    "series": pd.Series({"age": 2.5, "calls": np.nan}, name="mean"),
    "array": np.array([1.0, 2.5]),
    "matrix": np.eye(2),
    "frame": pd.DataFrame({"a": [1, 2]}),
    "when": pd.Timestamp("2024-01-02"),
    "set": {"a", "b"},
    "empty": [],
    "words": pd.Series(["a", None, np.nan], pd.Index(["x", "y", "z"]), dtype=object),
}


def test_values_survive_saving_exactly(runtime: ModuleType, tmp_path: Path) -> None:
    def body(df: pd.DataFrame, st: Any) -> Any:
        for name, value in VALUES.items():
            st.value(name, lambda value=value: value)
        return st.result(df)

    _, state, _ = fit(runtime, body, churn())
    state.save(tmp_path)
    loaded = runtime.State.load(tmp_path)
    for name, value in VALUES.items():
        back = loaded.entries[name].value
        assert type(back) is type(value), name
        if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
            assert back.equals(value), name
        else:
            np.testing.assert_equal(back, value)
    readable = {
        e["key"] for e in json.loads((tmp_path / "state.json").read_text())["learned"] if "value" in e
    }
    assert readable == set(VALUES) - {"matrix", "frame", "when", "set"}
    assert {row["key"]: row["value"] for row in loaded.describe()}["numpy"].startswith("0.333")


def test_a_state_of_other_code_or_format_is_refused(runtime: ModuleType, tmp_path: Path) -> None:
    _, state, _ = fit(runtime, statistics_of_churn, churn(), definition="one")
    state.save(tmp_path)
    assert runtime.State.load(tmp_path, "one").version == state.version
    with pytest.raises(ValueError, match="other feature code"):
        runtime.State.load(tmp_path, "two")
    text = (tmp_path / "state.json").read_text()
    (tmp_path / "state.json").write_text(text.replace('"format": 1', '"format": 9'))
    with pytest.raises(ValueError, match="format 9"):
        runtime.State.load(tmp_path)


def statistics_of_churn(df: pd.DataFrame, st: Any) -> Any:
    return st.result(df[["calls"]] - st.value("mean", df["calls"].mean))


FRESH = """
import sys, json, pandas as pd
sys.path[:0] = [{root!r}, {tests!r}]
from runtime_under_test.state import State
from runtime_under_test.staging import Staging
from test_state_runtime import churn, churn_features
state = State.load({folder!r})
rows = pd.DataFrame(json.loads({rows!r}), dtype=object)
st = Staging.for_serving(rows, state)
X = churn_features(st.main, st)
again = Staging.for_fit(churn()); churn_features(again.main, again)
print(json.dumps([X.tolist(), again.freeze().version]))
"""


def test_a_new_process_serves_the_same_and_learns_the_same_version(
    runtime: ModuleType, root: Path, tmp_path: Path
) -> None:
    X, state, st = fit(runtime, churn_features, churn())
    state.save(tmp_path)
    rows = churn().iloc[st.train_ids].to_json(orient="records")
    code = FRESH.format(root=str(root), tests=str(Path(__file__).parent), folder=str(tmp_path), rows=rows)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    served, version = json.loads(ran.stdout)
    np.testing.assert_allclose(served, X, rtol=1e-12)
    assert version == state.version


def test_only_the_methods_in_use_are_rendered(tmp_path: Path) -> None:
    render(tmp_path / "small", ["get_dummies"])
    text = (tmp_path / "small" / "staging.py").read_text()
    assert "def get_dummies" in text and "def qcut" not in text and "_fitted" not in text
    render(tmp_path / "least", [])
    compile((tmp_path / "least" / "staging.py").read_text(), "staging.py", "exec")
