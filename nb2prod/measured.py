"""What the checks measured, as findings: rules word it, this module finds the place in the notebook."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nb2prod import baseline, rules
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.refusal import Refusal
from nb2prod.source import Span
from nb2prod.static import Compiled
from nb2prod.verify import Check

KINDS = {
    "missing": "a missing value",
    "unseen": "a text that training never saw",
    "empty": "an empty text",
    "far above": "a value far above those of training",
    "far below": "a value far below those of training",
}
SHOWN = 4


def measured(compiled: Compiled, checks: Sequence[Check]) -> tuple[Diagnostic, ...]:
    """Findings that only a run can make: NBP202 of V9, NBP205 of V6, NBP206 of V5."""
    facts = {check.id: check.facts for check in checks}
    found = [
        *_skew(compiled, facts.get("V9", {})),
        *_unexercised(compiled, facts.get("V6", {})),
        *_silent(compiled, facts.get("V5", {})),
    ]
    codes = {refusal.code for refusal in found}
    said = rules.check(rules.analyse(compiled.program, None, found), codes.__contains__)
    return tuple(one for one in said if one not in compiled.findings)


def _skew(compiled: Compiled, facts: Mapping[str, Any]) -> Iterator[Refusal]:
    if not facts.get("columns"):
        return
    taps = baseline.taps(compiled.graph, compiled.flow, compiled.types)
    span = next((tap.span for tap in taps if tap.name == facts["rows"]), None)
    detail = f"{_listed(facts['columns'])} for {facts['share']:.0%} of the rows"
    yield Refusal("NBP202", span, "", detail)


def _unexercised(compiled: Compiled, facts: Mapping[str, Any]) -> Iterator[Refusal]:
    places = {site.key: site.span for site in compiled.graph.sites}
    details = {
        "probed": "verified by rows with a value missing or unseen alone",
        "unused": "nor does any row with a value missing or unseen, so it is not verified",
    }
    for group, detail in details.items():
        for name in facts.get(group, ()):
            key = re.sub(r"(\[.*\])?(#\d+)?$", "", name)
            yield Refusal("NBP205", places.get(key), name, detail)


def _silent(compiled: Compiled, facts: Mapping[str, Any]) -> Iterator[Refusal]:
    columns: defaultdict[str, list[str]] = defaultdict(list)
    features: defaultdict[str, list[str]] = defaultdict(list)
    for probe in facts.get("probes", ()):
        if probe["outcome"] == "missing":
            columns[probe["kind"]].append(probe["column"])
            features[probe["kind"]] += probe["features"]
    for kind, named in columns.items():
        lost = list(dict.fromkeys(features[kind]))
        detail = f"columns {_listed(named)}; features {_listed(lost)}"
        yield Refusal("NBP206", _fit(compiled), KINDS.get(kind, kind), detail)


def _fit(compiled: Compiled) -> Span | None:
    """Where the model gets the features."""
    sink = compiled.graph.sink
    return None if sink is None else compiled.flow.by_id[sink.stmt].text.span(sink.call)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN]) + more
