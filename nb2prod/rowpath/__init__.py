"""The row path: the staged body of the features as plain Python over one row, if all of it is understood.

    df["Age"] = df["Age"].fillna(st.value("age_median", df["Age"].median))
->  df["Age"] = filled(df["Age"], age_median)

A frame becomes a dict from column to value, what was learned is looked up once, and each operation of pandas
becomes the function of `operations/` that `table.py` names.  What is not understood ends the translation with
the statement at fault: then there is no row path, and pandas answers.
"""

from nb2prod.rowpath.models import model_path
from nb2prod.rowpath.module import RowPath, row_path

__all__ = ["RowPath", "model_path", "row_path"]
