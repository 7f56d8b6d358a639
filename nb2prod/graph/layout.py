"""A layered layout from top to bottom: ranks by longest path, bends where an edge passes a rank.

boxes = {"a": Size(80, 30), "b": Size(80, 30)}      Layout.boxes["a"] = Box(x, y, width, height)
links = [Link("a", "b", Size(20, 12))]              Layout.routes[0]  = points from a to b, label's place
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP_X = 20.0  # between neighbours in a rank
GAP_Y = 70.0  # between ranks: room for an arrow and its label
BEND_WIDTH = 8.0
SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Size:
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """An edge; `label` is the size of its text."""

    source: str
    target: str
    label: Size = Size(0, 0)


@dataclass(frozen=True, slots=True)
class Box:
    """Left upper corner and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Route:
    """The points of an edge from top to bottom, and the middle of its label."""

    points: tuple[tuple[float, float], ...]
    label: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    boxes: dict[str, Box]
    routes: tuple[Route, ...]


@dataclass(slots=True)
class _Item:
    """A box or the bend of a long edge; `up` and `down` are its neighbours' numbers."""

    rank: int
    size: Size
    up: list[int] = field(default_factory=list)
    down: list[int] = field(default_factory=list)
    middle: float = 0.0
    top: float = 0.0


def layout(sizes: Mapping[str, Size], links: Sequence[Link]) -> Layout:
    """Where everything goes; the graph must be acyclic, and links go between boxes that exist."""
    ranks = _ranks(list(sizes), links)
    items = [_Item(ranks[name], size) for name, size in sizes.items()]
    number = {name: place for place, name in enumerate(sizes)}
    chains = [_chain(items, number[link.source], number[link.target], link.label) for link in links]
    rows = _order(items)
    _place_x(items, rows)
    height = _place_y(items, rows)
    left = min((item.middle - item.size.width / 2 for item in items), default=0.0)
    for item in items:
        item.middle -= left
    width = max((item.middle + item.size.width / 2 for item in items), default=0.0)
    boxes = {
        name: Box(item.middle - item.size.width / 2, item.top, item.size.width, item.size.height)
        for name, item in ((name, items[place]) for name, place in number.items())
    }
    return Layout(width, height, boxes, tuple(_routes(items, chains)))


