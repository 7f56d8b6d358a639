"""Where the rows of the raw data are made, when no file holds them as they are.

data = load_breast_cancer()                                  a container of scikit-learn
df = pd.DataFrame(data.data, columns=data.feature_names)     its rows

totals = orders.groupby("customer").agg(...)                 one row for each customer

df = pd.DataFrame({"a": rng.normal(size=n)})                 what the notebook writes out or draws

What leads to such a frame belongs to load, and a row to predict is one of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from nb2prod.analysis.arrays import CONTAINER, container_of, pair_of
from nb2prod.analysis.slicing import Follow, Slicer
from nb2prod.analysis.types import GROUPED, Types
from nb2prod.ir.stages import Arrays

RESHAPES = ("pandas.crosstab", "pandas.pivot_table", "pandas.DataFrame.pivot_table", "pandas.DataFrame.pivot")
FRAME = "pandas.DataFrame"


class RawRows:
    """`needed` are the statements that make X and y of what `load` gives; `sink` is the one that reads X."""

    def __init__(
        self, types: Types, slicer: Slicer, load: AbstractSet[int], needed: AbstractSet[int], sink: int
    ) -> None:
        self.types, self.slicer, self.flow = types, slicer, slicer.flow
        self.load, self.needed, self.sink = load, sorted(needed), sink

    def container(self) -> str:
        """The variable with a container that what follows reads; empty where there is none."""
        made = (s for s in self.load if self.is_container(getattr(self.node(s), "value", None)))
        names = {name for s in made for name in self.flow.defined_by(s)}
        uses = (use for s in self.needed for use in self.slicer.uses(s) if set(use.reaches) & self.load)
        return next((use.name for use in uses if use.name in names), "")

    def contained(self) -> set[int]:
        """The statements that make a frame of a container."""
        return self.up_to_one_frame(0) if self.container() else set()

    def written(self) -> set[int]:
        """The statements that make a frame of what the notebook writes out or draws, where it reads none."""
        return set() if self.load else self.up_to_one_frame(0)

    def arrays(self) -> Arrays | None:
        """Rows and target, or a container of them, where `load` gives no frame."""
        kinds = dict(self.crossing(self.load))
        if len(kinds) == 1 and FRAME in kinds.values():
            return None
        pair = pair_of(self.types, self.slicer, self.load or self.needed)
        return pair or container_of(self.types, self.slicer, self.load, {*self.load, *self.needed})

    def grouped(self, start: AbstractSet[int], follow: Follow) -> set[int]:
        """The statements that make a frame of groups of rows, where `start`, which makes X, has no others."""
        groups = {s for s in self.needed if any(self.is_group(n) for n in ast.walk(self.node(s)))}
        around = self.slicer.backward(start, follow, groups)
        if not groups or around & self.load:
            return set()
        return self.up_to_one_frame(max(groups & self.slicer.backward(start, follow)))

    def up_to_one_frame(self, least: int) -> set[int]:
        """The shortest beginning, with statement `least`, of which all that follows reads one frame."""
        for end in (s for s in self.needed if s >= least):
            begun = {s for s in self.needed if s <= end}
            names = set(self.crossing(begun | self.load))
            if len({name for name, _ in names}) == 1 and {kind for _, kind in names} <= {FRAME, ""}:
                return begun
        return set()

    def crossing(self, before: AbstractSet[int]) -> Iterator[tuple[str, str]]:
        """The variables, each with what kind it is known to be, that what follows takes from `before`."""
        for stmt in (*[s for s in self.needed if s not in before], self.sink):
            names = {use.name for use in self.slicer.uses(stmt) if set(use.reaches) & before}
            for node in ast.walk(self.node(stmt)):
                if isinstance(node, ast.Name) and node.id in names:
                    yield node.id, self.types.of(node)

    def is_container(self, value: ast.AST | None) -> bool:
        return value is not None and self.types.of(value) == CONTAINER

    def is_group(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        fact = self.types.fact(node)
        aggregates = fact is not None and fact.effect == "aggregates"
        return (aggregates and self.types.of(node.func.value) in GROUPED) or (
            self.types.api_of(node) in RESHAPES
        )

    def node(self, stmt: int) -> ast.stmt:
        return self.flow.by_id[stmt].node
