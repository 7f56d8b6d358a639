"""Raw data that are arrays: `load` makes a frame of them, and the features take them out of it again.

data = load_breast_cancer()       load      pd.DataFrame(data.data, columns=...).assign(target=data.target)
X = data.data                     features  X = data.drop(columns="target").to_numpy()
y = data.target                   target    y = data["target"].to_numpy()
data.target_names[labels]         infer     load_breast_cancer().target_names[labels]
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from nb2prod.analysis.arrays import NAMES, parts
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Arrays, Role, StageGraph
from nb2prod.lower.rewrite import Build

TARGET = "target"  # the column of the frame


def packed(arrays: Arrays) -> str:
    """The frame that `load` returns."""
    if len(arrays.names) == 1:
        name = arrays.names[0]
        made = f"pd.DataFrame({name}.data, columns={name}.feature_names).assign({TARGET}={name}.target)"
        return f"{name}.frame" if arrays.frames else made
    rows, target = arrays.names
    return f"{rows if arrays.frames else _with_columns(rows, arrays.call)}.assign({TARGET}={target})"


def _with_columns(rows: str, call: ast.Call) -> str:
    """A frame of rows whose columns have the names that scikit-learn knows, else numbers."""
    function = ast.unparse(call.func)
    if function.rpartition(".")[2].startswith("load_"):
        return f"pd.DataFrame({rows}, columns={function}().feature_names)"
    return f'pd.DataFrame({rows}).add_prefix("x")'


def unpacked(arrays: Arrays) -> list[str]:
    """Statements that give the features rows and target apart, where the notebook has a variable for each."""
    if len(arrays.names) == 1:
        return []
    rows, target = arrays.names
    return [f"{target} = {_part(arrays, 'target')}", f"{rows} = {_part(arrays, 'data')}"]


def _part(arrays: Arrays, part: str) -> str:
    name, values = arrays.names[0], "" if arrays.frames else ".to_numpy()"
    return f'{name}["{TARGET}"]{values}' if part == "target" else f'{name}.drop(columns="{TARGET}"){values}'


def with_parts(flow: Flow, graph: StageGraph, build: Mapping[int, Build]) -> dict[int, Build]:
    """The edits with those of all reads of a container; what wraps such a read wraps what stands for it."""
    inner = {}
    load = graph.stage(Role.LOAD).stmts
    features = {s for role in (Role.FEATURES, Role.TARGET) for s in graph.stage(role).stmts}
    for id_, stmt in flow.by_id.items() if graph.arrays is not None else ():
        for node, part in parts(graph.arrays, stmt.node) if id_ not in load else ():
            text = _text(graph.arrays, part, id_ in features)
            inner[id(node)] = _around(text, build.get(id(node)))
    return {**build, **inner}


def named_texts(graph: StageGraph, node: ast.AST) -> dict[str, str]:
    """What stands for the names that an expression reads from a container."""
    return {ast.dump(n): _text(graph.arrays, p, False) for n, p in parts(graph.arrays, node) if p in NAMES}


def _text(arrays: Arrays | None, part: str, in_features: bool) -> str:
    assert arrays is not None
    if part == "feature_names" and in_features:
        return f'{arrays.names[0]}.columns.drop("{TARGET}").to_numpy()'
    return f"{ast.unparse(arrays.call)}.{part}" if part in NAMES else _part(arrays, part)


def _around(text: str, wrap: Build | None) -> Build:
    if wrap is None:
        return lambda _: text
    return lambda _: wrap(text)
