"""What running a cell a second time changes a second time: of the names that it has from other cells.

    rows = []                       # another cell
    also = rows
    also.append(1)                  # changes rows
    df = clean(df)                  # changes df, unless what `clean` does is settled after once

Text alone. Functions, methods and iterators are followed by the text that made them. It is long because there
are many ways to change something.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from nb2prod.analysis.calls import called_name
from nb2prod.analysis.events import Events, root
from nb2prod.analysis.nodes import children, inner_calls, nodes
from nb2prod.analysis.rerun import ENCODERS, STATISTICS, measures, mentions, settled, settled_method, spelled

GROWS = frozenset(
    [
        "append", "appendleft", "extend", "extendleft", "insert", "pop", "popitem", "popleft", "remove",
        "reverse", "rotate",
    ]
)  # fmt: skip
TAKES = ("pop", "popitem", "popleft")
# functions that change their first argument again each time
PUSHES = frozenset(["heappush", "heappop", "heapreplace", "insort", "insort_left", "insort_right", "shuffle"])
# what can be gone through once: functions that make it, and methods or functions of modules that do
SPENT = frozenset(["zip", "map", "filter", "iter", "reversed", "enumerate", "open", "urlopen", "chain"])
SPENT_PARTS = frozenset(["StringIO", "BytesIO", "reader", "DictReader", "islice", "iterrows", "itertuples"])
OPENERS = ("gzip", "codecs", "io", "bz2", "lzma", "urllib", "itertools")
LOOKS = frozenset(
    ["print", "type", "id", "isinstance", "hasattr", "repr", "str", "display", "callable", "len"]
)
READS = ("read", "readline", "readlines", "__next__", "send")
# what may change its object or its first argument, whatever the notebook defines
_SUSPECTS = PUSHES | {*TAKES, "partial_fit", "update", "subtract"}
_CALLS = _SUSPECTS | GROWS | {"clear", "inplace=", "out="}
_YIELDS = frozenset([ast.Yield, ast.YieldFrom])
_SIMPLE = frozenset([ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return])
_MANY = 50  # functions: what one does is looked at when it is called, but not through so many others
_PURE = ("columns", "index", "str", "dt", "cat")  # their `insert` and `append` make new ones
Change = tuple[str, ast.expr | ast.stmt]


@dataclass(frozen=True, slots=True)
class Changes:
    """What each call of a function changes again: some of its parameters, and variables of the notebook."""

    params: tuple[str, ...]
    names: frozenset[str]


@dataclass(slots=True)
class Pending:
    """A function as it was defined; what it changes is looked at when somebody calls it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    known: Known
    found: Changes | None = None

    def changes(self) -> Changes:
        if self.found is None:
            self.found = changes(self.node, self.known.copy())
        return self.found