def _ranks(names: list[str], links: Sequence[Link]) -> dict[str, int]:
    """The longest way from a start; a start itself stands just above what it leads to."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        for link in links:
            ranks[link.target] = max(ranks[link.target], ranks[link.source] + 1)
    assert all(ranks[link.source] < ranks[link.target] for link in links), "the graph has a cycle"
    targets = {link.target for link in links}
    for name in names:
        below = [ranks[link.target] for link in links if link.source == name]
        if name not in targets and below:
            ranks[name] = min(below) - 1
    return ranks


def _chain(items: list[_Item], source: int, target: int, label: Size) -> list[int]:
    """The items that an edge goes through; the last bend of a long edge carries its label."""
    chain = [source]
    last = items[target].rank - 1
    for rank in range(items[source].rank + 1, last + 1):
        size = Size(max(label.width, BEND_WIDTH), label.height) if rank == last else Size(BEND_WIDTH, 0)
        items.append(_Item(rank, size))
        chain.append(len(items) - 1)
    chain.append(target)
    for upper, lower in pairwise(chain):
        items[upper].down.append(lower)
        items[lower].up.append(upper)
    return chain


def _order(items: list[_Item]) -> list[list[int]]:
    """Each rank from left to right, by the mean place of the neighbours, swept down and up."""
    rows: list[list[int]] = [[] for _ in range(1 + max((item.rank for item in items), default=-1))]
    for place, item in enumerate(items):
        rows[item.rank].append(place)
    best, fewest = [list(row) for row in rows], _crossings(items, rows)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            where = {place: index for r in rows for index, place in enumerate(r)}
            near = {p: (items[p].up if down else items[p].down) for p in row}
            mean = {p: sum(where[n] for n in ns) / len(ns) if ns else where[p] for p, ns in near.items()}
            row.sort(key=lambda p: (mean[p], where[p]))
        if (crossings := _crossings(items, rows)) < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _crossings(items: list[_Item], rows: list[list[int]]) -> int:
    where = {place: index for row in rows for index, place in enumerate(row)}
    total = 0
    for row in rows:
        ends = [(where[upper], where[lower]) for upper in row for lower in items[upper].down]
        total += sum(1 for i, a in enumerate(ends) for b in ends[:i] if (a[0] - b[0]) * (a[1] - b[1]) < 0)
    return total


def _place_x(items: list[_Item], rows: list[list[int]]) -> None:
    """Every item as near to the mean of its neighbours as the others in its rank allow."""
    for row in rows:
        _spread(items, row, dict.fromkeys(row, 0.0))
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wish = {}
            for place in row:
                near = items[place].up if down else items[place].down
                near = near or items[place].up or items[place].down
                wish[place] = sum(items[n].middle for n in near) / len(near) if near else items[place].middle
            _spread(items, row, wish)


def _spread(items: list[_Item], row: list[int], wish: Mapping[int, float]) -> None:
    """Places a rank in order without overlap; groups that push each other share the shift."""
    groups: list[tuple[list[int], float]] = []  # the items, and the middle of the first one
    for place in row:
        group, first = [place], wish[place]
        while groups and groups[-1][1] + _offset(items, [*groups[-1][0], group[0]]) > first:
            before, _ = groups.pop()
            group = before + group
            offsets = [_offset(items, group[: index + 1]) for index in range(len(group))]
            first = sum(wish[p] - offset for p, offset in zip(group, offsets, strict=True)) / len(group)
        groups.append((group, first))
    for group, first in groups:
        for index, place in enumerate(group):
            items[place].middle = first + _offset(items, group[: index + 1])


def _offset(items: list[_Item], group: list[int]) -> float:
    """How far the last of a group stands from its first, side by side."""
    pairs = pairwise(group)
    return sum((items[a].size.width + items[b].size.width) / 2 + GAP_X for a, b in pairs)


def _place_y(items: list[_Item], rows: list[list[int]]) -> float:
    top = 0.0
    for row in rows:
        height = max(items[place].size.height for place in row)
        for place in row:
            items[place].top = top + (height - items[place].size.height) / 2
        top += height + GAP_Y
    return top - GAP_Y if rows else 0.0


def _routes(items: list[_Item], chains: list[list[int]]) -> list[Route]:
    """Edges leave and reach a box spread over its middle, in the order of where they come from and go."""
    exits = _ports(items, chains, down=True)
    entries = _ports(items, chains, down=False)
    routes = []
    for index, chain in enumerate(chains):
        source, target, bends = items[chain[0]], items[chain[-1]], [items[n] for n in chain[1:-1]]
        start = (exits[index], source.top + source.size.height)
        end = (entries[index], target.top)
        middle = [(bend.middle, bend.top + bend.size.height / 2) for bend in bends]
        label = middle[-1] if middle else ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        routes.append(Route((start, *middle, end), label))
    return routes


def _ports(items: list[_Item], chains: list[list[int]], *, down: bool) -> dict[int, float]:
    """Where each edge touches its upper (or lower) box."""
    found: dict[int, float] = {}
    for box in {chain[0 if down else -1] for chain in chains}:
        edges = [i for i, chain in enumerate(chains) if chain[0 if down else -1] == box]
        edges.sort(key=lambda i: (items[chains[i][1 if down else -2]].middle, i))
        room = min(items[box].size.width * 0.6, 70.0 * (len(edges) - 1))
        for place, edge in enumerate(edges):
            share = place / (len(edges) - 1) - 0.5 if len(edges) > 1 else 0.0
            found[edge] = items[box].middle + share * room
    return found
