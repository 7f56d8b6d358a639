"""Which statement reads which definition, in document order, through names, aliases and changes in place.

Before:  the statements of a Program with their events and effects.
After:   a Flow: for each read of a name, the statements whose work it may see.

A name refers to abstract objects, one for each statement that makes one; containers hold objects.  A
change in place is a new writer of the object, whatever name it was reached by.  Reads inside a function
of the notebook happen when a statement that runs reaches the function.  Resources that are not names
(random streams, options, files) are objects too.

It is long because reads, bindings, changes and calls share one table of objects.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field

from nb2prod.analysis.effects import SHOWING, call_effects
from nb2prod.analysis.events import BUILTINS, Event, Events, Function, events, root
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Def, Effect, Evidence, Flow, Use
from nb2prod.ir.program import Program, Stmt
from nb2prod.knowledge import Fact

Objects = frozenset[int]
NOTHING: Objects = frozenset()

# Calls that return (a view of, or a container of) what they are given.
PASS_THROUGH = {
    "list",
    "tuple",
    "set",
    "dict",
    "zip",
    "enumerate",
    "reversed",
    "sorted",
    "iter",
    "next",
    "filter",
}
FRESH_TYPES = ("pandas.DataFrame", "pandas.Series", "pandas.StringMethods", "pandas.DatetimeProperties")
VIEW_METHODS = {
    "items",
    "values",
    "keys",
    "get",
    "pop",
    "setdefault",
    "reshape",
    "ravel",
    "view",
    "T",
    "to_numpy",
}


def defuse(program: Program, types: Types) -> Flow:
    """The data flow of the whole notebook."""
    scan = _Scan(types)
    for stmt in program.stmts():
        scan.statement(stmt)
    return Flow(
        program,
        tuple(scan.defs),
        tuple(scan.uses),
        tuple(scan.effects),
        {stmt.id: stmt for stmt in program.stmts()},
    )


@dataclass(slots=True)
class _Object:
    writers: list[int]
    holds: set[int] = field(default_factory=set)
    fits: set[int] = field(default_factory=set)  # those of the writers that do nothing but fit it
    warm: bool = False  # a fit goes on from the one before


class _Scan:
    def __init__(self, types: Types) -> None:
        self.types = types
        self.defs: list[Def] = []
        self.uses: list[Use] = []
        self.effects: list[Effect] = []
        self.objects: dict[int, _Object] = {}
        self.points: dict[str, Objects] = {}
        self.bound: dict[str, tuple[int, ...]] = {}
        self.functions: dict[str, Function] = {}
        self.stmt: Stmt
        self.reached: dict[str, set[int]] = {}
        self.made: dict[tuple[int, int], list[Objects]] = {}
        self.seen_functions: set[int] = set()
        self.own: dict[str, Objects] = {}  # what this statement has bound on some path
        self.certain = ""  # the name of the event, where it is one of these on every path to it

    # one statement

    def statement(self, stmt: Stmt) -> None:
        self.stmt, self.starts_warm = stmt, _starts_warm(stmt.node)
        self.reached = defaultdict(set)
        self.seen_functions = set()
        self.own = {}
        found = events(stmt.node)
        inline = {id(f.node): f for f in found.functions}
        self.register(stmt.node, found)
        deferred = self.deferred(stmt.node)
        for function in found.functions:
            if isinstance(function.node, ast.Lambda) and id(function.node) not in deferred:
                self.run_function(function)
        for event in found.events:
            self.certain = event.name if event.inner else ""
            self.event(event, inline)
        self.certain = ""
        if isinstance(stmt.node, (ast.For, ast.While)):  # what one turn changes, the next one reads
            for event in found.events:
                if event.kind == "read" and not event.inner:
                    self.read(event.name)
        for name, reaches in sorted(self.reached.items()):
            self.uses.append(Use(name, stmt.id, tuple(sorted(reaches))))

    def register(self, node: ast.stmt, found: Events) -> None:
        for function in found.functions:
            name = function.name
            if name == "<lambda>" and isinstance(node, ast.Assign) and node.value is function.node:
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.functions[target.id] = function
            elif "." in name:  # a method: reading its class may call it
                owner = name.split(".")[0]
                known = self.functions.get(owner)
                if known is None or known.node is node:
                    self.functions[owner] = function
                else:
                    merged = Function(owner, function.node, (), [], inner=[known, function])
                    self.functions[owner] = merged
            elif name != "<lambda>":
                self.functions[name] = function

    def deferred(self, node: ast.stmt) -> set[int]:
        """Lambdas that are kept under a name and run later."""
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            return {id(node.value)}
        return set()

    def event(self, event: Event, inline: dict[int, Function]) -> None:
        match event.kind:
            case "read":
                if not event.inner:
                    self.read(event.name)
                function = self.functions.get(event.name)
                if function is not None:
                    self.run_function(function)
            case "bind":
                self.bind(event)
            case "mutate" if event.name in self.types.imports and event.name not in self.points:
                self.set_option(event)
            case "mutate":
                self.change(event.name, deep=_is_deep(event.node))
                self.store_into(event)
            case "delete":
                self.defs.append(Def(event.name, self.stmt.id, "delete", event.conditional))
                if not event.conditional:
                    self.bound[event.name] = (self.stmt.id,)
                    self.points.pop(event.name, None)
            case "call":
                assert isinstance(event.node, ast.Call)
                self.call(event.node)

    # names and objects

    def read(self, name: str) -> None:
        if name in BUILTINS and name not in self.bound:
            return
        self.reached[name] |= set(self.bound.get(name, ()))
        for number in self.reachable(self.points.get(name, NOTHING)):
            self.reached[name] |= set(self.objects[number].writers)

    def reachable(self, objects: Objects) -> set[int]:
        found: set[int] = set()
        todo = list(objects)
        while todo:
            number = todo.pop()
            if number not in found:
                found.add(number)
                todo += self.objects[number].holds
        return found

    def new(self, holds: set[int] | None = None) -> Objects:
        number = len(self.objects)
        self.objects[number] = _Object([self.stmt.id], holds or set(), warm=self.starts_warm)
        return frozenset({number})

    def bind(self, event: Event) -> None:
        self.defs.append(Def(event.name, self.stmt.id, "bind", event.conditional))
        objects = self.bound_objects(event)
        if event.conditional:
            self.bound[event.name] = (*self.bound.get(event.name, ()), self.stmt.id)
            self.points[event.name] = self.points.get(event.name, NOTHING) | objects
            self.own[event.name] = objects
        else:
            self.bound[event.name] = (self.stmt.id,)
            self.points[event.name] = objects
        if isinstance(self.stmt.node, (ast.Import, ast.ImportFrom)):
            self.points.pop(event.name, None)  # a module is no object that a notebook fills
        if isinstance(event.node, ast.stmt) and not isinstance(event.node, ast.FunctionDef):
            return
        if not isinstance(event.node, ast.FunctionDef) and not isinstance(
            _value_of(self.stmt.node), ast.Lambda
        ):
            self.functions.pop(event.name, None)

    def bound_objects(self, event: Event) -> Objects:
        """The objects that a name refers to after this binding."""
        if isinstance(event.node, (ast.If, ast.Try, ast.TryStar)):  # what its branches have bound
            return self.points.get(event.name) or self.new()
        for node in ast.walk(self.stmt.node):
            match node:
                case ast.Assign() if any(t is event.node for t in node.targets):
                    return self.assigned(node.value)[0]
                case ast.Assign():
                    for target in node.targets:
                        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
                        for position, part in enumerate(parts):
                            if event.node in ast.walk(part):
                                made = self.assigned(node.value, len(parts))[position]
                                return made if part is event.node else frozenset(self.reachable(made))
                case ast.AnnAssign(target=target, value=ast.expr() as value) if target is event.node:
                    return self.value(value)
                case ast.AugAssign(target=target) if target is event.node:
                    return self.points.get(event.name, NOTHING) or self.new()
                case ast.NamedExpr(target=target) if target is event.node:
                    return self.value(node.value)
                case ast.For(target=target) if event.node in ast.walk(target):
                    made = self.value(node.iter)
                    inside = self.reachable(made) - made
                    return frozenset(inside) or made or self.new()
                case ast.withitem(optional_vars=ast.expr() as target) if target is event.node:
                    return self.value(node.context_expr)
        return self.new()

    def assigned(self, value: ast.expr, count: int = 0) -> list[Objects]:
        """The objects of a value, or of its `count` parts: once, before any target is bound."""
        key = (id(value), count)
        if key not in self.made:
            if not count:
                self.made[key] = [self.value(value)]
            elif isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == count:
                self.made[key] = [self.value(part) for part in value.elts]
            elif getattr(self.types.fact(value), "effect", "") == "splits":
                self.made[key] = [self.new() for _ in range(count)]
            else:
                self.made[key] = [frozenset(self.reachable(self.value(value))) or self.new()] * count
        return self.made[key]

    def value(self, node: ast.expr) -> Objects:
        """The objects that an expression may give; a new one where it makes one."""
        match node:
            case ast.Name():
                return self.points.get(node.id) or self.new()
            case ast.List() | ast.Tuple() | ast.Set():
                return self.new({n for e in node.elts for n in self.value(e)})
            case ast.Dict():
                return self.new({n for e in node.values for n in self.value(e)})
            case ast.IfExp():
                return self.value(node.body) | self.value(node.orelse)
            case ast.BoolOp():
                return frozenset(n for e in node.values for n in self.value(e))
            case ast.NamedExpr() | ast.Starred() | ast.Await():
                return self.value(node.value)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                names = {n.id for g in node.generators for n in ast.walk(g.iter) if isinstance(n, ast.Name)}
                return self.new({n for name in names for n in self.points.get(name, NOTHING)})
            case ast.Attribute() | ast.Subscript():
                if self.types.of(node.value) in FRESH_TYPES and self.types.of(node) != "numpy.ndarray":
                    return self.new()
                base = self.value(node.value)
                return frozenset(self.reachable(base))
            case ast.Call():
                return self.called(node)
            case _:
                return self.new()

    def called(self, node: ast.Call) -> Objects:
        given = [a.value if isinstance(a, ast.Starred) else a for a in node.args]
        given += [k.value for k in node.keywords]
        api, fact = self.types.api_of(node), self.types.fact(node)
        if api.startswith("notebook:"):
            function = self.functions.get(api[9:])
            if function is None or not function.returns:
                return self.new()
            held: set[int] = set()
            for name in function.returns:
                if name in function.params and function.params.index(name) < len(node.args):
                    held |= self.value(node.args[function.params.index(name)])
                elif name not in function.locals:
                    held |= self.points.get(name, NOTHING)
            return self.new() | held
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if fact is not None and receiver is not None and fact.effect == "fits" and fact.returns != "array":
            return self.value(receiver)
        passes = api.startswith("builtins.") and api[9:] in PASS_THROUGH
        if fact is not None and not passes and fact.effect not in ("constructs", "unknown"):
            view = isinstance(node.func, ast.Attribute) and node.func.attr in VIEW_METHODS
            return frozenset(self.reachable(self.value(receiver))) if view and receiver else self.new()
        if receiver is not None and not self.types.of(receiver).startswith(("module:", "api:")):
            given.append(receiver)
        return self.new({n for value in given for n in self.value(value)})

    # changes

    def change(self, name: str, deep: bool = False) -> None:
        """`name`'s object changes in place: this statement becomes a writer of it."""
        if not name:
            return
        own = self.own.get(name) if name == self.certain else None
        if own is None:
            self.read(name)
        self.defs.append(Def(name, self.stmt.id, "mutate"))
        objects = own or self.points.get(name)
        if objects is None:
            objects = self.points[name] = self.new()
        for number in self.reachable(objects) if deep else objects:
            self.objects[number].warm |= self.starts_warm
            if self.stmt.id not in self.objects[number].writers:
                self.objects[number].writers.append(self.stmt.id)

    def fit_again(self, name: str, node: ast.Call) -> None:
        """A fit forgets the fits before it, where it surely runs and nothing in its statement reads them."""
        objects = self.points.get(name, NOTHING)
        inside = [n for n in ast.walk(self.stmt.node) if isinstance(n, ast.Name) and n.id == name]
        simple = isinstance(self.stmt.node, (ast.Expr, ast.Assign)) and any(
            n is node for n in ast.walk(self.stmt.node)
        )
        if any(self.objects[number].warm for number in self.reachable(objects)):
            return  # it goes on from where it was
        for number in objects if simple and len(objects) == 1 and len(inside) == 1 else ():
            known = self.objects[number]
            if any(e.kind == "draws" and e.stmt in known.writers for e in self.effects):
                return  # the fit before has moved the random stream on
            known.writers = [w for w in known.writers if w not in known.fits]
            self.reached[name] -= known.fits
            known.fits = {self.stmt.id}

    def set_option(self, event: Event) -> None:
        """`pd.options.mode.x = y` sets an option of a library; how things are shown is none."""
        text = ast.unparse(event.node)
        shows = self.types.imports[event.name].split(".")[0] in SHOWING
        if not shows and not any(word in text for word in ("display", "rcParams", "plotting", "rc[")):
            self.change(f"<{self.types.imports[event.name].split('.')[0]} options>")

    def store_into(self, event: Event) -> None:
        """`models["rf"] = rf`: the container now holds the object."""
        node = self.stmt.node
        if isinstance(node, ast.Assign) and event.node in node.targets:
            value = self.value(node.value)
            for number in self.points.get(event.name, NOTHING):
                self.objects[number].holds |= value - {number}

    def call(self, node: ast.Call) -> None:
        api = self.types.api_of(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        function = self.functions.get(name)
        if function is not None:
            self.change_arguments(node, function)
            return
        if api.startswith("notebook:"):
            return
        effects = call_effects(self.stmt, node, self.types)
        self.effects += effects
        for effect in effects:
            self.apply(effect, node)

    def apply(self, effect: Effect, node: ast.Call) -> None:
        match effect.kind:
            case "mutates":
                fact = self.types.fact(node)
                if fact is not None and _is_fit(node, fact):
                    self.fit_again(effect.target, node)
                self.change(effect.target, deep=fact is None or _is_deep(node.func))
                keeps = isinstance(node.func, ast.Attribute) and (fact is None or fact.effect == "mutates")
                for argument in node.args if keeps else []:
                    if effect.target == root(node.func):
                        held = self.value(argument)
                        for number in self.points.get(effect.target, NOTHING):
                            self.objects[number].holds |= held - {number}
            case "draws":
                # an unseeded stream has no order worth keeping, and a module holds none of its own
                if effect.target in self.bound and effect.target not in self.types.imports:
                    self.change(effect.target)
            case "seeds" if effect.target.startswith("<"):
                self.defs.append(Def(effect.target, self.stmt.id, "bind"))
                self.bound[effect.target] = (self.stmt.id,)
                self.points[effect.target] = self.new()
            case "file":
                kind = self.types.fact(node)
                if kind is not None and kind.effect == "writes-file":
                    self.change(effect.target)
                elif effect.target in self.points:
                    self.read(effect.target)
            case "option" | "environment":
                self.change(effect.target)
                self.bound.setdefault(effect.target, (self.stmt.id,))

    # functions of the notebook

    def run_function(self, function: Function) -> None:
        """What happens outside of a function when it runs: reads, bindings and changes of globals."""
        if id(function) in self.seen_functions:
            return
        self.seen_functions.add(id(function))
        for event in function.outer_reads():
            self.read(event.name)
            inner = self.functions.get(event.name)
            if inner is not None:
                self.run_function(inner)
        for event in function.every_event():
            if event.kind == "mutate" and event.name and event.name not in function.locals:
                self.change(event.name, deep=True)
            elif event.kind == "call" and isinstance(event.node, ast.Call):
                for effect in call_effects(self.stmt, event.node, self.types):
                    is_outer = effect.target and effect.target not in function.locals
                    if effect.kind != "mutates" or (is_outer and effect.evidence is Evidence.PROVED):
                        self.effects.append(effect)
                        self.apply(effect, event.node)
        for event in function.outer_binds():
            self.defs.append(Def(event.name, self.stmt.id, "bind"))
            self.bound[event.name] = (self.stmt.id,)
            self.points[event.name] = self.new()

    def change_arguments(self, node: ast.Call, function: Function) -> None:
        """Parameters that the function's body changes in place are the caller's objects."""
        changed = self.changed_params(function, set())
        arguments = dict(zip(function.params, node.args, strict=False))
        arguments |= {k.arg: k.value for k in node.keywords if k.arg}
        for param in sorted(changed):
            if param in arguments:
                self.change(root(arguments[param]), deep=True)

    def changed_params(self, function: Function, active: set[int]) -> set[str]:
        if id(function) in active:
            return set()
        active.add(id(function))
        alias = _local_aliases(function)
        changed: set[str] = set()
        for event in function.every_event():
            if event.kind == "mutate":
                changed.add(alias.get(event.name, event.name))
            elif event.kind == "call" and isinstance(event.node, ast.Call):
                callee = event.node.func
                inner = self.functions.get(callee.id) if isinstance(callee, ast.Name) else None
                if inner is not None:
                    mapping = dict(zip(inner.params, event.node.args, strict=False))
                    for param in self.changed_params(inner, active):
                        if param in mapping:
                            name = root(mapping[param])
                            changed.add(alias.get(name, name))
                else:
                    for effect in call_effects(self.stmt, event.node, self.types):
                        if effect.kind == "mutates":
                            changed.add(alias.get(effect.target, effect.target))
        return changed & set(function.params)


def _local_aliases(function: Function) -> dict[str, str]:
    """Local names that are another name of a parameter; a name rebound to something new is not."""
    if isinstance(function.node, ast.Lambda):
        return {}
    alias: dict[str, str] = {}
    for node in ast.walk(function.node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Name):
                    alias[target.id] = alias.get(node.value.id, node.value.id)
                elif isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
                    # d = d.copy(): from here on the parameter itself is safe
                    alias.setdefault(target.id, f"{target.id}'")
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            alias[node.target.id] = root(node.iter)
    return alias


def _value_of(node: ast.stmt) -> ast.expr | None:
    return node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None


def _is_deep(node: ast.AST) -> bool:
    """Whether the change is made inside of what the name holds (`full[0]["x"] = 1`, `pipe[0].fit`)."""
    inner = node.value if isinstance(node, (ast.Attribute, ast.Subscript)) else None
    return isinstance(inner, (ast.Subscript, ast.Attribute, ast.Call))


def _starts_warm(node: ast.AST) -> bool:
    """`SGDRegressor(warm_start=True)`."""
    given = [k for n in ast.walk(node) if isinstance(n, ast.Call) for k in n.keywords]
    return any(
        k.arg == "warm_start" and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in given
    )


def _is_fit(node: ast.Call, fact: Fact) -> bool:
    """Whether a call makes a fitted estimator anew: `fit` and its like, but not `partial_fit`."""
    named = isinstance(node.func, ast.Attribute) and node.func.attr.startswith("fit")
    return named and fact.effect in ("fits", "learns", "filters")