@dataclass(slots=True)
class Known:
    """What the cells above have made: functions, the methods of classes, and what made a variable."""

    functions: dict[str, Pending] = field(default_factory=dict)
    methods: dict[str, dict[str, Pending]] = field(default_factory=dict)
    method_names: set[str] = field(default_factory=set)
    makers: dict[str, str] = field(default_factory=dict)  # the name of a function or class, or "spent"
    spends: bool = False  # something may be spent
    settles: set[str] = field(default_factory=set)  # functions whose result they do not change any more
    generators: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)

    def pending(self, *nodes: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[Pending]:
        now = self.copy()
        every = [Pending(node, now) for node in nodes]
        if len(self.functions) > _MANY:
            for one in every:
                one.changes()
        return every

    def copy(self) -> Known:
        return Known(
            dict(self.functions),
            dict(self.methods),
            set(self.method_names),
            dict(self.makers),
            self.spends,
            set(self.settles),
            set(self.generators),
            set(self.modules),
        )


class Cell:
    """Follows one cell, or the body of a function; `outside` are the names that it has from elsewhere.

    In a function, `shared` are its global names; the others it binds are its own.
    """

    def __init__(self, outside: Set[str], known: Known, shared: set[str] | None = None) -> None:
        self.outside = outside
        self.known = known
        self.shared = shared
        self.own: set[str] = set()  # names and parts that this cell has made anew
        self.alias: dict[str, str] = {}  # second names of what it has from outside
        self.parts: dict[str, str] = {}  # names of a loop: parts of what it goes over
        self.shallow: dict[str, str] = {}  # copies that share what is inside
        self.measuring = False  # the statement takes a statistic
        self.quiet = False  # no call in the statement changes anything
        self.measured: set[str] = set()  # statistics of what it has from outside

    def step(self, node: ast.stmt, events: Events) -> Iterator[Change]:
        """A statement of the cell: `statement`, faster where nothing that it calls changes anything."""
        known, called = self.known, events.called
        quiet = not events.functions and not (
            known.spends
            or not called.isdisjoint(_CALLS)
            or not called.isdisjoint(known.functions)
            or not called.isdisjoint(known.method_names)
        )
        if quiet and isinstance(node, ast.Expr):
            return
        self.quiet = quiet
        self.measuring = bool(self.outside) and not called.isdisjoint(STATISTICS)
        yield from self.statement(node)

    def statement(self, node: ast.stmt) -> Iterator[Change]:
        """The changes that would happen again: the name, and where."""
        if not self.quiet:
            self.measuring = False
            if self.outside:
                yield from self.calls(node)
        match node:
            case ast.Expr():
                if isinstance(node.value, ast.Call):
                    yield from self.call(node.value)
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
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.function(node)
            case ast.ClassDef():
                self.own.add(node.name)
                methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
                names = [inner.name for inner in methods]
                self.known.methods[node.name] = dict(zip(names, self.known.pending(*methods), strict=True))
                self.known.method_names |= set(names)
            case ast.Import() | ast.ImportFrom():
                modules = {alias.asname or alias.name.split(".")[0] for alias in node.names}
                self.own |= modules
                self.known.modules |= modules
            case _:
                yield from self.block(node)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.own.add(node.name)
        self.known.functions[node.name] = self.known.pending(node)[0]
        for kept, holds in (
            (self.known.settles, _settles(node)),
            (self.known.generators, not _YIELDS.isdisjoint(map(type, nodes(node)))),
        ):
            (kept.add if holds else kept.discard)(node.name)

    # calls anywhere in a simple statement

    def calls(self, node: ast.stmt) -> Iterator[Change]:
        """Functions and methods of the notebook that change what they are given, and what is used up."""
        known = self.known
        if node.__class__ not in _SIMPLE:
            if isinstance(node, (ast.For, ast.AsyncFor)) and self.is_spent(node.iter):
                yield self.origin(node.iter), node.iter
            return
        for call in inner_calls(node):
            name = called_name(call)
            self.measuring |= name in STATISTICS
            if (
                known.spends
                or name in _SUSPECTS
                or name in known.functions
                or name in known.method_names
                or (call.keywords and any(keyword.arg == "out" for keyword in call.keywords))
            ):
                changed = self.called(call, name)
                if changed is not None:
                    yield self.origin(changed), call
        if known.spends:
            for inner in nodes(node):
                value = getattr(inner, "iter", None) or (
                    inner.value if isinstance(inner, ast.Starred) else None
                )
                if isinstance(value, ast.Name) and self.is_spent(value):
                    yield self.origin(value), value

    def called(self, call: ast.Call, name: str) -> ast.expr | None:
        """What a call changes again, or uses up."""
        given = call.args
        if self.known.spends and name not in LOOKS:
            for value in given:
                if isinstance(value, ast.Name) and self.is_spent(value):
                    return value
        if name in PUSHES and given and len(given) < 3 and self.is_input(given[0]):
            return given[0]
        for keyword in call.keywords:
            if keyword.arg == "out" and self.is_input(keyword.value):
                if any(mentions(value, spelled(keyword.value)) for value in given):
                    return keyword.value
        if isinstance(call.func, ast.Attribute):
            return self.method(call, call.func)
        defined = self.known.functions.get(name) if isinstance(call.func, ast.Name) else None
        if defined is None:
            return None
        known = defined.changes()
        return self.given(known, dict(zip(known.params, given, strict=False)))

    def method(self, call: ast.Call, function: ast.Attribute) -> ast.expr | None:
        owner, name = function.value, function.attr
        if name in READS and self.is_spent(owner):
            return owner
        if name in TAKES and len(call.args) < 2 and self.grows(owner):
            return owner
        if not isinstance(owner, ast.Name):
            return None
        maker = self.known.makers.get(owner.id, "")
        if name == "partial_fit" or (maker == "Counter" and name in ("update", "subtract")):
            return owner if self.is_input(owner) else None
        defined = self.known.methods.get(maker, {}).get(name)
        known = defined.changes() if defined is not None else None
        if known is None or not known.params:
            return None
        return self.given(
            known, {known.params[0]: owner, **dict(zip(known.params[1:], call.args, strict=False))}
        )

    def given(self, known: Changes, given: dict[str, ast.expr]) -> ast.expr | None:
        """Which of the things that a function changes the cell has from outside."""
        for name in sorted(known.names):
            value = given.get(name) if name in known.params else ast.Name(id=name)
            if isinstance(value, ast.Name) and self.is_input(value):
                return value
        return None

    # statements

    def block(self, node: ast.stmt) -> Iterator[Change]:
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.loop(node)
        if isinstance(node, ast.While) and any(
            isinstance(n, ast.Name) and self.is_input(n) and n.id not in self.known.modules
            for n in nodes(node.test)
        ):
            return  # the second time, what it waits for has come
        guarded, only = _asked_first(node)
        name = self.origin(guarded) if guarded is not None else ""
        for child in children(node):
            if isinstance(child, ast.stmt):
                for change in self.statement(child):
                    if change[0] != name or (only and not _removes(change[1])):
                        yield change
            elif isinstance(child, ast.withitem) and isinstance(child.optional_vars, ast.Name):
                self.own.add(child.optional_vars.id)
            elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
                for inner in child.body:
                    yield from self.statement(inner)

    def loop(self, node: ast.For | ast.AsyncFor) -> None:
        """A loop's name stands for parts of what the loop goes over."""
        names = [inner.id for inner in nodes(node.target) if isinstance(inner, ast.Name)]
        self.own |= set(names)
        over: list[ast.expr] = [node.iter]
        match node.iter:
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="values" | "items"), args=[]):
                over = [owner]
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                over = list(elements)
        inputs = [one for one in over if isinstance(one, ast.Name) and self.is_input(one)]
        for name in names:
            self.parts.pop(name, None)
        if inputs and names:
            self.parts[names[-1]] = self.origin(inputs[0])

    def assign(self, target: ast.expr, value: ast.expr) -> Iterator[Change]:
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        for part in parts:
            part = part.value if isinstance(part, ast.Starred) else part
            if not self.outside:  # nothing can be an input
                if isinstance(part, ast.Name):
                    self.made(part.id, value if len(parts) == 1 else None)
                continue
            old = spelled(part)
            renamed = isinstance(part, ast.Name) and part.id in self.alias  # `Z = X`, then `Z = f(Z)`
            again = self.is_input(part) and mentions(value, old) and not renamed
            if (again and (len(parts) > 1 or not self.settled(value, old))) or self.adds_row(part):
                yield self.origin(part), part
            if isinstance(part, ast.Name):
                self.made(part.id, value if len(parts) == 1 else None)
            if not again:
                self.own.add(old)
                self.alias.pop(old, None)
                if isinstance(part, ast.Name) and isinstance(value, ast.Name) and self.is_input(value):
                    self.alias[part.id] = self.origin(value)
            elif self.shared is not None and isinstance(part, ast.Name) and part.id not in self.shared:
                self.own.add(old)

    def made(self, name: str, value: ast.expr | None) -> None:
        """What made a name; nothing that is known where it is one of several."""
        for kept in (self.parts, self.shallow, self.known.makers, self.known.functions):
            kept.pop(name, None)
        self.measured.discard(name)
        if value is None:
            return
        taken = self.measuring and measures(value)
        if taken or self.measured:
            read = [n for n in nodes(value) if isinstance(n, ast.Name)]
            if any((taken and self.is_input(n)) or n.id in self.measured for n in read):
                self.measured.add(name)
        match value:
            case ast.GeneratorExp():
                self.known.makers[name] = "spent"
                self.known.spends = True
            case ast.Lambda():
                self.known.functions[name] = self.known.pending(value)[0]
            case ast.Name():
                self.known.makers[name] = self.known.makers.get(value.id, "")
            case ast.Call():
                maker = called_name(value)
                spent = maker in self.known.generators or _spent(value)
                self.known.makers[name] = "spent" if spent else maker
                self.known.spends |= spent
                copied = value.func.value if isinstance(value.func, ast.Attribute) else None
                copied = next(iter(value.args), copied) if maker in ("dict", "list") else copied
                if maker in ("copy", "dict", "list") and copied is not None and self.is_input(copied):
                    self.shallow[name] = self.origin(copied)

    def settled(self, value: ast.expr, old: str) -> bool:
        """A second time gives the same, also through functions and encoders of the notebook."""
        match value:
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in self.known.settles:
                return settled(first, old)
            case ast.Call(func=ast.Attribute(value=owner, attr="pipe"), args=[ast.Name(id=name)]):
                return name in self.known.settles and settled(owner, old)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="fit_transform"), args=[first]):
                return self.known.makers.get(name) in ENCODERS and settled(first, old)
            case ast.Call(args=[ast.Call() as made]) if called_name(value) in ("Series", "DataFrame"):
                return self.settled(made, old)
            case ast.Subscript() | ast.Call(func=ast.Attribute(attr="clip" | "where" | "mask")) if (
                self.measured and any(isinstance(n, ast.Name) and n.id in self.measured for n in nodes(value))
            ):
                return False  # filtered or cut by its own statistics
        return settled(value, old)

    def adds_row(self, target: ast.expr) -> bool:
        """`df.loc[len(df)] = ...`: one more row in each run."""
        match target:
            case ast.Subscript(slice=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)])):
                return name == root(target) and self.is_input(target)
        return False

    def call(self, node: ast.Call) -> Iterator[Change]:
        """`rows.append(1)`, `df.drop(..., inplace=True)`."""
        if not isinstance(node.func, ast.Attribute):
            return
        owner, name = node.func.value, node.func.attr
        if name == "clear" and isinstance(owner, ast.Name):
            self.own.add(owner.id)  # what it held before is gone
        inplace = any(k.arg == "inplace" and getattr(k.value, "value", False) is True for k in node.keywords)
        again = inplace and (self.is_input(owner) or root(owner) in self.parts) and not settled_method(node)
        if again or (name in GROWS and name not in TAKES and self.grows(owner)):
            yield self.origin(owner), node

    # names

    def grows(self, owner: ast.expr) -> bool:
        """The list that a method makes longer or shorter is from outside, or stands in something that is."""
        if isinstance(owner, ast.Call) and called_name(owner) == "setdefault":
            owner = owner.func.value  # type: ignore[attr-defined]
        name = root(owner)
        if isinstance(owner, ast.Name):
            return self.is_input(owner) or name in self.parts
        if not isinstance(owner, (ast.Attribute, ast.Subscript)) or name in self.known.modules:
            return False
        if isinstance(owner, ast.Attribute) and owner.attr in _PURE:
            return False
        return self.is_input(owner) or (name in self.shallow and isinstance(owner, ast.Subscript))

    def is_spent(self, node: ast.expr) -> bool:
        """An iterator or an open file from outside, which a second run finds empty."""
        return (
            isinstance(node, ast.Name) and self.known.makers.get(node.id) == "spent" and self.is_input(node)
        )

    def origin(self, node: ast.AST) -> str:
        name = root(node)
        for names in (self.alias, self.parts, self.shallow):
            if name in names:
                return names[name]
        return name

    def is_input(self, node: ast.expr) -> bool:
        """The value comes from another cell, and so does this part of it."""
        name = root(node)
        if name in self.parts:
            return not isinstance(node, ast.Name) and spelled(node) not in self.own
        if name in self.alias:
            return spelled(node) == name or spelled(node) not in self.own
        return name in self.outside and name not in self.own and spelled(node) not in self.own


