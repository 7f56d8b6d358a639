"""The sets of `third.txt` and after: notebooks written before looking at what the rules do with them.

Nothing in them says what is right: a run decides. For leakage the notebook runs again with other values
in the rows that judge the model; it leaks where the training rows or the model come out otherwise, or, where
half of them have other values, the other half.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PEOPLE = """import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import *
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.feature_selection import *
from sklearn.impute import SimpleImputer
from sklearn.decomposition import PCA
from sklearn.cluster import KMeans
# %%
people = pd.read_csv("people.csv")
X = people[["age", "pay"]].copy()
y = people["left"]
# %%"""
SPLIT = """# %%
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, random_state=1)
# %%
model = LogisticRegression(max_iter=50).fit(np.nan_to_num(Xtr), ytr)
# %%"""
ROWS = 80
TRAINED = ("Xtr", "model")
REST = "rest_ = np.asarray(Xte)[len(Xte) // 2 :]"  # run after the last cell; the linter does not see it


def cases(name: str) -> Iterator[tuple[str, tuple[str, ...], tuple[int, ...]]]:
    """The kind of each case of a set, its cells, and their counts where it has some."""
    text = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")
    for part in text.split("\n#: ")[1:]:
        kind, _, body = part.partition("\n")
        body = body.replace("@people", PEOPLE).replace("@split", SPLIT)
        counts = tuple(int(count) for count in re.findall(r"^# %% (\d+)$", body, flags=re.MULTILINE))
        cells = [cell.strip("\n") for cell in re.split(r"^# %%(?: \d+)?$", body, flags=re.MULTILINE)]
        yield kind, tuple(cell for cell in cells if cell), counts


def tables(folder: Path) -> tuple[Path, ...]:
    """Folders with `people.csv`; the second has other test rows, in the third half of them are other ones."""
    import numpy as np
    import pandas as pd
    from sklearn.model_selection import train_test_split

    rng = np.random.default_rng(5)
    ages, pays = rng.integers(18, 80, ROWS).astype(float), rng.integers(100, 9000, ROWS).astype(float)
    cities, left = rng.choice(list("xyz"), ROWS), rng.integers(0, 2, ROWS)
    fees = np.where(rng.random(ROWS) < 0.2, np.nan, rng.random(ROWS))
    frame = pd.DataFrame({"age": ages, "pay": pays, "fee": fees, "city": cities, "left": left})
    _, judged = train_test_split(np.arange(ROWS), test_size=0.3, random_state=1)
    other = frame.copy()
    other.loc[judged, "age"] = 5 + 150 * rng.random(len(judged))
    other.loc[judged, "pay"] = 20000 * rng.random(len(judged))
    other.loc[judged, "fee"] = 5 + rng.random(len(judged))
    other.loc[judged, "left"] = 1 - frame.loc[judged, "left"]
    half = frame.copy()
    half.loc[judged[: len(judged) // 2]] = other.loc[judged[: len(judged) // 2]]
    places = folder / "one", folder / "two", folder / "half"
    for place, table in zip(places, (frame, other, half), strict=True):
        place.mkdir(parents=True, exist_ok=True)
        table.to_csv(place / "people.csv", index=False)
    return places
