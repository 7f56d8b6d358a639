"""NBP310."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nb2prod import knowledge
from nb2prod.analysis.calls import Called, arguments, calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.knowledge import Fact
from nb2prod.rules import Analysis, Edit, Fix, Label, Rule, Severity
from nb2prod.source import Span

TORCH = re.compile(
    r"torch\.(?:rand|randn|randint|randperm|normal|bernoulli|multinomial|rand_like|randn_like|randint_like)"
)
TENSORFLOW = re.compile(
    r"tensorflow\.(?:compat\.v1\.)?random\.(?!set_seed|Generator|get_|experimental|stateless)\w+"
)
BITS = re.compile(r"numpy\.random\.(?:PCG64\w*|MT19937|Philox|SFC64|SeedSequence)")
STREAMS = {
    "torch": ("PyTorch's global random state", "call `torch.manual_seed(...)` in the first cell"),
    "tensorflow": ("TensorFlow's global random state", "call `tf.random.set_seed(...)` in the first cell"),
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


SEEDED_BY = {"torch": {"torch"}, "tensorflow": {"tensorflow"}}


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
        "import numpy as np\nr = np.random\nx = r.choice(9)",
        "from scipy import stats\nx = stats.bernoulli(0.5).rvs(40)",
        "import numpy as np\nx = np.random.default_rng(np.random.SeedSequence()).random()",
    )
    silent = (
        "import numpy as np\nnp.random.seed(0)\n# %%\nx = np.random.rand(3)",
        "from sklearn.model_selection import train_test_split\ntrain_test_split([1], [2], random_state=0)",
        "import numpy as np\nrng = np.random.default_rng(seed=0)\nrng.normal()",
        "from sklearn.linear_model import LinearRegression\nLinearRegression()",
        "import numpy as np\nnp.random.seed(0)\nfrom sklearn.cluster import KMeans\nKMeans()",
        "import pandas as pd\npd.DataFrame().sample(3, random_state=1)",
        "import random\nr = random.Random(3)\nx = r.sample(range(9), 3)",
        "import numpy as np\nx = np.random.default_rng(np.random.SeedSequence(5)).random()",
        "from scipy import stats\nx = stats.bernoulli(0.5).rvs(40, random_state=1)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seeded: set[str] = set()
        seen: set[tuple[int, str]] = set()
        for call in a.once(calls):
            api, fact = _fact(call, a.notebook.facts)
            if fact is None and "seed" in call.name:  # set_seed, seed_everything, manual_seed
                seeded |= SEEDED_BY.get(call.api.partition(".")[0], STREAMS.keys())
            stream = (_draws(api, fact, call.node, seeded) if fact is not None else "") or _other(
                call, seeded
            )
            if stream and (call.stmt.cell, api) not in seen:
                seen.add((call.stmt.cell, api))
                span = call.stmt.text.span(call.node)
                source, help = STREAMS[stream]
                labels = [Label(span, f"draws from {source}")]
                yield self.found(
                    a, f"`{api.rpartition('.')[2]}` is not seeded", span, labels, help, fix=_fix(call, stream)
                )


def _fix(call: Called, stream: str) -> Fix | None:
    """A seed among the arguments: `random_state=0` of an estimator, the only argument of a generator."""
    node, text = call.node, call.stmt.text
    generator = stream == "entropy" and call.name in ("default_rng", "RandomState", "Random")
    if stream != "estimator" and not generator:
        return None
    if any(isinstance(argument, (ast.Starred, ast.GeneratorExp)) for argument in node.args):
        return None
    every: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    if (generator and every) or any(keyword.arg in ("random_state", "seed") for keyword in node.keywords):
        return None
    if every:
        last = max((text.span(argument) for argument in every), key=lambda s: (s.end_line, s.end_column))
        place = Span(last.cell, last.end_line, last.end_column, last.end_line, last.end_column)
        return Fix("seed it", True, (Edit(place, ", random_state=0"),))
    whole = text.span(node)
    place = Span(whole.cell, whole.end_line, whole.end_column - 1, whole.end_line, whole.end_column - 1)
    return Fix("seed it", True, (Edit(place, "0" if generator else "random_state=0"),))


def _fact(call: Called, extra: tuple[Path, ...]) -> tuple[str, Fact | None]:
    """The public name of what is called, and what is known about it."""
    if call.api and not call.api.startswith("builtins."):
        return call.api, _known(call.api, tuple(arguments(call.node).items()), extra)
    if call.name == "sample" and isinstance(call.node.func, ast.Attribute):
        given = arguments(call.node)
        if {"frac", "n", "0"} & set(given) and len(call.node.args) < 2:  # not rng.sample(rows, 3)
            return "DataFrame.sample", knowledge.lookup("pandas.DataFrame.sample", given)
    return call.name, None


@cache
def _known(api: str, given: tuple[tuple[str, object], ...], extra: tuple[Path, ...]) -> Fact | None:
    return knowledge.lookup(api, dict(given), extra)


def _other(call: Called, seeded: set[str]) -> str:
    """The stream of calls that the knowledge base has no facts about."""
    if TORCH.fullmatch(call.api):
        has_own = any(keyword.arg == "generator" for keyword in call.node.keywords)
        return "" if has_own or "torch" in seeded else "torch"
    if TENSORFLOW.fullmatch(call.api):
        has_own = any(keyword.arg == "seed" for keyword in call.node.keywords)
        return "" if has_own or "tensorflow" in seeded else "tensorflow"
    if call.name == "rvs" and not call.api:  # of a distribution: stats.norm(0, 1).rvs(9)
        has_own = any(keyword.arg == "random_state" for keyword in call.node.keywords)
        return "" if has_own or "numpy" in seeded else "numpy"
    return "entropy" if BITS.fullmatch(call.api) and not (call.node.args or call.node.keywords) else ""


def _draws(api: str, fact: Fact, node: ast.Call, seeded: set[str]) -> str:
    """The stream that a call takes unseeded numbers from, or nothing; a call that seeds is remembered."""
    given = arguments(node)
    if fact.effect == "seeds":
        if given.get("0", given.get("seed", given.get("a"))) is not None:
            seeded.add(fact.random)
        return ""
    if any(keyword.arg is None for keyword in node.keywords):
        return ""  # **options may hold the seed
    match fact.random:
        case "estimator":
            if api.endswith(".PCA") and "svd_solver" not in given:
                return ""  # by default it draws for very large data only
            seed = given.get("random_state", given.get("seed"))
            return "" if seed is not None or "numpy" in seeded else "estimator"
        case "numpy" | "python":
            return "" if fact.random in seeded else fact.random
        case "entropy":
            return "entropy" if "random" in api else ""
    return ""
