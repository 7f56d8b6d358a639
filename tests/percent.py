"""Notebooks as text: cells begin with `# %%`, `# %% run=3` or `# %% run=3 tags=load,train`."""

from __future__ import annotations

import re

from nb2prod.source import Cell, Notebook


def notebook(text: str) -> Notebook:
    """The notebook of a text; what stands before the first mark is a cell too."""
    parts = re.split(r"^# %%(?: run=(\d+))?(?: tags=(\S+))?\n", text, flags=re.MULTILINE)
    rows = [(None, None, parts[0]), *zip(parts[1::3], parts[2::3], parts[3::3], strict=True)]
    cells = [
        Cell(
            index,
            "code",
            body.rstrip("\n"),
            int(run) if run else None,
            tuple(tags.split(",")) if tags else (),
        )
        for index, (run, tags, body) in enumerate(row for row in rows if row[2])
    ]
    return Notebook("test.ipynb", tuple(cells))
