"""Which filters of the notebook tell of a row alone whether training dropped it.

Such a filter guards serving: a row that it would drop is flagged or rejected, as config.toml says.  Whether
one does is seen by trying: alone and within a batch it drops the same rows, and none of those that training
kept.  One that drops only rows that lie outside of what training saw in some column is not needed: serving
looks at that anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

KEPT, DROPPED = 30, 60
FEW = 50


def guards(session: Any, targets: Sequence[str]) -> list[str]:
    """The keys of these filters; rows come without a target, as they do when served."""
    main, ids = session.main, _kept_ids(session.data)
    entries = session.data.state.entries
    keys = {name.partition("[")[0].partition("#")[0] for name, e in entries.items() if e.kind == "keep"}
    dropped = np.setdiff1d(np.arange(len(main)), ids)
    if not keys or not len(ids) or not len(dropped):
        return []
    inside = dropped[like(main.iloc[dropped], main.iloc[ids].drop(columns=[*targets], errors="ignore"))]
    tried = [*_some(ids, KEPT), *_some(inside, DROPPED)]
    rows = main.iloc[tried].drop(columns=[*targets], errors="ignore")
    alone = [_outside(session, rows.iloc[[at]], keys) for at in range(len(rows))]
    known = [at for at, found in enumerate(alone) if found is not None]
    batch = _outside(session, rows.iloc[known], keys)
    if batch is None:
        return []
    found = []
    for key in keys:
        flagged = {known[at] for at in batch.get(key, ())}
        same = flagged == {at for at in known if len((alone[at] or {}).get(key, ()))}
        if same and flagged and min(flagged) >= min(KEPT, len(ids)):
            found.append(key)
    return sorted(found)


def _kept_ids(data: Any) -> np.ndarray:
    """Positions of the raw rows that no filter dropped."""
    ids = data.train_ids if data.eval_ids is None else np.concatenate([data.train_ids, data.eval_ids])
    return np.unique(ids[ids >= 0])


def like(rows: pd.DataFrame, kept: pd.DataFrame) -> np.ndarray:
    """Which rows have no value that the kept rows do not show: missing, another text, out of range."""
    inside = np.ones(len(rows), dtype=bool)
    for column in kept.columns:
        missing, known = rows[column].isna().to_numpy(), kept[column].dropna()
        if len(known) == len(kept):
            inside &= ~missing
        if pd.api.types.is_bool_dtype(known) or not len(known):
            continue
        if pd.api.types.is_numeric_dtype(known):
            inside &= missing | rows[column].between(known.min(), known.max()).to_numpy(dtype=bool)
        elif pd.api.types.is_object_dtype(known) or isinstance(known.dtype, pd.StringDtype):
            texts = set(known.map(str))
            inside &= missing | (len(texts) > FEW) | rows[column].map(str).isin(texts).to_numpy()
    return inside


def _some(ids: np.ndarray, most: int) -> list[int]:
    return [int(id) for id in ids[np.linspace(0, len(ids) - 1, min(most, len(ids))).astype(int)]]


def _outside(session: Any, rows: pd.DataFrame, keys: set[str]) -> dict[str, np.ndarray] | None:
    """For each filter the positions of rows that it would drop; None where the features fail for them."""
    state = session.data.state
    st = session.module("staging").Staging.for_serving(rows, state, tuple(keys))
    try:
        session.module("features").features(st.main, st)
    except Exception:  # such rows are rejected anyway
        return None
    return dict(st.outside)
