"""The stage graph as one self-contained HTML page: drawing, source, what is learned and left out."""

from __future__ import annotations

import html
from collections import defaultdict
from pathlib import Path, PurePath
from string import Template

from nb2prod.graph.code import code
from nb2prod.graph.svg import svg
from nb2prod.graph.view import Edge, Learned, Left, Node, View, cells, plural, size_of

FOLDER = Path(__file__).parent
EVIDENCE = {
    "PROVED": "follows from the code",
    "TRACED": "seen in a run",
    "ANNOTATED": "the notebook says so",
    "ASSUMED": "assumed",
}


def page(view: View) -> str:
    """HTML without anything from elsewhere; all text of the notebook is escaped."""
    name = PurePath(view.notebook).name
    frame = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
    return frame.substitute(
        title=html.escape(name),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script=(FOLDER / "page.js").read_text(encoding="utf-8"),
        facts=_facts(view),
        refused=_refused(view),
        drawing=svg(view) if view.nodes else '<p class="nothing">There are no stages to draw.</p>',
        stages="\n".join(_stage(node, view.edges) for node in view.nodes),
        dropped=_dropped(view.dropped),
        assumed=_list("Assumed", view.assumptions),
    )


def _facts(view: View) -> str:
    kept = sum(node.statements for node in view.nodes)
    learned = sum(len(node.learned) for node in view.nodes)
    metrics = sum(len(node.metrics) for node in view.nodes)
    facts = [
        (len(view.nodes), "stages"),
        (f"{kept}<small> / {view.total}</small>", "statements kept"),
        (learned, "learned value" if learned == 1 else "learned values"),
        (metrics, "metric" if metrics == 1 else "metrics"),
    ]
    return "".join(f"<div><strong>{number}</strong><span>{what}</span></div>" for number, what in facts)


def _refused(view: View) -> str:
    if not view.refused:
        return ""
    rows = "".join(f"<li><b>{html.escape(place)}</b> {html.escape(why)}</li>" for place, why in view.refused)
    return f'<section class="refused"><h2>Cannot be compiled</h2><ul>{rows}</ul></section>'


def _stage(node: Node, edges: tuple[Edge, ...]) -> str:
    parts = [
        f'<article class="panel {node.role}" id="{node.role}">',
        f'<header><h2><span class="dot"></span>{node.role}</h2><code>{html.escape(node.function)}</code>',
        f"<p>{html.escape(node.purpose)} · {size_of(node).replace('-', '–')}</p></header>",
        _wires(node, edges),
        _sites("Learned from the training data", "what training learns", node.learned),
        _sites("Only while training", "which rows training uses", node.chosen),
        f'<h3>Source</h3><div class="source">{code(node.lines, (*node.learned, *node.chosen))}</div>'
        if node.lines
        else "",
        "</article>",
    ]
    return "\n".join(part for part in parts if part)


def _wires(node: Node, edges: tuple[Edge, ...]) -> str:
    rows = [("reads", f"<code>{html.escape(file)}</code>") for file in node.files]
    for edge in edges:
        names = ", ".join(f"<code>{html.escape(name)}</code>" for name in edge.names)
        if edge.target is node.role:
            rows.append(("takes", f'{names} from <a href="#{edge.source}">{edge.source}</a>'))
        if edge.source is node.role:
            rows.append(("gives", f'{names} to <a href="#{edge.target}">{edge.target}</a>'))
    rows += [("setting", f"<code>{html.escape(f'{name} = {value}')}</code>") for name, value in node.settings]
    rows += [("metric", f"<code>{html.escape(name)}</code>") for name in node.metrics]
    order = ("reads", "takes", "setting", "metric", "gives")
    merged: defaultdict[str, list[str]] = defaultdict(list)
    for word, what in rows:
        merged[word].append(f"<span>{what}</span>")
    return (
        "<dl>" + "".join(f"<dt>{w}</dt><dd>{''.join(merged[w])}</dd>" for w in order if merged[w]) + "</dl>"
    )


def _sites(title: str, head: str, sites: tuple[Learned, ...]) -> str:
    if not sites:
        return ""
    rows = []
    for one in sites:
        place = f"L{one.span.cell}-{one.span.line}"
        rows.append(
            f"<tr><td><code>{html.escape(one.key)}</code></td><td>{html.escape(one.why)}</td>"
            f'<td title="{EVIDENCE[one.evidence]}">{one.evidence.lower()}</td>'
            f'<td><a href="#{place}">{one.span.cell}:{one.span.line}</a></td></tr>'
        )
    heads = f"<tr><th>key</th><th>{head}</th><th>evidence</th><th>cell:line</th></tr>"
    return f'<h3>{title}</h3><div class="wide"><table>{heads}{"".join(rows)}</table></div>'


def _dropped(dropped: tuple[Left, ...]) -> str:
    if not dropped:
        return ""
    groups: defaultdict[str, list[Left]] = defaultdict(list)
    for left in dropped:
        groups[left.reason].append(left)
    parts = []
    for reason, lefts in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        rows = "".join(
            f"<li><span>{left.cell}:{left.line}</span><code>{html.escape(left.text[:120])}</code></li>"
            for left in lefts
        )
        where = cells(tuple(left.cell for left in lefts)).replace("-", "–")
        parts.append(
            f"<details><summary><b>{html.escape(reason)}</b><span>{plural(len(lefts), 'statement')},"
            f" {where}</span></summary><ul>{rows}</ul></details>"
        )
    return f'<section class="dropped"><h2>Left out</h2>{"".join(parts)}</section>'


def _list(title: str, sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    rows = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f"<section><h2>{title}</h2><ul>{rows}</ul></section>"
