"""The files of the prediction log: JSON lines while they are written, Parquet after that.

Reading takes of each file only what is asked for, and keeps a text that stands often once (as a category): a window
of a million predictions fits into memory.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api.types import union_categoricals

log = logging.getLogger(__name__)
LABELS = ["of", "label", "when"]
ABOUT = ["id", "prediction", "model_version"]
REFUSED = ["refused", "reasons", "when", "model_version"]
DISTINCT = ("when", "id", "of")  # texts that do not repeat
# sorts behind every time: what cannot be dated is read, and not removed
UNKNOWN = "unknown"


def rotate(path: Path) -> None:
    """Make Parquet of a segment; it replaces the segment whole."""
    entries = _lines(path)
    if entries:
        written = path.with_suffix(".part")
        pq.write_table(_table(entries, path), written)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.replace(path.with_suffix(".parquet"))
    path.unlink()


def read(folder: Path, since: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions logged since then, and the labels, each with the prediction, of whatever time, that it is about."""
    # In this order: what is rotated in between is listed twice, not nowhere.
    paths = [*folder.glob("*.jsonl"), *folder.glob("*.parquet")]
    sources = [_opened(path) for path in sorted(paths)]
    recent = [one for one in sources if newest(one) >= since]
    predictions = _together(
        [_since(since, _having("id", one)) for one in recent], ABOUT
    )
    twice = predictions["id"].duplicated()  # a segment was in both of its files
    labels = _together([_having("of", one, LABELS) for one in recent], LABELS).rename(
        columns={"of": "id"}
    )
    labels = (
        labels[labels["when"] >= since]
        .sort_values("when", kind="stable")
        .drop_duplicates("id", keep="last")
    )
    about = _together(
        list(_about(sources, pd.Index(labels["id"], dtype=object))), ABOUT
    ).drop_duplicates("id")
    return predictions[~twice] if twice.any() else predictions, labels.merge(
        about, on="id", how="left"
    )


def refusals(folder: Path, since: str = "") -> pd.DataFrame:
    """How many rows the service refused since then, request by request, and for what."""
    paths = sorted([*folder.glob("*.jsonl"), *folder.glob("*.parquet")])
    recent = [one for one in map(_opened, paths) if newest(one) >= since]
    found = _together([_having("refused", one, REFUSED) for one in recent], REFUSED)
    return found[
        found["when"] >= since
    ].drop_duplicates()  # a segment may be in both of its files


def _about(sources: Sequence[Path | pa.Table], ids: pd.Index) -> Iterator[pd.DataFrame]:
    """The predictions of these ids; most labels are about recent ones."""
    seen = np.zeros(len(ids), dtype=bool)
    for source in reversed(sources):
        if seen.all():
            return
        found = _having("id", source, ABOUT)
        at = ids.get_indexer(pd.Index(found["id"], dtype=object))
        seen[at[at >= 0]] = True
        yield found[at >= 0]


