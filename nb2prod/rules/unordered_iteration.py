"""NBP313."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.calls import called_name, calls
from nb2prod.analysis.nodes import children, nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.program import Stmt
from nb2prod.rules import Analysis, Edit, Fix, Label, Rule, Severity
from nb2prod.source import Span

HELP = "put `sorted(...)` around it"
LISTINGS = {
    "os.listdir": "the files of a folder",
    "os.scandir": "the files of a folder",
    "glob.glob": "the files of a folder",
    "glob.iglob": "the files of a folder",
}
PATH_METHODS = ("iterdir", "glob", "rglob")
# what takes all elements, whatever their order
ORDERLESS = frozenset(
    """
    sorted len sum min max any all set frozenset Counter bool isin union intersection difference
    issubset issuperset update print display symmetric_difference natsorted isdisjoint difference_update
    intersection_update discard unique nunique
    """.split()
)
ORDERED = frozenset(
    [
        "list",
        "tuple",
        "enumerate",
        "zip",
        "iter",
        "map",
        "array",
        "asarray",
        "Series",
        "DataFrame",
        "str",
        "repr",
    ]
)
TEXT_METHODS = ("split", "lower", "upper", "strip", "title", "findall", "splitlines", "replace")
SET_METHODS = ("union", "intersection", "difference", "symmetric_difference", "copy")


SETS = {ast.Set, ast.SetComp}
MAKERS = ("set", "frozenset")


class UnorderedIteration(Rule):
    """The order of a set, or of the files of a folder, becomes data: a list, columns, a vocabulary, a loop
    that appends.

    Why it matters: the order of a set of texts differs in every process, that of files on every machine.
    Columns change places, codes change meaning, and the model that was trained with the one scores with the
    other.

    Instead: put `sorted(...)` around it.

    Taking the length, the sum, the greatest, or asking whether something is in a set does not depend on
    order.
    """

    code, name, severity = "NBP313", "unordered-iteration", Severity.WARNING
    fires = (
        "names = {'ann', 'bob'}\nrows = list(names)",
        "rows = [word for word in set('a b'.split())]",
        "rows = []\nfor word in {'a', 'b'}:\n    rows.append(word)",
        "import os\nfiles = os.listdir('data')",
        "from pathlib import Path\nimport pandas as pd\n"
        "df = pd.concat([pd.read_csv(f) for f in Path('.').glob('*.csv')])",
        "code = {word: i for i, word in enumerate(set(['a', 'b']))}",
        "tags = frozenset(['a', 'b'])\nline = ','.join(tags)",
        "a, *rest = {'x', 'y'} | {'z'}",
        "names = {'ann', 'bob'}\ncodes = {}\nfor name in names:\n    codes[name] = len(codes)",
        "names = set('one two six'.split())\nrows = sorted(names, key=len)",
    )
    silent = (
        "names = {'ann', 'bob'}\nrows = sorted(names, key=lambda n: (len(n), n))",
        "names = {'ann', 'bob'}\nrows = sorted(names)\nn = len(names)\nok = 'ann' in names",
        "rows = list({1: 2})",
        "chars = sorted(list(set(open('a').read())))",
        "numbers = list({1, 2})",
        "import os\nfiles = sorted(os.listdir('data'))",
        "import os\nfiles = os.listdir('data')\nfiles.sort()",
        "import os\nif 'a' in os.listdir('data'):\n    print('there')",
        "names = {'ann', 'bob'}\ntotal = sum(len(n) for n in names)",
        "names = {'ann'}\nnames = list('ab')\nrows = [n for n in names]",
        "import glob\nfor name in sorted(glob.glob('*')):\n    print(name)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        listings: dict[int, str] = {}
        if not (every.apis.isdisjoint(LISTINGS) and every.names.isdisjoint(PATH_METHODS)):
            listings = {
                id(call.node): LISTINGS.get(call.api, "the files of a folder")
                for call in every
                if call.api in LISTINGS or (call.name in PATH_METHODS and _on_a_path(call.node))
            }
        if not listings and every.names.isdisjoint(MAKERS) and not _has_sets(a):
            return
        sets: set[str] = set()
        empty: set[str] = set()
        ordered = _sorted_names(a)
        for stmt, _ in a.script.stmts():
            if isinstance(stmt.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                sets.discard(stmt.node.name)
            look = _Look(set(sets), listings)
            look.empty = empty
            look.visit(stmt.node, "")
            target = _target(stmt)
            for node, what in look.found[:1]:
                if target not in ordered:
                    span = stmt.text.head(node)
                    message = f"the order of {what} becomes data"
                    labels = [Label(span, "differs from process to process, or from machine to machine")]
                    yield self.found(a, message, span, labels, HELP, fix=_fix(stmt, node))
            sets = look.sets


def _has_sets(a: Analysis) -> bool:
    return any(
        not SETS.isdisjoint(map(type, nodes(stmt.node)))
        for stmt, _ in a.script.stmts()
        if "{" in stmt.text.code
    )


def _fix(stmt: Stmt, node: ast.expr) -> Fix | None:
    """`sorted(...)` around it; safe where the elements are certain to have an order."""
    if isinstance(node, ast.Call) and called_name(node) in ("pop", "scandir"):
        return None
    span = stmt.text.span(node)
    first = Span(span.cell, span.line, span.column, span.line, span.column)
    last = Span(span.cell, span.end_line, span.end_column, span.end_line, span.end_column)
    texts = isinstance(node, ast.Set) and all(
        isinstance(e, ast.Constant) and isinstance(e.value, str) for e in node.elts
    )
    listing = isinstance(node, ast.Call) and called_name(node) in ("listdir", "glob", "iglob", *PATH_METHODS)
    return Fix("sort it", texts or listing, (Edit(first, "sorted("), Edit(last, ")")))


def _on_a_path(node: ast.Call) -> bool:
    """`Path(...).glob(...)`, `folder.iterdir()`; `glob.glob` is a function."""
    return isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id == "glob"
    )


def _target(stmt: Stmt) -> str:
    node = stmt.node
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _sorted_names(a: Analysis) -> set[str]:
    """Names that are put in order somewhere: `files.sort()`, `sorted(files)`."""
    found = set()
    for call in a.once(calls):
        if call.name in ("sort", "natsort") and isinstance(call.node.func, ast.Attribute):
            found |= {n.id for n in [call.node.func.value] if isinstance(n, ast.Name)}
        elif call.name in ("sorted", "natsorted"):
            found |= {n.id for n in call.node.args if isinstance(n, ast.Name)}
    return found


class _Look:
    """Walks a statement; `use` is what the parent does with a value: "" nothing, "order" or "free"."""

    def __init__(self, sets: set[str], listings: dict[int, str]) -> None:
        self.sets = sets
        self.empty: set[str] = set()  # names of empty sets: what is put in says whether they have an order
        self.listings = listings
        self.found: list[tuple[ast.expr, str]] = []

    def unordered(self, node: ast.expr) -> str:
        """What the order of an expression is that of; empty where it has one."""
        match node:
            case ast.Set():
                numbers = all(
                    isinstance(e, ast.Constant) and isinstance(e.value, (int, bool)) for e in node.elts
                )
                return "" if numbers else "a set"
            case ast.SetComp():
                return "a set"
            case ast.Name(id=name):
                return "a set" if name in self.sets else ""
            case ast.Call(func=ast.Name(id="set" | "frozenset"), args=args):
                ranged = args and isinstance(args[0], ast.Call) and getattr(args[0].func, "id", "") == "range"
                return "a set" if args and not ranged else ""
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in SET_METHODS:
                return self.unordered(owner) if id(node) not in self.listings else self.listings[id(node)]
            case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
                return self.unordered(node.left)
            case ast.Call() if id(node) in self.listings:
                return self.listings[id(node)]
        return ""

    def visit(self, node: ast.AST, use: str) -> None:
        match node:
            case ast.Constant() | ast.Name() if use != "order":
                return
            case ast.Constant():
                return
            case ast.Assign():
                self.visit(node.value, "")
                self.assigned(node)
                return
            case ast.For() | ast.AsyncFor():
                self.visit(node.iter, "order" if _collects(node) else "free")
                for stmt in [*node.body, *node.orelse]:
                    self.visit(stmt, "")
                return
            case ast.ListComp():
                self.comprehension(node.generators, use or "order", [node.elt])
                return
            case ast.GeneratorExp():
                self.comprehension(node.generators, use or "free", [node.elt])
                return
            case ast.SetComp() | ast.DictComp():
                results = [node.elt] if isinstance(node, ast.SetComp) else [node.key, node.value]
                self.comprehension(node.generators, "free", results)
                return
            case ast.Call():
                self.call(node, use)
                return
            case ast.Starred():
                self.visit(node.value, "order")
                return
            case ast.Compare():
                for part in [node.left, *node.comparators]:
                    self.visit(part, "free")
                return
            case ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef() if self.sets:
                params = {a.arg for a in nodes(node.args) if isinstance(a, ast.arg)}
                outer, self.sets = self.sets, self.sets - params
                for child in children(node):
                    self.visit(child, "")
                self.sets = outer
                return
        if isinstance(node, ast.expr) and use == "order" and (what := self.unordered(node)):
            self.found.append((node, what))
            return
        for child in children(node):
            self.visit(child, "order" if isinstance(node, ast.Subscript) and child is node.value else "")

    def assigned(self, node: ast.Assign) -> None:
        """A name of a set is a set; a folder's listing is a list in some order; so is unpacking."""
        what = self.unordered(node.value)
        for target in node.targets:
            if isinstance(target, (ast.Tuple, ast.List)) and what:
                self.found.append((node.value, what))
            elif isinstance(target, ast.Name):
                self.sets.discard(target.id)
                self.empty.discard(target.id)
                if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "set":
                    if not node.value.args:
                        self.empty.add(target.id)
                if what == "a set":
                    self.sets.add(target.id)
                elif what:
                    self.found.append((node.value, what))

    def comprehension(self, generators: list[ast.comprehension], use: str, results: list[ast.expr]) -> None:
        for generator in generators:
            self.visit(generator.iter, use)
            for test in generator.ifs:
                self.visit(test, "free")
        for result in results:
            self.visit(result, "")

    def call(self, node: ast.Call, use: str) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("add", "update") and isinstance(node.func, ast.Attribute):
            owner = getattr(node.func.value, "id", "")
            if owner in self.empty and any(_is_text(value) for value in node.args):
                self.sets.add(owner)
        if name == "pop" and isinstance(node.func, ast.Attribute) and not node.args:
            if what := self.unordered(node.func.value):
                self.found.append((node, what))
        if use == "order" and (what := self.unordered(node)):
            self.found.append((node, what))
            return
        self.visit(node.func, "")
        ties = name in ("sorted", "min", "max") and any(_may_tie(k) for k in node.keywords)
        inner = ""
        if name in ORDERLESS and not ties:
            inner = "free"
        elif ties or name in ORDERED or name == "join":
            inner = "order"
        if name in ("enumerate", "zip", "map", "iter") and use == "free":
            inner = "order" if name in ("enumerate", "zip") else "free"
        if name in ("list", "tuple") and use == "free" and len(node.args) == 1:
            inner = "free"  # sorted(list(names))
        for value in [*node.args, *[keyword.value for keyword in node.keywords]]:
            self.visit(value, inner)


