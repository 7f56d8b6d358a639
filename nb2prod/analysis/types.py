"""What type each expression has, and which API each call means.

One forward pass over the statements in document order.  The run's evidence, where there is one, beats
what the text suggests; a disagreement between the two is recorded.  Types are public dotted names
("pandas.DataFrame"); "module:numpy" is a module, "api:numpy.mean" a function or class, "notebook:f" a
function or class of the notebook, and "" is unknown.

It is long because it has a case for each kind of node.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nb2prod import knowledge
from nb2prod.ir.program import Program, Stmt
from nb2prod.ir.trace import SiteFact, Trace
from nb2prod.knowledge import Fact
from nb2prod.source import Span, Text

RETURNS = {
    "frame": "pandas.DataFrame",
    "column": "pandas.Series",
    "mask": "pandas.Series",
    "stat": "pandas.Series",
    "array": "numpy.ndarray",
    "scalar": "builtins.float",
    "schema": "pandas.Index",
    "list": "builtins.list",
    "text": "builtins.str",
    "tuple": "builtins.tuple",
    "dict": "builtins.dict",
}
ACCESSORS = {
    "str": "pandas.StringMethods",
    "dt": "pandas.DatetimeProperties",
    "cat": "pandas.CategoricalAccessor",
    "loc": "pandas.LocIndexer",
    "iloc": "pandas.LocIndexer",
    "at": "pandas.LocIndexer",
    "iat": "pandas.LocIndexer",
}
GROUPED = ("pandas.DataFrameGroupBy", "pandas.SeriesGroupBy")
KNOWN_CLASSES = ("pandas", "numpy", "builtins")
TABLES = ("pandas.DataFrame", "pandas.Series")


@dataclass(slots=True)
class Types:
    """`expr`, `api` and `facts` are keyed by `id(node)`; the nodes live as long as the Program."""

    expr: dict[int, str] = field(default_factory=dict)
    api: dict[int, str] = field(default_factory=dict)
    facts: dict[int, Fact] = field(default_factory=dict)
    seen: dict[int, SiteFact] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef | ast.Lambda] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    disagreements: list[tuple[Span, str, str]] = field(default_factory=list)
    extra: tuple[Path, ...] = ()  # the user's own facts

    def of(self, node: ast.AST) -> str:
        return self.expr.get(id(node), "")

    def api_of(self, node: ast.AST) -> str:
        return self.api.get(id(node), "")

    def fact(self, node: ast.AST) -> Fact | None:
        return self.facts.get(id(node))

    def site(self, node: ast.AST) -> SiteFact | None:
        return self.seen.get(id(node))


def infer(program: Program, trace: Trace | None = None) -> Types:
    """Types of all expressions, following calls into functions of the notebook."""
    inference = _Inference(trace, program.notebook.facts)
    for stmt in program.stmts():
        inference.text, inference.stmt = stmt.text, stmt
        inference.body([stmt.node], inference.globals)
    # functions that are never called with a known argument
    for name, (text, node) in list(inference.pending.items()):
        inference.text = text
        inference.function(name, node, [], {}, {})
    return inference.types


GIVEN_KINDS = {
    "builtins.list": "list",
    "builtins.tuple": "list",
    "numpy.ndarray": "list",
    "pandas.Index": "list",
    "builtins.int": "number",
    "builtins.float": "number",
    "builtins.str": "text",
    "builtins.dict": "dict",
}


def call_arguments(call: ast.Call, types: Types) -> dict[str, object]:
    """The arguments of a call for `lookup`: keywords by name, positional ones by number as text."""
    found: dict[str, object] = {}
    for position, value in enumerate(call.args):
        found[str(position)] = _argument(value, types)
    for keyword in call.keywords:
        if keyword.arg is not None:
            found[keyword.arg] = _argument(keyword.value, types)
    return found


def _argument(node: ast.expr, types: Types) -> object:
    """The literal, else what is known of the value."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return knowledge.Given(GIVEN_KINDS.get(types.of(node), ""))


Env = dict[str, str]


