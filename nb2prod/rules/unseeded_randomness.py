"""NBP310."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nb2prod import knowledge
from nb2prod.analysis.calls import Called, arguments, calls
from nb2prod.analysis.nodes import inner_calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.knowledge import Fact
from nb2prod.rules import Analysis, Edit, Fix, Label, Rule, Severity
from nb2prod.source import Span

TORCH = re.compile(
    r"torch\.(?:rand|randn|randint|randperm|normal|bernoulli|multinomial|rand_like|randn_like|randint_like"
    r"|utils\.data\.(?:random_split|RandomSampler|WeightedRandomSampler|SubsetRandomSampler)"
    r"|nn\.init\.(?:uniform_|normal_|trunc_normal_|xavier_\w+|kaiming_\w+|orthogonal_|sparse_)"
    # layers begin with random weights
    r"|nn\.(?:(?:Lazy)?(?:Linear|Conv\w+)|Bilinear|Embedding\w*|RNN\w*|LSTM\w*|GRU\w*|MultiheadAttention"
    r"|Transformer\w*))"
)
KERAS = re.compile(
    r"(?:tensorflow\.)?keras\.layers\.(?:Dense|(?:Separable|Depthwise)?Conv\w+|LSTM\w*|GRU\w*|SimpleRNN\w*"
    r"|Embedding|\w*Attention|Dropout|SpatialDropout\w*|GaussianNoise|Random\w+)"
)
TENSORFLOW = re.compile(
    r"tensorflow\.(?:compat\.v1\.)?random\.(?!set_seed|Generator|get_|experimental|stateless)\w+"
)
BITS = re.compile(r"numpy\.random\.(?:PCG64\w*|MT19937|Philox|SFC64|SeedSequence)")
_DRAWING = re.compile(r"seed|sample$|rvs$")  # what tells by its name alone
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


FOR_LARGE = (
    ".PCA", ".QuantileTransformer", ".KBinsDiscretizer", ".HistGradientBoostingClassifier",
    ".HistGradientBoostingRegressor",
)  # fmt: skip
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
        "import torch.nn as nn\nnet = nn.Sequential(nn.Linear(3, 1), nn.ReLU())",
        "from torch.utils.data import DataLoader\nd = DataLoader([1, 2], shuffle=True)",
        "import tensorflow as tf\nm = tf.keras.Sequential([tf.keras.layers.Dense(3)])",
        "from sklearn.model_selection import train_test_split\ntrain_test_split([1], [2])",
        "from sklearn.ensemble import RandomForestClassifier as RF\nmodel = RF(n_estimators=5)",
        "import numpy as np\nrng = np.random.default_rng()",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf = df.sample(frac=1)",
        "import numpy as np\nr = np.random\nx = r.choice(9)",
        "from scipy import stats\nx = stats.bernoulli(0.5).rvs(40)",
        "import numpy as np\nx = np.random.default_rng(np.random.SeedSequence()).random()",
        "from sklearn.model_selection import train_test_split\nsplit = dict(test_size=0.2)\n"
        "a, b = train_test_split([1, 2], **split)",
        "from sklearn.model_selection import train_test_split\ndef cut(rows, seed=None):\n"
        "    return train_test_split(rows, random_state=seed)\na, b = cut([1, 2])",
        "from sklearn.model_selection import train_test_split\nSEED = None\n"
        "a, b = train_test_split([1, 2], random_state=SEED)",
        "import numpy as np\ndef noise():\n    return np.random.rand(3)\nx = noise()\nnp.random.seed(1)",
    )
    silent = (
        "import torch\nimport torch.nn as nn\ntorch.manual_seed(0)\n# %%\nnet = nn.Linear(3, 1)",
        "from tensorflow import keras\nkeras.utils.set_random_seed(1)\nm = keras.layers.Dense(3)",
        "from torch.utils.data import DataLoader\nd = DataLoader([1, 2], batch_size=2)",
        "import numpy as np\nnp.random.seed(0)\n# %%\nx = np.random.rand(3)",
        "from sklearn.model_selection import train_test_split\ntrain_test_split([1], [2], random_state=0)",
        "import numpy as np\nrng = np.random.default_rng(seed=0)\nrng.normal()",
        "from sklearn.linear_model import LinearRegression\nLinearRegression()",
        "import numpy as np\nnp.random.seed(0)\nfrom sklearn.cluster import KMeans\nKMeans()",
        "import pandas as pd\npd.DataFrame().sample(3, random_state=1)",
        "import random\nr = random.Random(3)\nx = r.sample(range(9), 3)",
        "from sklearn.ensemble import RandomForestClassifier as RF\nm = RF()\nm.random_state = 5",
        "from sklearn.ensemble import RandomForestClassifier\n"
        "m = RandomForestClassifier().set_params(random_state=3)",
        "import numpy as np\nx = np.random.default_rng(np.random.SeedSequence(5)).random()",
        "from scipy import stats\nx = stats.bernoulli(0.5).rvs(40, random_state=1)",
        "import numpy as np\ndef noise():\n    return np.random.rand(3)\nnp.random.seed(1)\nx = noise()",
        "from sklearn.model_selection import train_test_split\nsplit = {'test_size': 0.2}\n"
        "split['random_state'] = 1\na, b = train_test_split([1, 2], **split)",
        "from sklearn.preprocessing import QuantileTransformer\nq = QuantileTransformer()",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seeded: set[str] = set()
        later: _Later | None = None
        seen: set[tuple[int, str]] = set()
        for call in _as_they_run(a.once(calls)):
            if (not call.api or call.api.startswith("builtins.")) and not _DRAWING.search(call.name):
                continue  # a method of something unknown: most calls
            if not _may_draw(call, a.notebook.facts):
                continue
            later = later or _Later(a)
            api, fact = _fact(call, a.notebook.facts)
            if fact is None and "seed" in call.name:  # set_seed, seed_everything, manual_seed
                seeded |= SEEDED_BY.get(call.api.partition(".")[0], STREAMS.keys())
            stream = (_draws(api, fact, call.node, seeded, later) if fact is not None else "") or _other(
                call, seeded
            )
            if fact is not None and "numpy" not in seeded and later.forgotten(call):
                stream = fact.random
            if stream == "estimator" and later.sets(call):
                continue
            if stream and (call.stmt.cell, api) not in seen:
                seen.add((call.stmt.cell, api))
                span = call.stmt.text.span(call.node)
                source, help = STREAMS[stream]
                labels = [Label(span, f"draws from {source}")]
                yield self.found(
                    a, f"`{api.rpartition('.')[2]}` is not seeded", span, labels, help, fix=_fix(call, stream)
                )


def _may_draw(call: Called, extra: tuple[Path, ...]) -> bool:
    """Whether a call is worth a look: it may draw, or seed, by its name or by what is known of it."""
    if _DRAWING.search(call.name) or _is_other(call.api):
        return True
    return bool(call.api) and not call.api.startswith("builtins.") and knowledge.may_draw(call.api, extra)


@cache
def _is_other(api: str) -> bool:
    """`_other` has an answer for it."""
    patterns = (TORCH, TENSORFLOW, KERAS, BITS)
    return api == "torch.utils.data.DataLoader" or any(pattern.fullmatch(api) for pattern in patterns)


def _as_they_run(every: tuple[Called, ...]) -> Iterator[Called]:
    """The calls in the order in which they happen: a function's where it is called first, else at the end."""
    bodies: dict[str, list[Called]] = {}
    for call in every:
        if call.function is not None:
            bodies.setdefault(call.function.name.rpartition(".")[2], []).append(call)

    for call in every:
        if call.function is not None:
            continue
        running = [(iter(bodies.pop(call.name, ())), call)]
        while running:
            inner = next(running[-1][0], None)
            if inner is None:
                yield running.pop()[1]
            elif inner.name in bodies:
                running.append((iter(bodies.pop(inner.name)), inner))
            else:
                yield inner
    for name in list(bodies):
        yield from bodies.pop(name, ())


