"""One pass over a statement's tree: flat events in evaluation order, and what each function does.

    df["a"] = f(df).dropna()     ->  read f, read df, call f, call .dropna, read df, mutate df

The events of a statement are those that happen when it runs at module level.  A function body happens
when the function is called, so it gets a `Function` of its own with the names it takes from outside.
Comprehensions and class bodies run at once: their inner names are hidden, their outer reads are events.

It is long because it has a case for each kind of node.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nb2prod.analysis.nodes import children, nodes
from nb2prod.tree import LEAVES

BUILTINS = frozenset(dir(builtins)) | {
    "__file__",
    "__name__",
    "__doc__",
    "get_ipython",
    "display",
    "__builtins__",
}

_BOUND = "_nb2prod_bound"  # where a statement keeps the names that it binds
_BINDING = frozenset(  # besides names: what binds some, or hides what is below
    [
        ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp,
        ast.DictComp, ast.GeneratorExp, ast.Import, ast.ImportFrom, ast.ExceptHandler, ast.MatchAs,
        ast.MatchStar, ast.MatchMapping,
    ]
)  # fmt: skip
_EVALUATED = frozenset(  # the expressions and statements of which the walk has its own mind
    [
        ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.GeneratorExp,
        ast.DictComp, ast.BoolOp, ast.IfExp, *ast.stmt.__subclasses__(),
    ]
)  # fmt: skip
_CHANGE = ("inplace", "out")  # arguments by which a call changes something
AT_NAME = re.compile(r"@([A-Za-z_]\w*)")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True, eq=False)  # not frozen: a lint makes thousands, and that takes three times as long
class Event:
    """`kind` is read, bind, delete, mutate or call.

    `name` is the root variable (for a call: of the receiver or the function, empty where there is none);
    `conditional` says that it happens on some paths only, `inner` that the loop or branch around it has just
    bound what it is about.
    """

    kind: str
    name: str
    node: ast.AST
    conditional: bool = False
    inner: bool = False


@dataclass(slots=True)
class Function:
    """A function, lambda or class with methods, seen from outside.

    `events` are those of its body that concern outer names or its own parameters; inner names are hidden.
    `calls` happen when it is called.  `returns` are the root names of what it may return.
    """

    name: str
    node: FunctionNode
    params: tuple[str, ...]
    events: list[Event] = field(default_factory=list)
    returns: set[str] = field(default_factory=set)
    declared_global: set[str] = field(default_factory=set)
    locals: frozenset[str] = frozenset()
    inner: list[Function] = field(default_factory=list)

    def outer_reads(self) -> list[Event]:
        """Reads of names that come from outside, with those of inner functions."""
        own = [e for e in self.events if e.kind == "read" and e.name not in self.locals]
        for function in self.inner:
            own += [e for e in function.outer_reads() if e.name not in self.locals]
        return own

    def outer_binds(self) -> list[Event]:
        own = [e for e in self.events if e.kind == "bind" and e.name in self.declared_global]
        for function in self.inner:  # what is `nonlocal` to an inner function may be our own
            own += [e for e in function.outer_binds() if e.name not in self.locals]
        return own

    def every_event(self) -> list[Event]:
        return self.events + [event for function in self.inner for event in function.every_event()]


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see Event
class Events:
    """What one top-level statement does, and the functions that its text contains."""

    events: tuple[Event, ...]
    functions: tuple[Function, ...]
    binds: tuple[str, ...] = ()  # the names that it binds, in order
    called: frozenset[str] = frozenset()  # what is called in it, by its last name; `out=` where that is given

    def names(self, *kinds: str) -> set[str]:
        return {event.name for event in self.events if event.kind in kinds and event.name}


def events(node: ast.stmt) -> Events:
    """The events of one top-level statement."""
    walker = _Walker()
    walker.statement(node)
    binds = [event.name for event in walker.out if event.kind == "bind"]
    return Events(tuple(walker.out), tuple(walker.functions), tuple(binds), frozenset(walker.called))


def root(node: ast.AST) -> str:
    """The variable at the root of an attribute, subscript or call chain; empty where there is none."""
    while True:
        kind = node.__class__
        if kind is ast.Name:
            return node.id  # type: ignore[attr-defined, no-any-return]
        if kind is ast.Attribute or kind is ast.Subscript or kind is ast.Starred:
            node = node.value  # type: ignore[attr-defined]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            return ""


def names_in_text(node: ast.Call) -> list[str]:
    """Variables that `df.query("a < @limit")` and `df.eval` read by their text."""
    if getattr(node.func, "attr", "") not in ("query", "eval"):
        return []
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return sorted({name for text in texts for name in AT_NAME.findall(text)})


def bound_names(body: Iterable[ast.stmt]) -> set[str]:
    """Names that a body binds in its own scope (walrus in comprehensions included)."""
    names: set[str] = set()
    for stmt in body:
        kept = stmt.__dict__.get(_BOUND)
        if kept is None:
            kept = stmt.__dict__[_BOUND] = frozenset(_bound(stmt))
        names |= kept
    return names


def _bound(stmt: ast.stmt) -> set[str]:
    names: set[str] = set()
    todo: list[ast.AST] = [stmt]
    while todo:
        node = todo.pop()
        kind = node.__class__
        if kind is ast.Name:
            if node.ctx.__class__ is not ast.Load:  # type: ignore[attr-defined]
                names.add(node.id)  # type: ignore[attr-defined]
        elif kind in _BINDING:
            todo += _bind_in(node, names)
        elif kind not in LEAVES:
            todo += children(node)
    return names


def _bind_in(node: ast.AST, names: set[str]) -> Sequence[ast.AST]:
    """Adds what a node itself binds; the nodes below it that may bind in the same scope."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            names.add(node.name)
            return [*node.decorator_list, *(node.bases if isinstance(node, ast.ClassDef) else [])]
        case ast.Lambda():
            return ()
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            names.update(inner.target.id for inner in nodes(node) if isinstance(inner, ast.NamedExpr))
            return ()
        case ast.Import() | ast.ImportFrom():
            names.update(a.asname or a.name.split(".")[0] for a in node.names if a.name != "*")
            return ()
        case ast.ExceptHandler(name=str() as name):
            names.add(name)
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            names.add(name)
        case ast.MatchMapping(rest=str() as name):
            names.add(name)
    return children(node)