def _may_tie(keyword: ast.keyword) -> bool:
    """`key=len`: of two words of one length, the first that comes."""
    key = keyword.value.body if isinstance(keyword.value, ast.Lambda) else keyword.value
    if isinstance(key, ast.Call):
        key = key.func
    return keyword.arg == "key" and isinstance(key, ast.Name) and key.id == "len"


def _is_text(node: ast.expr) -> bool:
    """Texts, as far as one sees: their order differs from process to process, that of numbers does not."""
    for inner in nodes(node):
        if isinstance(inner, ast.JoinedStr) or (
            isinstance(inner, ast.Constant) and isinstance(inner.value, str)
        ):
            return True
        if isinstance(inner, ast.Attribute) and inner.attr in TEXT_METHODS:
            return True
    return False


def _numbers(node: ast.AST) -> bool:
    """`codes[word] = len(codes)`: the next number to the next that comes."""
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=ast.Name(id=name))],
            value=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)]),
        ):
            return name == counted
    return False


def _collects(node: ast.For | ast.AsyncFor) -> bool:
    """The body of a loop appends, or writes one after the other."""
    for stmt in node.body:
        for inner in nodes(stmt):
            if isinstance(inner, ast.Attribute) and inner.attr in ("append", "extend", "insert", "write"):
                return True
            if isinstance(inner, ast.Yield) or _numbers(inner):
                return True
    return False
