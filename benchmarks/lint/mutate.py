"""Mutants of notebooks that run: each says what is expected of it, and `score.py` keeps it when a run agrees.

The seeds of a generator decide everything, so that a set can be made again.
"""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import unseen
from snippets import (
    HISTORY,
    LATE,
    LEAKAGE,
    LEGAL,
    MORE_LATE,
    MORE_LEAKAGE,
    MORE_LEGAL,
    MORE_RANDOM,
    RANDOM,
    RERUN,
)


@dataclass(frozen=True)
class Case:
    """`kind` says what is tested; `clean` that nothing of that kind is there.

    `cell` is where it happens, `name` what it is about; the run may know better.
    """

    id: str
    kind: str
    cells: tuple[str, ...]
    counts: tuple[int | None, ...] = ()
    folder: Path | None = None
    clean: bool = False
    cell: int = -1
    name: str = ""

    def recorded(self) -> tuple[int | None, ...]:
        return self.counts or tuple(range(1, len(self.cells) + 1))


def bases(folder: Path | None, notebooks: list[Path]) -> Iterator[Case]:
    """The scripts in a folder and some notebooks."""
    for path in sorted(folder.glob("*.py")) if folder else ():
        parts = re.split(r"^# %%\n", path.read_text(), flags=re.MULTILINE)
        yield Case(path.stem, "base", tuple(part.strip("\n") for part in parts if part.strip()), clean=True)
    for path in notebooks:
        stored = json.loads(path.read_text())
        cells = ["".join(c["source"]) for c in stored["cells"] if c["cell_type"] == "code"]
        yield Case(path.stem, "base", tuple(filter(None, cells)), folder=path.parent, clean=True)


def mutants(base: Case, rng: random.Random) -> Iterator[Case]:
    """All mutants of a base."""
    makers = (names_lost, names_moved, names_deleted, names_maybe, orders, history, reruns, late, legal)
    for make in makers:
        for number, case in enumerate(make(base, rng)):
            yield replace(case, id=f"{base.id}/{make.__name__}/{number}", folder=base.folder)


def bound(cell: str) -> list[str]:
    """Names that the top level of a cell binds."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:
        return []
    found = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.append(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found += [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.Assign):
            found += [
                n.id
                for t in node.targets
                for n in ast.walk(t)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            ]
    return found


def used(cells: tuple[str, ...], name: str) -> list[int]:
    return [position for position, cell in enumerate(cells) if re.search(rf"\b{name}\b", cell)]


def insert(base: Case, position: int, text: str, **changes: object) -> Case:
    cells = (*base.cells[:position], text, *base.cells[position:])
    return replace(base, cells=cells, **changes)  # type: ignore[arg-type]


def names_lost(base: Case, rng: random.Random) -> Iterator[Case]:
    """A cell is gone, or a definition was renamed."""
    for position, cell in enumerate(base.cells):
        if bound(cell):
            yield replace(
                base, kind="names", clean=False, cells=base.cells[:position] + base.cells[position + 1 :]
            )
            name = rng.choice(bound(cell))
            renamed = re.sub(rf"\b{name}\b", f"{name}_new", cell)
            cells = (*base.cells[:position], renamed, *base.cells[position + 1 :])
            yield replace(base, kind="names", clean=False, cells=cells)


def names_moved(base: Case, rng: random.Random) -> Iterator[Case]:
    """A cell stands below one that needs it."""
    for position in range(len(base.cells) - 1):
        if bound(base.cells[position]):
            others = [*base.cells[:position], *base.cells[position + 1 :]]
            others.insert(rng.randrange(position + 1, len(base.cells)), base.cells[position])
            yield replace(base, kind="names", clean=False, cells=tuple(others))


def names_deleted(base: Case, rng: random.Random) -> Iterator[Case]:
    ways = (
        "del {0}",
        "%reset_selective -f ^{0}$",
        "%xdel {0}",
        "%reset -f",
        "if True:\n    del {0}",
        "del globals()['{0}']",
        "for gone in [1]:\n    del {0}",
        "def drop():\n    global {0}\n    del {0}\ndrop()",
    )
    for way in ways:
        position = rng.randrange(1, len(base.cells))
        names = [name for cell in base.cells[:position] for name in bound(cell)]
        if names:
            yield insert(base, position, way.format(rng.choice(names)), kind="names", clean=False)


def names_maybe(base: Case, rng: random.Random) -> Iterator[Case]:
    """A definition happens on some paths only, and not on the one that runs."""
    ways = (
        "import os\nif os.environ.get('NB_NONE'):\n{0}",
        "for nb_turn in list(filter(None, [0])):\n{0}",
        "try:\n    int('x')\n{0}\nexcept ValueError:\n    print('no')",
        "import sys\nwhile len(sys.argv) > 1000:\n{0}\n    break",
        "import sys\nmatch len(sys.argv):\n    case 1000:\n{1}",
        "def nb_maker():\n    global {2}\n{0}",
    )
    for way in ways:
        places = [
            p for p, cell in enumerate(base.cells[:-1]) if bound(cell) and not cell.startswith(("%", " "))
        ]
        position = rng.choice(places)
        cell = base.cells[position]
        inner = "\n".join("    " + line for line in cell.splitlines())
        text = way.format(
            inner, "\n".join("    " + line for line in inner.splitlines()), ", ".join(bound(cell))
        )
        cells = (*base.cells[:position], text, *base.cells[position + 1 :])
        yield replace(base, kind="names", clean=False, cells=cells)


def orders(base: Case, rng: random.Random) -> Iterator[Case]:
    """Counts that do not rise, some with a changed value in a cell that ran early and stands late."""
    size = len(base.cells)
    for _ in range(6):
        order = list(range(size))
        for _ in range(rng.randrange(1, 3)):
            first = rng.randrange(size - 1)
            order[first], order[first + 1] = order[first + 1], order[first]
        yield replace(base, kind="order", clean=False, counts=tuple(order.index(p) + 1 for p in range(size)))
    for position, cell in enumerate(base.cells):
        for name in bound(cell)[-1:]:
            readers = [p for p in used(base.cells, name) if p > position]
            value = re.match(rf"{name} = (.+)$", cell, re.MULTILINE)
            if not readers or value is None:
                continue
            below = readers[0] + 1
            for again in (f"{name} = {value[1]}", *_changed(name)):
                case = insert(base, below, again, kind="order", clean=False)
                ran = list(range(1, size + 2))
                ran.insert(readers[0], ran.pop(below))
                order = [0] * (size + 1)
                for count, where in enumerate(
                    [*range(readers[0]), below, *range(readers[0], below), *range(below + 1, size + 1)]
                ):
                    order[where] = count + 1
                yield replace(case, counts=tuple(order))


def _changed(name: str) -> list[str]:
    return [
        f"{name} = {name}[:-1]",
        f"{name} = {name} * 2",
        f"{name}.pop()",
        f"nb_alias = {name}\nnb_alias.append(nb_alias[0])",
    ]


def history(base: Case, rng: random.Random) -> Iterator[Case]:
    """IPython's history, and names that only look like it."""
    for text, clean in HISTORY:
        position = rng.randrange(1, len(base.cells) + 1)
        yield insert(base, position, text, kind="history", clean=clean, cell=position)


