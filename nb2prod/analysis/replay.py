"""Runs a notebook's events in some order of its cells, keeping for every name who wrote its value.

Function bodies read when they are called, and change what they are given.  `b = a` gives one value two
names.  What may be bound on some path counts as bound: only a read that fails for certain is missing.
It is long because there are many ways to bind a name.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from nb2prod import knowledge
from nb2prod.analysis import guards
from nb2prod.analysis.events import Event, Events, Function, bound_names, root
from nb2prod.analysis.nodes import dumped, nodes
from nb2prod.analysis.script import Script
from nb2prod.analysis.values import HISTORY, KERNEL, Value, changes_receiver, column, imported, key_read
from nb2prod.ir.names import Missing, Origin
from nb2prod.ir.program import Magic, Opaque, Stmt
from nb2prod.source import Located, Span, Text

# calls that run the functions they are given before they return
RUNS_ARGUMENTS = frozenset(
    [
        "agg", "aggregate", "apply", "applymap", "assign", "filter", "interact", "map", "max", "min",
        "pipe", "reduce", "sort", "sorted", "starmap", "transform",
    ]
)  # fmt: skip
_WORD = re.compile(r"[^\W\d]\w*")
_BINDERS = frozenset(["exec", "execfile", "update", "var"])
MAX_CALLS = 100  # of functions that call each other: one more is not followed
_ON_FILES = ("read_", "to_")
_WRITING = ("w", "a", "x")
_VIEWS = ("reshape", "ravel", "view", "squeeze")
_STARTS = ("__init__", "__new__", "__post_init__")


@dataclass(frozen=True, slots=True)
class Frame:
    """A running function: where it was called, the names that are its own, and what we know of them."""

    function: Function
    call: ast.expr
    own: frozenset[str]
    values: dict[str, Value]


def replay(
    script: Script,
    order: tuple[int, ...],
    numbers: dict[object, int] | None = None,
    drawing: frozenset[int] = frozenset(),
) -> Replay:
    """Runs the cells in this order.  With a table of `numbers`, values are numbered and origins kept; what
    the statements `drawing` random numbers make is another value in each cell.
    """
    run = Replay(script, numbers, drawing)
    for cell in order:
        for step in script.cells[cell]:
            match step:
                case Magic():
                    run.magic(step)
                case Opaque():
                    run.opaque(step)
                case (stmt, found):
                    run.statement(stmt, found)
    return run


class Replay:
    """The state of one run, and what was seen on the way."""

    def __init__(
        self, script: Script, numbers: dict[object, int] | None, drawing: frozenset[int] = frozenset()
    ) -> None:
        self.script = script
        self.numbers = numbers
        self.drawing = drawing
        self.state: dict[str, Value] = {}
        self.files: dict[str, Value] = {}  # by the path, where it is a literal
        self.unknown = False  # names may exist that the text does not show
        self.deleted: dict[str, Span] = {}
        self.missing: dict[tuple[str, Span], Missing] = {}
        self.unseen: dict[tuple[str, Span], Missing] = {}
        self.bound: dict[str, list[Span | tuple[Text, ast.AST]]] = {}
        self.origins: dict[tuple[int, str, Span], Origin] = {}
        self.functions: dict[int, tuple[Function, Text, frozenset[str]]] = {}
        self.stmt: Stmt
        self.found: Events
        self.inputs: dict[str, int] = {}
        self.frames: list[Frame] = []
        self.ran: set[int] = set()
        self.handlers: dict[int, Value | None] = {}

    # steps

    def magic(self, magic: Magic) -> None:
        for name in [*magic.binds, *(["_exit_code"] if magic.kind == "shell" else [])]:
            value = Value(((magic.span, ""),), self.number("magic", magic.text), seen=False)
            self.put(name, value, magic.span)
        if magic.drops:
            pattern = re.compile(magic.drops)
            for name in [name for name in self.state if pattern.search(name)]:
                self.drop(name, magic.span)
        self.unknown |= magic.unknown

    def opaque(self, item: Opaque) -> None:
        """A cell that is not understood may bind every word in it."""
        for word in _WORD.findall(self.script.notebook.cells[item.cell].text):
            self.state.setdefault(word, Value(((item.span, ""),), seen=False))
            self.bound.setdefault(word, []).append(item.span)

    def statement(self, stmt: Stmt, found: Events) -> None:
        self.stmt, self.found = stmt, found
        self.inputs, self.ran = {}, set()
        for function in found.functions:
            self.register(function, frozenset())
        if isinstance(stmt.node, ast.ImportFrom) and stmt.node.names[0].name == "*":
            self.star(stmt.node.module or "")
        state, counts = self.state, self.numbers is not None
        for event in found.events:
            kind = event.kind
            if kind == "read":
                value = state.get(event.name)
                if value is None or counts or value.functions or not value.seen:
                    self.read(event.name, event.node)
            elif kind == "bind":
                self.bind(event)
            elif kind != "call" or counts or self.matters(event.node):
                self.event(event)

    def matters(self, node: ast.AST) -> bool:
        """A call at module level may run a function of the notebook, or bind something; most do not."""
        callee = node.func if isinstance(node, ast.Call) else node
        kind = callee.__class__
        if kind is ast.Name:
            name: str = callee.id  # type: ignore[attr-defined]
            value = self.state.get(name)
            known = value is not None and (value.is_class or bool(value.functions))
        elif kind is ast.Attribute and callee.value.__class__ is ast.Name:  # type: ignore[attr-defined]
            name = callee.attr  # type: ignore[attr-defined]
            value = self.state.get(callee.value.id)  # type: ignore[attr-defined]
            known = value is not None and name in value.methods
        else:
            return True
        return known or name in RUNS_ARGUMENTS or name in _BINDERS

    def register(self, function: Function, outer: frozenset[str]) -> None:
        own = function.locals | outer
        self.functions[id(function.node)] = function, self.stmt.text, own
        for event in function.events:
            if event.kind == "bind" and event.name in function.declared_global:
                self.bound.setdefault(event.name, []).append((self.stmt.text, event.node))
        for inner in function.inner:
            self.register(inner, own)

    def star(self, module: str) -> None:
        names = knowledge.star_names(module, self.script.notebook.facts)
        self.unknown |= names is None
        for name in sorted(names or ()):
            self.put(name, Value(((self.stmt.span, ""),), self.number("star", module, name)), self.stmt.span)

    def event(self, event: Event) -> None:
        match event.kind:
            case "read":
                self.read(event.name, event.node)
            case "bind":
                self.bind(event)
            case "mutate":
                if self.numbers is not None:
                    self.change(self.value(event.name), column(event.node))
                self.global_table(event.node)
            case "delete":
                self.delete(event)
            case "call" if isinstance(event.node, ast.Call):
                self.call(event.node)

    # names

    def value(self, name: str) -> Value | None:
        if self.frames and name in self.frames[-1].own:
            return self.frames[-1].values.get(name)
        return self.state.get(name)

    def read(self, name: str, node: ast.AST) -> None:
        value = self.state.get(name)
        if value is None:
            self.absent(name, node)
            return
        if not value.seen:
            self.note(self.unseen, name, node)
        for function in value.functions:  # it may be called from here on, by whom we do not see
            for event in function.outer_binds():
                self.state.setdefault(event.name, Value(((self.stmt.span, ""),)))
        self.trace(name, node, value)

    def trace(self, name: str, node: ast.AST, value: Value) -> None:
        """Where what is read comes from."""
        if self.numbers is not None:
            number, written = value.number, value.writers
            if value.base is not None:
                number = self.number("view", number, value.base.number)
                written = (*written, *value.base.writers[value.shown :])
            self.inputs.setdefault(name, number)
            if written and written[0][0].cell != self.stmt.cell:
                where = self.stmt.text.span(self.frames[0].call) if self.frames else self.place(node)
                parts = any(part for _, part in written)  # asked first: to find the key is slow
                key = key_read(self.stmt.node, node) if parts else ""
                writers = tuple(span for span, part in written if not (key and part) or part == key)
                origin = Origin(name, where, writers, number)
                self.origins.setdefault((self.stmt.cell, name, where), origin)

    def bind(self, event: Event) -> None:
        name, node = event.name, event.node
        before = self.state.get(name)
        if isinstance(node, ast.ExceptHandler):  # the name lives as long as its handler
            self.handlers[id(node)] = before
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                for function in self.called(decorator):
                    self.run(function, decorator, [])
        value = self.made(event)
        if event.conditional and before is not None and value is not before and not self.turns(node):
            value.writers = (*before.writers, *value.writers)
            value.written = None
            value.functions += before.functions
            value.number = self.number(before.number, value.number)
        self.put(name, value, (self.text(), node))

    def turns(self, node: ast.AST) -> bool:
        """A binding in a loop, which is taken to turn: what was there before is gone."""
        return self.numbers is not None and not self.frames and guards.certain(self.stmt.node, node)

    def made(self, event: Event) -> Value:
        """The value that a binding makes."""
        node, stmt = event.node, self.stmt.node
        number, module = 0, "" if isinstance(node, ast.Name) else imported(node, event.name)
        if self.numbers is not None:
            number = self.number("import", module) if module else self.number(event.name, *self.work())
        fresh = Value(((self.stmt.span, ""),), number, is_import=bool(module))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            fresh.functions = self.function(node)
        elif isinstance(node, ast.ClassDef):
            methods = [f for f in self.found.functions if f.name.startswith(f"{node.name}.")]
            for base in reversed(node.bases):
                owner = self.state.get(base.id) if isinstance(base, ast.Name) else None
                fresh.methods |= owner.methods if owner is not None else {}
            fresh.methods |= {f.name.rpartition(".")[2]: f for f in methods}
            fresh.is_class = True
        elif (
            isinstance(stmt, ast.Assign)
            and isinstance(stmt.value, (ast.Name, ast.Lambda, ast.Call, ast.Subscript))
            and any(target is node for target in stmt.targets)
        ):
            match stmt.value:
                case ast.Name(id=other) if other in self.state and not event.conditional:
                    return self.state[other]
                case ast.Subscript(value=ast.Name(id=other), slice=ast.Slice() | ast.Tuple()) if (
                    self.is_array(other)
                ):
                    self.view(fresh, self.state[other])
                case ast.Call(func=ast.Attribute(value=ast.Name(id=other), attr=method)) if (
                    method in _VIEWS and self.is_array(other)
                ):
                    self.view(fresh, self.state[other])
                case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"))):
                    fresh.is_array = True
                case ast.Lambda():
                    fresh.functions = self.function(stmt.value)
                case ast.Call(func=ast.Name(id=maker)) if maker in self.state and self.state[maker].is_class:
                    fresh.methods = self.state[maker].methods
        return fresh

    def put(self, name: str, value: Value, where: Span | tuple[Text, ast.AST]) -> None:
        self.state[name] = value
        self.bound.setdefault(name, []).append(where)
        self.deleted.pop(name, None)

    def drop(self, name: str, span: Span) -> None:
        self.state.pop(name, None)
        self.deleted[name] = span

    def delete(self, event: Event) -> None:
        name = event.name
        if isinstance(event.node, ast.ExceptHandler):
            before = self.handlers.pop(id(event.node), None)
            if before is None:
                self.drop(name, self.place(event.node))
            else:
                self.state[name] = before
        elif name not in self.state:
            self.absent(name, event.node)
        elif not event.conditional:
            self.drop(name, self.place(event.node))

    def change(self, value: Value | None, key: str = "") -> None:
        """A change in place: every name of the value sees it."""
        for one in (value, value.base) if value is not None else ():
            if one is not None:
                if (self.stmt.span, key) not in one.wrote():
                    one.wrote().add((self.stmt.span, key))
                    one.writers = (*one.writers, (self.stmt.span, key))
                one.number = self.number(one.number, *self.work())

    def global_table(self, node: ast.AST) -> None:
        """`globals()["x"] = 1` binds x; with a computed name it may bind anything."""
        match node:
            case ast.Subscript(value=ast.Call(func=ast.Name(id="globals" | "locals" | "vars")), slice=key):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    if isinstance(node.ctx, ast.Del):
                        self.drop(key.value, self.place(node))
                        return
                    self.put(key.value, Value(((self.stmt.span, ""),), seen=False), self.stmt.span)
                else:
                    self.unknown = True

    # calls

    def call(self, node: ast.Call) -> None:
        callee, name = node.func, _last_name(node.func)
        if name in _BINDERS or (isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Call)):
            self.binder(node)
        if self.numbers is not None and node.args and (name == "open" or name.startswith(_ON_FILES)):
            self.file(node, name)
        called = self.called(callee)
        runs = name in RUNS_ARGUMENTS
        given: list[ast.expr] = []
        if called or runs:
            given = [*node.args, *[keyword.value for keyword in node.keywords]]
        for function in called:
            self.run(function, node, given)
        if self.numbers is not None and changes_receiver(node) and isinstance(callee, ast.Attribute):
            value = self.value(_held_by(callee.value))
            if value is not None and not value.is_import:  # `np.sort(x)` leaves NumPy as it is
                self.change(value)
        if runs:
            for argument in given:
                for function in self.called(argument):
                    self.run(function, node, [])

    def is_array(self, name: str) -> bool:
        value = self.state.get(name)
        return self.numbers is not None and value is not None and value.is_array

    @staticmethod
    def view(value: Value, shown: Value) -> None:
        """The value becomes a view: a change of it is one of the array too, and the other way round."""
        value.is_array = True
        value.base = shown.base or shown
        value.shown = len(value.base.writers)

    def file(self, node: ast.Call, name: str) -> None:
        """Data go through a file whose path is a literal: `open("a", "w")`, `read_csv("a")`."""
        mode = node.args[1] if len(node.args) > 1 else None
        match node.args[0]:
            case ast.Constant(value=str() as path):
                writes = name.startswith("to_") or (
                    name == "open" and isinstance(mode, ast.Constant) and str(mode.value)[:1] in _WRITING
                )
                if writes:
                    self.files[path] = Value(((self.stmt.span, ""),), self.number("file", *self.work()))
                elif path in self.files:
                    self.trace(path, node, self.files[path])

    def binder(self, node: ast.Call) -> None:
        """Calls that bind names by their text."""
        match node.func:
            case ast.Name(id="exec" | "execfile"):
                self.unknown = True
            case ast.Attribute(
                value=ast.Call(func=ast.Name(id="globals" | "locals" | "vars")), attr="update"
            ):
                self.unknown = True
            case ast.Name(id="var") | ast.Attribute(attr="var"):
                self.symbols(node)
            case ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython"))):
                self.kernel_call(node)

    def symbols(self, node: ast.Call) -> None:
        """`sympy.var("x y")` binds x and y."""
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        for name in (name for text in texts for name in _WORD.findall(text)):
            self.put(name, Value(((self.stmt.span, ""),), seen=False), self.stmt.span)

    def called(self, callee: ast.expr) -> tuple[Function, ...]:
        """The functions of the notebook that a call of this expression runs."""
        if isinstance(callee, ast.Name):
            value = self.value(callee.id)
            if value is not None and value.is_class:
                return tuple(value.methods[name] for name in _STARTS if name in value.methods)
            return value.functions if value else ()
        if isinstance(callee, ast.Attribute):
            value = self.receiver(callee.value)
            return (value.methods[callee.attr],) if value and callee.attr in value.methods else ()
        return self.function(callee) if isinstance(callee, ast.Lambda) else ()

    def receiver(self, node: ast.expr) -> Value | None:
        """The value whose method is called: a variable, or an instance that is made there."""
        if isinstance(node, ast.Call):
            node = node.func
        return self.value(node.id) if isinstance(node, ast.Name) else None

    def instance(self, call: ast.expr) -> Value | None:
        """What `self` is in a method that is called: the receiver, or what the class makes."""
        callee = call.func if isinstance(call, ast.Call) else call
        return self.receiver(callee.value if isinstance(callee, ast.Attribute) else callee)

    def function(self, node: ast.AST) -> tuple[Function, ...]:
        known = self.functions.get(id(node))
        return (known[0],) if known else ()

    def run(self, function: Function, call: ast.expr, given: list[ast.expr]) -> None:
        """A function's body: its reads of outer names, its bindings of global ones, its calls."""
        if id(function.node) in self.ran or len(self.frames) >= MAX_CALLS:
            return
        self.ran.add(id(function.node))
        values = {inner.name: Value(functions=(inner,)) for inner in function.inner}
        params = function.params
        if "." in function.name and params and not _static(function.node):
            instance = self.instance(call)
            if instance is not None and instance.is_class and function.name.endswith(_STARTS):
                instance = Value(methods=instance.methods)  # the class itself stays as it is
            if instance is not None:
                values[params[0]] = instance
            params = params[1:]
        for name, argument in zip(params, given, strict=False):
            value = self.value(root(argument))
            if isinstance(argument, ast.Lambda):
                value = Value(functions=self.function(argument))
            if value is not None:
                values[name] = value
        own = self.functions[id(function.node)][2]
        self.frames.append(Frame(function, call, own, values))
        early = _read_early(function)
        for event in function.events:
            if event is early:
                own_bind = next(e for e in function.events if e.kind == "bind" and e.name == event.name)
                self.bound.setdefault(event.name, []).append((self.text(), own_bind.node))
                self.absent(event.name, event.node)
            if event.kind in ("call", "mutate") or event.name not in own:
                self.event(event)
        self.frames.pop()

    def kernel_call(self, node: ast.Call) -> None:
        """`get_ipython().run_line_magic("run", "x.py")` and the like may bind anything."""
        assert isinstance(node.func, ast.Attribute)
        magic = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if node.func.attr in ("run_line_magic", "magic"):
            words = str(magic).split()
            self.unknown |= not words or words[0] in ("run", "store", "pylab", "rerun", "macro")
        elif node.func.attr not in ("getoutput", "system", "run_cell_magic"):
            self.unknown |= node.func.attr in ("run_cell", "push", "ex", "safe_execfile")

    # what is missing

    def absent(self, name: str, node: ast.AST) -> None:
        """A read of a name that is not there."""
        if name == "get_ipython" or (self.unknown and name not in KERNEL):
            self.note(self.unseen, name, node)
        if name in KERNEL or (self.unknown and not HISTORY.fullmatch(name)):
            return
        if self.stmt.cell in self.script.failing:
            return
        nodes = [*[frame.call for frame in self.frames], node]
        roots: list[ast.AST] = [self.stmt.node, *[frame.function.node for frame in self.frames]]
        steps = list(zip(roots, nodes, strict=True))
        if any(guards.deferred(frame.function.node, roots, frame.call) for frame in self.frames):
            return
        if any(guards.tolerated(root, inner, name) for root, inner in steps):
            return
        if guards.postponed(*steps[0]) and any(name in e.names("bind") for _, e in self.script.stmts()):
            return
        if not all(guards.certain(root, inner) for root, inner in steps[1:]):
            return
        if name in bound_names([self.stmt.node]) and not guards.certain(*steps[0]):
            return  # an earlier turn of the loop may have bound it
        self.note(self.missing, name, node)

    def note(self, where: dict[tuple[str, Span], Missing], name: str, node: ast.AST) -> None:
        call = self.stmt.text.span(self.frames[0].call) if self.frames else None
        function = self.frames[-1].function.name if self.frames else ""
        found = Missing(name, self.place(node), call, function, self.deleted.get(name))
        where.setdefault((name, found.place), found)

    def never_bound(self) -> list[Missing]:
        """Reads in functions of names that nothing binds, whether the function is called or not."""
        found = []
        seen = {(missing.name, missing.read) for missing in self.missing.values()}
        for function, text, own in self.functions.values():
            for event in function.events:
                name = event.name
                if event.kind != "read" or name in own or name in KERNEL or name in self.bound:
                    continue
                if (self.unknown and not HISTORY.fullmatch(name)) or text.cell in self.script.failing:
                    continue
                span = text.span(event.node) if isinstance(event.node, ast.expr) else None
                if span is None or (name, span) in seen or guards.tolerated(function.node, event.node, name):
                    continue
                if not _annotates(function.node, event.node):
                    found.append(Missing(name, span, None, function.name))
        return found

    def places(self, name: str) -> tuple[Span, ...]:
        """Where a name is bound, in document order."""
        spans = [where if isinstance(where, Span) else _span(*where) for where in self.bound.get(name, ())]
        return tuple(sorted(dict.fromkeys(spans)))

    # places and numbers

    def text(self) -> Text:
        return self.functions[id(self.frames[-1].function.node)][1] if self.frames else self.stmt.text

    def place(self, node: ast.AST) -> Span:
        return _span(self.text(), node)

    def work(self) -> tuple[object, ...]:
        """What the running statement computes: its text and the values that it has read so far."""
        if self.numbers is None:
            return ()
        drawn = self.stmt.cell if self.stmt.id in self.drawing else None
        return dumped(self.stmt.node), tuple(sorted(self.inputs.items())), drawn

    def number(self, *key: object) -> int:
        return 0 if self.numbers is None else self.numbers.setdefault(key, len(self.numbers) + 1)


