"""Hazards as text: small notebooks in which something goes wrong if it is not understood.

    == the frame is replaced by a filtered one        the name of a case
    -> verified                                       or: refused NBP401 cell 2, or: unverified
    xfail: why it is not so yet                       only where there is a known gap
    needs: lightgbm                                   a library without which it is left out
    checks: V9 failed, leakage passed                 what these checks say
    # %% setup                                        a cell and its tag; an empty one is the standard one
    # %% features
    df = df.dropna()
    # ---- emitted: features                          lines of that module, in this order
    df = st.keep("dropna", df, lambda: df.dropna())

Every notebook ends with `predictions`, for the rows of the test side or for those that it trained on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

CASES = Path(__file__).with_name("cases") / "hazards"
STANDARD = {
    "setup": "",
    "load": 'df = pd.read_csv("rows.csv")',
    "train": """\
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)
model = Ridge()
model.fit(X_train, y_train)
mae = mean_absolute_error(y_test, model.predict(X_test))
print("mae", mae)""",
    "infer": "predictions = model.predict(X_test)",
}
IMPORTS = """\
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.model_selection import train_test_split
"""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One case: `cells` are (tag, text); `code` and `cell` say why and where it is refused; `emitted` are
    (module, line) that must stand in the project in this order; `gap` is the reason of an expected failure;
    `needs` is a library; `checks` are names of checks and their status; without `verified` the project is
    written, and its report says what is open.
    """

    name: str
    topic: str
    cells: tuple[tuple[str, str], ...]
    code: str = ""
    cell: int | None = None
    emitted: tuple[tuple[str, str], ...] = ()
    gap: str = ""
    needs: str = ""
    verified: bool = True
    checks: tuple[tuple[str, str], ...] = ()


def hazards() -> list[Hazard]:
    """All cases, in the order of the files."""
    return [
        case for path in sorted(CASES.glob("*.txt")) for case in parse(path.read_text("utf-8"), path.stem)
    ]


def parse(text: str, topic: str) -> list[Hazard]:
    found = []
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        outcome = r"(?:verified|(unverified)|refused (NBP\d+) cell (\d+))"
        said = re.match(rf"(.*)\n-> {outcome}\n(?:xfail: (.*)\n)?(?:needs: (.*)\n)?(?:checks: (.*)\n)?", part)
        assert said is not None, f"{part[:80]!r}: no outcome"
        name, unverified, code, cell, gap, needs, checks = said.groups()
        body, *sections = re.split(r"^# ---- emitted: ", part[said.end() :], flags=re.MULTILINE)
        pieces = re.split(r"^# %% (\w+)\n", body, flags=re.MULTILINE)[1:]
        cells = [_cell(tag, own) for tag, own in zip(pieces[::2], pieces[1::2], strict=True)]
        emitted: list[tuple[str, str]] = []
        for section in sections:
            module, *lines = section.strip().split("\n")
            emitted += [(module, line.strip()) for line in lines]
        number = int(cell) if cell else None
        kept = tuple(cells), code or "", number, tuple(emitted), gap or "", needs or "", not unverified
        said_of = tuple((said.split()[0], said.split()[1]) for said in (checks or "").split(", ") if said)
        found.append(Hazard(name, topic, *kept, said_of))
    return found


def _cell(tag: str, own: str) -> tuple[str, str]:
    text = own.strip("\n") or STANDARD[tag]
    return tag, (IMPORTS + text if tag == "setup" and "%%" not in text else text).rstrip("\n")


def write_notebook(case: Hazard, folder: Path) -> Path:
    """The notebook as a file, beside its data."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": [tag]},
            "execution_count": None,
            "outputs": [],
            "source": text,
        }
        for number, (tag, text) in enumerate(case.cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path = folder / "hazard.ipynb"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def write_data(folder: Path) -> None:
    """Two hundred rows, and the other files that cases read."""
    frame = rows()
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "inner").mkdir()
    frame.iloc[::-1].to_csv(folder / "inner" / "other.csv", index=False)
    (folder / "power.txt").write_text("3\n")
    frame[["a", "c", "price"]].to_csv(folder / "bare.csv", index=False, header=False)
    frame[["price"]].to_csv(folder / "answers.csv", index=False)
    header, *lines = (folder / "rows.csv").read_text().splitlines(keepends=True)
    (folder / "units.csv").write_text("".join([header, ",".join(["unit"] * 8) + "\n", *lines]))
    (folder / "beside.py").write_text("def cubed(values):\n    return values ** 3\n")


def rows(count: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    a = rng.normal(1.0, 1.5, count).round(3)
    b = rng.normal(40, 12, count).round(1)
    c = rng.integers(0, 10, count)
    price = (30 + 4 * a + 0.8 * b + 3 * c + rng.normal(0, 6, count)).round(2)
    b[rng.random(count) < 0.12] = np.nan
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "c": c,
            "city": rng.choice(["north", "south", "east", "west"], count),
            "day": [f"2024-{month:02d}-11" for month in rng.integers(1, 13, count)],
            "text": [" ".join(rng.choice(["red", "and", "Blue", "small", "round"], 3)) for _ in range(count)],
            "label": (price > np.median(price)).astype(int),
            "price": price,
        }
    )
