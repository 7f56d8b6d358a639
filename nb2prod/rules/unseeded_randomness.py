"""NBP310."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from nb2prod import knowledge
from nb2prod.analysis.events import Event
from nb2prod.analysis.values import imported
from nb2prod.diagnostics import Diagnostic
from nb2prod.knowledge import GIVEN, Fact
from nb2prod.rules import Analysis, Label, Rule, Severity

STREAMS = {
    "numpy": (
        "NumPy's global random state",
        "call `np.random.seed(...)` in the first cell, or draw from a seeded Generator",
    ),
    "python": (
        "Python's global random state",
        "call `random.seed(...)` in the first cell, or draw from `random.Random(...)`",
    ),
    "estimator": ("NumPy's global random state", "pass `random_state=...`"),
    "entropy": ("fresh entropy", "pass a seed"),
}


class UnseededRandomness(Rule):
    """Random numbers are drawn without a seed: from a global stream that nothing seeded before, by an
    estimator or a split without `random_state`, or from a generator that was made without a seed.

    Why it matters: two runs of the notebook give two models.  Nobody can tell a change of the code from
    chance, and a failure cannot be repeated.

    Instead: pass `random_state=`, or seed the stream in the first cell.

    After `np.random.seed(...)`, scikit-learn draws from that stream, and nothing is reported.  The libraries
    known are those of nb2prod's knowledge base.
    """

    code, name, severity = "NBP310", "unseeded-randomness", Severity.WARNING
    fires = (
        "import numpy as np\nx = np.random.rand(3)",
        "import random\nrandom.shuffle([1, 2])",
        "from sklearn.model_selection import train_test_split\ntrain_test_split([1], [2])",
        "from sklearn.ensemble import RandomForestClassifier as RF\nmodel = RF(n_estimators=5)",
        "import numpy as np\nrng = np.random.default_rng()",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf = df.sample(frac=1)",
    )
    silent = (
        "import numpy as np\nnp.random.seed(0)\n# %%\nx = np.random.rand(3)",
        "from sklearn.model_selection import train_test_split\ntrain_test_split([1], [2], random_state=0)",
        "import numpy as np\nrng = np.random.default_rng(seed=0)\nrng.normal()",
        "from sklearn.linear_model import LinearRegression\nLinearRegression()",
        "import numpy as np\nnp.random.seed(0)\nfrom sklearn.cluster import KMeans\nKMeans()",
        "import pandas as pd\npd.DataFrame().sample(3, random_state=1)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        paths: dict[str, str] = {}
        seeded: set[str] = set()
        seen: set[tuple[int, str]] = set()
        for stmt, found in a.script.stmts():
            for event in [*found.events, *[e for f in found.functions for e in f.every_event()]]:
                if event.kind == "bind":
                    _follow_import(event, paths)
                if event.kind != "call" or not isinstance(event.node, ast.Call):
                    continue
                api, fact = _fact(event.node, paths, a.notebook.facts)
                if fact is None:
                    if "seed" in api.rpartition(".")[2]:  # set_seed, seed_everything
                        seeded |= {"numpy", "python"}
                    continue
                stream = _draws(api, fact, event.node, seeded)
                if stream and (stmt.cell, api) not in seen:
                    seen.add((stmt.cell, api))
                    span = stmt.text.span(event.node)
                    source, help = STREAMS[stream]
                    labels = [Label(span, f"draws from {source}")]
                    yield self.found(a, f"`{api.rpartition('.')[2]}` is not seeded", span, labels, help)


def _follow_import(event: Event, paths: dict[str, str]) -> None:
    """Remembers what a name was imported as; any other binding forgets it."""
    module = imported(event.node, event.name)
    if module:
        paths[event.name] = module
    else:
        paths.pop(event.name, None)


def _fact(node: ast.Call, paths: dict[str, str], extra: tuple[Path, ...]) -> tuple[str, Fact | None]:
    """The public name of what is called, and what is known about it."""
    arguments = _arguments(node)
    api = _path(node.func, paths)
    root = api.partition(".")[0]
    if root and api != root:
        return api, knowledge.lookup(api, arguments, extra)
    if (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "sample"
        and {"frac", "n", "0"} & set(arguments)
    ):
        return "DataFrame.sample", knowledge.lookup("pandas.DataFrame.sample", arguments)
    return node.func.id if isinstance(node.func, ast.Name) else "", None


def _path(node: ast.expr, paths: dict[str, str]) -> str:
    """`np.random.rand` -> "numpy.random.rand"; empty where the root is no import."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in paths:
        return ""
    return ".".join([paths[node.id], *reversed(names)])


def _arguments(node: ast.Call) -> dict[str, object]:
    every = [(str(position), value) for position, value in enumerate(node.args)]
    every += [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg]
    return {name: value.value if isinstance(value, ast.Constant) else GIVEN for name, value in every}


def _draws(api: str, fact: Fact, node: ast.Call, seeded: set[str]) -> str:
    """The stream that a call takes unseeded numbers from, or nothing; a call that seeds is remembered."""
    arguments = _arguments(node)
    if fact.effect == "seeds":
        if arguments.get("0", arguments.get("seed", arguments.get("a"))) is not None:
            seeded.add(fact.random)
        return ""
    if any(keyword.arg is None for keyword in node.keywords):
        return ""  # **options may hold the seed
    match fact.random:
        case "estimator":
            if api.endswith(".PCA") and "svd_solver" not in arguments:
                return ""  # by default it draws for very large data only
            given = arguments.get("random_state", arguments.get("seed"))
            return "" if given is not None or "numpy" in seeded else "estimator"
        case "numpy" | "python":
            return "" if fact.random in seeded else fact.random
        case "entropy":
            return "entropy" if "random" in api else ""
    return ""
