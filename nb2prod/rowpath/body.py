"""The statements of the staged body as statements over one row."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from nb2prod.rowpath import expressions, loops, sites, stores
from nb2prod.rowpath.kinds import (
    EMPTY,
    FRAME,
    FRESH,
    PLAIN,
    TARGET,
    Kind,
    NotUnderstood,
    Scope,
    call,
    dotted,
    name,
    shown,
)

Node = TypeVar("Node", bound=ast.AST)


@dataclass
class Body:
    """The translation of one module of features; `imports` says what its names mean, `helpers` its functions.

    `chained` says whether `df["a"].fillna(1, inplace=True)` changes `df`: it does before pandas 3.
    """

    imports: Mapping[str, str]
    helpers: Mapping[str, ast.FunctionDef]
    names: frozenset[str]
    chained: bool | None
    taken: set[str]
    scope: Scope = field(default_factory=Scope)
    repeats: int = 0
    bind: dict[str, tuple[str, ast.expr]] = field(default_factory=dict)
    iterated: dict[str, str] = field(default_factory=dict)
    functions: dict[str, ast.stmt] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    specialised: dict[str, tuple[tuple[str, ...], Kind]] = field(default_factory=dict)
    unfitted: frozenset[str] = frozenset()
    constants: list[ast.stmt] = field(default_factory=list)
    once: frozenset[str] = frozenset()
    bound: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    guards: frozenset[str] = frozenset()
    rowless: set[str] = field(default_factory=set)

    # What expressions ask for.

    def expression(self, node: ast.expr) -> tuple[Kind, ast.expr]:
        return expressions.expression(self, node)

    def plain(self, node: ast.expr) -> ast.expr:
        return expressions.plain(self, node)

    def rows_in(self, node: ast.AST) -> bool:
        return expressions.rows_in(self, node)

    def kind_of(self, node: ast.Name) -> Kind:
        return self.scope.kinds.get(node.id, PLAIN)

    def imported(self, node: ast.expr) -> str:
        """The full name of what comes from an import, such as `pandas.concat`; else nothing."""
        path = dotted(node)
        first, _, rest = path.partition(".")
        if not path or first in self.scope.kinds or first not in self.imports:
            return ""
        return f"{self.imports[first]}.{rest}" if rest else self.imports[first]

    def numpy(self, node: ast.AST) -> str:
        """The name under which the module imports NumPy."""
        for word, module in self.imports.items():
            if module == "numpy":
                return word
        raise NotUnderstood(node, shown(node))

    def is_helper(self, word: str) -> bool:
        return word in self.helpers

    def uses_helper(self, node: ast.Name) -> None:
        """A function of the notebook that gets one value; it must not ask for what was learned."""
        self._reached(node.id)

    def _reached(self, word: str) -> None:
        self.used.add(word)
        for inner in ast.walk(self.helpers[word]):
            if isinstance(inner, ast.Name) and inner.id == "st":
                raise NotUnderstood(self.helpers[word], f"{word}() learns")

    def without_rows(self, node: Node) -> Node:
        """Plain Python, with `st.value(...)` in it replaced; NotUnderstood where it mentions a row."""
        body = self

        class Plain(ast.NodeTransformer):
            def visit_Call(self, inner: ast.Call) -> ast.AST:
                if isinstance(inner.func, ast.Attribute) and isinstance(inner.func.value, ast.Name):
                    if inner.func.value.id == "st":
                        return sites.site(body, inner)[1]
                return self.generic_visit(inner)

            def visit_Attribute(self, inner: ast.Attribute) -> ast.AST:
                if isinstance(inner.value, ast.Name) and body.kind_of(inner.value) is FRAME:
                    if inner.attr == "columns":
                        return call("list", inner.value)
                return self.generic_visit(inner)

            def visit_Name(self, inner: ast.Name) -> ast.AST:
                if body.scope.kinds.get(inner.id, PLAIN).name != "plain":
                    raise NotUnderstood(node, f"{shown(node)}, which differs from row to row, as a constant")
                if body.is_helper(inner.id):
                    body._reached(inner.id)
                elif inner.id in body.names:
                    body.used.add(inner.id)
                return inner

        return Plain().visit(copy.deepcopy(node))  # type: ignore[no-any-return]

    # What is looked up or made once.

    def hoisted(self, label: str, found: ast.expr, word: str = "") -> ast.expr:
        """A variable of `bind`, made once; `word` says how it is called."""
        if label not in self.bind:
            variable = sites.variable(word or label, self.taken)
            self.taken.add(variable)
            self.bound.add(variable)
            self.bind[label] = (variable, found)
            self.constants.append(ast.Assign([ast.Name(variable, ast.Store())], found))
        return name(self.bind[label][0])

    def at_bind(self, made: ast.expr, function: str) -> ast.expr:
        """`function(made)`, once where `made` does not change within a row."""
        if isinstance(made, ast.Dict):
            return made
        if isinstance(made, ast.Name) and made.id in self.bound:
            return self.hoisted(f"{made.id} {function}", call(function, made))
        return call(function, made)

    def turns(self, label: str, found: ast.expr, word: str) -> ast.expr:
        """An iterator over the passages of a site, begun anew for each row."""
        held = self.hoisted(label, found, word)
        assert isinstance(held, ast.Name)
        if held.id not in self.iterated:
            self.iterated[held.id] = sites.variable(f"{held.id} turns", self.taken)
            self.taken.add(self.iterated[held.id])
        return name(self.iterated[held.id])

    # Statements.

    def statements(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for node in nodes:
            found += self.statement(node)
        return found

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """The row form of a statement, after what it needs before it."""
        outer, self.scope.before = self.scope.before, []
        made = self._statement(node)
        before, self.scope.before = self.scope.before, outer
        return [*before, *made]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        match node:
            case ast.Assign(targets=[target]):
                return self._assign(target, node.value, node)
            case ast.AugAssign(target=target):
                return stores.augmented(self, node, target)
            case ast.Expr(value=ast.Call() as value):
                return self._call(value)
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Import() | ast.ImportFrom():
                return []
            case ast.For(orelse=[]):
                return self._loop(node)
            case ast.If():
                return self._if(node)
            case ast.FunctionDef():
                self.helpers = {**self.helpers, node.name: node}
                raise NotUnderstood(node, f"a function {node.name}() defined on the way")
            case ast.Delete(targets=[ast.Subscript(value=ast.Name() as frame)]) if (
                self.kind_of(frame) is FRAME
            ):
                return [node]
            case ast.Return(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id="st"), attr="result")) as value
            ):
                return [ast.Return(sites.result(self, value))]
            case ast.Return(value=ast.expr() as value):
                kind, made = self.expression(value)
                self.scope.kinds["return"] = kind
                return [ast.Return(made)] if kind.name not in ("empty", "target") else []
        raise NotUnderstood(node, shown(node).split(":")[0])

    def _assign(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(target, ast.Tuple):
            return self._unpacked(target, value)
        if isinstance(target, ast.Name):
            if target.id in self.unfitted and not self.rows_in(value):
                return []
            kind, made = self.expression(value)
            self.scope.kinds[target.id] = kind
            if kind.name in ("empty", "target", "frames") or _is_name(made, target.id):
                return []
            assigned = ast.Assign([target], made)
            if (
                kind.name == "plain"
                and target.id in self.once
                and not self.repeats
                and self.same_for_all(made)
            ):
                self.bound.add(target.id)
                self.constants.append(assigned)
                return []
            return [assigned]
        if isinstance(target, ast.Attribute):
            return stores.renamed_columns(self, target, value, node)
        if isinstance(target, ast.Subscript):
            return stores.stored(self, target, value)
        raise NotUnderstood(node, shown(node))

    def same_for_all(self, made: ast.expr) -> bool:
        """Whether an expression needs nothing that a row changes."""
        bound = {n.id for n in ast.walk(made) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        arguments = {n.arg for n in ast.walk(made) if isinstance(n, ast.arg)}
        known = self.bound | set(self.imports) | set(self.names) | set(dir(builtins)) | bound | arguments
        return all(n.id in known for n in ast.walk(made) if isinstance(n, ast.Name))

    def _unpacked(self, target: ast.Tuple, value: ast.expr) -> list[ast.stmt]:
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        if len(names) != len(target.elts):
            raise NotUnderstood(value, shown(target))
        if isinstance(value, ast.Call) and dotted(value.func) == "st.split":
            return self._split(names, value)
        made = self.plain(value)
        self.scope.kinds.update(dict.fromkeys(names, PLAIN))
        return [ast.Assign([target], made)]

    def _split(self, names: list[str], value: ast.Call) -> list[ast.stmt]:
        """Serving has the training rows only: the other side of a split is empty."""
        found: list[ast.stmt] = []
        arrays = value.args[1:]
        if len(names) != 2 * len(arrays):
            raise NotUnderstood(value, shown(value))
        for at, array in enumerate(arrays):
            kind, made = self.expression(array)
            self.scope.kinds[names[2 * at]] = kind
            self.scope.kinds[names[2 * at + 1]] = EMPTY if kind is not TARGET else TARGET
            if kind.name not in ("empty", "target") and not _is_name(made, names[2 * at]):
                found.append(ast.Assign([ast.Name(names[2 * at], ast.Store())], made))
        return found

    def _call(self, node: ast.Call) -> list[ast.stmt]:
        """A call for what it does: a change in place, or something that only training does."""
        if dotted(node.func) in ("st.fit_only", "st.to_training", "st.to_inference"):
            return []
        inplace = [k for k in node.keywords if k.arg == "inplace"]
        if inplace and isinstance(node.func, ast.Attribute):
            return stores.in_place(self, node, node.func)
        if isinstance(node.func, ast.Attribute) and dotted(node.func.value) != "st":
            kind, _ = self.expression(node.func.value)
            if kind is EMPTY:
                return []
            if kind.name == "plain":
                self.plain(node)
                return [ast.Expr(self.without_rows(node))]
        kind, _ = self.expression(node)
        if kind.name == "transformer" or kind is EMPTY:
            return []
        raise NotUnderstood(node, shown(node))

    def _loop(self, node: ast.For) -> list[ast.stmt]:
        rows = loops.values_of(self, node.iter)
        if rows is not None:
            return [] if rows[0] is EMPTY else loops.gathering(self, node, rows[1])
        kind, over = self.expression(node.iter)
        if kind.name == "frames" and isinstance(node.target, ast.Name):
            found: list[ast.stmt] = []
            for part in kind.parts:
                self.scope.kinds[node.target.id] = self.scope.kinds[part]
                if self.scope.kinds[part] is FRAME:
                    found.append(ast.Assign([ast.Name(node.target.id, ast.Store())], name(part)))
                self.repeats += 1
                found += self.statements(node.body)
                self.repeats -= 1
            return found
        if kind.name != "plain":
            raise NotUnderstood(node, f"a loop over {shown(node.iter)}")
        targets = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
        self.scope.kinds.update(dict.fromkeys(targets, PLAIN))
        before = dict(self.scope.kinds)
        self.repeats += 1
        made = self.statements(node.body)
        self.repeats -= 1
        if any(self.scope.kinds[word] != kind for word, kind in before.items() if kind is not FRESH):
            raise NotUnderstood(node, "a loop in which a variable becomes something else")
        return [ast.For(node.target, over, made or [ast.Pass()], [])]

    def _if(self, node: ast.If) -> list[ast.stmt]:
        test = self.plain(node.test)
        before = dict(self.scope.kinds)
        then = self.statements(node.body)
        after, self.scope.kinds = self.scope.kinds, dict(before)
        orelse = self.statements(node.orelse)
        for word, kind in after.items():  # a frame that only one branch begins to fill is begun
            if kind is FRESH or self.scope.kinds.get(word) is FRESH:
                kinds = [kind, self.scope.kinds.get(word, kind)]
                after[word] = self.scope.kinds[word] = kinds[kinds[0] is FRESH]
        if after != self.scope.kinds:
            raise NotUnderstood(node, "branches that make different things")
        return [ast.If(test, then or [ast.Pass()], orelse)]

    # Helpers of the notebook that work on frames.

    def helper(self, node: ast.Call) -> tuple[Kind, ast.expr]:
        """A call of a function of the notebook with frames: the function gets a row form of its own."""
        assert isinstance(node.func, ast.Name)
        function = self.helpers[node.func.id]
        words = [a.arg for a in (*function.args.args, *function.args.kwonlyargs)]
        keywords = [k for k in node.keywords if k.arg != "st"]
        given = dict(zip(words, node.args, strict=False)) | {str(k.arg): k.value for k in keywords}
        if (
            function.args.vararg
            or function.args.kwarg
            or (function.args.defaults and len(given) < len(words) - 1)
        ):
            raise NotUnderstood(node, shown(node))
        made = {word: self.expression(argument) for word, argument in given.items()}
        kinds = {word: kind for word, (kind, _) in made.items()}
        self.repeats += 1
        kind, statements = self._specialised(function, kinds)
        self.repeats -= 1
        if kind is EMPTY:
            self.scope.before += statements
            return EMPTY, node
        signature = tuple(f"{word} {kind.name}" for word, kind in kinds.items())
        known = self.specialised.setdefault(node.func.id, (signature, kind))
        if known != (signature, kind):
            raise NotUnderstood(node, f"{node.func.id}() called with other things than before")
        if node.func.id not in self.functions:
            arguments = ast.arguments([], [ast.arg(word) for word in given], None, [], [], None, [])
            self.functions[node.func.id] = ast.FunctionDef(node.func.id, arguments, statements, [])
        return kind, call(node.func.id, *(argument for _, argument in made.values()))

    def _specialised(
        self, function: ast.FunctionDef, kinds: Mapping[str, Kind]
    ) -> tuple[Kind, list[ast.stmt]]:
        outer, self.scope = self.scope, Scope(dict(kinds))
        try:
            statements = self.statements(function.body)
            kind = self.scope.kinds.get("return", EMPTY)
        finally:
            self.scope = outer
        if kind is EMPTY and not all(isinstance(one, ast.Expr) for one in statements):
            raise NotUnderstood(function, f"{function.name}() of a frame without rows")
        return kind, statements


def _is_name(node: ast.expr, word: str) -> bool:
    return isinstance(node, ast.Name) and node.id == word
