"""The law of the row path: a body over one row gives what pandas gives for a frame of that row, or nothing.

    python row_laws.py SEED ROWS      in any Python with pandas: every snippet on random rows; prints JSON

`SNIPPETS` are bodies on the columns of `COLUMNS`, whose values are drawn from edges and from the usual.
"""

# ruff: noqa: E501 -- snippets stand one beside the other
from __future__ import annotations

import json
import math
import random
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from nb2prod.ir.project import Module
from nb2prod.rowpath import row_path

TEXT = pd.Series(["a"]).dtype  # as this pandas reads text
COLUMNS: dict[str, Any] = {
    "i": np.dtype("int64"), "j": np.dtype("int64"), "f": np.dtype("float64"), "g": np.dtype("float64"),
    "s": TEXT, "t": TEXT, "n": np.dtype(object), "b": np.dtype(bool), "c": np.dtype(bool),
    "w": np.dtype("datetime64[ns]"), "v": np.dtype("datetime64[ns]"), "d": TEXT, "x": TEXT,
}  # fmt: skip
INTS = [0, 1, 2, 3, -1, -7, 12, 100, 2**31, 2**53 + 1, -(2**63), 2**63 - 1]
FLOATS = [
    math.nan,
    0.0,
    -0.0,
    0.1,
    1.0,
    1.5,
    2.5,
    -2.5,
    3.0,
    7.0,
    100.0,
    1e-320,
    1e22,
    1e308,
    math.inf,
    -math.inf,
]
WORDS = [
    None,
    "",
    " ",
    "a",
    "b",
    "Male",
    "Female",
    "male ",
    "Abc def",
    "\tx",
    "É",
    "ßa",
    "\x1f",
    "1",
    "Yes",
    "No",
]
NUMERALS = [None, "", " ", "1", "12.50", "-3", "+4", "1e5", "nan", "NA", "inf", "abc", "0x1f", "1_0", "007", ".5",
            "5.", " 7", "8 ", "123456789012345678", "0.1", "2.675", "True", "null", "-", "1,5"]  # fmt: skip
DATES = [
    None,
    "2024-01-31",
    "2023-12-01",
    "1999-02-28",
    "2024-02-30",
    "31/01/2024",
    "2024-1-5",
    "",
    "x",
    "2024",
]
TIMES = [None, datetime(2024, 1, 31), datetime(1999, 12, 31, 23, 59, 59), datetime(2024, 2, 29, 12, 30)]
POOLS: dict[str, list[Any]] = {
    "i": INTS, "j": INTS, "f": FLOATS, "g": FLOATS, "s": WORDS, "t": WORDS, "n": WORDS,
    "b": [True, False], "c": [True, False], "w": TIMES, "v": TIMES, "d": DATES, "x": NUMERALS,
}  # fmt: skip

OPERATORS = [f"df[{a!r}] {op} {b}" for op in ("+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=")
             for a, b in (("i", "df['j']"), ("f", "df['g']"), ("i", "df['f']"), ("i", "3"), ("f", "2.5"))]  # fmt: skip
