"""The stage graph as a Mermaid flowchart, for a README or a pull request."""

from __future__ import annotations

from nb2prod.graph.view import Node, View, cells, plural
from nb2prod.ir.stages import Role

COLOURS = {
    Role.LOAD: ("#dbeafe", "#2563eb"),
    Role.FEATURES: ("#d1fae5", "#059669"),
    Role.TARGET: ("#fef3c7", "#d97706"),
    Role.TRAIN: ("#ede9fe", "#7c3aed"),
    Role.INFER: ("#ffe4e6", "#e11d48"),
}


def mermaid(view: View) -> str:
    """`flowchart TD` with a node for each stage and each file that is read."""
    lines = ["flowchart TD"]
    for node in view.nodes:
        for number, file in enumerate(node.files, 1):
            lines.append(f'    {node.role}_file_{number}[("{escaped(file)}")]')
            lines.append(f"    {node.role}_file_{number} --> {node.role}")
        lines.append(f'    {node.role}["{_label(node)}"]')
    for edge in view.edges:
        names = ", ".join(escaped(name) for name in edge.names)
        lines.append(f'    {edge.source} -->|"{names}"| {edge.target}')
    if not view.nodes:
        lines.append('    none["no stages"]')
    for node in view.nodes:
        fill, stroke = COLOURS[node.role]
        lines.append(f"    style {node.role} fill:{fill},stroke:{stroke},color:#111827")
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    parts = [f"<b>{node.role}</b>", cells(node.cells) if node.cells else "derived"]
    if node.learned:
        parts.append(f"learns {plural(len(node.learned), 'value')}")
    if node.metrics:
        parts.append(", ".join(escaped(metric) for metric in node.metrics))
    return "<br/>".join(parts)


def escaped(text: str) -> str:
    """Text from a notebook as Mermaid shows it: everything that might mean something becomes its number."""
    return "".join(c if c.isalnum() or c in " _-.,/" else f"#{ord(c)};" for c in text)
