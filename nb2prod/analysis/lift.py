"""Whether the target can be lifted out of the feature code into a function of its own.

    y = le.fit_transform(df["label"])      ->      y = st.target(target, df)

It can where its statements are a function of one frame as it is where the first of them stands.
"""

from __future__ import annotations

import ast

from nb2prod.analysis.nodes import names_in
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Role, StageGraph


def target_is_lifted(flow: Flow, graph: StageGraph) -> bool:
    """Whether `target(df, st)` can hold all statements of the target stage."""
    stmts = graph.stage(Role.TARGET).stmts
    if not stmts or len(target_inputs(flow, graph)) != 1:
        return False
    consumers = _consumers(graph)
    inside = set(stmts)
    leaving = {
        u.name for u in flow.uses if u.stmt in consumers and set(u.reaches) & inside and u.stmt not in inside
    }
    if len(leaving - set(graph.shared)) != 1:
        return False
    between = {s for s in graph.stage(Role.FEATURES).stmts if stmts[0] < s < stmts[-1]}
    return not any(set(u.reaches) & between for s in stmts for u in flow.uses_of(s))


def target_inputs(flow: Flow, graph: StageGraph) -> tuple[str, ...]:
    """The names that the target is made of, constants and settings aside."""
    stmts = set(graph.stage(Role.TARGET).stmts)
    names = []
    for id in sorted(stmts):
        for use in flow.uses_of(id):
            outside = [r for r in use.reaches if r not in stmts and r not in graph.floating]
            if outside and use.name not in names and not use.name.startswith("<"):
                names.append(use.name)
    return tuple(names) or graph.frames[:1]


def target_tables(flow: Flow, graph: StageGraph) -> frozenset[str]:
    """The loaded table, beside the main one, that alone makes the target: row for row, for nothing else says
    which of its rows belongs to which.
    """
    if graph.sink is None or graph.sink.y is None:
        return frozenset()
    loaded, split = set(graph.stage(Role.LOAD).stmts), graph.split
    read = {
        use.name
        for id in graph.stage(Role.FEATURES).stmts
        for use in flow.uses_of(id)
        if set(use.reaches) & loaded and not (id == split and _splits_as_target(use.name, flow, graph))
    }
    stmts = set(graph.stage(Role.TARGET).stmts)
    made_of = {u.name for id in stmts for u in flow.uses_of(id) if set(u.reaches) - stmts - graph.floating}
    if not made_of:
        made_of = names_in(graph.sink.y)
        made_of |= {u.name for u in flow.uses_of(split)} if split is not None else set()
    elif len({name for name in made_of if not name.startswith("<")}) > 1:
        return frozenset()
    return frozenset(made_of & set(graph.frames[1:]) - read)


def _splits_as_target(name: str, flow: Flow, graph: StageGraph) -> bool:
    """Whether a split takes this table as the target, or to keep its shares, and not among the features."""
    match flow.by_id[graph.split].node if graph.split is not None else None:
        case ast.Assign(targets=[ast.Tuple(elts=outputs)], value=ast.Call(args=arrays)):
            held = [ast.unparse(output) for output in outputs[::2]]
            pairs = zip(held, arrays, strict=False)
            return all(y == graph.y[0] for y, array in pairs if name in names_in(array))
    return False


def target_output(flow: Flow, graph: StageGraph) -> str:
    """The name under which the target leaves its stage."""
    stmts = set(graph.stage(Role.TARGET).stmts)
    outside = [u for u in flow.uses if u.stmt not in stmts and set(u.reaches) & stmts]
    names = {u.name for u in outside if u.stmt in _consumers(graph)} - set(graph.shared)
    last = [n for n in flow.defined_by(max(stmts)) if n in names]
    return (last or sorted(names) or [graph.y[0]])[0]


def _consumers(graph: StageGraph) -> set[int]:
    return {s for role in (Role.FEATURES, Role.TRAIN) for s in graph.stage(role).stmts}
