"""What every picture of a stage graph shows: the nodes with their source lines, the edges with the names
that cross, and what was left out.

    load --df--> features --X_train, X_test--> train --model--> infer
                 features --df--> target --y_train, y_test--> train
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Role, Site, Stage, StageGraph
from nb2prod.source import Span, split_lines

FUNCTIONS = {
    Role.LOAD: "load.load",
    Role.FEATURES: "features.features",
    Role.TARGET: "target.target",
    Role.TRAIN: "train.fit_model",
    Role.INFER: "infer.decide",
}
TRAINING_ONLY = ("keep", "fit_only", "split", "folds")
PURPOSES = {
    Role.LOAD: "reads the raw data",
    Role.FEATURES: "one body for training and serving",
    Role.TARGET: "what the model learns to predict",
    Role.TRAIN: "fits the model and measures it",
    Role.INFER: "from the model to predictions",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the notebook; `helper` says that it stands outside the stage's own statements."""

    cell: int
    line: int
    text: str
    helper: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """A place where training and serving differ: a value that is learned and used again, or, where `lasts`
    is false, rows that only training chooses.
    """

    key: str
    how: str
    why: str
    evidence: str
    span: Span
    lasts: bool = True


@dataclass(frozen=True, slots=True)
class Node:
    """One stage; `files` are what it reads, `settings` the constants of the notebook that became settings."""

    role: Role
    function: str
    purpose: str
    cells: tuple[int, ...] = ()
    statements: int = 0
    lines: tuple[Line, ...] = ()
    learned: tuple[Learned, ...] = ()
    chosen: tuple[Learned, ...] = ()
    metrics: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    source: Role
    target: Role
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A statement that production does not need, and why."""

    cell: int
    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole picture; `refused` are reasons why there is no project, as (place, text)."""

    notebook: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    dropped: tuple[Left, ...]
    refused: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    model: str = ""
    total: int = 0

    def node(self, role: Role) -> Node | None:
        return next((node for node in self.nodes if node.role is role), None)


def view(graph: StageGraph, flow: Flow, refused: Sequence[tuple[str, str]] | None = None) -> View:
    """The picture of a graph; `refused` are places and reasons in the words of the rules."""
    return View(
        notebook=flow.program.notebook.path,
        nodes=tuple(_nodes(graph, flow)),
        edges=tuple(_edges(graph, flow)),
        dropped=tuple(_left(graph, flow)),
        refused=tuple(_refused(graph) if refused is None else refused),
        assumptions=graph.assumptions,
        model=graph.sink.model if graph.sink else "",
        total=len(flow.by_id),
    )


