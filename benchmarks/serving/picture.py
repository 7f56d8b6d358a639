"""The comparison as an SVG: bars for the CPU of a request, on a logarithmic scale, and latency in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

WIDTH, LEFT, RIGHT, LINE, TOP = 860, 250, 210, 30, 62
INK, QUIET, BAR, OURS = "#1f2328", "#59636e", "#9aa7b4", "#1a7f64"


def draw(found: Sequence[dict[str, Any]], ours: str, base: str) -> str:
    """The figures from the dearest to the cheapest; `ours` stands out, ratios are against `base`."""
    rows = sorted(found, key=lambda one: -one["cpu_ms"])
    low = math.floor(math.log10(min(one["cpu_ms"] for one in rows)) * 2) / 2 - 0.25
    high = math.log10(max(one["cpu_ms"] for one in rows))
    cost = {one["name"]: one["cpu_ms"] for one in rows}
    height = TOP + LINE * len(rows) + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 24, "CPU of one request with one row (logarithmic)", INK, "font-weight='600'"),
        _text(
            16,
            43,
            "the same forest and rows, one scoring process; right: p50, requests a second",
            QUIET,
        ),
    ]
    for at, one in enumerate(rows):
        y = TOP + LINE * at
        length = (WIDTH - LEFT - RIGHT) * (math.log10(one["cpu_ms"]) - low) / (high - low)
        mine = one["name"] == ours
        style = "font-weight='600'" if mine else ""
        parts.append(_text(LEFT - 10, y + 16, one["name"], INK, f"text-anchor='end' {style}"))
        parts.append(
            f'<rect x="{LEFT}" y="{y + 3}" width="{length:.1f}" height="{LINE - 11}" rx="2" '
            f'fill="{OURS if mine else BAR}"/>'
        )
        told = f"{one['cpu_ms']:.3g} ms"
        if mine and base in cost:
            told += f" ({cost[base] / one['cpu_ms']:.0f} times less)"
        parts.append(_text(LEFT + length + 7, y + 16, told, INK, style))
        parts.append(
            _text(
                WIDTH - 12,
                y + 16,
                f"{one['p50_ms']:.3g} ms · {one['per_s']:.0f}/s",
                QUIET,
                "text-anchor='end'",
            )
        )
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {more}>{escape(text)}</text>'
