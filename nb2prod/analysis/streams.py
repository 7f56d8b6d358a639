"""Where a notebook draws random numbers from a stream that cells share: the order of the draws decides.

np.random.seed(0)        seeds np.random
a = np.random.rand()     draws from np.random
rng.normal()             draws from rng, where `rng = np.random.default_rng(0)`
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from nb2prod.analysis.calls import Called, calls
from nb2prod.analysis.script import Script

_MODULES = {"numpy.random": "np.random", "random": "random"}
_MAKERS = ("default_rng", "RandomState")


@dataclass(slots=True)
class Stream:
    """The cells that seed it and the calls that draw from it or seed it; `own` is a generator with a seed."""

    own: bool = False
    seeds: set[int] = field(default_factory=set)
    draws: list[Called] = field(default_factory=list)


def streams(script: Script) -> dict[str, Stream]:
    """The streams by name, with the draws at module level and in functions of the notebook."""
    found: dict[str, Stream] = {}
    made: set[str] = set()
    for call in calls(script):
        module, _, name = call.api.rpartition(".")
        target = call.stmt.node.targets[0] if isinstance(call.stmt.node, ast.Assign) else None
        if module == "numpy.random" and name in _MAKERS and call.node.args:
            made |= {target.id} if isinstance(target, ast.Name) else set()
            continue
        owner = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
        own = owner.id if isinstance(owner, ast.Name) and owner.id in made else ""
        stream = _MODULES.get(module, own)
        if not stream or name[:1].isupper():
            continue
        kept = found.setdefault(stream, Stream(stream in made))
        if name == "seed" and call.node.args:
            kept.seeds.add(call.stmt.cell)
        kept.draws.append(call)
    return found


def drawing(script: Script) -> frozenset[int]:
    """The ids of the statements that draw numbers which an earlier cell has seeded, or none: the same text in
    another cell draws others.  Functions of the notebook that draw count one level deep.
    """
    found: set[int] = set()
    functions: set[str] = set()
    for stream in streams(script).values():
        for call in stream.draws:
            if call.function is not None:
                functions.add(call.function.name)
            elif call.stmt.cell not in stream.seeds:
                found.add(call.stmt.id)
    if functions:
        every = calls(script)
        found |= {c.stmt.id for c in every if c.name in functions and c.function is None}
    return frozenset(found)
