"""The stage graph for a terminal."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePath

from nb2prod.graph.view import Edge, Learned, Node, View, cells, plural, size_of

WIDTH = 12  # of the words before a stage's facts


def text(view: View) -> str:
    """Stages in their order, each with what it takes, learns and gives; then what was left out."""
    lines = [_headline(view)]
    for node in view.nodes:
        lines += ["", *_stage(node, view.edges)]
    if view.refused:
        lines += ["", "cannot be compiled"]
        lines += [f"  {place}: {why}" for place, why in view.refused]
    if view.dropped:
        lines += ["", f"left out     {plural(len(view.dropped), 'statement')} that production does not need"]
        lines += _dropped(view)
    if view.assumptions:
        lines += ["", "assumed", *(f"  {sentence}" for sentence in view.assumptions)]
    return "\n".join(lines) + "\n"


def _headline(view: View) -> str:
    name = PurePath(view.notebook).name
    if not view.nodes:
        return f"{name}: no stages"
    kept = sum(node.statements for node in view.nodes)
    learned = sum(len(node.learned) for node in view.nodes)
    facts = [plural(len(view.nodes), "stage"), f"{kept} of {plural(view.total, 'statement')} kept"]
    facts.append(plural(learned, "learned value"))
    return f"{name}: {', '.join(facts)}"


def _stage(node: Node, edges: tuple[Edge, ...]) -> list[str]:
    lines = [f"{node.role:<{WIDTH}} {node.purpose}", _fact("from", size_of(node))]
    for file in node.files:
        lines.append(_fact("reads", file))
    for edge in edges:
        if edge.target is node.role:
            lines.append(_fact("takes", f"{', '.join(edge.names)} from {edge.source}"))
    for name, value in node.settings:
        lines.append(_fact("setting", f"{name} = {value}"))
    lines += _sites("learns", node.learned)
    lines += _sites("trains on", node.chosen)
    for metric in node.metrics:
        lines.append(_fact("metric", metric))
    for edge in edges:
        if edge.source is node.role:
            lines.append(_fact("gives", f"{', '.join(edge.names)} to {edge.target}"))
    return lines


def _sites(word: str, sites: tuple[Learned, ...]) -> list[str]:
    width = max((len(one.key) for one in sites), default=0)
    return [
        _fact(word, f"{one.key:<{width}}  {f'cell {one.span.cell}:{one.span.line}':<10}  {one.why}")
        for one in sites
    ]


def _fact(word: str, what: str) -> str:
    return f"  {word:<{WIDTH - 2}} {what}"


def _dropped(view: View) -> list[str]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for left in view.dropped:
        groups[left.reason].append(left.cell)
    width = max(len(reason) for reason in groups)
    rows = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [f"  {reason:<{width}}  {cells(tuple(numbers))}" for reason, numbers in rows]
