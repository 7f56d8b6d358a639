"""NBP312."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import Called, arguments, calls
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity

NOW = "the clock"
CHANCE = "the operating system's entropy"
PROCESS = "the process or machine"
SOURCES = {
    "time.time": NOW,
    "time.time_ns": NOW,
    "time.ctime": NOW,
    "time.asctime": NOW,
    "time.localtime": NOW,
    "time.gmtime": NOW,
    "time.strftime": NOW,
    "datetime.datetime.now": NOW,
    "datetime.datetime.utcnow": NOW,
    "datetime.datetime.today": NOW,
    "datetime.date.today": NOW,
    "pandas.Timestamp.now": NOW,
    "pandas.Timestamp.today": NOW,
    "pandas.Timestamp.utcnow": NOW,
    "pandas.datetime.now": NOW,
    "pandas.datetime.today": NOW,
    "django.utils.timezone.now": NOW,
    "pendulum.now": NOW,
    "arrow.now": NOW,
    "arrow.utcnow": NOW,
    "uuid.uuid1": "the clock and the machine",
    "uuid.uuid4": CHANCE,
    "os.urandom": CHANCE,
    "os.getrandom": CHANCE,
    "random.SystemRandom": CHANCE,
    "secrets.SystemRandom": CHANCE,
    "secrets.choice": CHANCE,
    "secrets.randbelow": CHANCE,
    "secrets.randbits": CHANCE,
    "secrets.token_bytes": CHANCE,
    "secrets.token_hex": CHANCE,
    "secrets.token_urlsafe": CHANCE,
    "os.getpid": PROCESS,
    "threading.get_ident": PROCESS,
    "tempfile.mkdtemp": PROCESS,
    "tempfile.mkstemp": PROCESS,
    "tempfile.mktemp": PROCESS,
    "tempfile.gettempdir": PROCESS,
    "socket.gethostname": PROCESS,
    "platform.node": PROCESS,
    "builtins.id": "an address in memory",
    "builtins.hash": "a seed that differs in each process",
}
SHOWS = frozenset(
    [
        "print",
        "display",
        "info",
        "debug",
        "warning",
        "error",
        "log",
        "exception",
        "critical",
        "write",
        "set_title",
    ]
)
STRING_NOW = ("pandas.to_datetime", "pandas.Timestamp", "numpy.datetime64")


class WallClockDependence(Rule):
    """The time of day, a random identifier, or an address becomes a value: `now()`, `time()`, `uuid4()`,
    `os.urandom`, `hash(text)`.

    Why it matters: each run gives another value, and so another feature, file name or model. A failure of
    yesterday cannot be repeated today, and in production "today" is another day for every row.

    Instead: make it a parameter of the run, or derive it from the data (the newest date).

    Measuring how long something takes, and printing or logging the time, are fine. `hash` of numbers is too.
    """

    code, name, severity = "NBP312", "wall-clock-dependence", Severity.WARNING
    fires = (
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf['age'] = pd.Timestamp.now() - df['born']",
        "import pandas as pd\nage = pd.to_datetime('now') - pd.Timestamp('2000-01-01')",
        "from datetime import datetime\nnow = datetime.now()",
        "import uuid\nrun = str(uuid.uuid4())",
        "import pandas as pd\ntoday = pd.to_datetime('today')",
        "import time\nseed = int(time.time())",
        "key = hash('text')",
        "keys = {word: hash(word) % 10 for word in ['a', 'b']}",
        "import pandas as pd\nnow = pd.Timestamp.now()\nage = now - pd.Timestamp('2000-01-01')",
        "import os\nsalt = os.urandom(4)",
    )
    silent = (
        "import time\nstart = time.time()\n# %%\nprint(time.time() - start)",
        "import time\nstart = time.time()\n# %%\nseconds = time.time() - start",
        "from datetime import datetime\nprint(datetime.now())",
        "import datetime\nday = datetime.date(2024, 1, 1)",
        "import uuid\nname = uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
        "import time\nt0 = time.perf_counter()",
        "import pandas as pd\nday = pd.to_datetime('2024-01-01')",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seen: set[tuple[int, str]] = set()
        every = a.once(calls)
        if every.apis.isdisjoint(SOURCES) and every.apis.isdisjoint(STRING_NOW):
            return
        for call in every:
            source = _source(call)
            if call.api == "builtins.hash" and not _hashes_text(call):
                source = ""
            if not source or (call.stmt.cell, call.api) in seen:
                continue
            if source == NOW and _is_timing(a, call):
                continue
            if _is_shown(call.stmt.node, call.node):
                continue
            seen.add((call.stmt.cell, call.api))
            span = call.stmt.text.span(call.node)
            message = f"`{call.name}` gives another value in each run"
            labels = [Label(span, f"taken from {source}")]
            yield self.found(a, message, span, labels, "make it a parameter, or derive it from the data")


def _source(call: Called) -> str:
    if call.api not in SOURCES and call.api not in STRING_NOW:
        return ""
    given = arguments(call.node)
    if call.api in STRING_NOW:
        return NOW if given.get("0") in ("now", "today") else ""
    if call.api in ("time.localtime", "time.gmtime", "time.ctime") and given:
        return ""
    if call.api in ("time.strftime", "time.asctime") and len(call.node.args) > 1:
        return ""
    if call.api == "builtins.id" and call.function is not None:
        return ""
    return SOURCES.get(call.api, "")


def _hashes_text(call: Called) -> bool:
    """Its argument is a text: a literal, what makes one, or what goes through a list of them."""
    match call.node.args:
        case [ast.Name(id=name)]:
            pairs = [
                (n.target, n.iter)
                for n in nodes(call.stmt.node)
                if isinstance(n, (ast.For, ast.comprehension))
            ]
            return any(isinstance(t, ast.Name) and t.id == name and _are_texts(made) for t, made in pairs)
        case [ast.Constant(value=str() | bytes()) | ast.JoinedStr()]:
            return True
        case [ast.Call(func=ast.Name(id="str" | "repr") | ast.Attribute(attr="lower" | "strip" | "join"))]:
            return True
    return False


def _are_texts(node: ast.expr) -> bool:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return bool(parts) and all(isinstance(getattr(part, "value", None), str) for part in parts)
        case ast.Call(func=ast.Attribute(attr="split" | "splitlines")):
            return True
    return False


def _is_clock(node: ast.expr) -> bool:
    """An earlier time by its name, or another reading; a column or a fixed date makes it an age."""
    match node:
        case ast.Name() | ast.Attribute(value=ast.Name(id="self")) | ast.Call(args=[], keywords=[]):
            return True
    return False


def _is_timing(a: Analysis, call: Called) -> bool:
    """It stands in a difference, or the name that it is given to is only read in differences."""
    node = call.stmt.node
    if any(
        isinstance(inner, ast.BinOp)
        and isinstance(inner.op, ast.Sub)
        and call.node in (inner.left, inner.right)
        and _is_clock(inner.right if call.node is inner.left else inner.left)
        for inner in nodes(node)
    ):
        return True
    targets = {
        target.id
        for inner in nodes(node)
        if isinstance(inner, ast.Assign) and any(n is call.node for n in nodes(inner.value))
        for target in inner.targets
        if isinstance(target, ast.Name)
    }
    return bool(targets) and all(_only_subtracted(a, name) for name in targets)


def _only_subtracted(a: Analysis, name: str) -> bool:
    """The name is read, and always beside a minus or to be shown."""
    reads = subtracted = 0
    for stmt, events in a.script.stmts():
        if name not in stmt.text.code:
            continue
        every = [*events.events, *(e for f in events.functions for e in f.every_event())]
        own = [e.node for e in every if e.kind == "read" and e.name == name]
        if not own:
            continue
        timed = {
            id(side)
            for inner in nodes(stmt.node)
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub)
            for side, other in ((inner.left, inner.right), (inner.right, inner.left))
            if _is_clock(other)
        }
        reads += len(own)
        subtracted += sum(id(node) in timed or _is_shown(stmt.node, node) for node in own)
    return reads > 0 and reads == subtracted


def _is_shown(stmt: ast.stmt, node: ast.AST) -> bool:
    """It only goes into a print, a log or the output of the cell."""
    if isinstance(stmt, ast.Expr) and stmt.value is node:
        return True
    for inner in nodes(stmt):
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            function = inner.value.func
            name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            if name in SHOWS and any(part is node for part in nodes(inner.value)):
                return True
    return False