def _params(args: ast.arguments) -> tuple[str, ...]:
    every = [*args.posonlyargs, *args.args, *([args.vararg] if args.vararg else []), *args.kwonlyargs]
    return tuple(a.arg for a in [*every, *([args.kwarg] if args.kwarg else [])])


class _Walker:
    """Walks one scope.  `hidden` are the names of enclosing comprehensions and class bodies."""

    def __init__(self, called: set[str] | None = None) -> None:
        self.out: list[Event] = []
        self.called: set[str] = set() if called is None else called
        self.functions: list[Function] = []
        self.depth = 0
        self.inner: list[set[str]] = []  # what the loops and branches around have bound so far
        self.hidden: list[set[str]] = []
        self.class_names: set[str] | None = None  # of the class whose body this is
        self.returns: set[str] = set()
        self.declared_global: set[str] = set()

    def add(self, kind: str, name: str, node: ast.AST) -> None:
        if self.hidden and name and any(name in names for names in self.hidden):
            return
        inner = bool(self.inner) and kind != "bind" and any(name in names for names in self.inner)
        self.out.append(Event(kind, name, node, self.depth > 0, inner))

    # statements

    def body(self, body: Iterable[ast.stmt]) -> None:
        for stmt in body:
            self.statement(stmt)
            if self.inner:
                self.inner[-1] |= _always([stmt])

    def branch(self, body: Iterable[ast.stmt], bound: Iterable[str] = ()) -> None:
        """A body that may not run; `bound` are names that it starts with."""
        self.depth += 1
        self.inner.append(set(bound))
        self.body(body)
        self.inner.pop()
        self.depth -= 1

    def statement(self, node: ast.stmt) -> None:
        match node:  # the most frequent kinds first
            case ast.Expr():
                self.expression(node.value)
            case ast.Assign():
                self.expression(node.value)
                for target in node.targets:
                    self.target(target)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.expressions([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
                self.annotations(node)
                self.function(node.name, node, node.body)
                self.add("bind", node.name, node)
            case ast.ClassDef():
                self.class_body(node)
            case ast.AugAssign():
                self.augmented(node)
            case ast.AnnAssign():
                self.expression(node.annotation)
                if node.value is not None:
                    self.expression(node.value)
                    self.target(node.target)
            case ast.For() | ast.AsyncFor():
                self.expression(node.iter)
                self.depth += 1
                self.target(node.target)
                self.depth -= 1
                self.branch(node.body, _bound_by(node.target))
                self.branch(node.orelse)
            case ast.While():
                self.expression(node.test)
                self.branch(node.body)
                self.branch(node.orelse)
            case ast.If():
                self.expression(node.test)
                self.if_branches(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.expression(item.context_expr)
                    if item.optional_vars is not None:
                        self.target(item.optional_vars)
                self.body(node.body)
            case ast.Try() | ast.TryStar():
                self.try_statement(node)
            case ast.Match():
                self.expression(node.subject)
                for case in node.cases:
                    self.depth += 1
                    self.pattern(case.pattern)
                    self.expression(case.guard)
                    self.depth -= 1
                    self.branch(case.body)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    if alias.name != "*":
                        self.add("bind", alias.asname or alias.name.split(".")[0], node)
            case ast.Delete():
                for target in node.targets:
                    self.delete(target)
            case ast.Return():
                self.expression(node.value)
                if node.value is not None:
                    self.returns |= {root(n) for n in _returned(node.value)} - {""}
            case ast.Global() | ast.Nonlocal():
                self.declared_global.update(node.names)
            case _:
                self.expressions(children(node))

    def if_branches(self, node: ast.If) -> None:
        """A name that both branches bind is bound for certain."""
        start = len(self.out)
        self.branch(node.body)
        middle = len(self.out)
        self.branch(node.orelse)
        if self.depth:
            return
        first = {e.name for e in self.out[start:middle] if e.kind == "bind"} & bound_names(node.body)
        both = first & {e.name for e in self.out[middle:] if e.kind == "bind"}
        certain = both & _always(node.body) & _always(node.orelse)
        for name in sorted(certain):
            self.out.append(Event("bind", name, node))

    def try_statement(self, node: ast.Try | ast.TryStar) -> None:
        self.branch(node.body)
        for handler in node.handlers:
            self.depth += 1
            self.expression(handler.type)
            if handler.name:
                self.add("bind", handler.name, handler)
            self.branch(handler.body)
            if handler.name:
                self.add("delete", handler.name, handler)
            self.depth -= 1
        self.branch(node.orelse)
        self.body(node.finalbody)
        leaves = [_always(node.body) | _always(node.orelse)]
        leaves += [_always(handler.body) for handler in node.handlers if not _exits(handler.body)]
        if not self.depth:
            for name in sorted(set.intersection(*leaves)):
                self.out.append(Event("bind", name, node))

    def class_body(self, node: ast.ClassDef) -> None:
        self.expressions([*node.decorator_list, *node.bases, *[k.value for k in node.keywords]])
        names = bound_names(node.body)
        # methods do not see class names: only the statements of the class body do
        inner = _Walker(self.called)
        inner.hidden = [*self.hidden, names]
        inner.class_names = names
        inner.depth = self.depth
        inner.body(node.body)
        self.out += inner.out
        for function in inner.functions:
            function.name = f"{node.name}.{function.name}"
        self.functions += inner.functions
        self.add("bind", node.name, node)

    def function(self, name: str, node: FunctionNode, body: list[ast.stmt]) -> None:
        inner = _Walker(self.called)
        inner.body(body)
        params = _params(node.args)
        local = (bound_names(body) | set(params)) - inner.declared_global
        self.functions.append(
            Function(
                name,
                node,
                params,
                inner.out,
                inner.returns,
                inner.declared_global,
                frozenset(local),
                inner.functions,
            )
        )

    def annotations(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        every += [a for a in (node.args.vararg, node.args.kwarg) if a is not None]
        self.expressions([*[a.annotation for a in every], node.returns])

    # targets

    def target(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                self.add("bind", node.id, node)
            case ast.Tuple() | ast.List():
                for element in node.elts:
                    self.target(element)
            case ast.Starred():
                self.target(node.value)
            case ast.Attribute() | ast.Subscript():
                self.expression(node.value)
                if isinstance(node, ast.Subscript):
                    self.expression(node.slice)
                self.add("mutate", root(node), node)

    def augmented(self, node: ast.AugAssign) -> None:
        self.expression(node.value)
        if isinstance(node.target, ast.Name):
            self.add("read", node.target.id, node.target)
            self.add("mutate", node.target.id, node)  # a list or an array changes in place
            self.add("bind", node.target.id, node.target)
        else:
            self.target(node.target)

    def delete(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                self.add("delete", node.id, node)
            case ast.Tuple() | ast.List():
                for element in node.elts:
                    self.delete(element)
            case _:
                self.target(node)

    def pattern(self, node: ast.AST) -> None:
        match node:
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                self.add("bind", name, node)
            case ast.MatchMapping(rest=str() as name):
                self.add("bind", name, node)
            case ast.MatchValue():
                self.expression(node.value)
            case ast.MatchClass():
                self.expression(node.cls)
        for child in children(node):
            if isinstance(child, ast.pattern):
                self.pattern(child)

    # expressions

    def expressions(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            self.expression(node)

    def expression(self, node: ast.AST | None) -> None:
        kind = node.__class__
        while kind is ast.Attribute:
            node = node.value  # type: ignore[union-attr]
            kind = node.__class__
        if kind is ast.Name:  # the most frequent kinds first
            if node.ctx.__class__ is not ast.Load:  # type: ignore[union-attr]
                return
            if self.hidden or self.inner:
                self.add("read", node.id, node)  # type: ignore[union-attr, arg-type]
            else:  # as `add` does: a call for each read is too slow
                self.out.append(Event("read", node.id, node, self.depth > 0))  # type: ignore[union-attr, arg-type]
        elif kind is ast.Call:
            self.call(node)  # type: ignore[arg-type]
        elif kind in _EVALUATED:
            self.own_way(node)  # type: ignore[arg-type]
        elif kind is not ast.Constant and node is not None:  # most kinds: their parts in order
            for inner in children(node):
                self.expression(inner)

    def call(self, node: ast.Call) -> None:
        function = node.func
        if function.__class__ is ast.Attribute:
            self.called.add(function.attr)
        elif function.__class__ is ast.Name:
            self.called.add(function.id)
        self.expression(function)
        for argument in node.args:
            if argument.__class__ is not ast.Constant:
                self.expression(argument)
        for keyword in node.keywords:
            if keyword.arg in _CHANGE:
                self.called.add(f"{keyword.arg}=")
            if keyword.value.__class__ is not ast.Constant:
                self.expression(keyword.value)
        for name in names_in_text(node):
            self.add("read", name, node)
        self.add("call", root(node.func), node)

    def own_way(self, node: ast.AST) -> None:
        """The kinds that are more than their parts in order."""
        match node:
            case ast.stmt():
                self.statement(node)
            case ast.NamedExpr():
                self.expression(node.value)
                hidden, self.hidden = self.hidden, []  # a walrus binds outside of the comprehension
                self.add("bind", node.target.id, node.target)
                self.hidden = hidden
            case ast.Lambda():
                self.expressions([*node.args.defaults, *node.args.kw_defaults])
                self.function("<lambda>", node, [ast.Return(value=node.body)])
                if seen := self.seen_inside():  # names of a comprehension are no outer reads of the lambda
                    self.functions[-1].locals |= set().union(*seen)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                self.comprehension(node.generators, [node.elt])
            case ast.DictComp():
                self.comprehension(node.generators, [node.key, node.value])
            case ast.BoolOp():
                self.expression(node.values[0])
                self.depth += 1
                self.expressions(node.values[1:])
                self.depth -= 1
            case ast.IfExp():
                self.expression(node.test)
                self.depth += 1
                self.expressions([node.body, node.orelse])
                self.depth -= 1

    def comprehension(self, generators: list[ast.comprehension], results: list[ast.expr]) -> None:
        self.expression(generators[0].iter)
        names: set[str] = set()
        for generator in generators:
            names |= {n.id for n in nodes(generator.target) if isinstance(n, ast.Name)}
        outer, self.hidden = self.hidden, [*self.seen_inside(), names]
        self.depth += 1
        for position, generator in enumerate(generators):
            if position:
                self.expression(generator.iter)
            if not isinstance(generator.target, ast.Name):
                self.target(generator.target)
            self.expressions(generator.ifs)
        self.expressions(results)
        self.depth -= 1
        self.hidden = outer

    def seen_inside(self) -> list[set[str]]:
        """The hidden names that a comprehension or a lambda sees: those of a class body it does not."""
        return [names for names in self.hidden if names is not self.class_names]


def _bound_by(target: ast.expr) -> set[str]:
    """The variables that an assignment to this target binds: `i`, `row` of `i, row`, none of `d[key]`."""
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _returned(node: ast.expr) -> Iterable[ast.expr]:
    match node:
        case ast.Tuple() | ast.List():
            return [inner for element in node.elts for inner in _returned(element)]
        case ast.IfExp():
            return [*_returned(node.body), *_returned(node.orelse)]
        case ast.Name() | ast.Subscript() | ast.Attribute():
            return [node]
        case _:
            return []


def _always(body: list[ast.stmt]) -> set[str]:
    """Names that a body binds on every path, nested branches by the same rule."""
    names: set[str] = set()
    for node in body:
        match node:
            case ast.If():
                names |= _always(node.body) & _always(node.orelse) if node.orelse else set()
            case ast.With() | ast.AsyncWith():
                names |= bound_names([ast.With(node.items, [])]) | _always(node.body)
            case ast.For() | ast.While() | ast.Try() | ast.TryStar() | ast.Match() | ast.AsyncFor():
                continue
            case _:
                names |= bound_names([node])
    return names


def _exits(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, (ast.Raise, ast.Return, ast.Continue, ast.Break)) for node in body)
