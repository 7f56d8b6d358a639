"""Objects and what each statement reads and changes of them, through second names, loops and functions.

    rows = [1]            binds rows -> object 1
    also = rows           binds also -> object 1
    total = sum(rows)     reads object 1, keeps total
    also.append(2)        changes object 1

Text alone: an unknown call changes nothing.  A part is a column, a key or an attribute by its name; the empty
part is the whole.  It is long because it has a case for each way to change something.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import NamedTuple

from nb2prod.analysis.nodes import children, inner_calls, nodes
from nb2prod.analysis.script import Script
from nb2prod.ir.program import Stmt

# methods that change their object, whatever it is
CHANGING = frozenset(
    [
        "append", "appendleft", "extend", "extendleft", "insert", "pop", "popitem", "popleft", "remove",
        "reverse", "rotate", "sort", "clear", "update", "add", "discard", "setdefault", "fill", "itemset",
        "resize", "fit", "fit_transform", "fit_predict", "partial_fit", "set_params", "move_to_end",
        "difference_update", "intersection_update", "symmetric_difference_update", "subtract",
    ]
)  # fmt: skip
FITTING = ("fit", "fit_transform", "fit_predict", "partial_fit")
# functions that change their first argument
CHANGING_FUNCTIONS = frozenset(
    [
        "shuffle", "heappush", "heappop", "heapify", "heappushpop", "heapreplace", "insort", "insort_left",
        "insort_right", "setattr", "delattr", "fill_diagonal", "put", "place", "copyto", "putmask",
    ]
)  # fmt: skip
# what every module sees, with the kind of it
SHARED = {"os.environ": "dict", "sys.path": "list"}
_WHOLE = frozenset(
    [
        "T",
        "at",
        "axes",
        "columns",
        "dtypes",
        "flat",
        "iat",
        "iloc",
        "index",
        "ix",
        "loc",
        "shape",
        "size",
        "values",
    ]
)
_MAKERS = {
    "list": ("list", "sorted", "deque", "tolist", "split", "splitlines", "readlines", "keys", "zip"),
    "dict": ("dict", "defaultdict", "Counter", "OrderedDict", "to_dict", "vars"),
    "set": ("set",),
    "frame": (
        "DataFrame", "Series", "concat", "merge", "get_dummies", "melt", "pivot_table", "crosstab", "groupby",
        "set_index", "reset_index", "dropna", "fillna", "drop", "sort_values", "assign", "rename", "astype",
        "query", "to_frame", "join", "sample", "drop_duplicates", "nlargest", "head", "tail", "replace",
    ),
}  # fmt: skip
_MADE_BY = {name: kind for kind, names in _MAKERS.items() for name in names}
_COPIES = ("copy", "deepcopy")
_MANY = 50  # functions: what one does is looked at when it is called, but not through so many others


_LOOKED_AT = frozenset(  # the expressions of which the walk has its own mind
    [
        ast.Name, ast.Subscript, ast.Attribute, ast.Call, ast.Lambda, ast.ListComp, ast.SetComp,
        ast.DictComp, ast.GeneratorExp, ast.NamedExpr,
    ]
)  # fmt: skip
_KEEPS = frozenset(  # values that are, share or hold something that is there, or have parts by name
    [
        ast.Name, ast.IfExp, ast.Subscript, ast.Attribute, ast.Call, ast.Dict, ast.List, ast.Tuple,
    ]
)  # fmt: skip
_SIMPLE = frozenset([ast.Expr, ast.Assign, ast.AugAssign])


class Touch(NamedTuple):  # one for each read
    """A read or change of a part of an object, under the name and at the node where it stands.

    `how` is "whole", "part", "new" (a part that was not there), "gone" (a part is removed) or "fit".
    """

    object: int
    part: str
    name: str
    node: ast.expr | ast.stmt
    how: str = "whole"
    callee: str = ""


@dataclass(slots=True)
class Action:
    """One statement, also one inside a loop or a branch: what it reads, changes and binds.

    `sources` are the earlier actions whose results it uses.
    """

    id: int
    cell: int
    stmt: Stmt | None  # None in the body of a function
    node: ast.stmt
    reads: list[Touch] = field(default_factory=list)
    changes: list[Touch] = field(default_factory=list)
    binds: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    sources: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Objects:
    """All actions in the order of the text; `kinds` and `made` (the action) of every object by number;
    `bindings` are (name, action, object)."""

    actions: list[Action] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    bindings: list[tuple[str, int, int]] = field(default_factory=list)


def objects(script: Script) -> Objects:
    """Follows the objects of a notebook."""
    walk = _Walk()
    for stmt, _ in script.stmts():
        walk.stmt = stmt
        walk.statement(stmt.node)
    return walk.found


def parts_of(node: ast.expr) -> tuple[str, tuple[str, ...], bool]:
    """The variable, the parts that an expression takes of it (empty: the whole), and whether it is simple.

    `df["a"]`, `df.a`, `df[["a", "b"]]`, `df.loc[rows, "a"]`; `d["rows"].append` is about the part `rows`.
    """
    parts: tuple[str, ...] = ()
    while True:
        if node.__class__ is ast.Name:
            return node.id, parts, True
        match node:
            case ast.Subscript():
                parts = _keys(node)
                node = node.value
                if isinstance(node, ast.Attribute) and node.attr in ("loc", "iloc", "at", "iat", "ix"):
                    node = node.value
            case ast.Attribute(value=ast.Name(id=module), attr=attribute) if (
                f"{module}.{attribute}" in SHARED
            ):
                return f"{module}.{attribute}", parts, True
            case ast.Attribute():
                parts = () if node.attr in _WHOLE else (node.attr,)
                node = node.value
            case _:
                return "", (), False


def _keys(node: ast.Subscript) -> tuple[str, ...]:
    """The constant keys of a subscript; a row selection takes the whole."""
    owner = node.value
    key: ast.expr = node.slice
    if isinstance(owner, ast.Attribute) and owner.attr in ("loc", "at", "ix"):
        if not isinstance(key, ast.Tuple) or len(key.elts) != 2:
            return ()
        key = key.elts[1]
    elif isinstance(owner, ast.Attribute) and owner.attr in ("iloc", "iat"):
        return ()
    match key:
        case ast.Constant(value=str() as name):
            return (name,)
        case ast.List(elts=elements):
            names = [e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            return tuple(names) if names and len(names) == len(elements) else ()
    return ()


# of a function: its parameters; the outer names and parameters that it changes, with the parts; what it
# returns
Summary = tuple[list[str], dict[str, set[str]], set[str]]


@dataclass(slots=True)
class _Function:
    """A function as it was defined; what it does is looked at when somebody calls it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    known: dict[str, _Function]
    found: Summary | None = None

    def summary(self) -> Summary:
        if self.found is None:
            self.found = _summary(self.node, self.known)
        return self.found


