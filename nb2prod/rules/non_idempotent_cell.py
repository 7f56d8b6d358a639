"""NBP111."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nb2prod.analysis.events import root
from nb2prod.analysis.nodes import children, inner_calls, nodes
from nb2prod.analysis.rerun import mentions, settled, settled_method, spelled
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.program import Stmt
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import Span

GROWS = (
    "append",
    "appendleft",
    "extend",
    "insert",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "rotate",
)


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
    )
    silent = (
        "price = 100\n# %%\nnet = price * 1.1",
        "# %%\nrows = []\nrows.append(1)",
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
        functions: dict[str, Changes] = {}
        for cell, row in a.script.cells.items():
            stmts = [step[0] for step in row if isinstance(step, tuple)]
            look = _Cell(set(made), functions)
            reported: set[str] = set()
            for stmt in stmts:
                for name, node in look.statement(stmt.node):
                    if name not in reported:
                        reported.add(name)
                        origin = made[name].text.head(made[name].node)
                        yield self.one(a, cell, name, stmt.text.head(node), origin)
            for step in row:
                if isinstance(step, tuple):
                    made |= dict.fromkeys(step[1].names("bind"), step[0])

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


@dataclass(frozen=True, slots=True)
class Changes:
    """What each call of a function changes again: some of its parameters, and variables of the notebook."""

    params: tuple[str, ...]
    names: frozenset[str]


class _Cell:
    """Follows one cell: `outside` are the names that it has from other cells."""

    def __init__(self, outside: set[str], functions: dict[str, Changes]) -> None:
        self.outside = outside
        self.functions = functions
        self.own: set[str] = set()  # names and parts that this cell has made anew
        self.alias: dict[str, str] = {}  # second names of what it has from outside

    def statement(self, node: ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        """The changes that would happen again: the name, and where."""
        if self.functions or self.outside or self.alias:  # else nothing is there to be changed
            yield from self.calls(node)
        match node:
            case ast.Assign():
                for target in node.targets:
                    yield from self.assign(target, node.value)
            case ast.AnnAssign(value=ast.expr() as value):
                yield from self.assign(node.target, value)
            case ast.AugAssign(op=op):
                if self.is_input(node.target) and not isinstance(op, (ast.BitOr, ast.BitAnd)):
                    yield self.origin(node.target), node
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Subscript) and self.is_input(target):
                        yield self.origin(target), node
            case ast.Expr(value=ast.Call() as call):
                yield from self.call(call)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.own.add(node.name)
                self.functions[node.name] = _changes(node, self.functions)
            case ast.ClassDef():
                self.own.add(node.name)
            case ast.Import() | ast.ImportFrom():
                self.own |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            case _:
                yield from self.block(node)

    def calls(self, node: ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        """Functions of the notebook that change what they are given, and `next(rows)`."""
        for call in _own_calls(node):
            if not isinstance(call.func, ast.Name):
                if _takes_away(call) and self.is_input(call.func.value):  # type: ignore[attr-defined]
                    yield self.origin(call.func.value), call  # type: ignore[attr-defined]
                continue
            known = self.functions.get(call.func.id)
            given = dict(zip(known.params, call.args, strict=False)) if known else {}
            if call.func.id == "next" and call.args:
                known, given = Changes(("rows",), frozenset(["rows"])), {"rows": call.args[0]}
            for name in sorted(known.names) if known else ():
                value = given.get(name) if known and name in known.params else ast.Name(id=name)
                if isinstance(value, ast.Name) and self.is_input(value):
                    yield self.origin(value), call

    def origin(self, node: ast.AST) -> str:
        name = root(node)
        return self.alias.get(name, name)

    def block(self, node: ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.own |= {inner.id for inner in nodes(node.target) if isinstance(inner, ast.Name)}
        guarded = _absent_first(node)
        for child in children(node):
            if isinstance(child, ast.stmt):
                yield from (c for c in self.statement(child) if c[0] != guarded)
            elif isinstance(child, ast.withitem) and isinstance(child.optional_vars, ast.Name):
                self.own.add(child.optional_vars.id)
            elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
                for inner in child.body:
                    yield from self.statement(inner)

    def assign(self, target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        for part in parts:
            part = part.value if isinstance(part, ast.Starred) else part
            old = spelled(part)
            again = self.is_input(part) and mentions(value, old)
            if (again and (len(parts) > 1 or not settled(value, old))) or self.adds_row(part):
                yield self.origin(part), part
            if not again:
                self.own.add(old)
                self.alias.pop(old, None)
                if isinstance(part, ast.Name) and isinstance(value, ast.Name) and self.is_input(value):
                    self.alias[part.id] = self.origin(value)

    def adds_row(self, target: ast.expr) -> bool:
        """`df.loc[len(df)] = ...`: one more row in each run."""
        match target:
            case ast.Subscript(slice=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)])):
                return name == root(target) and self.is_input(target)
        return False

    def call(self, node: ast.Call) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        """`rows.append(1)`, `df.drop(..., inplace=True)`, `random.shuffle(rows)`."""
        if not isinstance(node.func, ast.Attribute):
            return
        owner, name = node.func.value, node.func.attr
        inplace = any(k.arg == "inplace" and getattr(k.value, "value", False) is True for k in node.keywords)
        with_default = name == "pop" and len(node.args) > 1
        if (name in GROWS and isinstance(owner, ast.Name) and self.is_input(owner) and not with_default) or (
            inplace and self.is_input(owner) and not settled_method(node)
        ):
            yield self.origin(owner), node
        elif name == "shuffle" and len(node.args) == 1 and self.is_input(node.args[0]):
            yield self.origin(node.args[0]), node

    def is_input(self, node: ast.expr) -> bool:
        """The value comes from another cell, and so does this part of it."""
        name = root(node)
        if name in self.alias:
            return spelled(node) == name or spelled(node) not in self.own
        return name in self.outside and name not in self.own and spelled(node) not in self.own


def _changes(node: ast.FunctionDef | ast.AsyncFunctionDef, known: dict[str, Changes]) -> Changes:
    """What a function does, by its body: its parameters and the notebook's variables are its inputs."""
    params = tuple(a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])
    shared = {name for s in nodes(node) if isinstance(s, ast.Global) for name in s.names}
    stored = {n.id for n in nodes(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    read = {n.id for n in nodes(node) if isinstance(n, ast.Name)} - stored
    look = _Cell(read | set(params) | shared, dict(known))
    changed: set[str] = set()
    for stmt in node.body:
        for name, where in look.statement(stmt):
            rebinds = isinstance(where, ast.Name) or (
                isinstance(where, ast.AugAssign) and isinstance(where.target, ast.Name)
            )
            if not rebinds or name in shared:
                changed.add(name)
            if rebinds and name not in shared:
                look.own.add(name)
    return Changes(params, frozenset(changed))


def _own_calls(node: ast.stmt) -> list[ast.Call]:
    """The calls of a statement that is no block; the blocks' statements have theirs."""
    simple = isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return))
    return inner_calls(node) if simple else []


def _takes_away(node: ast.Call) -> bool:
    """`last = rows.pop()`; a default makes the second call harmless."""
    return (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.attr in ("pop", "popitem", "popleft")
        and len(node.args) < 2
    )


def _absent_first(node: ast.stmt) -> str:
    """`if key not in seen:` changes `seen` in the first run only."""
    match node:
        case ast.If(test=ast.Compare(ops=[ast.NotIn()], comparators=[ast.Name(id=name)]), orelse=[]):
            return name
    return ""


def _just_missing(a: Analysis, cell: int) -> bool:
    """The execution just before this cell's own is not in the notebook."""
    run = a.notebook.cells[cell].run
    return bool(run and run > 1) and (run or 0) - 1 not in {other.run for other in a.notebook.code_cells()}