def _since(since: str, found: pd.DataFrame) -> pd.DataFrame:
    return found[found["when"] >= since].drop(
        columns=["when", "of", "label", "refused", "reasons"], errors="ignore"
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    entries = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:  # torn by a crash
                log.warning("%s: a torn line is left out", path)
                continue
            # half of a surrogate pair is no text that a file can hold
            if "\\ud" in line:
                entry = json.loads(
                    json.dumps(entry, ensure_ascii=False).encode(errors="replace")
                )
            entries.append(entry)
    return entries


def _table(entries: list[dict[str, Any]], path: Path) -> pa.Table:
    frame = _flat(entries)
    return pa.table({str(name): _array(frame[name], path) for name in frame})


def _array(values: pd.Series, path: Path) -> Any:
    try:
        return pa.Array.from_pandas(values)
    except Exception:  # what Parquet cannot hold must not stop the log: JSON can
        log.exception("%s: column %s is kept as JSON", path, values.name)
        gaps = [
            value is None or (isinstance(value, float) and math.isnan(value))
            for value in values
        ]
        return pa.array(
            [
                None if gap else json.dumps(value)
                for gap, value in zip(gaps, values, strict=True)
            ]
        )


def _flat(entries: list[dict[str, Any]]) -> pd.DataFrame:
    """One column for each raw column; a column of mixed types becomes text, as JSON."""
    rows = []
    for entry in entries:
        row, odds = entry.pop("row", None) or {}, entry.pop("probabilities", None) or {}
        rows.append(
            {
                **entry,
                **{f"row.{k}": v for k, v in row.items()},
                **{f"probability.{k}": v for k, v in odds.items()},
            }
        )
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        kinds = {type(value) for value in frame[name].dropna()}
        if len(kinds) > 1 and not kinds <= {int, float} or kinds & {dict, list}:
            values = [
                None
                if value is None
                else value
                if isinstance(value, str)
                else json.dumps(value)
                for value in frame[name]
            ]
            frame[name] = pd.Series(values, dtype=object)
    return frame


def _opened(path: Path) -> Path | pa.Table:
    """What is still written is read at once: the next moment it may be rotated."""
    if path.suffix == ".jsonl":
        try:
            return _table(_lines(path), path)
        except FileNotFoundError:
            return path.with_suffix(".parquet")
    return path


def newest(source: Path | pa.Table) -> str:
    """When the last entry of a segment came, from the statistics that Parquet keeps."""
    if isinstance(source, pa.Table):
        return UNKNOWN
    try:
        metadata = pq.read_metadata(source)
    except (
        OSError,
        pa.ArrowException,
    ):  # removed or rotated by another process, or damaged: reading it says which
        return UNKNOWN
    if "when" not in metadata.schema.names:
        return UNKNOWN
    at = metadata.schema.names.index("when")
    found = [
        metadata.row_group(group).column(at).statistics
        for group in range(metadata.num_row_groups)
    ]
    return max(
        (str(one.max) if one and one.has_min_max else UNKNOWN for one in found),
        default=UNKNOWN,
    )


def _having(
    key: str, source: Path | pa.Table, names: Sequence[str] = ()
) -> pd.DataFrame:
    """The entries of a segment that have this key, with the columns of these names, else all."""
    table = _columns(key, source, names)
    for at, field in enumerate(table.schema):
        if field.name not in DISTINCT and (
            pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ):
            table = table.set_column(
                at, field.name, table.column(at).dictionary_encode()
            )
    frame: pd.DataFrame = table.to_pandas()
    nothing = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    frame = frame.assign(
        **{name: nothing for name in names or (key, "when") if name not in frame}
    )
    return frame[frame[key].notna()]


def _columns(key: str, source: Path | pa.Table, names: Sequence[str]) -> pa.Table:
    """Nothing of a segment whose entries have no such key, or whose time is over."""
    try:
        there = (
            source.column_names
            if isinstance(source, pa.Table)
            else pq.read_schema(source).names
        )
        wanted = [name for name in there if not names or name in names]
        if key not in there:
            return pa.table({})
        return (
            source.select(wanted)
            if isinstance(source, pa.Table)
            else pq.read_table(source, columns=wanted)
        )
    except FileNotFoundError:
        return pa.table({})


def _together(frames: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """One frame of all, column by column so that none is in memory twice; empty ones say nothing about types."""
    filled = [one for one in frames if len(one)]
    if not filled:
        return pd.DataFrame(columns=names, dtype=object)
    frames.clear()
    found = {}
    for name in dict.fromkeys(str(name) for one in filled for name in one):
        absent = [pd.Series(np.nan, index=one.index) for one in filled]
        found[name] = _joined(
            [
                one.pop(name) if name in one else absent[at]
                for at, one in enumerate(filled)
            ]
        )
    return pd.DataFrame(found, copy=False)


def _joined(parts: list[pd.Series]) -> pd.Series:
    """The parts of a column; texts stay categories."""
    known = [one for one in parts if one.notna().any()]
    if known and all(isinstance(one.dtype, pd.CategoricalDtype) for one in known):
        empty = known[0].dtype
        return pd.Series(
            union_categoricals(
                [one if one.notna().any() else one.astype(empty) for one in parts]
            )
        )
    return pd.concat(parts, ignore_index=True)
