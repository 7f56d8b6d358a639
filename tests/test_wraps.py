"""The text of each kind of wrap, from the statement it stands in."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from nb2prod import frontend, knowledge
from nb2prod.caches import Texts
from nb2prod.ir.flow import Evidence
from nb2prod.ir.stages import Site
from nb2prod.lower.rewrite import Edits, source
from nb2prod.lower.wraps import earlier, wrap
from nb2prod.source import Cell, Notebook

IMPORTED = {"np", "pd", "utils", "sklearn", "shuffle", "train_test_split"}


class Example(NamedTuple):
    """A statement, the expressions that are wrapped (kind, key, text, loop variables), what it becomes."""

    before: str
    sites: tuple[tuple[str, ...], ...]
    after: str


def wrapped(example: Example, made: Texts) -> str:
    program = frontend.parse(Notebook("n.ipynb", (Cell(0, "code", example.before),)))
    (stmt,) = program.stmts()
    build = {}
    for kind, key, text, *at in example.sites:
        wanted = ast.dump(ast.parse(text, mode="eval").body)
        (node,) = (n for n in ast.walk(stmt.node) if isinstance(n, ast.expr) and ast.dump(n) == wanted)
        site = Site(node, kind, key, stmt.span, Evidence.PROVED, "", tuple(at))
        build[id(node)] = wrap(site, IMPORTED, made)
    return source(stmt, Edits(build, frozenset(), {}))


def one(kind: str, before: str, text: str, after: str, *at: str) -> Example:
    return Example(before, ((kind, "k", text, *at),), after)


EXAMPLES = [
    # a bound method where it says it, else a lambda
    one("value", "m = df.Age.mean()", "df.Age.mean()", 'm = st.value("k", df.Age.mean)'),
    one("value", "m = df.Age.mode()[0]", "df.Age.mode()[0]", 'm = st.value("k", lambda: df.Age.mode()[0])'),
    one("value", "m = df.quantile(0.5)", "df.quantile(0.5)", 'm = st.value("k", lambda: df.quantile(0.5))'),
    one("value", "n = len(df)", "len(df)", 'n = st.value("k", lambda: len(df))'),
    one("value", "c = df.columns", "df.columns", 'c = st.value("k", lambda: df.columns)'),
    one("value", "m = df[c].mean()", "df[c].mean()", 'm = st.value("k", df[c].mean, at=(c,))', "c"),
    one("value", "m = f(a, b)", "f(a, b)", 'm = st.value("k", lambda: f(a, b), at=(a, b,))', "a", "b"),
    one("once", "m = df.Age.max()", "df.Age.max()", 'm = st.once("k", df.Age.max)'),
    # filters: the frame whose rows they choose, then the choice
    one("keep", "df = df[df.a > 1]", "df[df.a > 1]", 'df = st.keep("k", df, lambda: df[df.a > 1])'),
    one("keep", "df = df.dropna()", "df.dropna()", 'df = st.keep("k", df, lambda: df.dropna())'),
    one("keep", "d = df.iloc[:5]", "df.iloc[:5]", 'd = st.keep("k", df, lambda: df.iloc[:5])'),
    one("keep", "d = df.loc[m]", "df.loc[m]", 'd = st.keep("k", df, lambda: df.loc[m])'),
    one(
        "keep",
        'd = df.loc[m, ["a"]]',
        'df.loc[m, ["a"]]',
        'd = st.keep("k", df.loc[:, ["a"]], lambda: df.loc[m, ["a"]])',
    ),
    one("keep", "x = X[m, 1:]", "X[m, 1:]", 'x = st.keep("k", X[:, 1:], lambda: X[m, 1:])'),
    one(
        "keep",
        'd = df.groupby("a").head(2)',
        'df.groupby("a").head(2)',
        'd = st.keep("k", df, lambda: df.groupby("a").head(2))',
    ),
    one(
        "keep",
        "d = utils.shuffle(df)",
        "utils.shuffle(df)",
        'd = st.keep("k", df, lambda: utils.shuffle(df))',
    ),
    one(
        "keep",
        "X, y = shuffle(X, y, random_state=0)",
        "shuffle(X, y, random_state=0)",
        'X, y = st.keep("k", (X, y), lambda: tuple(shuffle(X, y, random_state=0)))',
    ),
    one(
        "keep",
        "X, y = sm.fit_resample(X=X, y=y)",
        "sm.fit_resample(X=X, y=y)",
        'X, y = st.keep("k", (X, y), lambda: tuple(sm.fit_resample(X=X, y=y)))',
    ),
    one(
        "keep",
        'd = df.query("a < @limit")',
        'df.query("a < @limit")',
        'd = st.keep("k", df, lambda limit=limit: df.query("a < @limit"))',
    ),
    one(
        "drop_rows",
        "df.dropna(inplace=True)",
        "df.dropna(inplace=True)",
        'st.fit_only("k", lambda: df.dropna(inplace=True), df)',
    ),
    one("fit_only", "np.random.seed(0)", "np.random.seed(0)", 'st.fit_only("k", lambda: np.random.seed(0))'),
    one(
        "columns",
        'd = df.select_dtypes("number")',
        'df.select_dtypes("number")',
        'd = df[st.value("k", lambda: list((df.select_dtypes("number")).columns))]',
    ),
    # a split has no key: there is one
    one(
        "split",
        "a, b = train_test_split(X, test_size=0.2)",
        "train_test_split(X, test_size=0.2)",
        "a, b = st.split(train_test_split, X, test_size=0.2)",
    ),
    # files that come back, and functions that learn
    one(
        "write_csv",
        'df.to_csv("a.csv", index=False)',
        'df.to_csv("a.csv", index=False)',
        'st.write_csv(df, "a.csv", index=False)',
    ),
    one("read_csv", 'd = pd.read_csv("a.csv")', 'pd.read_csv("a.csv")', 'd = st.read_csv("a.csv")'),
    one(
        "scaled",
        "x = utils.scale(X, copy=True)",
        "utils.scale(X, copy=True)",
        'x = st.scaled("k", utils.scale, X, copy=True)',
    ),
    one(
        "add_constant",
        "x = utils.add_constant(X, False)",
        "utils.add_constant(X, False)",
        'x = st.add_constant("k", X, prepend=False)',
    ),
    one(
        "fit_transform_each",
        "d = df.apply(e.fit_transform)",
        "df.apply(e.fit_transform)",
        'd = st.fit_transform_each("k", e, df)',
    ),
    # estimators
    one("fit", "s.fit(X, y)", "s.fit(X, y)", 'st.fit("k", s, X, y)'),
    one("fit", "e[c].fit(df[c])", "e[c].fit(df[c])", 'st.fit("k", e[c], df[c], at=(c,))', "c"),
    one(
        "fit_transform",
        "X = Scaler(with_mean=False).fit_transform(X)",
        "Scaler(with_mean=False).fit_transform(X)",
        'X = st.fit_transform("k", Scaler(with_mean=False), X)',
    ),
    one("fit_predict", "k = m.fit_predict(X)", "m.fit_predict(X)", 'k = st.fit_predict("k", m, X)'),
    # adapters: options by name, whatever the notebook does
    one("qcut", "b = pd.qcut(df.a, 4)", "pd.qcut(df.a, 4)", 'b = st.qcut("k", df.a, 4)'),
    one("qcut", "b = pd.qcut(s, q=4)", "pd.qcut(s, q=4)", 'b = st.qcut("k", s, q=4)'),
    one("qcut", "b = pd.qcut(s, 4, False)", "pd.qcut(s, 4, False)", 'b = st.qcut("k", s, 4, labels=False)'),
    one("cut", "b = pd.cut(s, 4, False)", "pd.cut(s, 4, False)", 'b = st.cut("k", s, 4, right=False)'),
    one(
        "get_dummies",
        'd = pd.get_dummies(df, "p", drop_first=True)',
        'pd.get_dummies(df, "p", drop_first=True)',
        'd = st.get_dummies("k", df, prefix="p", drop_first=True)',
    ),
    one(
        "get_dummies",
        "d = pd.get_dummies(df[c])",
        "pd.get_dummies(df[c])",
        'd = st.get_dummies("k", df[c], at=(c,))',
        "c",
    ),
    one("factorize", "c = pd.factorize(s)", "pd.factorize(s)", 'c = st.factorize("k", s)'),
    one(
        "factorize",
        "c = s.factorize(sort=True)",
        "s.factorize(sort=True)",
        'c = st.factorize("k", s, sort=True)',
    ),
    one(
        "astype_category",
        's = df.a.astype("category")',
        'df.a.astype("category")',
        's = st.astype_category("k", df.a)',
    ),
    one(
        "expand",
        'd = df[c].str.split(" ", expand=True)',
        'df[c].str.split(" ", expand=True)',
        'd = st.expand("k", df[c].str.split(" ", expand=True), at=(c,))',
        "c",
    ),
    one(
        "winsorize",
        "w = winsorize(df.a, [0.1, 0.2])",
        "winsorize(df.a, [0.1, 0.2])",
        'w = st.winsorize("k", df.a, limits=[0.1, 0.2])',
    ),
    one("merge", 'd = a.merge(b, on="c")', 'a.merge(b, on="c")', 'd = st.merge("k", a, b, on="c")'),
    one("merge", "d = pd.merge(a, b)", "pd.merge(a, b)", 'd = st.merge("k", a, b)'),
    one(
        "group_transform",
        'm = df.groupby("a")["b"].transform("mean")',
        'df.groupby("a")["b"].transform("mean")',
        'm = st.group_transform("k", df, "a", "b", "mean")',
    ),
    one(
        "group_transform",
        'm = df.groupby(by=["a", "c"], sort=False).b.transform(func=lambda x: x.fillna(0))',
        'df.groupby(by=["a", "c"], sort=False).b.transform(func=lambda x: x.fillna(0))',
        'm = st.group_transform("k", df, ["a", "c"], "b", lambda x: x.fillna(0), sort=False)',
    ),
    one(
        "group_transform",
        'm = s.groupby(df["a"]).transform("max")',
        's.groupby(df["a"]).transform("max")',
        'm = st.group_transform("k", s, df["a"], None, "max")',
    ),
    # one inside of another
    Example(
        "df = df[df.a > df.a.mean()]",
        (("keep", "rows", "df[df.a > df.a.mean()]"), ("value", "mean", "df.a.mean()")),
        'df = st.keep("rows", df, lambda: df[df.a > st.value("mean", df.a.mean)])',
    ),
    Example(
        "X = sc.fit_transform(X.fillna(X.mean()))",
        (("fit_transform", "sc", "sc.fit_transform(X.fillna(X.mean()))"), ("value", "mean", "X.mean()")),
        'X = st.fit_transform("sc", sc, X.fillna(st.value("mean", X.mean)))',
    ),
    # layout and comments
    one(
        "get_dummies",
        'd = pd.get_dummies(\n    df,  # all rows\n    columns=["a"],  # more later\n)',
        'pd.get_dummies(df, columns=["a"])',
        'd = st.get_dummies(\n    "k", df,  # all rows\n    columns=["a"],  # more later\n)',
    ),
    one(
        "split",
        "a, b = train_test_split(\n    X,\n    test_size=0.2,  # a fifth\n    random_state=0\n)",
        "train_test_split(X, test_size=0.2, random_state=0)",
        "a, b = st.split(\n    train_test_split, X,\n    test_size=0.2,  # a fifth\n    random_state=0\n)",
    ),
    one(
        "fit_transform",
        "X = sc.fit_transform(\n    df[[c]]  # one column\n)",
        "sc.fit_transform(df[[c]])",
        'X = st.fit_transform(\n    "k", sc, df[[c]]  # one column\n, at=(c,))',
        "c",
    ),
    one(
        "value",
        "m = (\n    df\n    .a  # the column\n    .mean()\n)",
        "df.a.mean()",
        'm = (\n    st.value("k", df\n    .a  # the column\n    .mean)\n)',
    ),
    one(
        "value",
        """df["t"] = df.a.map(lambda v: f"{v - df['b'].mean():.1f} f'{v}'")""",
        "df['b'].mean()",
        """df["t"] = df.a.map(lambda v: f"{v - st.value('k', df['b'].mean):.1f} f'{v}'")""",
    ),
    one(
        "value",
        """t = f'{d["f"] - df.b.mean()}'""",
        "df.b.mean()",
        """t = f'{d["f"] - st.value("k", df.b.mean)}'""",
    ),
    one(
        "value",
        """t = 'a' f"{v - df.b.mean()}" """.strip(),
        "df.b.mean()",
        """t = 'a' f"{v - st.value('k', df.b.mean)}\"""",
    ),
    one("value", "t = f'{x}'", "f'{x}'", """t = st.value("k", lambda: f'{x}')"""),
    one(
        "value",
        """t = f'{v - df["b"].mean()}'""",
        'df["b"].mean()',
        """t = f'{v - st.value("k", df["b"].mean)}'""",
    ),
    one(
        "keep",
        "df = df[\n    (df.a > 1)  # grown up\n    & (df.b > 1)\n]",
        "df[(df.a > 1) & (df.b > 1)]",
        'df = st.keep("k", df, lambda: df[\n    (df.a > 1)  # grown up\n    & (df.b > 1)\n])',
    ),
]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Texts:
    monkeypatch.setenv("NB2PROD_CACHE_DIR", str(tmp_path))
    return earlier()