def _read_early(function: Function) -> Event | None:
    """The first read of a name of the function's own that no statement before can have bound."""
    if isinstance(function.node, ast.Lambda):
        return None
    seen = set(function.params)
    for event in function.events:
        if event.kind == "bind":
            seen.add(event.name)
        elif event.kind == "read" and event.name in function.locals and event.name not in seen:
            bound = any(e.kind == "bind" and e.name == event.name for e in function.events)
            return event if bound and not event.conditional else None
    return None


def _held_by(node: ast.expr) -> str:
    """The variable that a changed object belongs to: not of `Model().fit(...)`, whose object is new."""
    while True:
        match node:
            case ast.Attribute() | ast.Subscript():
                node = node.value
            case ast.Call(func=ast.Attribute(value=owner, attr="setdefault" | "get")):
                node = owner
            case _:
                return node.id if isinstance(node, ast.Name) else ""


def _static(node: ast.AST) -> bool:
    return any(getattr(d, "id", "") == "staticmethod" for d in getattr(node, "decorator_list", ()))


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _annotates(function: ast.AST, node: ast.AST) -> bool:
    """Annotations of a function's variables are never evaluated."""
    return any(
        isinstance(inner, ast.AnnAssign) and any(part is node for part in nodes(inner.annotation))
        for inner in nodes(function)
    )


def _span(text: Text, node: ast.AST) -> Span:
    assert isinstance(node, Located)
    return text.head(node)
