"""Raw data that are arrays, not a frame: a container of scikit-learn, or rows and target side by side.

data = load_breast_cancer()                    data.data and data.target
X, y = load_wine(return_X_y=True)              X and y
X, y = make_classification(random_state=0)     X and y

Of these `load` makes one frame, whose last column is the target, and the features take them out of it again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from nb2prod.analysis.slicing import Slicer
from nb2prod.analysis.types import Types
from nb2prod.ir.stages import Arrays

CONTAINER = "sklearn.utils.Bunch"
ROWS = ("data", "target")
NAMES = ("feature_names", "target_names", "DESCR")
SOURCES = "sklearn.datasets."
FETCHED = "sklearn.datasets.fetch_"  # other columns, and other names for the target


def pair_of(types: Types, slicer: Slicer, stmts: Iterable[int]) -> Arrays | None:
    """The one statement of these that makes rows and target side by side."""
    found = [(s, pair) for s in stmts if (pair := _pair(slicer.flow.by_id[s].node, types)) is not None]
    if len(found) != 1:
        return None
    stmt, (names, call) = found[0]
    return Arrays(stmt, names, call, _as_frame(call))


def container_of(
    types: Types, slicer: Slicer, load: AbstractSet[int], reading: Iterable[int]
) -> Arrays | None:
    """The container that `load` makes, where `reading` take no more from it than rows, target and names."""
    for stmt in sorted(load):
        match slicer.flow.by_id[stmt].node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if types.of(
                call
            ) == CONTAINER and _is_written_out(call):
                found = Arrays(stmt, (name,), call, _as_frame(call))
                nodes = [slicer.flow.by_id[s].node for s in reading if s != stmt]
                fetched = types.api_of(call).startswith(FETCHED)
                return found if not fetched and all(_is_read(found, node) for node in nodes) else None
    return None


def parts(arrays: Arrays | None, node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """The reads of a container in a statement, each with what is read."""
    if arrays is None or len(arrays.names) > 1:
        return
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(value=ast.Name(id=name), attr=part):
                pass
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as part)):
                pass
            case _:
                continue
        if name == arrays.names[0]:
            yield inner, part


def named(arrays: Arrays | None, node: ast.AST) -> list[ast.expr]:
    """The reads of names, which the rows are not needed for."""
    return [inner for inner, part in parts(arrays, node) if part in NAMES]


def _is_read(arrays: Arrays, node: ast.stmt) -> bool:
    """Whether a statement reads the container for rows, target and names alone."""
    read = [part for _, part in parts(arrays, node)]
    mentioned = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == arrays.names[0]]
    return len(read) == len(mentioned) and {*read} <= {*ROWS, *NAMES}


def _pair(node: ast.stmt, types: Types) -> tuple[tuple[str, ...], ast.Call] | None:
    match node:
        case ast.Assign(
            targets=[ast.Tuple(elts=[ast.Name(id=rows), ast.Name(id=target)])], value=ast.Call() as call
        ) if types.api_of(call).startswith(SOURCES) and not types.api_of(call).startswith(FETCHED):
            return (rows, target), call
    return None


def _as_frame(call: ast.Call) -> bool:
    return any(k.arg == "as_frame" and getattr(k.value, "value", None) is True for k in call.keywords)


def _is_written_out(call: ast.Call) -> bool:
    """Whether the call can stand anywhere: its arguments are literals."""
    given = [*call.args, *(k.value for k in call.keywords)]
    return all(isinstance(value, ast.Constant) for value in given)
