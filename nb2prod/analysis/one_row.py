"""Functions of the notebook that make one row of single values and predict it.

def predict_price(city, age):                 it makes its row by hand, which features.py does for the project
    x = np.zeros(len(X.columns))
    x[0], x[X.columns == city] = age, 1
    return round(model.predict([x])[0], 2)    what it answers is the model's own prediction

print(predict_price("Lyon", 30))
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nb2prod.analysis.model import PREDICT_METHODS, assigned_name, calls
from nb2prod.analysis.nodes import method, names_in
from nb2prod.analysis.predictors import predict_calls
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.program import Stmt

SHORTER = ("int", "float", "round", "str")  # of one number, as it is shown


@dataclass(frozen=True, slots=True)
class ByHand:
    """A function that is given single values; `own` says that it answers what the model predicts."""

    name: str
    node: ast.FunctionDef
    own: bool

    @property
    def marks(self) -> set[str]:
        """How the names of what predicts say that this function does."""
        return {f"{self.name}()", *(f"{self.name}({at})" for at in range(len(self.node.args.args)))}


def by_hand(cells: list[Stmt], names: set[str], slicer: Slicer, types: Types) -> list[ByHand]:
    """Those that the statements of inference call, and with single values only."""
    found: dict[str, ByHand | None] = {}
    for stmt in cells:
        for call in calls(stmt.node):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            function = types.functions.get(name)
            given = [*call.args, *(k.value for k in call.keywords)]
            if not isinstance(function, ast.FunctionDef) or not given:
                continue
            made = _prediction(function, names)
            if made is None or not all(_is_single(g, stmt, slicer, types) for g in given):
                found[name] = None
            else:
                found.setdefault(name, ByHand(name, function, _answers(function, made)))
    return [function for function in found.values() if function is not None]


def _prediction(function: ast.FunctionDef, names: set[str]) -> ast.Call | None:
    """The one prediction in a function, of a row that it makes itself."""
    given = {a.arg for a in function.args.args}
    every = [c for c in calls(function) if method(c) in PREDICT_METHODS]
    match [*predict_calls(function, names - given)]:
        case [ast.Call(args=[rows, *_]) as made] if every == [made] and getattr(rows, "id", "") not in given:
            return made
    return None


def _is_single(node: ast.expr, stmt: Stmt, slicer: Slicer, types: Types) -> bool:
    """A number or text that was written by hand, and nothing that was read from a file."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.Set)) or types.of(node).startswith(
        ("pandas.", "numpy.ndarray", "builtins.list", "builtins.dict", "builtins.tuple")
    ):
        return False
    names = names_in(node)
    for turns in ast.walk(stmt.node):
        if isinstance(turns, (ast.For, ast.comprehension)) and names_in(turns.target) & names:
            names = names | names_in(turns.iter)
    behind = slicer.backward(slicer.reaching(stmt.id, names))
    return not any(e.kind == "reads-file" for id in behind for e in slicer.flow.effects_of(id))


def _answers(function: ast.FunctionDef, made: ast.Call) -> bool:
    """Whether all that a function gives back is the prediction, be it shortened or in a text."""
    if method(made) != "predict":
        return False
    kept = {
        assigned_name(node)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _bare(node.value) is made
    }
    ends = [r.value for r in ast.walk(function) if isinstance(r, ast.Return) and r.value is not None]
    return all(_is_it(part, made, kept) for end in ends for part in _parts(end))


def _parts(node: ast.expr) -> list[ast.expr]:
    """The values in a text, or the value itself."""
    if isinstance(node, ast.JoinedStr):
        return [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
    return [node]


def _is_it(node: ast.expr, made: ast.Call, kept: set[str | None]) -> bool:
    bare = _bare(node)
    return bare is made or (isinstance(bare, ast.Name) and bare.id in kept)


def _bare(node: ast.expr) -> ast.expr:
    """What one number is taken from, and rounded: `p` of `round(float(p[0][0]), 2)`."""
    while True:
        match node:
            case ast.Subscript(value=inner, slice=ast.Constant(value=int())):
                node = inner
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in SHORTER:
                node = inner
            case ast.Call(func=ast.Attribute(attr="round"), args=[inner, *_]):  # np.round(p, 2)
                node = inner
            case ast.Call(func=ast.Attribute(value=inner, attr="item" | "round")):
                node = inner
            case _:
                return node
