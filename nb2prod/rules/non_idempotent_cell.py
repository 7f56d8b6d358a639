"""NBP111."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.changes import Cell, Known
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.program import Stmt
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Span


class NonIdempotentCell(Rule):
    """A cell makes a new value from its own earlier input under the same name, or changes that input in
    place.

    Why it matters: running the cell twice gives something else than running it once. In a notebook that
    happens by a second key press; in production a task that is retried corrupts the data.

    Instead: give the new value a new name, or begin the cell with the cell that makes the input.

    What a second run does not change is not reported: `df.dropna()`, `df[mask]`, `str.lower()`. The
    finding is an error where the counts show that something was run just before the cell and is not there
    any more.
    """

    code, name, severity = "NBP111", "non-idempotent-cell", Severity.WARNING
    fires = (
        "price = 100\n# %%\nprice = price * 1.1",
        "rows = []\n# %%\nrows.append(1)",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf['price'] = df['price'] * 2",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf = df.drop(columns='price')",
        "n = 0\n# %%\nfor i in range(3):\n    n += i",
        "rows = [1]\ndef grow(items):\n    items.append(1)\n# %%\ngrow(rows)",
        "rows = [1]\n# %%\nalso = rows\nalso.append(2)",
        "n = 0\ndef step():\n    global n\n    n += 1\n# %%\nstep()",
        "counts = {}\n# %%\ncounts['a'] = counts.get('a', 0) + 1",
        "rows = [1, 2]\n# %%\nlast = rows.pop()",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf.loc[len(df)] = [1, 2]",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf = df.rename(columns=lambda c: c + '_x')",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf['a'] = df['a'].replace({1: 2, 2: 3})",
        "class Cart:\n    def __init__(self):\n        self.items = []\n    def put(self, x):\n"
        "        self.items.append(x)\ncart = Cart()\n# %%\ncart.put(1)",
        "squares = (n * n for n in range(5))\n# %%\nrows = list(squares)",
        "from collections import Counter\nwords = Counter()\n# %%\nwords.update(['a'])",
        "rows = [{'n': 1}]\n# %%\nfor row in rows:\n    row['n'] += 1",
        "df = read_csv('a')\n# %%\ntop = df['a'].quantile(0.9)\ndf = df[df['a'] < top]",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf = df.groupby('k').sum().reset_index()",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf['k'] = df['k'].map(str)",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf = df.loc[:, 'b':'d']",
        "import pandas as pd\nt = pd.read_csv('a.csv')['k']\nle = LabelEncoder()\n# %%\n"
        "t = pd.Series(le.fit_transform(t))",
        "import numpy as np\nX = np.ones(3)\n# %%\nZ = X\nfor n in range(3):\n    Z = Z @ Z",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf['d'] = pd.to_datetime(df['d']).dt.date",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf['a'] = df['a'] / df['a'].max()",
        "text = 'A  b'\n# %%\ntext = ' '.join(text.lower().split())",
        "rows = [1]\n# %%\nrows.clear()\nrows.append(2)",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\ndf['g'] = df['g'].str.upper().astype('category')",
        "price = 100\n# %%\nnet = price * 1.1",
        "# %%\nrows = []\nrows.append(1)",
        "squares = [n * n for n in range(5)]\n# %%\nrows = list(squares)",
        "n = 5\n# %%\nwhile n % 4:\n    n += 1",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndef clean(t):\n    t = t.copy()\n"
        "    t['a'] = t['a'] + 1\n    return t\n# %%\nready = clean(df)",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\n# %%\ndf['a'] = df['a'].str.split().str[0]",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\ndf = df.dropna()\ndf['cost'] = df['price'] * 2",
        "import sys\n# %%\nsys.path.append('src')",
        "n = 1\ndef plus(n):\n    n += 1\n    return n\n# %%\nm = plus(n)",
        "rows = [1]\n# %%\nalso = list(rows)\nalso.append(2)",
        "rows = [1]\n# %%\nif 2 not in rows:\n    rows.append(2)",
        "options = {'a': 1}\n# %%\noptions = {**options, 'b': 2}",
        "options = {'a': 1}\n# %%\noptions = dict(sorted(options.items()))",
        "options = {'a': 1}\n# %%\noptions.pop('a', None)",
        "rows = [1]\ndef grown(items):\n    items = items + [1]\n    items.append(2)\n    return items\n"
        "# %%\nm = grown(rows)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        made: dict[str, Stmt] = {}
        known = Known()
        for cell, row in a.script.cells.items():
            steps = [step for step in row if isinstance(step, tuple)]
            look = Cell(made.keys(), known)
            reported: set[str] = set()
            for stmt, events in steps:
                for name, node in look.step(stmt.node, events):
                    if name not in reported:
                        reported.add(name)
                        origin = made[name].text.head(made[name].node)
                        yield self.one(a, cell, name, stmt.text.head(node), origin)
            for stmt, events in steps:
                if events.binds:
                    made |= dict.fromkeys(events.binds, stmt)

    def one(self, a: Analysis, cell: int, name: str, span: Span, origin: Span) -> Diagnostic:
        rerun = _just_missing(a, cell)
        labels = [
            Label(span, f"changes `{name}` each time it runs{a.ran(cell)}"),
            Label(origin, f"`{name}` comes from here{a.ran(origin.cell)}"),
        ]
        message = f"running this cell a second time changes `{name}` a second time"
        if rerun:
            message += ", and the counts show that something was run again"
        help = f"give the result a new name, or make `{name}` in this cell"
        return self.found(a, message, span, labels, help, Severity.ERROR if rerun else None)


def _just_missing(a: Analysis, cell: int) -> bool:
    """The execution just before this cell's own is not in the notebook."""
    run = a.notebook.cells[cell].run
    return bool(run and run > 1) and (run or 0) - 1 not in {other.run for other in a.notebook.code_cells()}
