"""Draws the stage graph: as text, Mermaid, JSON, or an HTML page that needs nothing else.

print(render(compiled.graph, compiled.flow, "text"))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from nb2prod.graph.mermaid import mermaid
from nb2prod.graph.page import page
from nb2prod.graph.text import text
from nb2prod.graph.view import Learned, View, view
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import StageGraph

__all__ = ["FORMATS", "render"]


def render(
    graph: StageGraph, flow: Flow, format: str, refused: Sequence[tuple[str, str]] | None = None
) -> str:
    """The graph in one of FORMATS, ending in a line break.

    `refused` are reasons why there is no project, as (place, sentence); by default those in the graph.
    """
    return FORMATS[format](view(graph, flow, refused))


def _site(one: Learned) -> dict[str, Any]:
    return {**asdict(one), "span": one.span._asdict()}


def to_json(view: View) -> str:
    """Everything the pictures show, for programs."""
    stages: list[dict[str, Any]] = []
    for node in view.nodes:
        stages.append(
            {
                "stage": node.role,
                "function": node.function,
                "cells": node.cells,
                "statements": node.statements,
                "lines": [asdict(line) for line in node.lines],
                "learned": [_site(one) for one in node.learned],
                "training_only": [_site(one) for one in node.chosen],
                "metrics": node.metrics,
                "files": node.files,
                "settings": dict(node.settings),
            }
        )
    content = {
        "notebook": view.notebook,
        "model": view.model or None,
        "stages": stages,
        "edges": [{"from": edge.source, "to": edge.target, "names": edge.names} for edge in view.edges],
        "dropped": [asdict(left) for left in view.dropped],
        "refused": [{"place": place, "reason": reason} for place, reason in view.refused],
        "assumptions": view.assumptions,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[View], str]] = {"text": text, "mermaid": mermaid, "json": to_json, "html": page}
