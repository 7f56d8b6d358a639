"""The split into training and evaluation rows: which of its results the model sees, which judge it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nb2prod.analysis.events import root
from nb2prod.analysis.holders import ROWS, bare
from nb2prod.analysis.nodes import names_in
from nb2prod.analysis.siblings import column_of, columns_of, siblings
from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow, Use
from nb2prod.ir.stages import Sink


@dataclass(frozen=True, slots=True)
class Split:
    """`outputs` are the names bound, in pairs (train, evaluation) for each array of `call`.

    `x_arrays` and `y_arrays` are the positions of the arrays that the model's X and y come from; they are
    the same where a whole frame is split.  `stmt` is 0 where there is no split; `fit` fits the model.
    """

    stmt: int = 0
    call: ast.Call | None = None
    outputs: tuple[str, ...] = ()
    x_arrays: frozenset[int] = frozenset()
    y_arrays: frozenset[int] = frozenset()
    y_names: frozenset[str] = frozenset()
    fit: int = 0

    @property
    def splits_y(self) -> bool:
        """Whether y is split beside X, and not taken from a frame that was split."""
        return bool(self.y_arrays - self.x_arrays)

    @property
    def y_outputs(self) -> frozenset[str]:
        return frozenset(self.outputs[2 * a] for a in self.y_arrays - self.x_arrays)

    def follows(self, use: Use, side: str) -> bool:
        """Whether a slice of X or y goes on through this use; at the split only its own array does."""
        if use.stmt != self.stmt or self.call is None or not self.splits_y:
            return True
        arrays = self.x_arrays if side == "x" else self.y_arrays
        wanted = {n for a in arrays for n in names_in(self.call.args[a])}
        for keyword in self.call.keywords:
            if (keyword.arg == "stratify") == (side == "y") or keyword.arg != "stratify":
                wanted |= names_in(keyword.value)
        wanted |= names_in(self.call.func)
        return use.name in wanted or use.name.startswith("<")

    def evaluation(self, flow: Flow, types: Types, slicer: Slicer) -> tuple[set[int], set[int]]:
        """Statements that only prepare the evaluation rows of X (or of a split frame), and those that split
        these rows once more, for validation and test.
        """
        if not self.stmt:
            return set(), set()
        mates = {self.outputs[2 * a + 1] for a in self.x_arrays if 2 * a + 1 < len(self.outputs)}
        found: set[int] = set()
        again: set[int] = set()
        judging = slicer.forward({self.fit}, lambda id: False) - {self.fit}
        for id, stmt in flow.by_id.items():
            if id in judging or _holds_rows(stmt.node, types):
                continue
            if id <= self.stmt or not isinstance(stmt.node, (ast.Assign, ast.AugAssign, ast.Expr, ast.For)):
                continue
            if any(e.kind in ("predicts", "scores", "fits", "displays") for e in flow.effects_of(id)):
                continue
            if isinstance(stmt.node, ast.Expr) and not any(d.stmt == id for d in flow.defs):
                continue
            if any(_is_score_call(n) for n in ast.walk(stmt.node)):
                continue
            for use in slicer.uses(id):
                known = set(use.reaches) & (found | again)
                if (use.name in mates and (self.stmt in use.reaches or known)) or known:
                    if _feeds(stmt.node, use.name):
                        splits = any(e.kind == "splits" for e in flow.effects_of(id))
                        (again if splits else found).add(id)
        return found, again

    def evaluation_name(self, name: str, stmts: set[int], flow: Flow) -> str:
        """What a name read by training stands for: evaluation rows of X or of y."""
        if not stmts:
            if name not in self.outputs:
                return ""
            position = self.outputs.index(name)
            if position % 2 == 0:
                return ""
            return "X_eval" if position // 2 in self.x_arrays else "y_eval"
        if self.splits_y:
            return "X_eval"
        last = flow.by_id[max(stmts)].node
        if isinstance(last, ast.Assign):
            named = [v for t, v in _parts(last) if isinstance(t, ast.Name) and t.id == name]
            value = named[0] if named else last.value
            if _is_target(value, self, flow):
                return "y_eval"
        return "X_eval"


NO_SPLIT = Split()


def find_split(flow: Flow, types: Types, slicer: Slicer, sink: Sink) -> Split:
    """The last split that the model's X comes through."""
    start = slicer.reaching(sink.data, names_in(sink.x))
    for id in sorted(slicer.backward(start), reverse=True):
        if (parts := _split_parts(flow.by_id[id].node, types)) is None:
            continue
        call, outputs = parts
        x = _arrays(slicer, sink.data, names_in(sink.x), id, outputs)
        y = _arrays(slicer, sink.data, names_in(sink.y), id, outputs)
        own = x - (y if len(x) > 1 else frozenset())
        return Split(id, call, outputs, own, y, frozenset(names_in(sink.y)), sink.stmt)
    return NO_SPLIT


