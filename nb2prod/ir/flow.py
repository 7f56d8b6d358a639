"""Flow: which statement reads what another one made or changed; made by analysis, read by staging and rules.

Besides variables there are resources, whose names stand in angle brackets: random streams
("<numpy random>"), library options ("<pandas options>"), files ("<file data.csv>"), the environment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from nb2prod.ir.program import Program, Stmt
from nb2prod.source import Span


class Evidence(IntEnum):
    """How we know a fact, weakest first."""

    ASSUMED = 0
    ANNOTATED = 1
    TRACED = 2
    PROVED = 3


@dataclass(frozen=True, slots=True)
class Effect:
    """What a statement does besides binding names.

    `kind` is an effect of the knowledge base; `target` the variable or resource concerned; `api` the call.
    """

    stmt: int
    kind: str
    target: str
    span: Span
    api: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Def:
    """A statement that binds (`kind` bind), changes (mutate) or deletes (delete) a name."""

    name: str
    stmt: int
    kind: str
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """A statement that reads a name; `reaches` are the statements whose work it may see there."""

    name: str
    stmt: int
    reaches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Definitions, uses and effects of all statements, in document order."""

    program: Program
    defs: tuple[Def, ...]
    uses: tuple[Use, ...]
    effects: tuple[Effect, ...]
    by_id: dict[int, Stmt] = field(default_factory=dict)

    def uses_of(self, stmt: int) -> tuple[Use, ...]:
        return tuple(use for use in self.uses if use.stmt == stmt)

    def effects_of(self, stmt: int) -> tuple[Effect, ...]:
        return tuple(effect for effect in self.effects if effect.stmt == stmt)

    def defined_by(self, stmt: int) -> frozenset[str]:
        return frozenset(d.name for d in self.defs if d.stmt == stmt and d.kind == "bind")

    def binds_anew(self, stmt: int, name: str) -> bool:
        """Whether a statement binds a name each time that it runs, so that no binding before it is left."""
        return any(
            d.stmt == stmt and d.name == name and d.kind == "bind" and not d.conditional for d in self.defs
        )

    def changed_by(self, stmt: int) -> frozenset[str]:
        return frozenset(d.name for d in self.defs if d.stmt == stmt)

    def read_back(self, stmt: int) -> frozenset[str]:
        """The files that a statement reads and an earlier one wrote."""
        return frozenset(u.name for u in self.uses_of(stmt) if u.name.startswith("<file ") and u.reaches)

    def check(self) -> None:
        """Every statement named exists; what a use reaches does not come later."""
        ids = set(self.by_id)
        assert all(d.stmt in ids for d in self.defs)
        for use in self.uses:
            assert use.stmt in ids and set(use.reaches) <= ids, use
            assert all(reached <= use.stmt for reached in use.reaches), use

    def dump(self) -> str:
        lines = []
        for id, stmt in self.by_id.items():
            parts = [f"s{id}  cell {stmt.cell}:{stmt.span.line}"]
            for kind, word in (("bind", "defs"), ("mutate", "changes"), ("delete", "deletes")):
                names = sorted({d.name for d in self.defs if d.stmt == id and d.kind == kind})
                if names:
                    parts.append(f"{word} {', '.join(names)}")
            uses = [f"{u.name}({','.join(f's{r}' for r in u.reaches)})" for u in self.uses if u.stmt == id]
            if uses:
                parts.append("uses " + " ".join(sorted(uses)))
            parts += sorted(
                {f"{e.kind} [{e.api}]" for e in self.effects if e.stmt == id and e.kind != "row-wise"}
            )
            lines.append("  ".join(parts))
        return "\n".join(lines)
