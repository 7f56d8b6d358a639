"""V9: whether the notebook prepared the rows that it judges or predicts as it prepared the training rows.

The rows of a split are known.  Of others only their features are: which raw rows they are is tried, and it is
these rows where the project gives them the notebook's features.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .compare import count, difference, extent, form, names_of, take, tolerance
from .session import Failed, Impossible, Say, Session

ROLES = {"X_judged": "rows_judged", "X_new": "rows_new"}  # features, and the table of another file, if any


def other_rows(session: Session, say: Say) -> str:
    data, said = session.trained(), []
    if data.X_eval is not None:
        said.append(f"{_as_trained(session, 'X_eval', data.X_eval)} rows")
    for role, table in ROLES.items():
        if session.baseline.has(role):
            said.append(_found(session, role, table))
    if not said:
        raise Impossible("the notebook evaluates on no other rows", "not_applicable")
    return "; ".join(said)


def _found(session: Session, role: str, table: str) -> str:
    """The rows behind these features, wherever they come from."""
    expected, another = session.baseline.get(role), session.baseline.has(table)
    doubts: list[Any] = []
    if another:
        try:
            X = session.transform(session.baseline.get(table))
        except Exception as error:
            raise Impossible(f"the rows of another file: {session.error(error)}") from error
        if difference(expected, X, tolerance(expected)) is None:
            return f"{count(expected)} rows of another file"
        doubts.append(X)
    for ids, sure in _candidates(session, expected):
        X = session.transform(session.main.iloc[ids])
        if difference(expected, X, tolerance(expected)) is None:
            if role == "X_judged":
                session.judged = np.setdiff1d(ids, session.trained().train_ids)
            return f"{count(expected)} rows chosen by hand"
        doubts += [X] if sure and not another else []
    if not doubts:
        raise Impossible("which raw rows the notebook judges or predicts is not known")
    return f"{_as_trained(session, role, doubts[0])} rows"


def _candidates(session: Session, expected: Any) -> Iterator[tuple[np.ndarray, bool]]:
    """Positions of raw rows that may be these, and whether they must be: by label, all that training left
    out (in their order, if that of the training rows is the file's), all; last any with the same features.
    """
    main, ids = session.main, np.asarray(session.trained().train_ids)
    kept, in_order = np.unique(ids), bool((np.diff(ids) > 0).all())
    rest = np.setdiff1d(np.arange(len(main)), kept)
    if form(expected) in ("DataFrame", "Series") and main.index.is_unique:
        ids = main.index.get_indexer(expected.index)
        if len(ids) and (ids >= 0).all():
            yield ids, not np.isin(ids, kept).any()
    for ids in (rest, np.arange(len(main))):
        if count(expected) == len(ids):
            yield ids, in_order and ids is rest
    same = _alike(session.transform(main), expected, rest)
    if same is not None:
        yield same, False


def _alike(X: Any, expected: Any, rest: np.ndarray) -> np.ndarray | None:
    """For each row of `expected` one of `X` that has the same values, of `rest` where there is one."""
    tables = {form(X), form(expected)} in ({"DataFrame"}, {"array"})
    if not tables or names_of(X) != names_of(expected):
        return None
    places: dict[Any, int] = {}
    for at in (*np.setdiff1d(np.arange(count(X)), rest), *rest):
        places[_key(X, at)] = at
    found = np.array([places.get(_key(expected, at), -1) for at in range(count(expected))])
    return found if len(found) and (found >= 0).all() else None


def _key(X: Any, at: int) -> tuple[str, ...]:
    row = take(X, [at])
    return tuple(map(str, np.asarray(row, dtype=object)[0]))


def _as_trained(session: Session, role: str, X: Any) -> int:
    """The number of rows, where the project prepares them as the notebook did."""
    expected = session.baseline.get(role)
    found = difference(expected, X, tolerance(expected))
    if found is None:
        return count(expected)
    apart = extent(expected, X, tolerance(expected))
    if apart is None:
        raise Failed(f"notebook against project: {found}")
    columns, share = apart
    session.facts |= {"rows": role, "columns": columns, "share": share}
    some = f"{len(columns)} of {len(names_of(expected))} columns differ"
    raise Failed(f"{some} for {share:.0%} of {count(expected)} rows; notebook against project: {found}")
