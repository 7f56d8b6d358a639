"""NBP111."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.events import root
from nb2prod.analysis.rerun import mentions, settled, settled_method, spelled
from nb2prod.diagnostics import Diagnostic
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
    )
    silent = (
        "price = 100\n# %%\nnet = price * 1.1",
        "# %%\nrows = []\nrows.append(1)",
        "import pandas as pd\ndf = pd.read_csv('a')\n# %%\ndf = df.dropna()\ndf['cost'] = df['price'] * 2",
        "import sys\n# %%\nsys.path.append('src')",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        made: dict[str, Span] = {}
        for cell, row in a.script.cells.items():
            stmts = [step[0] for step in row if isinstance(step, tuple)]
            look = _Cell(set(made))
            reported: set[str] = set()
            for stmt in stmts:
                for name, node in look.statement(stmt.node):
                    if name not in reported:
                        reported.add(name)
                        yield self.one(a, cell, name, stmt.text.head(node), made[name])
            for step in row:
                if isinstance(step, tuple):
                    made |= dict.fromkeys(step[1].names("bind"), step[0].text.head(step[0].node))

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


class _Cell:
    """Follows one cell: `outside` are the names that it has from other cells."""

    def __init__(self, outside: set[str]) -> None:
        self.outside = outside
        self.own: set[str] = set()  # names and parts that this cell has made anew

    def statement(self, node: ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        """The changes that would happen again: the name, and where."""
        match node:
            case ast.Assign():
                for target in node.targets:
                    yield from self.assign(target, node.value)
            case ast.AnnAssign(value=ast.expr() as value):
                yield from self.assign(node.target, value)
            case ast.AugAssign(op=op):
                if self.is_input(node.target) and not isinstance(op, (ast.BitOr, ast.BitAnd)):
                    yield root(node.target), node
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Subscript) and self.is_input(target):
                        yield root(target), node
            case ast.Expr(value=ast.Call() as call):
                yield from self.call(call)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.own.add(node.name)
            case ast.Import() | ast.ImportFrom():
                self.own |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            case _:
                yield from self.block(node)

    def block(self, node: ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.own |= {inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)}
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                yield from self.statement(child)
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
            if again and (len(parts) > 1 or not settled(value, old)):
                yield root(part), part
            if not again:
                self.own.add(old)

    def call(self, node: ast.Call) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
        """`rows.append(1)`, `df.drop(..., inplace=True)`, `random.shuffle(rows)`."""
        if not isinstance(node.func, ast.Attribute):
            return
        owner, name = node.func.value, node.func.attr
        inplace = any(k.arg == "inplace" and getattr(k.value, "value", False) is True for k in node.keywords)
        if name in GROWS and isinstance(owner, ast.Name) and self.is_input(owner):
            yield owner.id, node
        elif inplace and self.is_input(owner) and not settled_method(node):
            yield root(owner), node
        elif name == "shuffle" and len(node.args) == 1 and self.is_input(node.args[0]):
            yield root(node.args[0]), node

    def is_input(self, node: ast.expr) -> bool:
        """The value comes from another cell, and so does this part of it."""
        name = root(node)
        return name in self.outside and name not in self.own and spelled(node) not in self.own


def _just_missing(a: Analysis, cell: int) -> bool:
    """The execution just before this cell's own is not in the notebook."""
    run = a.notebook.cells[cell].run
    return bool(run and run > 1) and (run or 0) - 1 not in {other.run for other in a.notebook.code_cells()}
