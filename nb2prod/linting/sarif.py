"""SARIF 2.1.0: one run, one result a finding, for code scanning services."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nb2prod import __version__, rules
from nb2prod.diagnostics import Diagnostic, Severity
from nb2prod.linting.formats import SECRET, FileLine
from nb2prod.linting.result import Linted
from nb2prod.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(linted: Sequence[Linted], line: FileLine) -> str:
    """All findings; lines are those of the file, cells are named as logical locations."""
    used = {found.code for one in linted for found in one.found}
    known = [rule for rule in rules.all_rules() if rule.code in used]
    index = {rule.code: position for position, rule in enumerate(known)}
    results = [_result(one, found, index, line) for one in linted for found in one.found]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "nb2prod",
                        "semanticVersion": __version__,
                        "informationUri": "https://pypi.org/project/nb2prod/",
                        "rules": [_rule(rule) for rule in known],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(rule: rules.Rule) -> dict[str, Any]:
    said = inspect.getdoc(rule) or rule.name
    first = " ".join(said.split("\n\n")[0].split())
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": first},
        "help": {"text": said},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(one: Linted, found: Diagnostic, index: dict[str, int], line: FileLine) -> dict[str, Any]:
    uri = _uri(one.path)
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": index[found.code],
        "level": LEVELS[found.severity],
        "message": {"text": found.message + (f". Help: {found.help}" if found.help else "")},
        "locations": [_location(one, uri, found.span, line, found.code != SECRET)],
        "partialFingerprints": {"nb2prod/v1": fingerprint(one, found)},
    }
    related = [
        {**_location(one, uri, label.span, line, found.code != SECRET), "message": {"text": label.text}}
        for label in found.labels
        if label.span != found.span
    ]
    if related:
        result["relatedLocations"] = [{"id": number, **place} for number, place in enumerate(related, 1)]
    return result


def _location(one: Linted, uri: str, span: Span | None, line: FileLine, shows: bool) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if span is None:
        return {"physicalLocation": physical}
    start = line(one.path, span)
    physical["region"] = {"startLine": start}
    source = one.lines.get((span.cell, span.line))
    if one.path.endswith(".py"):
        physical["region"]["startColumn"] = span.column
    if source and shows:
        physical["region"]["snippet"] = {"text": source}
    logical = {
        "name": f"cell {span.cell}",
        "fullyQualifiedName": f"cell {span.cell}, line {span.line}, column {span.column}",
        "kind": "member",
    }
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def fingerprint(one: Linted, found: Diagnostic) -> str:
    """Stays the same when cells move or lines are inserted above."""
    line = one.lines.get((found.span.cell, found.span.line), "") if found.span else ""
    text = f"{found.code}\0{found.message if not found.span else ''}\0{' '.join(line.split())}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _uri(path: str) -> str:
    """A path as a relative reference where it lies below the current folder."""
    place = Path(path)
    if place.is_absolute() and place.is_relative_to(Path.cwd()):
        place = place.relative_to(Path.cwd())
    if place.is_absolute():
        return place.as_uri()
    return quote(place.as_posix())
