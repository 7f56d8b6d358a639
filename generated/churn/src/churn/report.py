"""The monitoring report as one page of HTML with inline plots, readable on a phone."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import baseline
from .settings import PACKAGE

if TYPE_CHECKING:
    from .monitor import Finding, Report

STYLE = """
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:46rem;padding:1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.05rem;display:inline}.muted{color:#59636e;font-size:.9rem}
.status{padding:.7rem 1rem;border-radius:.5rem;margin:1rem 0;background:#eaf5ec}.alarm{background:#fdecea}
.few{background:#fff6dc}details{border-top:1px solid #d8dee4;padding:.7rem 0}
summary{cursor:pointer}ul{margin:.3rem 0;padding-left:1.1rem}
li.alarm{background:none;color:#b3261e;font-weight:600}li .muted{font-weight:400}svg{width:100%;max-width:30rem;height:auto;display:block;margin:.6rem 0 .4rem}
.whole{white-space:nowrap}.key{margin:.7rem 0}.key i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em}
"""
BEFORE, NOW = "#9aa7b4", "#1f6feb"
BARS = 12


def page(found: Report, rows: pd.DataFrame, base: dict[str, Any] | None) -> str:
    """The whole report; columns with an alarm come first."""
    kind = {"alarm": "alarm", "quiet": ""}.get(found.status, "few")
    profiles = {**base["columns"], **base["predictions"]} if base else {}
    names = list(dict.fromkeys(one.column for one in found.findings))
    loud = {one.column for one in found.findings if one.alarm}
    ordered = sorted(
        names,
        key=lambda name: (
            name not in loud,
            name in (base or {"columns": ()})["columns"],
        ),
    )
    sections = [
        _section(
            name,
            [one for one in found.findings if one.column == name],
            rows,
            profiles.get(name),
        )
        for name in ordered
    ]
    title = f"{PACKAGE}: monitoring"
    unmatched = (
        f", {found.unmatched} more of predictions that the log does not hold"
        if found.unmatched
        else ""
    )
    refused = f" · {found.refused} rows refused" if found.refused else ""
    quality = "".join(
        f" · {escape(k.replace('_', ' '))} {v:.4g}" for k, v in found.quality.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<div class="muted">Version {escape(found.model_version)} · {found.rows} predictions since {escape(found.since[:16].replace("T", " "))} UTC
· {found.labels} labels{unmatched}{refused}{quality}</div>
<div class="status {kind}"><b>{escape(found.status.capitalize())}</b>{": " if found.why else ""}{escape(found.why)}</div>
<div class="muted key"><i style="background:{BEFORE}"></i>training <i style="background:{NOW}"></i>now</div>
{"".join(sections)}
</body></html>
"""


def _section(
    name: str,
    findings: list[Finding],
    rows: pd.DataFrame,
    profile: dict[str, Any] | None,
) -> str:
    """A column: open where it alarms, else one line that says how near to an alarm it came."""
    items = "".join(
        f'<li class="{"alarm" if one.alarm else ""}">{escape(one.kind)}: {escape(one.detail)} '
        f'<span class="muted">(effect {one.effect:.3f}, threshold {one.threshold:.3f}, <span class="whole">p {one.p:.2g}</span>)</span></li>'
        for one in findings
    )
    near = max(
        (one.effect / one.threshold for one in findings if one.threshold > 0),
        default=0.0,
    )
    opened = " open" if any(one.alarm for one in findings) else ""
    chance = ", not significant" if near > 1 and not opened else ""
    said = f'<span class="muted">{near:.0%} of the threshold{chance}</span>'
    values = rows.get(f"row.{name}", rows.get(name))
    plot = (
        _plot(name, values, profile)
        if profile is not None and values is not None
        else ""
    )
    return f"<details{opened}><summary><h2>{escape(name)}</h2> {said}</summary>{plot}<ul>{items}</ul></details>\n"


def _plot(name: str, values: pd.Series, profile: dict[str, Any]) -> str:
    """Shares in training and now, side by side."""
    if profile["kind"] == "number":
        sample, now = (
            np.array(profile["sample"]),
            baseline.as_numbers(values).dropna().to_numpy(),
        )
        if not len(now):
            return ""
        low, high = np.quantile(sample, 0.01), np.quantile(sample, 0.99)
        edges = np.linspace(low, high if high > low else low + 1, BARS + 1)
        labels = [f"{edge:.3g}" for edge in edges[:-1]]
        edges[0], edges[-1] = -np.inf, np.inf
        bars = [np.histogram(one, edges)[0] / len(one) for one in (sample, now)]
        return _bars(name, labels, bars[0].tolist(), bars[1].tolist())
    if profile["kind"] != "category":
        return ""
    table = dict(list(profile["table"].items())[:BARS])
    counts = baseline.as_text(values.dropna()).value_counts()
    strange = [str(value) for value in counts.index if value not in profile["table"]][
        :2
    ]
    labels = [*table, *strange]
    known = sum(profile["table"].values()) + sum(profile["other"].values())
    before = [table.get(label, 0) / max(known, 1) for label in labels]
    now_shares = [
        float(counts.get(label, 0)) / max(counts.sum(), 1) for label in labels
    ]
    return _across(name, labels, before, now_shares)


def _across(name: str, labels: list[str], before: list[float], now: list[float]) -> str:
    """Bars that lie, so that each has its name and its shares above it."""
    top, grey, tall = max(*before, *now, 1e-9), 'font-size="11" fill="#59636e"', 34
    parts = []
    for at, label in enumerate(labels):
        short = (label if len(label) <= 40 else label[:39] + "…") or "(empty)"
        parts.append(f'<text x="0" y="{tall * at}" {grey}>{escape(short)}</text>')
        shares = f"{before[at]:.1%} → {now[at]:.1%}"
        parts.append(
            f'<text x="360" y="{tall * at}" text-anchor="end" {grey}>{shares}</text>'
        )
        for down, share, colour in ((4, before[at], BEFORE), (12, now[at], NOW)):
            parts.append(
                f'<rect x="0" y="{tall * at + down}" width="{360 * share / top:.1f}" height="7" fill="{colour}"/>'
            )
    return f'<svg viewBox="0 -12 360 {tall * len(labels)}" role="img" aria-label="{escape(name)}">{"".join(parts)}</svg>'


def _bars(name: str, labels: list[str], before: list[float], now: list[float]) -> str:
    """Bars that stand, over the beginnings of their ranges."""
    step, height = 360 / max(len(labels), 1), 90
    top = max(*before, *now, 1e-9)
    grey = 'font-size="11" fill="#59636e"'
    parts = [
        f'<text x="0" y="-2" {grey}>{top:.0%}</text><path d="M0 4H360" stroke="#d8dee4"/>'
    ]
    for at, label in enumerate(labels):
        for offset, share, colour in ((0.1, before[at], BEFORE), (0.5, now[at], NOW)):
            tall = height * share / top
            left = step * (at + offset)
            parts.append(
                f'<rect x="{left:.1f}" y="{height - tall + 4:.1f}" width="{step * 0.38:.1f}" height="{tall:.1f}" fill="{colour}"><title>{escape(label)}: {share:.1%}</title></rect>'
            )
        if at % 3 == 0:
            parts.append(
                f'<text x="{step * at + step * 0.1:.1f}" y="{height + 17}" {grey}>{escape(label)}</text>'
            )
    return f'<svg viewBox="0 -12 360 124" role="img" aria-label="{escape(name)}">{"".join(parts)}</svg>'