class _Inference:
    def __init__(self, trace: Trace | None, extra: tuple[Path, ...]) -> None:
        self.trace = trace
        self.types = Types(extra=extra)
        self.extra = extra
        self.globals: Env = {}
        self.text: Text
        self.stmt: Stmt
        self.pending: dict[str, tuple[Text, ast.FunctionDef | ast.Lambda]] = {}
        self.parameters: dict[int, dict[str, str]] = {}  # the types of default values, by definition
        self.texts: dict[int, Text] = {}
        self.results: dict[str, str] = {}
        self.active: set[str] = set()

    # statements

    def body(self, body: list[ast.stmt], env: Env) -> str:
        """Infers a body; the type of its last `return`."""
        result = ""
        for node in body:
            match node:
                case ast.Import():
                    for alias in node.names:
                        name = alias.asname or alias.name.split(".")[0]
                        path = alias.name if alias.asname else alias.name.split(".")[0]
                        env[name] = f"module:{path}"
                        self.types.imports[name] = path
                case ast.ImportFrom():
                    self.import_from(node, env)
                case ast.FunctionDef():
                    env[node.name] = f"notebook:{node.name}"
                    self.types.functions[node.name] = node
                    self.pending[node.name] = (self.text, node)
                    self.texts[id(node)] = self.text
                    self.parameters[id(node)] = self.defaults(node.args, env)
                case ast.ClassDef():
                    env[node.name] = f"notebook:{node.name}"
                    self.types.classes[node.name] = node
                    for inner in node.body:
                        if isinstance(inner, ast.FunctionDef):
                            self.body(inner.body, {**env, "self": f"notebook:{node.name}"})
                case ast.Return():
                    result = self.expression(node.value, env) if node.value else ""
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as function):
                    self.parameters[id(function)] = self.defaults(function.args, env)
                    env[name] = f"notebook:{name}"
                    self.types.functions[name] = function
                    self.pending[name] = (self.text, function)
                    self.texts[id(function)] = self.text
                case ast.Assign():
                    kind = self.expression(node.value, env)
                    for target in node.targets:
                        self.bind(target, kind, node.value, env)
                case ast.AnnAssign():
                    if node.value is not None:
                        self.bind(node.target, self.expression(node.value, env), node.value, env)
                case ast.AugAssign():
                    self.expression(node.value, env)
                    self.expression(node.target, env)
                case ast.For():
                    kind = self.expression(node.iter, env)
                    self.bind(node.target, self.element(node.iter, kind, env), None, env)
                    if isinstance(node.target, ast.Tuple):
                        for part, of in zip(node.target.elts, self.elements(node.iter, env), strict=False):
                            self.bind(part, of, None, env)
                    for _ in range(2):  # a second time for types that the first pass through the loop made
                        result = self.body(node.body, env) or result
                    self.body(node.orelse, env)
                case ast.With():
                    for item in node.items:
                        kind = self.expression(item.context_expr, env)
                        if item.optional_vars is not None:
                            self.bind(item.optional_vars, kind, None, env)
                    result = self.body(node.body, env) or result
                case _:
                    for child in ast.iter_child_nodes(node):
                        if isinstance(child, ast.expr):
                            self.expression(child, env)
                        elif isinstance(child, ast.stmt):
                            result = self.body([child], env) or result
                        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
                            result = self.body(child.body, env) or result
        return result

    def import_from(self, node: ast.ImportFrom, env: Env) -> None:
        for alias in node.names:
            if alias.name == "*":
                for name in knowledge.star_names(node.module or "", self.extra) or ():
                    env[name] = f"api:{node.module}.{name}"
                    self.types.imports[name] = f"{node.module}.{name}"
                continue
            path = f"{node.module}.{alias.name}"
            is_module = path in knowledge.known_modules(self.extra)
            env[alias.asname or alias.name] = f"module:{path}" if is_module else f"api:{path}"
            self.types.imports[alias.asname or alias.name] = path

    def bind(self, target: ast.expr, kind: str, value: ast.expr | None, env: Env) -> None:
        match target:
            case ast.Name():
                env[target.id] = kind
                env[f"{target.id}[]"] = self.element(value, kind, env) if value is not None else ""
                self.types.expr[id(target)] = kind
            case ast.Tuple() | ast.List():
                parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
                arguments = value.args if isinstance(value, ast.Call) else []
                split = value is not None and getattr(self.types.fact(value), "effect", "") == "splits"
                drawn = _rows_and_target(value, self.types) if len(target.elts) == 2 else ()
                for position, inner in enumerate(target.elts):
                    part = ""
                    if len(parts) == len(target.elts):
                        part = self.types.of(parts[position])
                    elif split and position // 2 < len(arguments):
                        part = self.types.of(arguments[position // 2])
                    self.bind(inner, part or (drawn[position] if drawn else ""), None, env)
            case ast.Starred():
                self.bind(target.value, "builtins.list", None, env)
            case ast.Attribute() | ast.Subscript():
                self.expression(target.value, env)
                if isinstance(target, ast.Subscript):
                    self.expression(target.slice, env)

    def elements(self, iterated: ast.expr, env: Env) -> list[str]:
        """The types of the parts of what a loop yields: enumerate, zip, the columns of a frame."""
        if not isinstance(iterated, ast.Call):
            return []
        given = [self.element(a, self.types.of(a), env) for a in iterated.args]
        match self.types.api_of(iterated):
            case "pandas.DataFrame.items":
                return ["builtins.str", "pandas.Series"]
            case "builtins.enumerate":
                return ["builtins.int", *given[:1]]
            case "builtins.zip":
                return given
        return []

    def element(self, iterated: ast.expr, kind: str, env: Env) -> str:
        """The type of what a loop over `iterated` yields."""
        if isinstance(iterated, (ast.List, ast.Tuple)):
            kinds = {self.types.of(e) for e in iterated.elts}
            return kinds.pop() if len(kinds) == 1 else ""
        if isinstance(iterated, ast.Name) and isinstance(env.get(f"{iterated.id}[]"), str):
            return env[f"{iterated.id}[]"]
        if kind in ("pandas.DataFrame", "pandas.Index"):
            return "builtins.str"
        match iterated:
            case ast.ListComp(elt=part):
                return self.types.of(part)
            case (
                ast.Call(func=ast.Name(id="list" | "sorted" | "set" | "reversed"), args=[inner])
                | ast.Call(func=ast.Attribute(value=inner, attr="tolist" | "to_list"))
            ):
                return self.element(inner, self.types.of(inner), env)
        return ""

    def defaults(self, arguments: ast.arguments, env: Env) -> dict[str, str]:
        """The types of parameters by name: those of their default values, which are worked out here."""
        every = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        found = dict.fromkeys(every, "")
        given = [self.expression(default, env) for default in arguments.defaults]
        found.update(zip(every[len(every) - len(given) :], given, strict=True))
        for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            found[name.arg] = self.expression(default, env) if default is not None else ""
        return found

    # expressions

    def expression(self, node: ast.AST, env: Env) -> str:
        kind = self.static(node, env)
        if isinstance(node, ast.expr) and self.trace is not None:
            kind = self.with_trace(node, kind)
        self.types.expr[id(node)] = kind
        return kind

    def with_trace(self, node: ast.expr, kind: str) -> str:
        span = self.text.span(node)
        site = self.trace.at(span) if self.trace is not None else None
        if site is None:
            return kind
        self.types.seen[id(node)] = site
        if len(site.types) != 1 or ":" in kind:
            return kind
        seen = site.types[0]
        library = seen.partition(".")[0]
        if kind.partition(".")[0] == library and library not in KNOWN_CLASSES and not knowledge.lookup(seen):
            return kind  # a class inside of the library, which facts know under a name of ours
        if kind and kind in TABLES and seen in TABLES and kind != seen:
            self.types.disagreements.append((span, kind, seen))
        return kind if _is_kind_of(kind, seen) else seen

    def static(self, node: ast.AST, env: Env) -> str:
        match node:
            case ast.Name():
                return env.get(node.id, "")
            case ast.Constant():
                return f"builtins.{type(node.value).__name__}"
            case ast.Attribute():
                return self.attribute(node, env)
            case ast.Subscript():
                return self.subscript(node, env)
            case ast.Call():
                return self.call(node, env)
            case ast.BinOp() | ast.BoolOp() | ast.Compare() | ast.UnaryOp():
                kinds = [
                    self.expression(c, env) for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)
                ]
                tables = [k for k in kinds if k in (*TABLES, "numpy.ndarray")]
                if tables:
                    return max(tables, key=("numpy.ndarray", "pandas.Series", "pandas.DataFrame").index)
                if isinstance(node, ast.Compare):
                    return "builtins.bool"
                unknown = (
                    isinstance(node, ast.BinOp)
                    and kinds[0] in ("builtins.int", "builtins.float")
                    and "" in kinds
                )
                return "" if unknown else kinds[0]
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                for child in ast.iter_child_nodes(node):
                    self.expression(child, env)
                return f"builtins.{type(node).__name__.lower()}"
            case ast.JoinedStr():
                for child in ast.walk(node):
                    if isinstance(child, ast.FormattedValue):
                        self.expression(child.value, env)
                return "builtins.str"
            case ast.Lambda():
                self.expression(node.body, {**env, **self.defaults(node.args, env)})
                return ""
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                inner = dict(env)
                for generator in node.generators:
                    kind = self.expression(generator.iter, inner)
                    self.bind(generator.target, self.element(generator.iter, kind, inner), None, inner)
                    for test in generator.ifs:
                        self.expression(test, inner)
                for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
                    self.expression(part, inner)
                return {
                    "ListComp": "builtins.list",
                    "SetComp": "builtins.set",
                    "DictComp": "builtins.dict",
                }.get(type(node).__name__, "")
            case ast.IfExp():
                self.expression(node.test, env)
                kind = self.expression(node.body, env)
                return self.expression(node.orelse, env) or kind
            case ast.NamedExpr():
                env[node.target.id] = kind = self.expression(node.value, env)
                return kind
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.expression(child, env)
                return ""

    def attribute(self, node: ast.Attribute, env: Env) -> str:
        base = self.expression(node.value, env)
        if base.startswith("module:"):
            path = f"{base[7:]}.{node.attr}"
            return f"module:{path}" if path in knowledge.known_modules(self.extra) else f"api:{path}"
        if base.startswith("api:"):
            return f"{base}.{node.attr}"
        if not base or base.startswith("notebook:"):
            return ""
        fact = knowledge.lookup(f"{base}.{node.attr}", extra=self.extra)
        if fact is not None:
            self.types.facts[id(node)] = fact
            self.types.api[id(node)] = f"{base}.{node.attr}"
            if node.attr == "plot" and base in (*TABLES, *GROUPED):
                return f"{base}.plot"
            if node.attr in ACCESSORS and base in (*TABLES, "pandas.Index"):
                return ACCESSORS[node.attr]
            return self.returned(fact, base)
        if base == "pandas.DataFrame":
            return "pandas.Series"  # df.Age
        if base == "pandas.DataFrameGroupBy":
            return "pandas.SeriesGroupBy"
        return ""

    def subscript(self, node: ast.Subscript, env: Env) -> str:
        base = self.expression(node.value, env)
        index = self.expression(node.slice, env)
        literal = node.slice
        match base:
            case "pandas.DataFrame":
                if index in ("builtins.str",):
                    return "pandas.Series"
                return "pandas.DataFrame" if index else ""
            case "pandas.LocIndexer":
                owner = self.types.of(node.value.value) if isinstance(node.value, ast.Attribute) else ""
                if isinstance(literal, ast.Tuple) and len(literal.elts) == 2:
                    last = literal.elts[1]
                    one = self.types.of(last) in ("builtins.str", "builtins.int") or isinstance(
                        last, ast.UnaryOp
                    )
                    return "pandas.Series" if owner == "pandas.DataFrame" and one else owner
                return owner
            case "pandas.DataFrameGroupBy":
                return "pandas.SeriesGroupBy" if index == "builtins.str" else base
            case "pandas.StringMethods":
                return "pandas.Series"
            case "api:numpy.c_" | "api:numpy.r_":
                return "numpy.ndarray"
            case "pandas.Series" | "numpy.ndarray" | "pandas.Index":
                return base if index not in ("builtins.int", "builtins.str") else ""
            case _:
                return ""

    def call(self, node: ast.Call, env: Env) -> str:
        callee = self.expression(node.func, env)
        arguments = [self.expression(a.value if isinstance(a, ast.Starred) else a, env) for a in node.args]
        keywords = {k.arg: self.expression(k.value, env) for k in node.keywords}
        receiver = ""
        if isinstance(node.func, ast.Name) and not callee:
            if node.func.id in env:
                return ""
            api = f"builtins.{node.func.id}"
        elif callee.startswith("api:"):
            api = callee[4:]
        elif callee.startswith("notebook:"):
            name = callee[9:]
            self.types.api[id(node)] = callee
            function = self.types.functions.get(name)
            if function is None:
                return callee  # an instance of a class of the notebook
            named = {k: v for k, v in keywords.items() if k}
            named |= {
                f"{p.arg}[]": self.element(a, self.types.of(a), env)
                for p, a in zip(function.args.args, node.args, strict=False)
            }
            return self.function(name, function, arguments, named, env)
        elif isinstance(node.func, ast.Attribute):
            receiver = self.types.of(node.func.value)
            api = f"{receiver}.{node.func.attr}" if receiver and ":" not in receiver else ""
        else:
            return ""
        if not api:
            return ""
        self.types.api[id(node)] = api
        fact = knowledge.lookup(api, call_arguments(node, self.types), self.extra)
        if fact is None:
            return ""
        self.types.facts[id(node)] = fact
        if fact.calls in ("frame", "column", "group"):
            self.called(node, fact, receiver, env)
        if fact.effect == "constructs" and fact.returns in ("estimator", "unknown", ""):
            return fact.type or api
        return self.returned(fact, receiver or (arguments[0] if arguments else ""))

    def called(self, node: ast.Call, fact: Fact, receiver: str, env: Env) -> None:
        """The functions that `pipe`, `assign`, `apply` call, now that the type of their argument is known."""
        kind = receiver if fact.calls == "frame" else "pandas.Series"
        if fact.calls == "group" and receiver == "pandas.DataFrameGroupBy":
            kind = "pandas.DataFrame"
        for given in [*node.args, *[k.value for k in node.keywords]]:
            if isinstance(given, ast.Lambda) and given.args.args:
                inner = {**env, **self.defaults(given.args, env), given.args.args[0].arg: kind}
                self.expression(given.body, inner)
            elif isinstance(given, ast.Name) and given.id in self.types.functions:
                self.function(given.id, self.types.functions[given.id], [kind], {}, env)

    def returned(self, fact: Fact, receiver: str) -> str:
        if fact.type:
            return fact.type
        if fact.returns in ("same", "estimator"):
            return receiver
        if fact.returns == "grouped":
            return "pandas.SeriesGroupBy" if receiver == "pandas.Series" else "pandas.DataFrameGroupBy"
        if fact.returns == "mask":
            return receiver if receiver in (*TABLES, "numpy.ndarray") else "pandas.Series"
        return RETURNS.get(fact.returns, "")

    def function(
        self,
        name: str,
        node: ast.FunctionDef | ast.Lambda,
        arguments: list[str],
        keywords: dict[str, str],
        env: Env,
    ) -> str:
        """Infers a function of the notebook with the argument types of its first informative call."""
        if name in self.active or (name in self.results and name not in self.pending):
            return self.results.get(name, "")
        if not any([*arguments, *keywords.values()]) and name in self.pending and node.args.args:
            if arguments or keywords:
                return ""
        self.active.add(name)
        self.pending.pop(name, None)
        outer = self.text
        self.text = self.texts.get(id(node), self.text)
        known = self.parameters.get(id(node)) or self.defaults(node.args, self.globals)
        inner = {**self.globals, **known}
        if node.args.vararg is not None:
            rest = set(arguments[len(node.args.args) :])
            name_of_rest = node.args.vararg.arg
            inner |= {
                name_of_rest: "builtins.tuple",
                f"{name_of_rest}[]": rest.pop() if len(rest) == 1 else "",
            }
        inner.update(zip((a.arg for a in node.args.args), arguments, strict=False))
        inner.update(keywords)
        body: list[ast.stmt] = (
            node.body if isinstance(node, ast.FunctionDef) else [ast.Return(value=node.body)]
        )
        self.results[name] = self.body(body, inner)
        self.text = outer
        self.active.discard(name)
        return self.results[name]


def _rows_and_target(value: ast.expr | None, types: Types) -> tuple[str, ...]:
    """The kinds of the two things that a data set of scikit-learn consists of."""
    if not isinstance(value, ast.Call) or not types.api_of(value).startswith("sklearn.datasets."):
        return ()
    framed = any(k.arg == "as_frame" and getattr(k.value, "value", False) is True for k in value.keywords)
    return TABLES if framed else ("numpy.ndarray", "numpy.ndarray")


@cache
def _is_kind_of(kind: str, seen: str) -> bool:
    """Whether a class that a run showed is one that the knowledge base knows by its kind alone."""
    root = seen.split(".")[0]
    if kind == seen or kind.split(".")[0] != root:
        return False
    known = knowledge.library(root)
    named = [any(fact.api.startswith(f"{name}.") for fact in known) for name in (kind, seen)]
    return named == [True, False]
