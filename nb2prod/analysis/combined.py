"""Predictions of several models that inference puts together, and inference of which nothing is taken over.

blend = .6 * ridge.predict(X) + .4 * tree.predict(X)            no single model gives this answer
votes = pd.DataFrame({"a": a.predict(X), "b": b.predict(X)})     nor one of these
out = votes.mode(axis=1)[0]

Each variable, and each named column of one, has the models whose predictions it was made from.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.ensembles import turns
from nb2prod.analysis.events import root
from nb2prod.analysis.model import NUMBERS, PREDICT_METHODS, has_score
from nb2prod.analysis.nodes import method
from nb2prod.analysis.siblings import column_of
from nb2prod.analysis.split import Answers
from nb2prod.analysis.types import Types
from nb2prod.ir.program import Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Prediction
from nb2prod.tree import bodies

SCORED = (*PREDICT_METHODS, "score_samples")
Models = frozenset[str]
NONE: Models = frozenset()
OWN = "<the model>"


def refuse_combined(
    stmts: list[Stmt],
    cells: list[Stmt],
    names: set[str],
    types: Types,
    prediction: Prediction,
    answers: Answers,
) -> Iterator[Refusal]:
    """The first answer of inference `cells` that more than one model gives, or that `prediction` leaves out;
    `stmts` are all statements from the fit of the model on, `names` what holds it.
    """
    made = _Made(names, types, answers)
    inside = {stmt.id for stmt in cells}
    for stmt in stmts:
        for inner in _simple(stmt.node):
            value = inner.value if isinstance(inner, (ast.Assign, ast.AugAssign, ast.AnnAssign)) else None
            if value is None:
                continue
            models = made.of(stmt, value)
            taken = made.taken(stmt, prediction)
            if stmt.id in inside and not models <= taken and not made.is_number(value):
                if len(models) > 1 and not made.chooses(value):
                    yield _several(stmt, value, models)
                    return
                if models and not prediction.stmts:
                    detail = "what it makes of predictions cannot be taken over; predict in the cell itself"
                    yield Refusal("NBP403", stmt.text.span(value), ast.unparse(value), detail)
                    return
            made.store(stmt, inner, models)


def _several(stmt: Stmt, value: ast.expr, models: Models) -> Refusal:
    others = sorted(models - {OWN})
    with_it = " and the model" if OWN in models else ""
    detail = (
        f"predictions of {', '.join(f'`{name}`' for name in others)}{with_it} make one answer; "
        "let one model give it, such as a voting or stacking estimator"
    )
    return Refusal("NBP403", stmt.text.span(value), ast.unparse(value), detail)


class _Made:
    """Which models' predictions went into what."""

    def __init__(self, names: set[str], types: Types, answers: Answers) -> None:
        self.names, self.types, self.answers = names, types, answers
        self.known: dict[str, Models] = {}

    def of(self, stmt: Stmt, value: ast.expr) -> Models:
        """The models behind a value; none where it only judges them."""
        if has_score(value, self.types) or self.answers.read_by(stmt.id, value):
            return NONE
        return self._of(value, self.names | turns(stmt.node, self.names))

    def _of(self, node: ast.AST, own: set[str]) -> Models:
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if name in SCORED:
                model = root(receiver) or ast.unparse(receiver)
                return frozenset({OWN if model in own else model})
            case ast.Name(id=name):
                return self.known.get(name, NONE)
            case ast.Subscript(value=ast.Name()) | ast.Attribute(value=ast.Name()):
                column = _column(node)
                if column in self.known:
                    return self.known[column]
            case ast.Call(func=ast.Name(id=name)) if name in self.types.functions:
                body = self.types.functions[name]
                inside = (
                    self._of(n, own) for n in ast.walk(body) if isinstance(n, ast.Call) and n is not node
                )
                given = (self._of(a, own) for a in node.args)
                return NONE.union(*inside, *given) if name not in own else frozenset({OWN})
        return NONE.union(*(self._of(child, own) for child in ast.iter_child_nodes(node)))

    def taken(self, stmt: Stmt, prediction: Prediction) -> Models:
        """The models whose predictions in a statement become the project's own."""
        value = prediction.value
        if value is not None and any(node is value for node in ast.walk(stmt.node)):
            return self.of(stmt, value)
        own = getattr(stmt.node, "value", None)
        return self.of(stmt, own) if stmt.id in prediction.stmts and own is not None else NONE

    def chooses(self, value: ast.expr) -> bool:
        """Whether a value is one thing of a container of predictions: `found["tree"]`, `found[best]`."""
        return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name)

    def is_number(self, value: ast.expr) -> bool:
        site = self.types.site(value)
        return self.types.of(value) in NUMBERS or (site is not None and site.shape == ())

    def store(self, stmt: Stmt, node: ast.stmt, models: Models) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
        for target in targets:
            whole, column = root(target), _column(target)
            adds = isinstance(node, ast.AugAssign) or not isinstance(target, ast.Name)
            self.known[whole] = models | (self.known.get(whole, NONE) if adds else NONE)
            if column:
                self.known[column] = models
            if isinstance(target, ast.Name):
                for name, part in _columns(getattr(node, "value", None)):
                    self.known[f"{whole}[{name}]"] = self.of(stmt, part)


def _columns(value: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
    """The named parts of a table or dictionary that is made here."""
    if isinstance(value, ast.Call):
        yield from ((k.arg, k.value) for k in value.keywords if k.arg and method(value) == "assign")
        value = value.args[0] if value.args else None
    if isinstance(value, ast.Dict):
        for key, part in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), part


def _column(node: ast.expr) -> str:
    """`out[y]` for `out["y"]` and `out.y`."""
    taken = column_of(node)
    return f"{taken[0]}[{taken[1]}]" if taken is not None else ""


def _simple(node: ast.stmt) -> Iterator[ast.stmt]:
    """A statement and those in its blocks, in the order of the text, without definitions."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    yield node
    for body in bodies(node):
        for inner in body:
            yield from _simple(inner)