@dataclass(slots=True)
class _Class:
    """A class; whether its methods change their object is looked at when somebody calls one."""

    node: ast.ClassDef
    found: dict[str, bool] | None = None

    def changing(self) -> dict[str, bool]:
        if self.found is None:
            self.found = _changing_methods(self.node)
        return self.found


class _Walk:
    def __init__(self) -> None:
        self.found = Objects()
        self.env: dict[str, frozenset[int]] = {}
        self.elements: set[str] = set()  # names of loops: parts of the objects that they stand for
        self.lists: dict[str, list[str]] = {}  # lists of names: `both = [train, test]`
        self.derived: dict[str, set[int]] = {}
        self.columns: dict[int, set[str]] = {}
        # parts of containers: of which, under what key; and what containers hold
        self.inside: dict[int, tuple[tuple[int, str], ...]] = {}
        self.holds: dict[int, dict[str, frozenset[int]]] = {}
        self.shallow: dict[int, frozenset[int]] = {}  # copies that share what is inside
        self.bound: dict[str, ast.Attribute] = {}  # methods under a name of their own
        # of functions: what a parameter is otherwise
        self.defaults: dict[str, dict[str, frozenset[int]]] = {}
        self.methods_params: dict[str, list[str]] = {}  # of `__init__`, without `self`
        self.kept: dict[str, dict[str, str]] = {}  # of classes: attributes that are a parameter of `__init__`
        self.functions: dict[str, _Function] = {}
        self.classes: dict[str, _Class] = {}
        self.methods: set[str] = set()  # of all classes
        self.stmt: Stmt | None = None

    # statements

    def statement(self, node: ast.stmt) -> None:
        if node.__class__ in _SIMPLE:
            self.simple(node)
            return
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.functions[node.name] = self.function(node)
                named = zip(node.args.args[::-1], node.args.defaults[::-1], strict=False)
                self.defaults[node.name] = {a.arg: self.same(value) for a, value in named}
                self.env.pop(node.name, None)
            case ast.ClassDef():
                made = self.action(node, [])
                self.env[node.name] = frozenset([self.new("class", made)])
                self.classes[node.name] = _Class(node)
                self.methods |= {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
                self.methods_params[node.name], self.kept[node.name] = _kept(node)
            case ast.For() | ast.AsyncFor():
                action = self.action(node, [node.iter])
                self.loop(node.target, node.iter, action)
                self.body([*node.body, *node.orelse])
            case ast.While() | ast.If():
                self.action(node, [node.test])
                self.body([*node.body, *node.orelse])
            case ast.With() | ast.AsyncWith():
                action = self.action(node, [item.context_expr for item in node.items])
                for item in node.items:
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, None, action)
                self.body(node.body)
            case ast.Try() | ast.TryStar():
                self.body(node.body)
                for handler in node.handlers:
                    self.body(handler.body)
                self.body([*node.orelse, *node.finalbody])
            case ast.Match():
                self.action(node, [node.subject])
                for case in node.cases:
                    self.body(case.body)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    self.env.pop((alias.asname or alias.name).partition(".")[0], None)
                    for shared in SHARED:
                        if shared.startswith(f"{alias.name}.") and shared not in self.env:
                            made = Action(-1, -1, None, node)
                            self.env[shared] = frozenset([self.new(SHARED[shared], made)])
            case _:
                self.simple(node)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> _Function:
        made = _Function(node, dict(self.functions))
        if len(self.functions) > _MANY:
            made.summary()
        return made

    def body(self, body: list[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def loop(self, target: ast.expr, iterated: ast.expr, action: Action) -> None:
        """A loop's name stands for an element of what it goes over, or for one of several objects."""
        names: list[str] = []
        held = self.held(iterated)
        if isinstance(iterated, (ast.List, ast.Tuple)):
            names = _names(iterated)
        elif isinstance(iterated, ast.Name) and iterated.id in self.lists:
            names = self.lists[iterated.id]
        own = frozenset(o for name in names for o in self.env.get(name, ())) | held
        read = frozenset(touch.object for touch in action.reads)
        for inner in nodes(target):
            if isinstance(inner, ast.Name):
                self.env[inner.id] = own or read
                self.derived[inner.id] = set(action.sources)
                if own:
                    self.elements.discard(inner.id)
                else:
                    self.elements.add(inner.id)

    def simple(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr():
                self.action(node, [node.value])
            case ast.Assign():
                action = self.action(node, [node.value, *_inner(node.targets)])
                for target in node.targets:
                    self.bind(target, node.value, action)
            case ast.AnnAssign(value=ast.expr() as value):
                action = self.action(node, [value, *_inner([node.target])])
                self.bind(node.target, value, action)
            case ast.AugAssign():
                action = self.action(node, [node.value, *_inner([node.target])])
                self.augmented(node, action)
            case ast.Delete():
                action = self.action(node, _inner(node.targets))
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.env.pop(target.id, None)
                    else:
                        self.change(target, target, action, "gone")
            case _:
                self.action(node, [child for child in children(node) if isinstance(child, ast.expr)])

    def augmented(self, node: ast.AugAssign, action: Action) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            action.binds.add(target.id)
            self.derived[target.id] = action.sources | self.derived.get(target.id, set()) | {action.id}
            kinds = {self.found.kinds[o] for o in self.env.get(target.id, ())}
            if target.id not in self.elements and kinds & {"list", "dict", "set", "array", "frame"}:
                self.change(target, target, action)
            return
        self.change(target, target, action, "part")

    def bind(self, target: ast.expr, value: ast.expr | None, action: Action) -> None:
        match target:
            case ast.Name():
                self.name(target.id, value, action)
            case ast.Tuple() | ast.List():
                given = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
                if isinstance(value, ast.Name) and len(self.lists.get(value.id, ())) == len(target.elts):
                    given = [ast.Name(id=name, ctx=ast.Load()) for name in self.lists[value.id]]
                split = isinstance(value, ast.Call)
                for position, inner in enumerate(target.elts):
                    own = given[position] if len(given) == len(target.elts) else None
                    self.bind(inner, own, action)
                    if split and isinstance(inner, ast.Name) and "split" in _called(value):
                        self.env[inner.id] = frozenset([self.new("frame", action)])
            case ast.Starred():
                self.bind(target.value, None, action)
            case ast.Attribute() | ast.Subscript():
                _, parts, _ = parts_of(target)
                new = bool(parts) and isinstance(target, ast.Subscript)
                self.change(target, target, action, "new" if new else "part")

    def name(self, name: str, value: ast.expr | None, action: Action) -> None:
        action.binds.add(name)
        self.derived[name] = action.sources | {action.id}
        self.elements.discard(name)
        self.lists.pop(name, None)
        same = self.same(value) if value.__class__ in _KEEPS else None
        if same:
            self.env[name] = same
            return
        if isinstance(value, (ast.List, ast.Tuple)) and _names(value):
            self.lists[name] = _names(value)
        fresh = self.new(self.kind(value), action)
        self.env[name] = frozenset([fresh])
        if isinstance(value, (ast.Subscript, ast.Attribute)):
            self.inside[fresh] = self.whole(value)
        elif isinstance(value, ast.Lambda):
            self.functions[name] = self.function(value)
        self.bound.pop(name, None)
        self.found.bindings.append((name, action.id, fresh))
        if value.__class__ not in _KEEPS:
            return
        self.holds[fresh] = self.contents(value)
        self.shallow[fresh] = self.copied(value)
        self.columns[fresh] = _columns(value)
        if isinstance(value, ast.Attribute) and value.attr in CHANGING:
            self.bound[name] = value  # `put = rows.append`
        elif isinstance(value, ast.Call) and _called(value) == "partial" and value.args:
            first = value.args[0]
            if isinstance(first, ast.Attribute) and first.attr in CHANGING:
                self.bound[name] = first

    def same(self, value: ast.expr | None) -> frozenset[int]:
        """The objects that a value itself is: another name, a view of an array, what a function returns."""
        match value:
            case ast.Name(id=name) if name not in self.elements:
                return self.env.get(name, frozenset())
            case ast.IfExp():
                return self.same(value.body) | self.same(value.orelse)
            case (
                ast.Subscript(value=ast.Name(id=name), slice=ast.Slice() | ast.Tuple() | ast.Constant(int()))
                | ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="reshape" | "ravel" | "view" | "squeeze")
                )
                | ast.Attribute(value=ast.Name(id=name), attr="T")
            ):
                objects = self.env.get(name, frozenset())
                return frozenset(o for o in objects if self.found.kinds[o] == "array")
            case ast.Call(func=ast.Attribute(attr="asarray"), args=[ast.Name(id=name)]):
                objects = self.env.get(name, frozenset())
                return frozenset(o for o in objects if self.found.kinds[o] == "array")
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                params, _, returned = self.functions[name].summary()
                given = dict(zip(params, value.args, strict=False))
                back = [given[param] for param in returned if param in given]
                return frozenset(o for argument in back for o in self.same(argument))
        return frozenset()

    def contents(self, value: ast.expr | None) -> dict[str, frozenset[int]]:
        """The variables that a literal container holds, by key; those of lists have none."""
        found: dict[str, frozenset[int]] = {}
        match value:
            case ast.Dict():
                for key, inner in zip(value.keys, value.values, strict=True):
                    name = str(key.value) if isinstance(key, ast.Constant) else ""
                    if isinstance(inner, ast.Name):
                        found[name] = found.get(name, frozenset()) | self.same(inner)
            case ast.List() | ast.Tuple():
                for inner in value.elts:
                    if isinstance(inner, ast.Name):
                        found[""] = found.get("", frozenset()) | self.same(inner)
            case ast.Call(func=ast.Name(id=made), args=given) if made in self.kept:
                params = self.methods_params[made]
                for attribute, param in self.kept[made].items():
                    if param in params and params.index(param) < len(given):
                        found[attribute] = self.same(given[params.index(param)])
        return found

    def copied(self, value: ast.expr | None) -> frozenset[int]:
        """What a shallow copy shares its inside with: `dict(a)`, `list(a)`, `a.copy()`, `a[:]`."""
        match value:
            case (
                ast.Call(func=ast.Name(id="dict" | "list"), args=[ast.Name(id=name)])
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"))
                | ast.Subscript(value=ast.Name(id=name), slice=ast.Slice())
            ):
                objects = self.env.get(name, frozenset())
                return frozenset(o for o in objects if self.found.kinds[o] in ("list", "dict"))
        return frozenset()

    def held(self, node: ast.expr) -> frozenset[int]:
        """The objects that a part of a container is, or all that it holds: `both["a"]`, `both.values()`."""
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=part):
                tables = [self.holds.get(one, {}) for one in self.env.get(name, ())]
                return frozenset(o for t in tables for o in t.get(part, ()))
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                part = str(key.value) if isinstance(key, ast.Constant) else ""
                tables = [self.holds.get(one, {}) for one in self.env.get(name, ())]
                return frozenset(o for t in tables for o in t.get(part, t.get("", ())))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="values" | "items")):
                tables = [self.holds.get(one, {}) for one in self.env.get(name, ())]
                return frozenset(o for t in tables for objects in t.values() for o in objects)
        return frozenset()

    def whole(self, value: ast.expr) -> tuple[tuple[int, str], ...]:
        """The containers that a value is part of: `rows = config["rows"]`; columns of tables are copies."""
        name, parts, simple = parts_of(value)
        position = isinstance(value, ast.Subscript) and isinstance(value.slice, (ast.Constant, ast.Name))
        owners = self.env.get(name, frozenset()) if simple and (len(parts) == 1 or position) else frozenset()
        kinds = ("dict", "list", "class ")
        part = parts[0] if parts else ""
        return tuple((o, part) for o in sorted(owners) if self.found.kinds[o].startswith(kinds))

    def new(self, kind: str, action: Action) -> int:
        self.found.kinds.append(kind)
        self.found.made.append(action.id)
        return len(self.found.kinds) - 1

    def kind(self, value: ast.expr | None) -> str:
        match value:
            case ast.List() | ast.ListComp():
                return "list"
            case ast.Dict() | ast.DictComp():
                return "dict"
            case ast.Set() | ast.SetComp():
                return "set"
            case ast.Constant() | ast.JoinedStr() | ast.Compare() | ast.Tuple():
                return "value"
            case ast.Subscript(value=ast.Name(id=name)):
                kinds = {self.found.kinds[o] for o in self.env.get(name, ())}
                return "frame" if "frame" in kinds else ""
            case ast.Call():
                return self.kind_of_call(value)
            case ast.BinOp():
                return self.kind_of(value.left) or self.kind_of(value.right)
        return ""

    def kind_of(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return next((self.found.kinds[o] for o in sorted(self.env.get(node.id, ()))), "")
        return self.kind(node)

    def kind_of_call(self, node: ast.Call) -> str:
        name = _called(node)
        if name in self.classes:
            return f"class {name}"
        if name == "sample" and "random" in _root_of(node.func):
            return "list"
        if name in _MADE_BY:
            return _MADE_BY[name]
        if name.startswith("read_"):
            return "frame"
        if name in ("reshape", "ravel", "squeeze", "astype") and isinstance(node.func, ast.Attribute):
            if self.kind_of(node.func.value) == "array":
                return "array"
        if name in _COPIES and isinstance(node.func, ast.Attribute):
            return self.kind_of(node.func.value)
        if isinstance(node.func, ast.Attribute):
            top: ast.expr = node.func.value
            if isinstance(top, ast.Name) and top.id in ("np", "numpy"):
                return "array"
            if name in FITTING or name == "set_params":
                return "estimator"
        return "estimator" if name[:1].isupper() else ""

    # actions

    def action(self, node: ast.stmt, values: list[ast.expr]) -> Action:
        action = Action(len(self.found.actions), self.stmt.cell if self.stmt else -1, self.stmt, node)
        self.found.actions.append(action)
        for value in values:
            self.expression(value, action, frozenset())
        return action

    def expression(self, node: ast.AST, action: Action, hidden: frozenset[str]) -> None:
        """Reads and changes of an expression; `hidden` are the names of lambdas and comprehensions."""
        kind = node.__class__
        if kind is ast.Constant:
            return
        if kind is ast.Name:  # the most frequent kinds first
            self.read(node.id, (), node, action, hidden)  # type: ignore[attr-defined, arg-type]
            return
        if kind is ast.Call:
            self.call(node, action, hidden)  # type: ignore[arg-type]
            return
        if kind not in _LOOKED_AT:
            for child in children(node):
                self.expression(child, action, hidden)
            return
        match node:
            case ast.Subscript() | ast.Attribute():
                name, parts, simple = parts_of(node)
                if simple:
                    self.read(name, parts, node, action, hidden)
                    self.indexes(node, action, hidden)
                    return
            case ast.Lambda():
                hidden |= {a.arg for a in nodes(node.args) if isinstance(a, ast.arg)}
                self.expression(node.body, action, hidden)
                return
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                hidden |= {n.id for g in node.generators for n in nodes(g.target) if isinstance(n, ast.Name)}
            case ast.NamedExpr():
                self.expression(node.value, action, hidden)
                self.name(node.target.id, node.value, action)
                return
        for child in children(node):
            self.expression(child, action, hidden)

    def indexes(self, node: ast.expr, action: Action, hidden: frozenset[str]) -> None:
        """What stands in the brackets of a chain is read too."""
        inner: ast.expr = node
        while True:
            if inner.__class__ is ast.Subscript:
                if inner.slice.__class__ is not ast.Constant:
                    self.expression(inner.slice, action, hidden)
            elif inner.__class__ is not ast.Attribute:
                return
            inner = inner.value

    def read(
        self, name: str, parts: tuple[str, ...], node: ast.expr, action: Action, hidden: frozenset[str]
    ) -> None:
        if name in hidden:
            return
        action.names.add(name)
        if name in self.derived:
            action.sources |= self.derived[name]
        objects = self.env.get(name)
        if not objects:  # a module, a builtin
            return
        if name in self.elements:
            parts = ()
        for one in sorted(objects) if len(objects) > 1 else objects:
            if parts:
                self.columns.setdefault(one, set()).update(parts)
            for part in parts or ("",):
                action.reads.append(Touch(one, part, name, node, "part" if part else "whole"))

    def call(self, node: ast.Call, action: Action, hidden: frozenset[str]) -> None:
        function = node.func
        if isinstance(function, ast.Attribute):
            name, parts, simple = parts_of(function.value)
            if simple:
                if function.attr == "get" and node.args and not parts:
                    key = node.args[0]
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        parts = (key.value,)
                self.read(name, parts, function.value, action, hidden)
                self.indexes(function.value, action, hidden)
                self.method(node, function, action)
            else:
                self.expression(function.value, action, hidden)
        elif not isinstance(function, ast.Name):
            self.expression(function, action, hidden)
        for value in node.args:
            if value.__class__ is not ast.Constant:
                self.expression(value.value if isinstance(value, ast.Starred) else value, action, hidden)
        for keyword in node.keywords:
            if keyword.value.__class__ is not ast.Constant:
                self.expression(keyword.value, action, hidden)
        called = _called(node)
        if called in CHANGING_FUNCTIONS and node.args and not _is_method(function, self.env):
            self.change(node.args[0], node, action)
        for keyword in node.keywords:
            if keyword.arg == "out":
                self.change(keyword.value, node, action)
        if isinstance(function, ast.Name) and function.id in self.bound:
            self.method(node, self.bound[function.id], action)
        elif called == "map" and node.args and isinstance(node.args[0], ast.Attribute):
            if node.args[0].attr in CHANGING:  # `list(map(rows.append, more))`
                self.method(node, node.args[0], action)
        if isinstance(function, ast.Name) and function.id in self.functions:
            self.callee(node, function.id, action)
        elif isinstance(function, ast.Lambda):
            self.functions["<lambda>"] = self.function(function)
            self.callee(node, "<lambda>", action)

    def callee(self, node: ast.Call, name: str, action: Action) -> None:
        """A function of the notebook changes its arguments and the variables that it names."""
        params, changed, _ = self.functions[name].summary()
        given: dict[str, ast.expr] = dict(zip(params, node.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        for target, parts in changed.items():
            value = given.get(target) if target in params else ast.Name(id=target)
            if value is None:
                for one in sorted(self.defaults.get(name, {}).get(target, ())):
                    action.changes += [Touch(one, part, name, node, "part", name) for part in sorted(parts)]
            if isinstance(value, ast.Name) and value.id not in self.elements:
                for one in sorted(self.env.get(value.id, ())):
                    for part in sorted(parts):
                        how = "part" if part else "whole"
                        if part and part not in self.columns.setdefault(one, set()):
                            how = "new"
                        action.changes.append(Touch(one, part, value.id, node, how, name))

    def method(self, node: ast.Call, function: ast.Attribute, action: Action) -> None:
        inplace = bool(node.keywords) and any(
            k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value is True
            for k in node.keywords
        )
        if not inplace and function.attr not in CHANGING and function.attr not in self.methods:
            return  # most calls
        kinds = {self.found.kinds[o] for o in self.env.get(_root(function), ())}
        own = [kind[6:] for kind in kinds if kind.startswith("class ")]
        if isinstance(function.value, ast.Attribute) and function.value.attr == "na":
            return  # `df.na.fill(0)` of Spark gives a new table
        if own and isinstance(function.value, ast.Name):
            if any(self.classes[name].changing().get(function.attr) for name in own if name in self.classes):
                self.change(function.value, node, action)
        elif inplace and function.attr == "drop":
            self.dropped(node, function, action)
        elif inplace or (function.attr in CHANGING and not kinds & {"value"}):
            if kinds == {"frame"} and not inplace and function.attr not in ("insert", "pop", "update"):
                return  # `df.append(more)` gives a new table
            if function.attr == "add" and not kinds & {"set"}:
                return  # the layers of a network, the patches of a figure
            if function.attr in ("update", "clear", "remove", "set_params") and not kinds - {""}:
                return
            if not self.keyed(node, function, action, kinds):
                how = "fit" if function.attr in FITTING else "whole"
                self.change(function.value, node, action, how)

    def keyed(self, node: ast.Call, function: ast.Attribute, action: Action, kinds: set[str]) -> bool:
        """Methods that change one part: `df.insert(0, "a", x)`, `d.setdefault("a", 1)`, `set_params(a=1)`."""
        given = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        parts = [value for value in given if isinstance(value, str)][:1]
        if function.attr == "set_params":
            parts = [keyword.arg for keyword in node.keywords if keyword.arg]
        elif function.attr not in ("insert", "setdefault") or not kinds <= {"frame", "dict", ""}:
            return False
        name, inside, simple = parts_of(function.value)
        if not simple or inside or not parts or name in self.elements:
            return False
        for one in sorted(self.env.get(name, ())):
            known = self.columns.setdefault(one, set())
            for part in parts:
                if function.attr == "set_params":
                    action.changes.append(Touch(one, part, name, node, "setting"))
                elif part not in known or name in SHARED:
                    action.changes.append(Touch(one, part, name, node, "new"))
            known.update(parts)
        return True

    def dropped(self, node: ast.Call, function: ast.Attribute, action: Action) -> None:
        values = [k.value for k in node.keywords if k.arg in ("columns", "labels")] or node.args[:1]
        names = {c.value for v in values for c in nodes(v) if isinstance(c, ast.Constant)}
        parts = sorted(name for name in names if isinstance(name, str))
        name, _, _ = parts_of(function.value)
        for one in sorted(self.env.get(name, ())):
            for part in parts or [""]:
                action.changes.append(Touch(one, part, name, node, "gone" if part else "whole"))

    def change(self, target: ast.expr, node: ast.expr | ast.stmt, action: Action, how: str = "whole") -> None:
        name, parts, simple = parts_of(target)
        inner = target if isinstance(node, ast.Call) else getattr(target, "value", target)
        for one in sorted(self.held(inner)):
            action.changes.append(Touch(one, "", name, node, "whole"))
        if not simple or (name in self.elements and not self.is_element(name, node, how)):
            return
        parts = () if name in self.elements else parts
        for one in sorted(self.env.get(name, ())):
            known = self.columns.setdefault(one, set())
            for part in parts or ("",):
                kind = how
                if how == "new" and (part in known or _by_rows(target)):
                    kind = "part"
                action.changes.append(Touch(one, part, name, node, kind if part or how == "fit" else "whole"))
            for owner, part in self.inside.get(one, ()):
                action.changes.append(Touch(owner, part, name, node, "part"))
            if _is_inside(target, node):
                for owner in sorted(self.shallow.get(one, ())):
                    action.changes += [Touch(owner, part, name, node, "part") for part in parts or ("",)]
            known.update(parts)

    def is_element(self, name: str, node: ast.expr | ast.stmt, how: str) -> bool:
        """A loop over a list changes its elements: `for row in rows: row.append(0)`, `row["a"] = 0`."""
        kinds = {self.found.kinds[o] for o in self.env.get(name, ())}
        called = isinstance(node, ast.Call) and how == "whole"
        stored = isinstance(node, (ast.Subscript, ast.Attribute))
        return (called or stored) and bool(kinds) and kinds <= {"list", "dict"}


def _inner(targets: list[ast.expr]) -> list[ast.expr]:
    """What is read to find the place of an assignment: the brackets of its targets."""
    return [
        inner.slice
        for target in targets
        if not isinstance(target, ast.Name)
        for inner in nodes(target)
        if isinstance(inner, ast.Subscript) and not isinstance(inner.slice, ast.Constant)
    ]


def _columns(value: ast.expr | None) -> set[str]:
    """The columns or keys of a literal: `DataFrame({"a": ...})`, `{"a": 1}`."""
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    if not isinstance(value, ast.Dict):
        return set()
    return {key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _is_inside(target: ast.expr, node: ast.expr | ast.stmt) -> bool:
    """`d["rows"].append(1)`, `d["rows"][0] = 1`: not the container changes, but what it holds."""
    inner = target if isinstance(node, ast.Call) else getattr(target, "value", None)
    return isinstance(inner, (ast.Subscript, ast.Attribute))


def _names(node: ast.List | ast.Tuple) -> list[str]:
    return [e.id for e in node.elts if isinstance(e, ast.Name)]


def _by_rows(node: ast.expr) -> bool:
    """`df.loc[rows, "a"] = 0` is about a column that is there."""
    return isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") in ("loc", "at", "ix")


def _called(node: ast.expr | None) -> str:
    function = node.func if node.__class__ is ast.Call else None
    if function.__class__ is ast.Attribute:
        return function.attr
    return function.id if function.__class__ is ast.Name else ""


def _root_of(node: ast.expr) -> str:
    return _root(node) if isinstance(node, ast.Attribute) else ""


def _root(node: ast.Attribute) -> str:
    return parts_of(node.value)[0]


def _is_method(function: ast.expr, env: dict[str, frozenset[int]]) -> bool:
    """`rows.place(...)` on a variable is not `np.place(rows, ...)`; a generator's `shuffle` is a function."""
    if not isinstance(function, ast.Attribute) or function.attr == "shuffle":
        return False
    return parts_of(function.value)[0] in env


def _changing_methods(node: ast.ClassDef) -> dict[str, bool]:
    """Whether each method changes its object, itself or through another one."""
    methods = {inner.name: inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
    found = {name: bool(_summary(inner, {})[1].get(_first(inner))) for name, inner in methods.items()}
    used = {
        name: {
            call.func.attr
            for call in inner_calls(inner)
            if isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == _first(inner)
        }
        for name, inner in methods.items()
    }
    while more := [name for name in found if not found[name] and any(found.get(u) for u in used[name])]:
        found |= dict.fromkeys(more, True)
    return found


def _kept(node: ast.ClassDef) -> tuple[list[str], dict[str, str]]:
    """The parameters of `__init__`, and the attributes that are one of them: `self.rows = rows`."""
    start = next((m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"), None)
    if start is None:
        return [], {}
    kept = {}
    for inner in start.body:
        match inner:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=own), attr=attribute)], value=ast.Name(id=param)
            ):
                if own == _first(start):
                    kept[attribute] = param
    return [a.arg for a in start.args.args[1:]], kept


def _first(node: ast.FunctionDef) -> str:
    every = [*node.args.posonlyargs, *node.args.args]
    return every[0].arg if every else ""


def _summary(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
    known: dict[str, _Function],
) -> Summary:
    """Parameters, the outer names and parameters that a function changes (with the parts), and those that it
    returns."""
    params = [a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
    walk = _Walk()
    walk.functions = known.copy()
    names = {n.id for n in nodes(node) if isinstance(n, ast.Name)} | set(params)
    body: list[ast.stmt] = [ast.Expr(value=node.body)] if isinstance(node, ast.Lambda) else node.body
    action = Action(0, -1, None, body[0])
    start = {name: walk.new("list", action) for name in sorted(names)}
    walk.env = {name: frozenset([one]) for name, one in start.items()}
    walk.body(body)
    owner = {one: name for name, one in start.items()}
    changed: dict[str, set[str]] = {}
    for done in walk.found.actions:
        for touch in done.changes:
            if touch.object in owner:
                changed.setdefault(owner[touch.object], set()).add(touch.part)
    returned = {
        owner[one]
        for inner in nodes(node)
        if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Name)
        for one in walk.env.get(inner.value.id, ())
        if one in owner and owner[one] in params
    }
    return params, changed, returned
