"""Names that a run from top to bottom has on some paths only, and is certain to read.

    if fast:                  try:                        with suppress(OSError):
        limit = 10                rates = load()              rates = load()
    print(limit)              except OSError:             print(rates)
                                  print("no rates")
                              print(rates)

A loop is taken to turn at least once unless it goes over something that was filtered, and a `while` loop
where it changes what it asks. Tests of constants are known. Reads that happen on some paths only may be as
conditional as the binding. It is long because it has a case for each kind of statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from nb2prod.analysis.calls import called_name
from nb2prod.analysis.events import BUILTINS, Event, Events, Function, bound_names, events
from nb2prod.analysis.guards import catches_name_error, chosen, happens_once, truth
from nb2prod.analysis.guards import certain as reached
from nb2prod.analysis.nodes import inner_calls, nodes
from nb2prod.analysis.script import Script
from nb2prod.ir.names import Possible
from nb2prod.ir.program import Magic, Opaque, Stmt
from nb2prod.source import Located, Span
from nb2prod.tree import LEAVES

_COMPOUND = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match,
)  # fmt: skip
_PLAIN = frozenset([ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom])
_LITERALS = frozenset([ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict])
_PURE = _PLAIN | {ast.Expr}  # they bind what they store, and delete nothing
_NAMESPACES = ("globals", "locals", "vars", "dir")
_LEAVES = ("exit", "quit", "_exit", "abort", "skip")
_FILTERS = (
    "filter", "glob", "iglob", "rglob", "listdir", "findall", "finditer", "query", "compress", "dropna",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(slots=True)
class Paths:
    """What is known at a place: names that are bound there for certain, those bound on some paths only with
    the place that decides, and the values of constants."""

    sure: set[str] = field(default_factory=set)
    maybe: dict[str, Span] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)

    def copy(self) -> Paths:
        return Paths(set(self.sure), dict(self.maybe), dict(self.constants))

    def bind(self, name: str) -> None:
        self.sure.add(name)
        if self.maybe:
            self.maybe.pop(name, None)
        if self.constants:
            self.constants.pop(name, None)

    def unbind(self, name: str) -> None:
        self.sure.discard(name)
        self.maybe.pop(name, None)
        self.constants.pop(name, None)


def possible(script: Script) -> tuple[Possible, ...]:
    """The first certain read of each name that may be unbound there."""
    if not any(isinstance(stmt.node, _COMPOUND) for stmt, _ in script.stmts()):
        return ()
    walk = _Walk(script)
    for cell, steps in script.cells.items():
        for step in steps:
            walk.step(step, cell in script.failing)
    return tuple(walk.found.values())


class _Walk:
    """Goes through the cells in the order of the text."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.now = Paths()
        self.found: dict[str, Possible] = {}
        self.functions: dict[str, Function] = {}
        self.turning: list[ast.For | ast.AsyncFor] = []  # the loops around
        self.stmt: Stmt

    def step(self, step: tuple[Stmt, Events] | Magic | Opaque, may_fail: bool) -> None:
        match step:
            case Magic():
                for name in step.binds:
                    self.now.bind(name)
                if step.drops:
                    for name in [n for n in (*self.now.sure, *self.now.maybe) if re.search(step.drops, n)]:
                        self.now.unbind(name)
            case Opaque():
                for name in _WORD.findall(self.script.notebook.cells[step.cell].text):
                    self.now.bind(name)
            case (stmt, found):
                self.stmt = stmt
                for function in found.functions:
                    self.function(function)
                before = self.now
                if stmt.node.__class__ in _PLAIN and not (before.maybe or may_fail):
                    self.simple(stmt.node, before, found, certain=True)
                    return
                compound = isinstance(stmt.node, _COMPOUND)
                had = before.sure | set(before.maybe) if compound else set()
                after = self.one(stmt.node, before, found, certain=not may_fail) or before
                if compound:  # deleted in a loop or a branch
                    for name in had - after.sure - set(after.maybe):
                        after.maybe[name] = self.place(stmt.node)
                self.now = self.join(before, after, stmt.node) if may_fail else after

    def function(self, function: Function) -> None:
        """A function that sets a global is taken to be called."""
        if function.name in self.functions or not function.name.isidentifier():
            return
        self.functions[function.name] = function
        for event in function.outer_binds():
            self.now.bind(event.name)

    # statements: each gives what is known after it, or None where the run does not come out of it

    def body(self, body: Iterable[ast.stmt], now: Paths | None, certain: bool) -> Paths | None:
        for node in body:
            if now is None:
                return None
            now = self.one(node, now, None, certain)
        return now

    def one(self, node: ast.stmt, now: Paths, found: Events | None, certain: bool) -> Paths | None:
        if node.__class__ in _PLAIN:
            return self.simple(node, now, found, certain)
        match node:
            case ast.If():
                return self.branch(node, now, certain)
            case ast.For() | ast.AsyncFor():
                return self.loop(node, now, certain)
            case ast.While():
                self.reads(node.test, now, certain)
                turns = self.value(node.test, now)
                if turns is None and self.advances(node):
                    turns = True
                turned = self.body(node.body, now.copy(), certain and turns is True)
                done = turned or self.turned(node.body, now.copy())
                return done if turns else self.join(now, done, node)
            case ast.Try() | ast.TryStar():
                return self.attempt(node, now, certain)
            case ast.With() | ast.AsyncWith():
                return self.context(node, now, certain)
            case ast.Match():
                return self.cases(node, now, certain)
            case ast.Raise() | ast.Return() | ast.Continue() | ast.Break():
                return None
            case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))) if (
                name in _LEAVES
            ):
                return None
            case _:
                return self.simple(node, now, found, certain)

    def simple(self, node: ast.stmt, now: Paths, found: Events | None, certain: bool) -> Paths:
        if node.__class__ in _PURE and not (certain and now.maybe):  # what it reads does not matter
            for name in found.binds if found is not None else bound_names([node]):
                now.bind(name)
            every: tuple[Event, ...] = ()
        else:
            every = (found or events(node)).events
        for event in every:
            match event.kind:
                case "read" if certain and event.name in now.maybe:
                    if not event.conditional or reached(node, event.node):
                        self.read(event.name, event.node, now)
                case "call" if certain and isinstance(event.node, ast.Call) and now.maybe:
                    self.call(event.node, now)
                case "bind":
                    now.bind(event.name)
                case "delete":
                    now.unbind(event.name)
        if now.maybe and isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            now.maybe.clear()
        if isinstance(node, ast.Assign) and node.value.__class__ in _LITERALS:
            value = node.value
            filled = getattr(value, "elts", None) or getattr(value, "keys", None)
            for target in node.targets:
                if isinstance(target, ast.Name) and (isinstance(value, ast.Constant) or filled):
                    now.constants[target.id] = value.value if isinstance(value, ast.Constant) else True
        return now

    def branch(self, node: ast.If, now: Paths, certain: bool) -> Paths | None:
        self.reads(node.test, now, certain)
        known = self.value(node.test, now)
        if known is not None:
            taken, other = (node.body, node.orelse) if known else (node.orelse, node.body)
            done = self.body(taken, now.copy(), certain)
            return None if done is None else self.never(other, done)
        one = self.body(node.body, now.copy(), False)
        if one is not None and happens_once(node, self.turning):
            return one
        two = self.body(node.orelse, now.copy(), False)
        done = self.joined([one, two], node)
        if done is not None and any(called_name(c) in _NAMESPACES for c in inner_calls(node.test)):
            for asked in nodes(node.test):  # `if "x" not in globals(): x = 1`
                if isinstance(asked, ast.Constant) and asked.value in bound_names([node]):
                    done.bind(str(asked.value))
        return done

    def never(self, body: list[ast.stmt], now: Paths) -> Paths:
        """A branch that is not taken: what it binds is bound on another path only."""
        for name in bound_names(body) - now.sure:
            now.maybe.setdefault(name, self.place(body[0]))
        return now

    def loop(self, node: ast.For | ast.AsyncFor, now: Paths, certain: bool) -> Paths | None:
        self.reads(node.iter, now, certain)
        filtered = self.filtered(node.iter)
        turned = now.copy()
        for name in sorted(bound_names([ast.Assign(targets=[node.target], value=node.iter)])):
            turned.bind(name)
        self.turning.append(node)
        turned = self.body(node.body, turned, certain and not filtered) or turned
        self.turning.pop()
        done = self.join(now, turned, node) if filtered else self.turned(node.body, turned)
        return self.body(node.orelse, done, False)

    def turned(self, body: list[ast.stmt], now: Paths) -> Paths:
        """After a loop that turned: `break` and `continue` do not come before a binding in every turn."""
        names = bound_names(body) - set(now.maybe)
        for name in names - self.deleted(body) if names else ():
            now.bind(name)
        return now

    @staticmethod
    def advances(node: ast.While) -> bool:
        """The body changes what the test asks: a loop that counts, and is there to turn."""
        asked = {inner.id for inner in nodes(node.test) if isinstance(inner, ast.Name)} - BUILTINS
        done = [event for stmt in node.body for event in events(stmt).events]
        return any(event.name in asked for event in done if event.kind in ("bind", "mutate", "call"))

    @staticmethod
    def deleted(body: list[ast.stmt]) -> set[str]:
        return {
            inner.id
            for stmt in body
            for inner in nodes(stmt)
            if inner.__class__ is ast.Name and inner.ctx.__class__ is ast.Del
        }

    def attempt(self, node: ast.Try | ast.TryStar, now: Paths, certain: bool) -> Paths | None:
        caught = any(catches_name_error(handler) for handler in node.handlers)
        tried = self.body(node.body, now.copy(), certain and not caught)
        outs = [self.body(node.orelse, tried.copy(), False) if tried else None]
        failed = self.join(now, tried or now, node)
        for handler in node.handlers:
            inner = failed.copy()
            if handler.name:
                inner.bind(handler.name)
            out = self.body(handler.body, inner, False)
            if out is not None and handler.name:
                out.unbind(handler.name)
            outs.append(out)
        done = self.joined(outs, node)
        if done is not None and any(catches_name_error(handler) for handler in node.handlers):
            for event in (e for stmt in node.body for e in events(stmt).events if e.kind == "read"):
                done.bind(event.name)  # it is there, or its handler knows
        return self.body(node.finalbody, done, certain) if done else None

    def context(self, node: ast.With | ast.AsyncWith, now: Paths, certain: bool) -> Paths | None:
        swallows = any("suppress" in ast.dump(item.context_expr) for item in node.items)
        for item in node.items:
            self.reads(item.context_expr, now, certain)
        inner = now.copy()
        for item in node.items:
            if item.optional_vars is not None:
                for name in bound_names([ast.Assign(targets=[item.optional_vars], value=item.context_expr)]):
                    inner.bind(name)
        done = self.body(node.body, inner, certain and not swallows)
        return self.join(now, done or now, node) if swallows else done

    def cases(self, node: ast.Match, now: Paths, certain: bool) -> Paths | None:
        self.reads(node.subject, now, certain)
        if isinstance(node.subject, (ast.Constant, ast.Name)) and (asked := self.constant(node.subject, now)):
            known, taken = chosen(node.cases, asked.value)
            if known:
                done = self.body(taken.body, now, certain) if taken else now
                others = [stmt for case in node.cases if case is not taken for stmt in case.body]
                return None if done is None else self.never(others, done)
        outs: list[Paths | None] = []
        for case in node.cases:
            inner = now.copy()
            for name in bound_names([ast.Match(subject=node.subject, cases=[replace_body(case)])]):
                inner.bind(name)
            outs.append(self.body(case.body, inner, False))
        last = node.cases[-1]
        catches_all = (
            last.guard is None and isinstance(last.pattern, ast.MatchAs) and not last.pattern.pattern
        )
        literal = isinstance(node.subject, (ast.Constant, ast.Dict, ast.List, ast.Tuple))
        known = literal or (isinstance(node.subject, ast.Name) and node.subject.id in now.constants)
        if known and any(outs):  # an example: one of the cases is there for it
            catches_all = True
        return self.joined(outs if catches_all else [*outs, now], node)

    # reads

    def reads(self, node: ast.expr, now: Paths, certain: bool) -> None:
        """The reads and bindings of an expression that is evaluated first."""
        if not (certain and now.maybe):
            for name in bound_names([ast.Expr(value=node)]) if node.__class__ not in LEAVES else ():
                now.bind(name)
            return
        for event in events(ast.Expr(value=node)).events:
            if event.kind == "read" and certain and event.name in now.maybe:
                if not event.conditional or reached(node, event.node):
                    self.read(event.name, event.node, now)
            elif event.kind == "bind":
                now.bind(event.name)

    def read(self, name: str, node: ast.AST, now: Paths, call: ast.Call | None = None) -> None:
        decides = now.maybe.get(name)
        if decides is None or name in BUILTINS or name in self.found:
            return
        span = self.place(node)
        self.found[name] = Possible(name, span, decides, self.place(call) if call is not None else None)
        now.bind(name)

    def call(self, node: ast.Call, now: Paths) -> None:
        """A call of a function of the notebook reads what its body is certain to read, one level deep."""
        function = self.functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if function is None or isinstance(function.node, ast.Lambda):
            return
        for event in function.events:
            if event.kind == "read" and not event.conditional and event.name not in function.locals:
                if event.name in now.maybe:
                    self.read(event.name, node, now, node)

    def constant(self, node: ast.expr, now: Paths) -> ast.Constant | None:
        """A literal, or a name of one."""
        if isinstance(node, ast.Name) and isinstance(value := now.constants.get(node.id), str):
            return ast.Constant(value)
        return node if isinstance(node, ast.Constant) else None

    def value(self, test: ast.expr, now: Paths) -> bool | None:
        """What a test of constants comes to."""
        known = truth(test)
        if known is not None:
            return known
        match test:
            case ast.Name(id=name) if name in now.constants:
                return bool(now.constants[name])
            case ast.UnaryOp(op=ast.Not()):
                inner = self.value(test.operand, now)
                return None if inner is None else not inner
            case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=value)]):
                if name == "__name__":
                    return value == "__main__" if isinstance(op, ast.Eq) else None
                if name in now.constants and isinstance(op, (ast.Eq, ast.Is)):
                    return now.constants[name] == value
                if name in now.constants and isinstance(op, (ast.NotEq, ast.IsNot)):
                    return now.constants[name] != value
                if isinstance(number := now.constants.get(name), (int, float)) and isinstance(
                    value, (int, float)
                ):
                    smaller, larger = isinstance(op, (ast.Lt, ast.LtE)), isinstance(op, (ast.Gt, ast.GtE))
                    same = number == value and isinstance(op, (ast.LtE, ast.GtE))
                    return same or (smaller and number < value) or (larger and number > value)
        return None

    @staticmethod
    def filtered(node: ast.expr) -> bool:
        """Something that may well be empty: it was filtered, or is an empty literal."""
        for inner in nodes(node):
            match inner:
                case ast.comprehension() if inner.ifs:
                    return True
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _FILTERS:
                    return True
                case ast.Subscript(slice=ast.Compare() | ast.BinOp(op=ast.BitAnd() | ast.BitOr())):
                    return True
                case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=0)]):
                    return True
        return isinstance(node, (ast.List, ast.Tuple, ast.Dict)) and not ast.unparse(node).strip("[](){}, ")

    # joining

    def joined(self, outs: list[Paths | None], node: ast.stmt) -> Paths | None:
        found = [out for out in outs if out is not None]
        if not found:
            return None
        done = found[0]
        for other in found[1:]:
            done = self.join(done, other, node)
        return done

    def join(self, one: Paths, two: Paths, node: ast.stmt) -> Paths:
        place = self.place(node)
        sure = one.sure & two.sure
        maybe = {**dict.fromkeys((one.sure | two.sure) - sure, place), **one.maybe, **two.maybe}
        constants = {n: v for n, v in one.constants.items() if n in two.constants and two.constants[n] == v}
        return Paths(sure, {name: where for name, where in maybe.items() if name not in sure}, constants)

    def place(self, node: ast.AST) -> Span:
        assert isinstance(node, Located)
        return self.stmt.text.head(node)


def replace_body(case: ast.match_case) -> ast.match_case:
    """A case without its body: what the pattern binds."""
    return ast.match_case(pattern=case.pattern, guard=case.guard, body=[])