@pytest.mark.parametrize("example", EXAMPLES, ids=[e.before.split("\n")[0][:50] for e in EXAMPLES])
def test_wrap(example: Example, made: Texts) -> None:
    after = wrapped(example, made)
    ast.parse(after)
    assert after == example.after


def test_a_wrap_of_an_earlier_run_is_the_same_and_needs_no_libcst(
    made: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [wrapped(example, made) for example in EXAMPLES]
    made.save()
    monkeypatch.setitem(sys.modules, "nb2prod.lower.calls", None)
    assert [wrapped(example, earlier()) for example in EXAMPLES] == first
    other = one("keep", "d = other.loc[m]", "other.loc[m]", "")
    with pytest.raises(ImportError):
        wrapped(other, earlier())


def test_a_wrap_is_that_of_its_key_its_loop_and_its_imports(made: Texts) -> None:
    text = "m = pd.f(df)", "pd.f(df)"
    sites = [
        ("fit", "k", text[1]),
        ("fit", "other", text[1]),
        ("fit", "k", text[1], "c"),
        ("factorize", "k", text[1]),
    ]
    texts = {wrapped(Example(text[0], (site,), ""), made) for site in sites}
    assert len(texts) == len(sites)


def test_every_adapter_has_an_example() -> None:
    tested = {site[0] for example in EXAMPLES for site in example.sites}
    adapters = {
        fact.adapter for name in ("pandas", "numpy", "sklearn", "scipy") for fact in knowledge.library(name)
    }
    assert adapters - {""} <= tested
