"""Trace: what a run of the notebook saw at each expression; made by run, read by staging.

Plain JSON like a profile: sorted, one site a line, without times, paths or host names, so that it can be
committed and compared.  Column lists are pooled, because a notebook meets the same few again and again.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from nb2prod.ir.project import Column
from nb2prod.source import Notebook, Span

FORMAT = 1
Scalar = str | int | float | bool | None
Labels = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class SiteFact:
    """What one expression evaluated to.

    `types` are public names (`pandas.DataFrame`, `builtins.float`), sorted.  All else describes the first
    hit, and `varies` names the fields that were different in a later one.  `rows` is a fingerprint of the
    row labels of a frame or series.  `columns` are a frame's columns, a series' name, or the strings in
    an index or list; `dtypes` run parallel to a frame's columns and have one entry elsewhere.
    """

    span: Span
    types: tuple[str, ...]
    hits: int
    shape: tuple[int, ...] | None = None
    rows: str | None = None
    columns: Labels = None
    dtypes: Labels = None
    value: Scalar = None
    varies: tuple[str, ...] = ()

    @property
    def type(self) -> str | None:
        """The one type seen, or None where several were."""
        return self.types[0] if len(self.types) == 1 else None


@dataclass(frozen=True, slots=True)
class Trace:
    """All sites of one run in the order of their spans.

    `source` identifies the code that ran; `packages` maps distributions to versions, `modules` the
    imported top-level modules to their distributions.  `columns` are the raw columns, as a run of the
    compiled features met them, `targets` those that the target is made of, and `guards` the filters that
    tell of a row alone whether training dropped it.
    """

    python: str
    source: str
    packages: tuple[tuple[str, str], ...] = ()
    modules: tuple[tuple[str, str], ...] = ()
    sites: tuple[SiteFact, ...] = ()
    columns: tuple[Column, ...] = ()
    targets: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()

    def at(self, span: Span) -> SiteFact | None:
        """The fact of the expression that stands exactly at `span`."""
        place = bisect_left(self.sites, span, key=lambda site: site.span)
        if place < len(self.sites) and self.sites[place].span == span:
            return self.sites[place]
        return None

    def check(self) -> None:
        """Sites are sorted, one a span; each was hit and has a type."""
        spans = [site.span for site in self.sites]
        assert all(a < b for a, b in pairwise(spans)), "sites out of order or repeated"
        assert all(site.hits > 0 and site.types for site in self.sites), "a site without a hit"
        assert all(list(site.types) == sorted(set(site.types)) for site in self.sites), "types not sorted"

    def dump(self) -> str:
        return "\n".join(_line(site) for site in self.sites)

    def to_json(self) -> str:
        pool = _pool(self.sites)
        number = {labels: place for place, labels in enumerate(pool)}
        head = {
            "format": FORMAT,
            "python": self.python,
            "source": self.source,
            "packages": dict(self.packages),
            "modules": dict(self.modules),
        }
        fields = [f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in head.items()]
        if self.targets:
            fields.append(f'"targets": {json.dumps(list(self.targets))}')
        if self.guards:
            fields.append(f'"guards": {json.dumps(list(self.guards))}')
        if self.columns:
            fields.append(_rows("columns", [asdict(column) for column in self.columns]))
        fields.append(_rows("labels", [list(labels) for labels in pool]))
        fields.append(_rows("sites", [_site_json(site, number) for site in self.sites]))
        return "{\n" + ",\n".join(fields) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """Read a trace back; ValueError says what is wrong with a text that is none."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise ValueError(f"trace format {data['format']!r}; this version reads {FORMAT}")
            pool = [tuple(map(str, labels)) for labels in data["labels"]]
            trace = cls(
                str(data["python"]),
                str(data["source"]),
                tuple(sorted(data["packages"].items())),
                tuple(sorted(data["modules"].items())),
                tuple(_site(entry, pool) for entry in data["sites"]),
                tuple(_column(entry) for entry in data.get("columns", [])),
                tuple(map(str, data.get("targets", []))),
                tuple(map(str, data.get("guards", []))),
            )
            trace.check()
        except (KeyError, TypeError, IndexError, AttributeError, AssertionError) as error:
            raise ValueError(f"not a trace of nb2prod: {error!r}") from error
        return trace


def fingerprint(notebook: Notebook) -> str:
    """Identifies the code of a notebook: a trace is of use only for the code that made it."""
    cells = [(cell.index, cell.text) for cell in notebook.code_cells()]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _column(entry: dict[str, Any]) -> Column:
    categories = entry["categories"]
    return Column(**{**entry, "categories": None if categories is None else tuple(categories)})


def _pool(sites: Iterable[SiteFact]) -> list[tuple[str, ...]]:
    found = {labels for site in sites for labels in (site.columns, site.dtypes) if labels is not None}
    return sorted(found)


def _rows(key: str, rows: list[Any]) -> str:
    if not rows:
        return f"{json.dumps(key)}: []"
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    return f"{json.dumps(key)}: [\n{body}\n]"


def _site_json(site: SiteFact, number: dict[tuple[str, ...], int]) -> dict[str, Any]:
    span = site.span
    fields: dict[str, Any] = {
        "at": [span.cell, span.line, span.column, span.end_line, span.end_column],
        "types": site.types,
        "hits": site.hits,
        "shape": site.shape,
        "rows": site.rows,
        "columns": None if site.columns is None else number[site.columns],
        "dtypes": None if site.dtypes is None else number[site.dtypes],
        "value": site.value,
        "varies": site.varies or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _site(entry: dict[str, Any], pool: list[tuple[str, ...]]) -> SiteFact:
    shape, columns, dtypes = entry.get("shape"), entry.get("columns"), entry.get("dtypes")
    cell, line, column, end_line, end_column = map(int, entry["at"])
    value = entry.get("value")
    if not isinstance(value, str | int | float | bool | None):
        raise TypeError(f"value {value!r}")
    return SiteFact(
        Span(cell, line, column, end_line, end_column),
        tuple(map(str, entry["types"])),
        int(entry["hits"]),
        None if shape is None else tuple(map(int, shape)),
        entry.get("rows"),
        None if columns is None else pool[columns],
        None if dtypes is None else pool[dtypes],
        value,
        tuple(map(str, entry.get("varies", ()))),
    )


def _line(site: SiteFact) -> str:
    span = site.span
    parts = [f"cell {span.cell}:{span.line}:{span.column}-{span.end_line}:{span.end_column}"]
    parts.append("|".join(site.types))
    if site.shape is not None:
        parts.append("x".join(map(str, site.shape)) or "scalar")
    if site.rows is not None:
        parts.append(f"rows {site.rows}")
    if site.value is not None:
        parts.append(json.dumps(site.value))
    if site.hits > 1:
        parts.append(f"{site.hits} hits")
    if site.varies:
        parts.append("varies: " + ", ".join(site.varies))
    return "  ".join(parts)