def ranges(numbers: tuple[int, ...]) -> str:
    """`8, 10, 14-17` for the numbers of cells or lines."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    shown = [f"{a}-{b}" if b > a + 1 else f"{a}, {b}" if b > a else f"{a}" for a, b in parts]
    return ", ".join(shown)


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size_of(node: Node) -> str:
    """`18 statements of cells 8, 10, 14-17`."""
    return (
        "no cell of its own"
        if node.derived
        else f"{plural(node.statements, 'statement')} of {cells(node.cells)}"
    )


def cells(numbers: tuple[int, ...]) -> str:
    return ("cell " if len(set(numbers)) == 1 else "cells ") + ranges(numbers)


def _nodes(graph: StageGraph, flow: Flow) -> list[Node]:
    nodes = [_node(graph, flow, stage) for stage in graph.stages]
    if graph.sink is not None and not graph.stage(Role.INFER).stmts:
        text = f"{graph.sink.model}.predict on the features of the rows given"
        nodes.append(Node(Role.INFER, FUNCTIONS[Role.INFER], text, derived=True))
    return nodes


def _node(graph: StageGraph, flow: Flow, stage: Stage) -> Node:
    helpers = _helpers(graph, flow, stage)
    constants = set(graph.parameters) & helpers
    own_lines = {key for id in stage.stmts for key in _line_keys(flow, id)}
    helper_lines = {key for id in helpers - constants for key in _line_keys(flow, id)} - own_lines
    lines = [_line(flow, key, key in helper_lines) for key in sorted(own_lines | helper_lines)]
    places = {(line.cell, line.line) for line in lines}
    learns = stage.role in (Role.FEATURES, Role.TARGET)
    sites = [_learned(s) for s in graph.sites if learns and (s.span.cell, s.span.line) in places]
    stmts = set(stage.stmts)
    return Node(
        role=stage.role,
        function=FUNCTIONS[stage.role],
        purpose=PURPOSES[stage.role],
        cells=tuple(sorted({flow.by_id[id].cell for id in stage.stmts})),
        statements=len(stage.stmts),
        lines=tuple(lines),
        learned=tuple(one for one in sites if one.lasts),
        chosen=tuple(one for one in sites if not one.lasts),
        metrics=tuple(metric.name for metric in graph.metrics if metric.stmt in stmts),
        files=tuple(dict.fromkeys(path.path for path in graph.paths if path.stmt in stmts)),
        settings=tuple(_setting(flow, id) for id in sorted(constants)),
    )


def _helpers(graph: StageGraph, flow: Flow, stage: Stage) -> set[int]:
    """Functions, classes and constants outside the stages that its statements use, also indirectly."""
    free = graph.floating - {id for other in graph.stages for id in other.stmts}
    reached: defaultdict[int, set[int]] = defaultdict(set)
    for use in flow.uses:
        reached[use.stmt] |= {id for id in free & set(use.reaches) if use.name in flow.defined_by(id)}
    found: set[int] = set()
    waiting = list(stage.stmts)
    while waiting:
        fresh = reached[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return {id for id in found if not isinstance(flow.by_id[id].node, ast.Import | ast.ImportFrom)}


def _line_keys(flow: Flow, id: int) -> list[tuple[int, int]]:
    stmt = flow.by_id[id]
    return [(stmt.cell, line) for line in range(stmt.first_line, stmt.span.end_line + 1)]


def _line(flow: Flow, key: tuple[int, int], helper: bool) -> Line:
    cell, number = key
    lines = _lines(flow.program.notebook.cells[cell].text)
    return Line(cell, number, lines[number - 1].rstrip("\r\n") if number <= len(lines) else "", helper)


@lru_cache(maxsize=8)
def _lines(text: str) -> tuple[str, ...]:
    return split_lines(text)


def _setting(flow: Flow, id: int) -> tuple[str, str]:
    node = flow.by_id[id].node
    assert isinstance(node, ast.Assign)
    return ast.unparse(node.targets[0]), ast.unparse(node.value)


def _learned(site: Site) -> Learned:
    key = site.key + (f"[{', '.join(site.at)}]" if site.at else "")
    return Learned(key, site.kind, site.why, site.evidence.name, site.span, site.kind not in TRAINING_ONLY)


def _edges(graph: StageGraph, flow: Flow) -> list[Edge]:
    """Who gives what to whom.

    The target is made inside the features' body, between its statements; here it is a stage of its own,
    which gets the frame from there and gives its values, split alike, to training.
    """
    if graph.sink is None:
        return []
    has_target = bool(graph.stage(Role.TARGET).stmts)
    origin = Role.TARGET if has_target else Role.FEATURES
    names = sorted(graph.train_names.items(), key=lambda item: (not item[1].endswith("train"), item))
    to_train = [name for name, what in names if not what.startswith("y")]
    y = [name for name, what in names if what.startswith("y")]
    if graph.sink.y is None:
        y = []
    rows = graph.prediction.rows
    asked = rows.id if isinstance(rows, ast.Name) else "X"
    bound = {name for id in graph.stage(Role.TARGET).stmts for name in flow.defined_by(id)}
    wanted = [
        Edge(Role.LOAD, Role.FEATURES, graph.frames),
        Edge(Role.FEATURES, Role.TARGET, graph.stage(Role.TARGET).inputs),
        Edge(Role.FEATURES, Role.TRAIN, (*(to_train or ["X"]), *graph.crossing)),
        Edge(origin, Role.TRAIN, tuple(y or (["y"] if graph.sink.y is not None else []))),
        Edge(Role.TRAIN, Role.INFER, (graph.sink.model, *graph.model_extras)),
        Edge(Role.FEATURES, Role.INFER, (asked, *(n for n in graph.shared if n not in bound))),
        Edge(Role.TARGET, Role.INFER, tuple(n for n in graph.shared if n in bound)),
    ]
    there = {stage.role for stage in graph.stages} | {Role.INFER}
    merged: dict[tuple[Role, Role], tuple[str, ...]] = {}
    for edge in wanted:
        if edge.names and {edge.source, edge.target} <= there:
            key = edge.source, edge.target
            merged[key] = tuple(dict.fromkeys((*merged.get(key, ()), *edge.names)))
    return [Edge(source, target, names) for (source, target), names in merged.items()]


def _left(graph: StageGraph, flow: Flow) -> list[Left]:
    found = []
    for dropped in graph.dropped:
        stmt = flow.by_id[dropped.stmt]
        first = _line(flow, (stmt.cell, stmt.span.line), False).text.strip()
        found.append(Left(stmt.cell, stmt.span.line, first, dropped.reason))
    return found


def _refused(graph: StageGraph) -> list[tuple[str, str]]:
    found = []
    for refusal in graph.refusals:
        place = f"cell {refusal.span.cell}, line {refusal.span.line}" if refusal.span else "the notebook"
        text = ": ".join(part for part in (refusal.subject, refusal.detail) if part) or "no model is fitted"
        found.append((place, f"{refusal.code} {text}"))
    return found
