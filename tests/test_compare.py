"""When two tables of features count as the same, and what is said where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from nb2prod.injected.compare import EXACT, difference

MISSING = np.nan
BASE = [[0.0, 1.0, MISSING], [2.0, 0.0, 3.0]]


def other(row: int, column: int, value: float) -> csr_matrix:
    changed = np.array(BASE)
    changed[row, column] = value
    return csr_matrix(changed)


def test_sparse_matrices_with_the_same_gaps_are_the_same() -> None:
    assert difference(csr_matrix(BASE), csr_matrix(BASE), EXACT) is None
    nothing = csr_matrix((2, 3))
    assert difference(nothing, nothing.copy(), EXACT) is None


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [(0, 2, 5.0), (0, 2, 0.0), (0, 0, MISSING), (1, 2, MISSING), (1, 2, 3.1), (1, 1, 1e-6)],
)
def test_a_sparse_entry_that_differs_is_named(row: int, column: int, value: float) -> None:
    found = difference(csr_matrix(BASE), other(row, column, value), EXACT)
    assert found is not None
    assert (found.column, found.row) == (str(column), row)


def test_a_list_of_rows_is_a_table_in_which_missing_equals_missing() -> None:
    rows = [(1.0, float("nan")), (2.0, 3.0)]
    assert difference(rows, [(1.0, np.float64("nan")), (2.0, 3.0)]) is None
    found = difference(rows, [(1.0, float("nan")), (2.0, 4.0)])
    assert found is not None and (found.column, found.row) == ("1", 1)