EXPRESSIONS = [
    *OPERATORS,
    "1 / df['f']", "2 - df['i']", "df['i'] ** 2", "df['f'] ** 2", "df['f'] ** 0.5", "2 ** df['f']", "-df['f']",
    "df['s'] + '-x'", "df['s'] + df['t']", "df['s'] == 'Male'", "df['n'] == 'Male'", "df['n'] != 'Male'",
    "df['s'] != 'a'", "df['s'] == df['t']", "df['w'] < df['v']", "(df['w'] - df['v']).dt.days",
    "(df['s'] == 'a') & (df['f'] > 1)", "(df['i'] > 1) | df['b']", "~(df['s'] == 'a')", "~df['b']", "df['b'] & df['c']",
    "df['f'].fillna(0)", "df['f'].fillna(df['g'])", "df['s'].fillna('none')", "df['n'].fillna('none')",
    "df['i'].fillna(1)", "df['s'].isna()", "df['n'].notna()", "pd.isnull(df['f'])", "df.f.isnull()",
    "df['s'].map({'Male': 1, 'Female': 0})", "df['s'].map({'a': 'b'})", "df['i'].map({0: 1.5, 1: 2})",
    "df['f'].map({1.0: 'one', 3: 'three'})", "df['b'].map({True: 1, False: 0})", "df['n'].map({'a': True})",
    "df['i'].map({1: 'x', 2: None})", "df['n'].map({'a': 1, 'b': None})",
    "df['i'].apply(lambda v: v + 1)", "df['f'].apply(lambda v: 'low' if v < 2 else 'high')",
    "df['s'].apply(lambda v: v.strip() if isinstance(v, str) else None)", "df['n'].map(lambda v: v is None)",
    "df['i'].apply(scaled)", "df['s'].apply(len)", "df['b'].apply(lambda v: v)", "df['f'].apply(lambda v: v)",
    "df['s'].apply(lambda v: v)", "df['w'].apply(lambda v: v.year)", "df['i'].apply(lambda v: v / 2)",
    "df['s'].replace({'a': 'b', 'b': 'c'})", "df['i'].replace({0: 5})", "df['f'].replace({1: 5, 3: 6})",
    "df['s'].replace('Male', 'm')", "df['s'].replace(['a', 'b'], 'ab')", "df['s'].replace(['a', 'b'], ['x', 'y'])",
    "df['f'].replace(0, np.nan)", "df['i'].replace(-1, 0)",
    "df['f'].clip(0, 10)", "df['f'].clip(upper=2.5)", "df['i'].clip(lower=0.5)", "df['i'].clip(0, 10)",
    "df['s'].isin(['a', 'b'])", "df['i'].isin([1, 2])", "df['f'].isin([1, 2.5])", "df['f'].between(0, 2)",
    "df['f'].round(1)", "df['f'].round()", "df['f'].abs()", "df['i'].abs()", "df['f'].copy()",
    "df['f'].astype(int)", "df['i'].astype(float)", "df['b'].astype(int)", "df['i'].astype(str)",
    "df['s'].astype(str)", "(df['s'] == 'a').astype('int64')", "df['f'].astype('float64')",
    "df['i'].add(df['j'])", "df['f'].sub(1)", "df['f'].mul(2)", "df['f'].div(df['g'])", "df['i'].eq(1)",
    "df['i'].ne(1)", "df['f'].lt(2)", "df['f'].le(2)",
    *[f"df['s'].str.{m}()" for m in ("lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "len")],
    "df['n'].str.strip()", "df['n'].str.len()", "df['s'].str.strip('a')", "df['s'].str.startswith('M')",
    "df['s'].str.endswith('e')", "df['s'].str.contains('a')", "df['s'].str.contains('Male|b')",
    "df['s'].str.replace('a', 'o', regex=False)", "df['s'].str.extract('([A-Z])', expand=False)",
    "df['n'].str.extract('([a-z])', expand=False)", "df['s'].str[0]", "df['s'].str[1:3]", "df['n'].str[:2]",
    "df['s'].str.split(' ').str[1]", "df['s'].str.split().str[0]", "df['s'].str.split().str.len()",
    "df['s'].str.split(' ').astype(object).str[1]", "df['s'].str.split().astype(object).str.len()",
    *[f"df['w'].dt.{p}" for p in ("year", "month", "day", "hour", "minute", "second", "dayofweek", "quarter")],
    "df['w'].dt.weekday", "df['w'].dt.dayofyear", "df['w'].dt.day_name()", "df['w'].dt.day_of_week",
    *[f"np.{u}(df['f'])" for u in ("log", "log1p", "exp", "sqrt", "square", "abs", "floor", "ceil", "expm1", "log2",
                                  "log10", "sin", "cos", "tanh", "cbrt", "absolute")],
    "np.log1p(df['i'])", "np.where(df['f'] > 1, 1, 0)", "np.where(df['b'], 'x', 'y')", "np.where(df['b'], df['f'], 0)",
    "np.where(df['s'] == 'a', df['i'], df['j'])", "np.isnan(df['f'])", "pd.notna(df['s'])", "pd.isna(df['n'])",
    "pd.notnull(df['f'])",
    "pd.to_numeric(df['x'], errors='coerce')", "pd.to_numeric(df['x'])", "pd.to_numeric(df['f'])",
    "pd.to_datetime(df['d']).dt.day", "pd.to_datetime(df['d'], format='%d/%m/%Y').dt.month",
    "pd.to_datetime(df['w']).dt.year",
    "pd.cut(df['f'], [0, 1, 2.5, 10], labels=False)", "pd.cut(df['i'], [-1, 1, 100], labels=['lo', 'hi'])",
    "pd.cut(df['f'], bins=[0, 1, 2], right=False, labels=False)",
    "pd.cut(df['f'], [0, 1, 3], labels=False, include_lowest=True)",
    "pd.cut(df['f'], [0, 1, 2.5, 10])", "pd.cut(df['i'], [-1, 1, 100], right=False)",
    "pd.cut(df['f'], [0, 1, 3], include_lowest=True)",
    "[v * 2 for v in df['f']]", "[str(a) + str(b) for a, b in zip(df['s'], df['i'])]", "['x' if v else 'y' for v in df['b']]",
    "df[['i', 'f']].apply(lambda r: r['i'] + r['f'], axis=1)", "df[['i', 'j']].apply(lambda r: r.i // 2, axis=1)",
    "df.apply(lambda r: r['s'] if r['b'] else 'none', axis=1)", "df[['f', 's']].apply(either_of, axis=1)",
    "df.apply(lambda r: len(str(r['f'])) + r['i'], axis=1)", "df[['b', 'c']].apply(lambda r: r['b'] and r.c, axis=1)",
    "df[['f', 'i']].apply(first_of, axis=1)",
    "df['b'].infer_objects()", "df['f'].isnull()", "df['s'].notnull()", "df['f'].reset_index(drop=True)",
]  # fmt: skip
STATEMENTS = [
    "df['out'] = 0\ndf.loc[df['f'] > 1, 'out'] = 1",
    "df['out'] = df['f']\ndf.loc[df['s'] == 'a', 'out'] = 2.5",
    "df['out'] = df['i']\ndf['out'] += 1",
    "df['out'] = df['f']\ndf['out'] /= df['g']",
    "for c in ['f', 'g']:\n    df[c] = df[c].fillna(1)\ndf['out'] = df['f'] + df['g']",
    "d2 = df[['f', 'g']] * 2\ndf['out'] = d2['g']",
    "d2 = (df[['f', 'g']] - df[['g', 'f']].rename(columns={'g': 'f', 'f': 'g'})) / 3\ndf['out'] = d2['f']",
    "d2 = df[['f', 'g']].fillna(0)\ndf['out'] = d2['f']",
    "d2 = df[['f', 'g']].fillna({'f': 5})\ndf['out'] = d2['f']",
    "df = df.replace({'s': {'a': 'z'}})\ndf['out'] = df['s']",
    "df.replace({'s': {'a': 'z'}}, inplace=True)\ndf['out'] = df['s']",
    "df = df[['s', 't']].replace({'a': 'b'})\ndf['out'] = df['t']",
    "d2 = df.drop(columns=['i'])\nd2 = d2.drop('j', axis=1)\nd2['out'] = d2['f']\ndf = d2",
    "df.drop(['i'], axis=1, inplace=True)\ndf['out'] = df.columns[0] == 'j'",
    "df = df.rename(columns={'f': 'F'})\ndf['out'] = df['F']",
    "d2 = df.copy()\nd2['f'] = 1\ndf['out'] = df['f']",
    "d2 = pd.concat([df[['f']], df[['i']]], axis=1)\ndf['out'] = d2['i']",
    "d2 = df[['i', 'j']].values\ndf['out'] = pd.DataFrame(d2, columns=['p', 'q'])['q']",
    "df[['f', 'g']] = df[['g', 'f']].values\ndf['out'] = df['f']",
    "df['out'] = df.iloc[:, 2:4]['f']",
    "df['out'] = df.loc[:, ['f', 'g']]['g']",
    "df['out'] = df.pop('f')",
    "del df['i']\ndf['out'] = df['j']",
    "df = twice(df, 'f')\ndf['out'] = df['f2']",
    "if len([1, 2]) > 1:\n    df['out'] = df['f']\nelse:\n    df['out'] = df['g']",
    "d2 = np.log1p(df[['f', 'g']])\ndf['out'] = d2['g']",
    "df = df.reset_index(drop=True).infer_objects()\ndf['out'] = df['s']",
    "d2 = 1 - df[['f', 'g']]\ndf['out'] = d2['g']",
    "got = []\nfor v in df['f']:\n    if v > 1:\n        got.append('high')\n    else:\n        got.append('low')\ndf['out'] = got",
    "got = []\nfor a, b in zip(df['i'], df['f']):\n    c = a / 4\n    c += 1\n    got.append(c if b > 0 else b)\ndf['out'] = got",
    "got = []\nfor v in df.s:\n    kind = 'x'\n    for w in ['a', 'Male']:\n        if v == w:\n            kind = w\n            break\n    got.append(kind)\ndf['out'] = got",
    "d2 = pd.DataFrame()\nfor c in ['f', 'g']:\n    d2[c] = df[c]\ndf['out'] = d2['g']",
    "d2 = pd.DataFrame(index=df.index)\nd2['a'] = 3\nd2['b'] = df['f']\ndf['out'] = d2['a']",
    "d2 = df[['b', 'c']].values\ndf['out'] = pd.DataFrame(d2, columns=['p', 'q'])['q']",
    "d2 = df[['i', 'f']].to_numpy()\ndf['out'] = pd.DataFrame(d2, columns=['p', 'q'])['p']",
]
SNIPPETS = [f"df['out'] = {one}" for one in EXPRESSIONS] + STATEMENTS
HELPERS = """
def scaled(v):
    return v * 1.5

def either_of(r):
    return r['f'] if r['s'] == 'a' else 0.5

def first_of(r):
    return r[0] + r[1]

def twice(d, column):
    d[column + '2'] = d[column] * 2
    return d
"""
# Of the rows that pandas answers: at least so many are answered without it too.
ANSWERED = 0.15


def text_of(snippet: str) -> str:
    return "def features(df, st):\n" + "".join(f"    {line}\n" for line in snippet.split("\n"))


def drawn(rng: random.Random) -> dict[str, Any]:
    """A row of edges and of the usual."""
    row = {name: rng.choice(pool) for name, pool in POOLS.items()}
    if rng.random() < 0.5:
        row |= {
            "f": rng.uniform(-10, 10),
            "g": rng.uniform(0, 5),
            "i": rng.randrange(-20, 99),
            "x": str(rng.randrange(99)),
        }
    return row


def frame_of(row: dict[str, Any]) -> pd.DataFrame:
    """One row as `State.prepare` gives it: in columns of text NaN is missing, in `n` it is None."""
    nans = {name: math.nan for name in ("s", "t", "d", "x") if row[name] is None}
    values = {**row, **nans}
    return pd.DataFrame({name: pd.Series([values[name]], dtype=dtype) for name, dtype in COLUMNS.items()})


@cache
def compiled(snippet: str) -> tuple[Callable[[Any], Any] | None, Callable[[Any, Any], Any], str]:
    """The row form (None where there is none), the pandas body, and the row form's text."""
    imports = ("import numpy as np", "import pandas as pd")
    body = text_of(snippet)
    spaces: list[dict[str, Any]] = [{}, {}]
    exec("\n".join([*imports, HELPERS, body, "    return df[['out']]"]), spaces[0])
    module = Module(imports, (HELPERS,), (body + "    return st.result(df[['out']])",))
    made = row_path(module, (), pd.__version__)
    if not made.text:
        return None, spaces[0]["features"], made.reason
    lines = [line for line in made.text.split("\n") if not line.startswith("from .")]
    exec("from __future__ import annotations\n" + HELPERS + "\n".join(lines), spaces[1])
    usual = {**{name: next(v for v in pool if v is not None) for name, pool in POOLS.items()}, "f": 1.0}
    state = SimpleNamespace(
        sample=frame_of(usual), reads=None, entries={}, outputs={"columns": ["out"]},
        holds={"s": "string", "t": "string", "d": "string", "x": "string", "n": "string or None"},
    )  # fmt: skip
    return spaces[1]["bind"](state), spaces[0]["features"], made.text


def tried(function: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return True, function(*arguments)
    except Exception as error:
        return False, error


def outcome(snippet: str, row: dict[str, Any]) -> tuple[str, str]:
    """`equal`, `left` to pandas, `neither` answers, or `wrong` with what both gave."""
    quick, body, reason = compiled(snippet)
    if quick is None:
        return "wrong", f"no row form: {reason}"
    answered, got = tried(quick, row)
    known, whole = tried(body, frame_of(row), None)
    if not answered:
        return ("left", str(got)) if known else ("neither", "")
    if not known:
        return "wrong", f"{got[0]!r} where pandas raises {whole!r}"
    want = whole["out"].iloc[0]
    return ("equal", "") if alike(got[0], want) else ("wrong", f"{got[0]!r} and not {want!r}")


def alike(got: Any, want: Any) -> bool:
    """The same value, bit for bit; a missing value is None in both or in neither."""
    if got is None or want is None:
        return got is want
    if got is pd.NaT or want is pd.NaT:
        return got is want
    if got != got or want != want:
        return bool(got != got and want != want)
    truths = [isinstance(one, bool | np.bool_) for one in (got, want)]
    if truths[0] != truths[1] or isinstance(got, str) != isinstance(want, str):
        return False
    if isinstance(got, float | np.floating) and isinstance(want, float | np.floating):
        return np.float64(got).tobytes() == np.float64(want).tobytes()
    return bool(got == want)


def main(seed: int, rows: int) -> dict[str, Any]:
    """Every snippet on so many rows."""
    wrong, idle, counts = [], [], {"equal": 0, "left": 0, "neither": 0, "wrong": 0}
    for snippet in SNIPPETS:
        rng = random.Random(f"{seed} {snippet}")
        mine = dict.fromkeys(counts, 0)
        for _ in range(rows):
            row = drawn(rng)
            found, why = outcome(snippet, row)
            mine[found] += 1
            if found == "wrong" and mine["wrong"] <= 2:
                names = {n: v for n, v in row.items() if f"'{n}'" in snippet or f".{n}." in snippet}
                wrong.append(f"{snippet}: {why} for {names}")
        if mine["equal"] < ANSWERED * (mine["equal"] + mine["left"]):
            idle.append(f"{snippet}: {mine}")
        counts = {word: counts[word] + mine[word] for word in counts}
    versions = {"pandas": pd.__version__, "numpy": np.__version__}
    return {"versions": versions, "wrong": wrong, "idle": idle, "counts": counts}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2])), indent=1))