def _split_parts(node: ast.stmt, types: Types) -> tuple[ast.Call, tuple[str, ...]] | None:
    """The call of a statement that splits arrays, and the names it binds, two for each array."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return None
    fact, target = types.fact(node.value), node.targets[0]
    if fact is None or fact.effect != "splits" or not isinstance(target, (ast.Tuple, ast.List)):
        return None
    outputs = tuple(e.id if isinstance(e, ast.Name) else "" for e in target.elts)
    return (node.value, outputs) if len(outputs) == 2 * len(node.value.args) else None


def fits_other_side(split: Split, slicer: Slicer, sink: Sink) -> bool:
    """Whether the rows of the fit are those that the split takes for judging, as after `a, b = b, a`."""
    at, name = sink.data, root(sink.x)
    mates = {split.outputs[2 * a + 1] for a in split.x_arrays if 2 * a + 1 < len(split.outputs)}
    seen: set[tuple[int, str]] = set()
    while split.stmt and name and (at, name) not in seen:
        seen.add((at, name))
        reaching = slicer.reaching(at, {name})
        later = [s for s in reaching if s > split.stmt and s != at]
        if not later:
            return split.stmt in reaching and name in mates
        at = max(later)
        node = slicer.flow.by_id[at].node
        if isinstance(node, ast.Assign):
            values = [v for t, v in _parts(node) if isinstance(t, ast.Name) and t.id == name]
            name = root(values[0]) if values else name
    return False


@dataclass(frozen=True, slots=True)
class Answers:
    """The true answers: what reads them judges predictions and is none.

    `names` are variables, `texts` columns of frames; a variable bound again after the fit is no answer.
    """

    slicer: Slicer
    names: frozenset[str]
    texts: frozenset[str]
    after: frozenset[int]

    def read_by(self, id: int, node: ast.AST) -> bool:
        """Whether an expression of statement `id`, or all of it, reads an answer."""
        names = {u.name for u in self.slicer.uses(id) if u.name in self.names and set(u.reaches) - self.after}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and inner.id in names and isinstance(inner.ctx, ast.Load):
                return True
            if isinstance(inner, (ast.Subscript, ast.Attribute)) and ast.unparse(inner) in self.texts:
                return True
        return False


def answers_of(flow: Flow, types: Types, slicer: Slicer, sink: Sink) -> Answers:
    """The answers on both sides of the split."""
    split = find_split(flow, types, slicer, sink)
    outputs = {name for a in split.y_arrays - split.x_arrays for name in split.outputs[2 * a : 2 * a + 2]}
    names, texts = set(outputs), set()
    if isinstance(sink.y, ast.Name):
        names.add(sink.y.id)
    elif sink.y is not None:
        mates = dict(zip(split.outputs[::2], split.outputs[1::2], strict=False))
        texts = {ast.unparse(y) for y in (sink.y, bare(sink.y), renamed(sink.y, mates))}
    if not split.stmt:
        names |= _by_hand(sink, slicer, types, texts)
    names |= _split_again(names, flow, types)
    after = slicer.forward({sink.stmt}, lambda id: False)
    return Answers(slicer, frozenset(names - {""}), frozenset(texts), frozenset(after))


def _split_again(names: set[str], flow: Flow, types: Types) -> set[str]:
    """What else holds answers where rows are split more than once."""
    arrays: list[set[str]] = []
    for stmt in flow.by_id.values():
        if (parts := _split_parts(stmt.node, types)) is not None:
            call, outputs = parts
            for position, argument in enumerate(call.args):
                own = {argument.id} if isinstance(argument, ast.Name) else set()
                arrays.append({*own, *outputs[2 * position : 2 * position + 2]} - {""})
    found = set(names)
    while more := {name for array in arrays if array & found for name in array} - found:
        found |= more
    return found


def _by_hand(sink: Sink, slicer: Slicer, types: Types, texts: set[str]) -> set[str]:
    """The variables with the answers on the other side of a split made by hand; `texts` get the columns."""
    if isinstance(sink.y, ast.Name):
        made = [slicer.flow.by_id[s].node for s in slicer.reaching(sink.data, {sink.y.id})]
        columns = {c for n in made if isinstance(n, ast.Assign) and (c := column_of(value_of(n, sink.y.id)))}
        others = siblings(sink.y.id, sink.data, slicer, types)
        for frame, column in columns:
            frames = siblings(frame, max(slicer.reaching(sink.data, {sink.y.id})), slicer, types)
            others |= columns_of(frames, column, slicer)
            texts |= {text for other in frames for text in (f"{other}[{column!r}]", f"{other}.{column}")}
        return others
    if sink.y is not None and (found := column_of(sink.y)) is not None:
        frame, column = found
        frames = siblings(frame, sink.data, slicer, types)
        texts |= {ast.unparse(renamed(sink.y, {frame: other})) for other in frames}
        return columns_of(frames, column, slicer)
    return set()


def _arrays(slicer: Slicer, at: int, names: set[str], split: int, outputs: tuple[str, ...]) -> frozenset[int]:
    """The arrays of the split that these names at `at` come from."""
    found: set[int] = set()
    seen: set[tuple[int, str]] = set()
    todo = [(at, names)]
    while todo:
        stmt, wanted = todo.pop()
        for use in slicer.uses(stmt):
            if wanted and use.name not in wanted:
                continue
            if split in use.reaches and use.name in outputs:
                found.add(outputs.index(use.name) // 2)
            for reached in use.reaches:
                if reached > split and (reached, use.name) not in seen and reached != at:
                    seen.add((reached, use.name))
                    node = slicer.flow.by_id[reached].node
                    # What is only changed there stays itself.
                    own = {use.name} if use.name not in slicer.flow.defined_by(reached) else set()
                    todo.append((reached, own or sources(node, use.name)))
    return frozenset(found)


def sources(node: ast.stmt, name: str) -> set[str]:
    """The names that `name` is made of where several are assigned, as in `X, y = X[m], y[m]`, or by a call
    that gives back its arguments, `X, y = resample(X, y)`; empty where it may be all.
    """
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
        named = [v for t, v in _parts(node) if isinstance(t, ast.Name) and t.id == name]
        return names_in(named[0]) if named else set()
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return set()
    target, call = node.targets[0], node.value
    given = [*call.args, *[k.value for k in call.keywords if k.arg in ("X", "y")]]
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    if len(parts) == 2 * len(call.args):  # a split gives two of each
        given = [argument for argument in call.args for _ in range(2)]
    for part, argument in zip(parts, given, strict=False) if len(parts) == len(given) else ():
        if isinstance(part, ast.Name) and part.id == name:
            return names_in(argument)
    return set()


def _holds_rows(node: ast.stmt, types: Types) -> bool:
    """`xgb.DMatrix(X_test, label=y_test)`: the rows with their answers, which only judge."""
    fact = types.fact(node.value) if isinstance(node, (ast.Assign, ast.Expr)) else None
    return fact is not None and fact.role == ROWS


def _is_target(value: ast.expr, split: Split, flow: Flow) -> bool:
    """Whether an evaluation statement says for the one side what the target says for the other."""
    pairs = dict(zip(split.outputs[1::2], split.outputs[0::2], strict=False))
    wanted = ast.dump(renamed(value, pairs))
    for stmt in flow.by_id.values():
        node = stmt.node
        if stmt.id <= split.stmt or not isinstance(node, ast.Assign):
            continue
        for target, part in _parts(node):
            if isinstance(target, ast.Name) and target.id in split.y_names:
                if ast.dump(ast.parse(ast.unparse(part), mode="eval").body) == wanted:
                    return True
    return False


def value_of(node: ast.Assign, name: str) -> ast.expr:
    """What a statement gives a name: its own part where several names get one each."""
    return next((v for t, v in _parts(node) if isinstance(t, ast.Name) and t.id == name), node.value)


def _parts(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """Targets with their values: `a, b = x, y` are two."""
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        if len(target.elts) == len(node.value.elts):
            return list(zip(target.elts, node.value.elts, strict=True))
    return [(target, node.value)]


def renamed(node: ast.expr, names: dict[str, str]) -> ast.expr:
    """A copy of an expression with other variables."""
    copy = _Rename(names).visit(ast.parse(ast.unparse(node), mode="eval"))
    assert isinstance(copy, ast.Expression)
    return copy.body


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def _feeds(node: ast.stmt, name: str) -> bool:
    """Whether the statement's result is made of the rows of `name`: it is the receiver or an argument."""
    return name in names_in(node)


def _is_score_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in (
        "score", "predict", "predict_proba", "decision_function",
    )  # fmt: skip
