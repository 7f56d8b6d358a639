"""A file with rows to predict is read as the notebook reads its own."""

from __future__ import annotations

import pytest
from percent import notebook

from nb2prod.compiler import analyse
from nb2prod.ir.project import Reader
from nb2prod.lower import lower

NOTEBOOK = """\
# %% tags=load
import pandas as pd
from sklearn.linear_model import Ridge
df = {read}
# %% tags=features
X, y = df[["a"]], df["b"]
# %% tags=train
model = Ridge().fit(X, y)
"""
EXCEL = Reader("read_excel", ".xlsx", (("sheet_name", "'Data'"), ("header", "2")))
TABS = (("sep", "'\\t'"),)


@pytest.mark.parametrize(
    ("read", "reader", "options"),
    [
        ('pd.read_csv("a.csv")', None, ()),
        ('pd.read_csv("a.tsv", sep="\\t")', Reader("", ".tsv"), TABS),
        ('pd.read_table("a.txt")', Reader("", ".txt"), TABS),
        ('pd.read_csv("a.csv.gz")', None, ()),
        ('pd.read_excel("a.xlsx", sheet_name="Data", header=2)', EXCEL, ()),
        ('pd.read_excel("a.xlsx", "Data")', None, ()),  # the second argument is not followed
        ('pd.read_excel("a.xlsx", header=len("ab"))', None, ()),
        ('pd.read_json("a.jsonl", lines=True)', Reader("read_json", ".jsonl", (("lines", "True"),)), ()),
        ('pd.read_parquet("a.parquet")', None, ()),
    ],
)
def test_the_reader_of_the_main_frame(
    read: str, reader: Reader | None, options: tuple[tuple[str, str], ...]
) -> None:
    compiled = analyse(notebook(NOTEBOOK.replace("{read}", read)))
    lowered = lower(
        compiled.graph, compiled.flow, compiled.types, name="test", notebook="test.ipynb", data_root=".."
    )
    assert (lowered.project.reader, lowered.project.read_csv) == (reader, options)