class _Later:
    """Seeds that do not stand in the call: `m.random_state = 1`, `**options`, a parameter of a function."""

    def __init__(self, a: Analysis) -> None:
        self.calls = a.once(calls)
        self.names: set[str] = set()  # of models that get their seed afterwards
        self.inside: set[int] = set()  # calls whose result gets it at once
        self.options: dict[str, set[str]] = {}  # the keys of dicts
        self.nothing: set[str] = set()  # names of None
        for stmt, _ in a.script.stmts():
            if stmt.node.__class__ is not ast.Assign:
                continue
            match stmt.node:
                case ast.Assign(
                    targets=[ast.Attribute(value=ast.Name(id=name), attr="random_state" | "seed")]
                ):
                    self.names.add(name)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=None)):
                    self.nothing.add(name)
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key))]
                ):
                    self.options.setdefault(name, set()).add(str(key))
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)):
                    self.options[name] = {str(k.value) if isinstance(k, ast.Constant) else "" for k in keys}
                case ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="dict"), keywords=given)
                ):
                    self.options[name] = {keyword.arg or "" for keyword in given}
        for call in self.calls:
            if call.name == "set_params" and _seeds(call.node) and isinstance(call.node.func, ast.Attribute):
                owner = call.node.func.value
                self.names |= {owner.id} if isinstance(owner, ast.Name) else set()
                self.inside |= {id(inner) for inner in inner_calls(owner)}

    def sets(self, call: Called) -> bool:
        """The model gets its seed after it was made."""
        node = call.stmt.node
        targets = node.targets if isinstance(node, ast.Assign) else []
        return id(call.node) in self.inside or any(getattr(t, "id", "") in self.names for t in targets)

    def may_seed(self, options: ast.expr) -> bool:
        keys = self.options.get(options.id) if isinstance(options, ast.Name) else None
        return keys is None or bool(keys & {"random_state", "seed", ""})

    def forgotten(self, call: Called) -> bool:
        """The seed is a parameter that is None unless given, and a call of the function does not give it."""
        value = next((k.value for k in call.node.keywords if k.arg in ("random_state", "seed")), None)
        if call.function is None and isinstance(value, ast.Name) and value.id in self.nothing:
            return True
        if call.function is None or not isinstance(value, ast.Name):
            return False
        given = call.function.node.args
        defaults = dict(zip([a.arg for a in given.args[::-1]], given.defaults[::-1], strict=False))
        default = defaults.get(value.id)
        if not isinstance(default, ast.Constant) or default.value is not None:
            return False
        place = [a.arg for a in given.args].index(value.id)
        return any(
            other.name == call.function.name
            and len(other.node.args) <= place
            and not any(k.arg in (value.id, None) for k in other.node.keywords)
            for other in self.calls
        )


