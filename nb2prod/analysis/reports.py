"""What a function of the notebook reports of a model, in the words of its caller.

def evaluate(model, X, y):
    pred = model.predict(X)
    print("accuracy", accuracy_score(y, pred))

evaluate(model, X_test, y_test)       reports accuracy_score(y_test, model.predict(X_test))

Only what every call computes, one statement after the other, can be said so: what is assigned in a branch
or a loop, or changed in place, is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nb2prod.analysis.events import root
from nb2prod.analysis.shown import labelled
from nb2prod.analysis.types import Types

INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Reported:
    """A value that a call shows, keeps in a variable or gives back: `said` in the caller's words; `own` are
    the function's expressions for it and for the variables that it is made of, the last one first.

    `name` is the function's variable or the key under which it is given back, `label` what is printed before
    it, `place` where it stands in what is given back; `kept` says that it is only kept in a variable.
    """

    own: tuple[ast.expr, ...]
    said: ast.expr
    name: str = ""
    label: str = ""
    place: str | int | None = None
    kept: bool = False


def reported(call: ast.Call, types: Types) -> list[Reported]:
    """What the call of a function of the notebook reports; nothing for other calls."""
    function = types.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if not isinstance(function, ast.FunctionDef):
        return []
    given = _arguments(function, call)
    return [*_Body(given).run(function.body)] if given is not None else []


def returned(call: ast.Call, types: Types) -> ast.expr | None:
    """The expression that a function of the notebook gives back, where it has one `return`."""
    function = types.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if isinstance(function, ast.Lambda):
        return function.body
    ends = [n for n in ast.walk(function) if isinstance(n, ast.Return)] if function is not None else []
    return ends[0].value if len(ends) == 1 else None


def _arguments(function: ast.FunctionDef, call: ast.Call) -> dict[str, ast.expr] | None:
    """The caller's expression for each parameter; None where a call passes a list of arguments."""
    of = function.args
    starred = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
    if of.vararg or of.kwarg or starred:
        return None
    names = [a.arg for a in (*of.posonlyargs, *of.args)]
    given = dict(zip(reversed(names), reversed(of.defaults), strict=False))
    given |= {a.arg: d for a, d in zip(of.kwonlyargs, of.kw_defaults, strict=True) if d is not None}
    given |= dict(zip(names, call.args, strict=False))
    given |= {k.arg: k.value for k in call.keywords if k.arg is not None}
    return given


class _Body:
    """The statements of a function in their order; `known` are its variables in the caller's words, and
    `lost` those that have none."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self.known = given
        self.lost: set[str] = set()
        self.made: dict[str, tuple[ast.expr, ...]] = {}

    def run(self, body: list[ast.stmt]) -> Iterator[Reported]:
        for node in body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    said, own = self.say(value), self.expressions(value)
                    self.bind(name, said)
                    self.made[name] = own
                    if said is not None:
                        yield Reported(own, said, name, kept=True)
                case ast.Expr(value=value):
                    for label, part in labelled(value):
                        yield from self.report(part, label=label)
                    self.changed(value)
                case ast.Return(value=ast.Dict(keys=keys, values=values)):
                    for key, part in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant):
                            yield from self.report(part, str(key.value), place=str(key.value))
                case ast.Return(value=ast.Tuple(elts=parts)):
                    for position, part in enumerate(parts):
                        yield from self.report(part, place=position)
                case ast.Return(value=ast.expr() as value):
                    yield from self.report(value)
                case _:
                    self.forget(node)

    def report(
        self, part: ast.expr, name: str = "", label: str = "", place: str | int | None = None
    ) -> Iterator[Reported]:
        said = self.say(part)
        if said is not None and not isinstance(part, ast.Constant):
            name = name or (part.id if isinstance(part, ast.Name) else "")
            yield Reported(self.expressions(part), said, name, label, place)

    def expressions(self, part: ast.expr) -> tuple[ast.expr, ...]:
        """The expression with those behind the variables in it; a variable alone is what it was given."""
        names = [n.id for n in ast.walk(part) if isinstance(n, ast.Name)]
        behind = [own for name in dict.fromkeys(names) for own in self.made.get(name, ())]
        return (*behind,) if isinstance(part, ast.Name) and behind else (part, *behind)

    def bind(self, name: str, said: ast.expr | None) -> None:
        self.known.pop(name, None)
        self.lost.discard(name)
        if said is None:
            self.lost.add(name)
        else:
            self.known[name] = said

    def changed(self, value: ast.expr) -> None:
        """A method called for its effect may change its object: `scores.append(x)`, not `print(x)`."""
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            self.lose({root(value.func)})

    def forget(self, node: ast.stmt) -> None:
        """All that a compound statement or an assignment to a part binds or changes."""
        for inner in ast.walk(node):
            if isinstance(inner, (ast.Name, ast.Subscript, ast.Attribute)) and isinstance(
                inner.ctx, ast.Store
            ):
                self.lose({root(inner)})
            elif isinstance(inner, ast.Expr):
                self.changed(inner.value)

    def lose(self, names: set[str]) -> None:
        self.lost |= names
        for name in names:
            self.known.pop(name, None)

    def say(self, node: ast.expr) -> ast.expr | None:
        """An expression in the caller's words; the nodes of the call's arguments stay themselves."""
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        inner = [n for part in ast.walk(node) if isinstance(part, INNER) for n in ast.walk(part)]
        bound = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= {n.arg for n in inner if isinstance(n, ast.arg)}
        used = [self.known[name] for name in names - bound if name in self.known]
        captured = {n.id for value in used for n in ast.walk(value) if isinstance(n, ast.Name)}
        if names & self.lost or bound & (captured | {*self.known}):
            return None
        said = self.replaced(node)
        assert isinstance(said, ast.expr)
        return said

    def replaced(self, node: object) -> object:
        if isinstance(node, list):
            return [self.replaced(inner) for inner in node]
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self.known:
            return self.known[node.id]
        if not isinstance(node, ast.AST):
            return node
        return type(node)(**{name: self.replaced(value) for name, value in ast.iter_fields(node)})
