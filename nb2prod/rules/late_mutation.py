"""NBP112."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.nodes import nodes
from nb2prod.analysis.objects import FITTING, Action, Objects, Touch, objects
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Located, Span

SINKS = ("fit", "fit_transform", "fit_predict", "partial_fit", "predict", "predict_proba", "score")


Readers = dict[int, list[Action]]  # by object


class LateMutation(Rule):
    """An object changes in place in a cell, after another cell has computed something from it: directly,
    under a second name, in a loop over several objects, or inside a function that it was given to.

    Why it matters: the earlier result is that of the old value. Run that cell again, or split the notebook
    into steps that run on their own, and it gives something else.

    Instead: change a copy (`rows = [*rows, 3]`, `df = df.assign(...)`), or change the object before it is
    used.

    A table is reported only where the earlier result is used later on, or where nothing reads the changed
    table any more: building a table column by column is not a fault. Nor is a change that was computed from
    the earlier result (`df["age"] = df["age"].fillna(mean)`).
    """

    code, name, severity = "NBP112", "late-mutation", Severity.WARNING
    fires = (
        "rows = {'a': [1]}\n# %%\nn = len(rows['a'])\n# %%\ncopy = dict(rows)\ncopy['a'].append(2)",
        "import os\n# %%\nmode = os.environ.get('MODE')\n# %%\nos.environ['MODE'] = 'b'",
        "rows = [1]\nput = rows.append\n# %%\nn = len(rows)\n# %%\nput(2)",
        "rows = [1]\n# %%\nn = len(rows)\n# %%\nlist(map(rows.append, [2]))",
        "rows = []\ndef keep(x, into=rows):\n    into.append(x)\n# %%\nn = len(rows)\n# %%\nkeep(1)",
        "rows = [[1]]\n# %%\nn = rows[0][0]\n# %%\nfor row in rows:\n    row[0] = 2",
        "a, b = [1], [2]\npair = (a, b)\n# %%\nn = sum(a)\n# %%\nx, y = pair\nx.append(2)",
        "class Shop:\n    def __init__(self, rows):\n        self.rows = rows\nrows = [1]\n"
        "shop = Shop(rows)\n# %%\nn = sum(rows)\n# %%\nshop.rows.append(2)",
        "class Shop:\n    def __init__(self):\n        self.rows = [1]\n    def put(self, x):\n"
        "        self._put(x)\n    def _put(self, x):\n        self.rows.append(x)\nshop = Shop()\n# %%\n"
        "n = sum(shop.rows)\n# %%\nshop.put(2)",
        "rows = [1]\n# %%\ntotal = sum(rows)\n# %%\nrows.append(2)",
        "rows = [1]\nalso = rows\n# %%\ntotal = sum(rows)\n# %%\nalso.append(2)",
        "rows = [1]\ndef grow(items):\n    items.append(1)\n# %%\ntotal = sum(rows)\n# %%\ngrow(rows)",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nX = df[['a']]\n# %%\ndf['a'] = 0\n# %%\nprint(X)",
        "import numpy as np\na = np.ones(3)\n# %%\nmean = a.mean()\n# %%\nb = a[1:]\nb[0] = 5",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nn = df.mean()\n# %%\n"
        "df.drop(columns='b', inplace=True)",
    )
    silent = (
        "m = Ridge()\n# %%\nm.fit(X, y)\np = m.predict(X)\n# %%\nm.fit(X2, y2)\n# %%\nr = p",
        "import pandas as pd\na, b = pd.DataFrame({'x': [1]}), pd.DataFrame({'x': [2]})\n# %%\n"
        "n = a['x'].sum()\n# %%\na.append(b)",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nn = len(df)\n# %%\ndf['a'] = df['a'] * 2",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nold = df[df['a'] > 1]\n# %%\ndf['b'] = 1\n"
        "df['b'] = df['b'] * 2\n# %%\nprint(old)",
        "table = spark.table('a')\n# %%\nmean = table.mean()\n# %%\ntable.na.fill(mean).show()",
        "rows = {'a': [1]}\n# %%\nn = len(rows['a'])\n# %%\ncopy = dict(rows)\ncopy['b'] = 1",
        "import os\n# %%\nhome = os.environ['HOME']\n# %%\nos.environ['MODE'] = 'b'",
        "m = Ridge().fit(X, y)\n# %%\np = m.predict(X)\n# %%\nm.set_params(alpha=2)",
        "rows = [[1]]\n# %%\nn = rows[0][0]\n# %%\nfor row in rows:\n    row = [2]",
        "rows = [1]\n# %%\ntotal = sum(rows)\n# %%\nrows = rows + [2]",
        "rows = [1]\n# %%\ntotal = sum(rows)\nrows.append(2)",
        "rows = [1]\n# %%\nprint(rows)\n# %%\nrows.append(2)",
        "import pandas as pd\ndf = pd.read_csv('a')\nmean = df['a'].mean()\n# %%\n"
        "df['a'] = df['a'].fillna(mean)",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\nmean = df['a'].mean()\n# %%\ndf['b'] = 2",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\ncorr = df.corr()\n# %%\ndf['a'] = 1\n# %%\n"
        "X = df[['a']]",
        "rows = [1]\n# %%\ntotal = sum(rows)\n# %%\nother = list(rows)\nother.append(2)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(objects)
        if not any(action.changes for action in every.actions):
            return
        readers, keepers = _readers(every)
        seen: set[tuple[int, int]] = set()
        born: dict[tuple[int, str], int] = {}  # parts of objects: the action since which they are there
        for action in every.actions:
            for change in action.changes:
                key = change.object, action.cell
                if change.how == "new":
                    born.setdefault((change.object, change.part), action.id)
                since = born.get((change.object, change.part), -1)
                reader = None
                if key not in seen:
                    reader = _reader(every, readers, keepers, action, change, since)
                if reader is not None:
                    seen.add(key)
                    yield self.one(a, action, change, *reader)

    def one(self, a: Analysis, action: Action, change: Touch, reader: Action, read: Touch) -> Diagnostic:
        assert action.stmt is not None and reader.stmt is not None and isinstance(change.node, Located)
        span, used = _place(action, change), _place(reader, read)
        through = f" by `{change.callee}`" if change.callee else ""
        labels = [
            Label(span, f"changed{through} here{a.ran(span.cell)}"),
            Label(used, f"used here, as it was before{a.ran(used.cell)}"),
        ]
        also = f" (as `{read.name}`)" if read.name != change.name else ""
        message = f"`{change.name}` changes in place after cell {used.cell} has used it{also}"
        help = f"change a copy of `{change.name}`, or change it above cell {used.cell}"
        return self.found(a, message, span, labels, help)


def _place(action: Action, touch: Touch) -> Span:
    assert action.stmt is not None
    return action.stmt.text.head(touch.node)


def _readers(every: Objects) -> tuple[Readers, Readers]:
    """The statements that read each object, in order, and those of them that keep a result of it."""
    found: Readers = {}
    keepers: Readers = {}
    for action in every.actions:
        changed = {change.object for change in action.changes}
        for one in {read.object for read in action.reads}:
            found.setdefault(one, []).append(action)
            if one not in changed and (action.binds or changed):
                keepers.setdefault(one, []).append(action)
    return found, keepers


def _reader(
    every: Objects, readers: Readers, keepers: Readers, action: Action, change: Touch, since: int
) -> tuple[Action, Touch] | None:
    """The first statement of another cell that keeps a result of what changes; the part that changes is
    there `since` an action.
    """
    kind = every.kinds[change.object]
    if change.how == "part" and change.part:
        fresh = change._replace(how="new")  # to those who read before it was there
    else:
        fresh = change
    for reader in keepers.get(change.object, ()):
        if not every.made[change.object] < reader.id < action.id:
            continue
        if reader.cell == action.cell or reader.id in action.sources:
            continue
        if change.how == "fit" and _fits_first(every, reader, change.object):
            continue
        for read in reader.reads:
            seen = fresh if reader.id < since else change
            if read.object == change.object and _overlaps(read, seen, kind, reader):
                if kind in ("frame", "estimator", "") and not _matters(
                    every, readers, action, change, reader
                ):
                    continue
                return reader, read
    return None


def _fits_first(every: Objects, reader: Action, model: int) -> bool:
    """The cell makes or fits the model before it asks it: it does so again when it runs again."""
    if every.actions[every.made[model]].cell == reader.cell:
        return True
    for before in reversed(every.actions[: reader.id + 1]):
        if before.cell != reader.cell:
            return False
        if any(touch.object == model and touch.how == "fit" for touch in before.changes):
            return True
        names = {read.name for read in before.reads if read.object == model}
        for inner in nodes(before.node):
            match inner:
                case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in names and attr in FITTING:
                    return True
    return False


def _overlaps(read: Touch, change: Touch, kind: str, reader: Action) -> bool:
    if change.how == "setting":  # of an estimator: a result that is there does not change by it
        return read.part == change.part or any(
            isinstance(node, ast.Attribute) and node.attr in FITTING for node in nodes(reader.node)
        )
    if change.how == "new" and not read.part:
        if kind == "frame" and _reads_shape(reader.node, read.name):
            return True
        return kind == "dict" or any(
            isinstance(node, ast.Attribute) and node.attr in SINKS for node in nodes(reader.node)
        )
    if change.how == "gone":  # `y = df["y"]`, then `del df["y"]`: the column moves out
        return not read.part or (read.part == change.part and not _takes(reader.node))
    if change.part and not read.part and kind in ("frame", "") and _counts(reader.node, read.name):
        return False
    return not read.part or not change.part or read.part == change.part


def _counts(node: ast.stmt, name: str) -> bool:
    """`len(df)`, `df.shape[0]` alone: how many rows there are, whatever is in them."""
    counted = 0
    for inner in nodes(node):
        match inner:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=own)]) if own == name:
                counted += 1
            case ast.Attribute(value=ast.Name(id=own), attr="shape" | "size") if own == name:
                counted += 1
    return 0 < counted == sum(isinstance(n, ast.Name) and n.id == name for n in nodes(node))


def _reads_shape(node: ast.stmt, name: str) -> bool:
    """`list(df.columns)`, `df.shape[1]`: which columns there are."""
    return any(
        isinstance(inner, ast.Attribute)
        and inner.attr in ("columns", "shape", "dtypes")
        and isinstance(inner.value, ast.Name)
        and inner.value.id == name
        for inner in nodes(node)
    )


def _takes(node: ast.stmt) -> bool:
    """`y = df["y"]`, `ids = df.id.values`: a column is taken out, and nothing is computed from it."""
    value = node.value if isinstance(node, ast.Assign) else None
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr not in ("copy", "astype", "to_numpy", "tolist", "ravel"):
            return False
        value = value.func.value
    return isinstance(value, (ast.Subscript, ast.Attribute, ast.Tuple))


def _matters(every: Objects, readers: Readers, action: Action, change: Touch, reader: Action) -> bool:
    """The earlier result is used later on, or nobody reads the changed object any more."""
    later = every.actions[action.id + 1 :]
    kept = set(reader.binds) | {c.name for c in reader.changes}
    for other in later:
        if other.node is action.node:
            continue
        if kept & other.names:
            return True
        kept -= other.binds
        if not kept:
            break
    beyond = (reader for reader in readers[change.object] if reader.id > action.id)
    return not any(other.cell != action.cell for other in beyond)