def changes(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, known: Known) -> Changes:
    """What a function does, by its body: its parameters and the notebook's variables are its inputs."""
    params = tuple(a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])
    every = nodes(node)
    shared = {name for s in every if isinstance(s, ast.Global) for name in s.names}
    names = [n for n in every if isinstance(n, ast.Name)]
    read = {n.id for n in names} - {n.id for n in names if not isinstance(n.ctx, ast.Load)}
    called = [known.functions[name].changes() for name in read if name in known.functions]
    beyond = {name for one in called for name in one.names if name not in one.params}
    look = Cell(read | set(params) | shared | beyond, known, shared)
    changed: set[str] = set()
    for stmt in [ast.Expr(value=node.body)] if isinstance(node, ast.Lambda) else node.body:
        for name, where in look.statement(stmt):
            rebinds = isinstance(where, ast.Name) and isinstance(where.ctx, ast.Store)
            rebinds |= isinstance(where, ast.AugAssign) and isinstance(where.target, ast.Name)
            if not rebinds or name in shared:
                changed.add(name)
            if rebinds and name not in shared:
                look.own.add(name)
    return Changes(params, frozenset(changed))


def _settles(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A function of one table whose result it would not change: each of its steps is settled after once."""
    if not node.args.args:
        return False
    old = node.args.args[0].arg
    for stmt in node.body:
        match stmt:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if settled(value, old):
                old = name
            case ast.Return(value=ast.expr() as value):
                return settled(value, old)
            case _:
                return False
    return False


def _spent(node: ast.Call) -> bool:
    """It makes an iterator or opens a file. `df.map(...)` does not, nor `Image.open`."""
    if isinstance(node.func, ast.Name):
        return node.func.id in SPENT or node.func.id in SPENT_PARTS
    return called_name(node) in SPENT_PARTS or root(node.func) in OPENERS


def _asked_first(node: ast.stmt) -> tuple[ast.expr | None, bool]:
    """`if key not in seen:` changes `seen` in the first run only; `if key in seen:` takes away in it only."""
    match node:
        case ast.If(test=ast.Compare(ops=[ast.NotIn() | ast.In() as op], comparators=[asked]), orelse=[]):
            return asked, isinstance(op, ast.In)
    return None, False


def _removes(node: ast.AST) -> bool:
    return isinstance(node, ast.Delete) or (
        isinstance(node, ast.Call) and called_name(node) in ("drop", "remove", "pop")
    )
