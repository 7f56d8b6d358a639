"""The drawing of a stage graph: cards for stages, arrows with the names that cross.

Colours are CSS variables of the page (`page.css`), so that one drawing serves light and dark.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import PurePosixPath

from nb2prod.graph.layout import Box, Link, Route, Size, layout
from nb2prod.graph.view import Edge, Node, View, plural, size_of

CARD_WIDTH = 246.0
PAD = 16.0
CHIP_HEIGHT = 21.0
CHIP_ROWS = 4
FILES_SHOWN = 2
MARGIN = 10.0
MONO = 0.602  # width of a character of a monospaced font, in its size


@dataclass(frozen=True, slots=True)
class _Chip:
    text: str
    x: float
    y: float
    width: float
    kind: str


def svg(view: View) -> str:
    """The whole drawing; every stage is a link to its part of the page."""
    files = {node.role: _file_names(node) for node in view.nodes if node.files}
    sizes = {f"file {role} {i}": _pill(name) for role, names in files.items() for i, name in enumerate(names)}
    sizes |= {str(node.role): _card_size(node) for node in view.nodes}
    links = [Link(f"file {role} {i}", str(role)) for role, names in files.items() for i in range(len(names))]
    links += [Link(str(edge.source), str(edge.target), _label_size(edge)) for edge in view.edges]
    placed = layout(sizes, links)
    parts = []
    unlabelled = len(links) - len(view.edges)
    for link, route in zip(links, placed.routes, strict=True):
        parts.append(_arrow(link, route))
    for edge, route in zip(view.edges, placed.routes[unlabelled:], strict=True):
        parts.append(_edge_label(edge, route))
    for role, names in files.items():
        parts += [_file(name, placed.boxes[f"file {role} {i}"]) for i, name in enumerate(names)]
    parts += [_card(node, placed.boxes[str(node.role)]) for node in view.nodes]
    width, height = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    return (
        f'<svg viewBox="{-MARGIN:.0f} {-MARGIN:.0f} {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px" role="img" aria-label="stage graph">\n{_DEFS}\n'
        + "\n".join(parts)
        + "\n</svg>"
    )


_DEFS = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0.5 0.8 L7 4 L0.5 7.2" class="tip"/></marker></defs>'
)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _card_size(node: Node) -> Size:
    chips = _chips(node)
    rows = (max(chip.y for chip in chips) + CHIP_HEIGHT + 10) if chips else 0
    return Size(CARD_WIDTH, 66 + rows)


def _chips(node: Node) -> list[_Chip]:
    """Learned keys, choices of rows and metrics, as many as four rows hold."""
    words = [(one.key, "learned") for one in node.learned]
    words += [(one.key, "chosen") for one in node.chosen] + [(name, "metric") for name in node.metrics]
    chips: list[_Chip] = []
    x = y = 0.0
    room = CARD_WIDTH - 2 * PAD
    for number, (word, kind) in enumerate(words):
        shown = shortened(word, 30)
        width = len(shown) * 11 * MONO + 16
        if x and x + width > room:
            x, y = 0.0, y + CHIP_HEIGHT + 5
        left = len(words) - number
        last_row = y + CHIP_HEIGHT + 5 >= CHIP_ROWS * (CHIP_HEIGHT + 5)
        if last_row and left > 1 and x + width + 46 > room:
            chips.append(_Chip(f"+{left}", x, y, 40, "more"))
            break
        chips.append(_Chip(shown, x, y, width, kind))
        x += width + 5
    return chips


def _card(node: Node, box: Box) -> str:
    chips = "".join(
        f'<g class="chip {chip.kind}"><rect x="{PAD + chip.x:.1f}" y="{62 + chip.y:.1f}"'
        f' width="{chip.width:.1f}" height="{CHIP_HEIGHT:.0f}" rx="5"/>'
        f'<text x="{PAD + chip.x + chip.width / 2:.1f}" y="{62 + chip.y + 14.5:.1f}">'
        f"{html.escape(chip.text)}</text></g>"
        for chip in _chips(node)
    )
    under = shortened(size_of(node).replace("-", "–"), 34)
    return (
        f'<a href="#{node.role}" class="stage {node.role}" aria-label="stage {node.role}">'
        f'<g transform="translate({box.x:.1f} {box.y:.1f})">'
        f'<rect class="card" width="{box.width:.0f}" height="{box.height:.0f}" rx="12"/>'
        f'<path class="bar" d="M5 2.25 A12 12 0 0 0 0 12 V{box.height - 12:.0f}'
        f' A12 12 0 0 0 5 {box.height - 2.25} Z"/>'
        f'<text class="title" x="{PAD:.0f}" y="30">{node.role}</text>'
        f'<text class="function" x="{box.width - PAD:.0f}" y="29.5">{html.escape(node.function)}</text>'
        f'<text class="under" x="{PAD:.0f}" y="50">{html.escape(under)}</text>'
        f"{chips}</g></a>"
    )


def _file_names(node: Node) -> list[str]:
    names = [PurePosixPath(file.replace("\\", "/")).name or file for file in node.files]
    return names if len(names) <= FILES_SHOWN else [plural(len(names), "file")]


def _pill(name: str) -> Size:
    return Size(len(shortened(name, 28)) * 12 * MONO + 44, 32)


def _file(name: str, box: Box) -> str:
    return (
        f'<g class="file" transform="translate({box.x:.1f} {box.y:.1f})">'
        f'<rect width="{box.width:.1f}" height="{box.height:.0f}" rx="16"/>'
        '<path class="disk" d="M14 11.5 a5.5 2.2 0 0 1 11 0 v9 a5.5 2.2 0 0 1 -11 0 z'
        ' M14 11.5 a5.5 2.2 0 0 0 11 0 M14 16 a5.5 2.2 0 0 0 11 0"/>'
        f'<text x="32" y="20.5">{html.escape(shortened(name, 28))}</text></g>'
    )


def _label_lines(edge: Edge) -> list[str]:
    """The names that cross, at most two lines."""
    names = [shortened(name, 18) for name in edge.names]
    if len(names) <= 2:
        return names
    return [names[0], f"+{len(names) - 1} more"] if len(names) > 3 else [", ".join(names[:2]), names[2]]


def _label_size(edge: Edge) -> Size:
    lines = _label_lines(edge)
    return Size(max(len(line) for line in lines) * 11.5 * MONO + 14, 16.0 * len(lines) + 6)


def _arrow(link: Link, route: Route) -> str:
    (x, y), *rest = route.points
    path = f"M{x:.1f} {y:.1f}"
    for nx, ny in rest:
        half = (ny - y) / 2
        path += f" C{x:.1f} {y + half:.1f} {nx:.1f} {ny - half:.1f} {nx:.1f} {ny:.1f}"
        x, y = nx, ny
    ends = f"{link.source} {link.target}" if not link.source.startswith("file ") else ""
    return f'<path class="arrow" data-ends="{ends}" d="{path}" marker-end="url(#tip)"/>'


def _edge_label(edge: Edge, route: Route) -> str:
    x, y = route.label
    size, lines = _label_size(edge), _label_lines(edge)
    rows = "".join(
        f'<tspan x="{x:.1f}" y="{y - size.height / 2 + 3 + 16 * i + 12:.1f}">{html.escape(line)}</tspan>'
        for i, line in enumerate(lines)
    )
    title = html.escape(f"{', '.join(edge.names)}: from {edge.source} to {edge.target}")
    return (
        f'<g class="names"><title>{title}</title><rect x="{x - size.width / 2:.1f}"'
        f' y="{y - size.height / 2:.1f}" width="{size.width:.1f}" height="{size.height:.1f}" rx="6"/>'
        f"<text>{rows}</text></g>"
    )