def _seeds(node: ast.Call) -> bool:
    return any((keyword.arg or "").endswith("random_state") for keyword in node.keywords)


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
    if call.api == "torch.utils.data.DataLoader" and arguments(call.node).get("shuffle") is True:
        return "" if "generator" in arguments(call.node) or "torch" in seeded else "torch"
    if TENSORFLOW.fullmatch(call.api) or KERAS.fullmatch(call.api):
        has_own = any(keyword.arg == "seed" for keyword in call.node.keywords)
        return "" if has_own or "tensorflow" in seeded else "tensorflow"
    if call.name == "rvs" and not call.api:  # of a distribution: stats.norm(0, 1).rvs(9)
        has_own = any(keyword.arg == "random_state" for keyword in call.node.keywords)
        return "" if has_own or "numpy" in seeded else "numpy"
    return "entropy" if BITS.fullmatch(call.api) and not (call.node.args or call.node.keywords) else ""


def _draws(api: str, fact: Fact, node: ast.Call, seeded: set[str], later: _Later) -> str:
    """The stream that a call takes unseeded numbers from, or nothing; a call that seeds is remembered."""
    given = arguments(node)
    if fact.effect == "seeds":
        if given.get("0", given.get("seed", given.get("a"))) is not None:
            every = api.endswith("keras.utils.set_random_seed")  # Python's and NumPy's too
            seeded.update(STREAMS if every else {fact.random})
        return ""
    if any(keyword.arg is None and later.may_seed(keyword.value) for keyword in node.keywords):
        return ""  # **options may hold the seed
    match fact.random:
        case "estimator":
            if api.endswith(FOR_LARGE) and not given.keys() & {"svd_solver", "early_stopping"}:
                return ""  # by default it draws for very large data only
            seed = given.get("random_state", given.get("seed"))
            return "" if seed is not None or "numpy" in seeded else "estimator"
        case "numpy" | "python":
            return "" if fact.random in seeded else fact.random
        case "entropy":
            return "entropy" if "random" in api else ""
    return ""
