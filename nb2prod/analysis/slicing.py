"""Backward slices: which statements a value depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

from nb2prod.ir.flow import Flow, Use

Follow = Callable[[Use], bool]


class Slicer:
    """Backward slices over one flow; uses are indexed once."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.by_stmt: dict[int, list[Use]] = {}
        for use in flow.uses:
            self.by_stmt.setdefault(use.stmt, []).append(use)

    def uses(self, stmt: int) -> list[Use]:
        return self.by_stmt.get(stmt, [])

    def reaching(self, stmt: int, names: Iterable[str]) -> set[int]:
        """The statements whose work `stmt` may see under these names, itself excluded."""
        wanted = set(names)
        return {r for use in self.uses(stmt) if use.name in wanted for r in use.reaches if r != stmt}

    def backward(
        self, start: Iterable[int], follow: Follow = lambda use: True, without: AbstractSet[int] = frozenset()
    ) -> set[int]:
        """All statements that `start` depends on, with `start`; `follow` says which uses count.

        Statements in `without` are taken to be absent.
        """
        found: set[int] = set()
        todo = list(start)
        while todo:
            stmt = todo.pop()
            if stmt in found or stmt in without:
                continue
            found.add(stmt)
            for use in self.uses(stmt):
                if follow(use):
                    todo += [r for r in use.reaches if r not in found]
        return found

    def forward(self, start: Iterable[int], stop: Callable[[int], bool]) -> set[int]:
        """All later statements that may see the work of `start`; not beyond those where `stop` holds."""
        found = set(start)
        for stmt in self.flow.by_id:
            if stmt in found or stop(stmt):
                continue
            if any(set(use.reaches) & found for use in self.uses(stmt)):
                found.add(stmt)
        return found