def reruns(base: Case, rng: random.Random) -> Iterator[Case]:
    """Cells that a second run changes, and cells that it does not."""
    for setup, text in RERUN:
        position = rng.randrange(1, len(base.cells) + 1)
        cells = (*base.cells[:position], setup, text, *base.cells[position:])
        yield replace(base, kind="rerun", clean=False, cells=cells, cell=position + 1)


def late(base: Case, rng: random.Random) -> Iterator[Case]:
    """An object that changes after a cell has used it, and objects that only seem to."""
    for number, (setup, reader, change, clean) in enumerate(LATE):
        position = rng.randrange(0, len(base.cells) + 1)
        cells = (*base.cells[:position], setup, reader, change, *base.cells[position:])
        yield replace(base, kind="late", clean=clean, cells=cells, cell=position + 2, name=f"nb{number}")


def legal(base: Case, rng: random.Random) -> Iterator[Case]:
    """Cells that look odd and run."""
    for text in LEGAL:
        yield replace(base, kind="names", clean=True, cells=(*base.cells, *text.split("\n# %%\n")))


def standalone() -> Iterator[Case]:
    """Cases that need no base: randomness, leakage, late changes, odd but legal cells."""
    for number, text in enumerate(MORE_LEGAL):
        yield Case(f"legal/{number}", "names", tuple(text.split("\n# %%\n")), clean=True)
    for number, (cells, clean) in enumerate(MORE_LATE):
        yield Case(f"late/{number}", "late", tuple(cells), clean=clean, cell=2)
    for number, (text, clean) in enumerate([*RANDOM, *MORE_RANDOM]):
        yield Case(f"random/{number}", "random", tuple(text.split("\n# %%\n")), clean=clean)
    for number, (text, clean) in enumerate([*LEAKAGE, *MORE_LEAKAGE]):
        yield Case(f"leakage/{number}", "leakage", tuple(text.split("\n# %%\n")), clean=clean)


def later() -> Iterator[Case]:
    """The cases of `unseen.py`, each a notebook of its own."""
    for number, (text, clean) in enumerate(unseen.RANDOM):
        yield Case(f"unseen-random/{number}", "random", tuple(text.split("\n# %%\n")), clean=clean)
    for number, (text, clean) in enumerate(unseen.LEAKAGE):
        yield Case(f"unseen-leakage/{number}", "leakage", tuple(text.split("\n# %%\n")), clean=clean)
    for number, (setup, reader, change, clean) in enumerate(unseen.LATE):
        yield Case(f"unseen-late/{number}", "late", (setup, reader, change), clean=clean, cell=2)
    for number, cells in enumerate(unseen.RERUN):
        yield Case(f"unseen-rerun/{number}", "rerun", cells, cell=1)
