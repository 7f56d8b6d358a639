"""What the raw data must be when they are loaded: contract.toml, made from the notebook's data and checks.

A file with a changed type, a missing column or a new gap stops training with a report, before anything is
learned from it.  `policy = "warn"` in contract.toml says so and goes on.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from . import checks
from .settings import Settings

NUMBER = (int, float)
RULES = {
    "type": str,
    "nulls": bool,
    "values": list,
    "range": list,
    "min": NUMBER,
    "max": NUMBER,
    "unique": bool,
}
TYPES = ("bool", "int", "float", "datetime", "str")
# How many breaches the last line tells; all of them are in the report.
SHOWN = 3


class ContractError(Exception):
    """The data are not what the contract says, or the contract cannot be read."""


@dataclass(frozen=True)
class Violation:
    """One way in which the data differ from the contract; a warning never stops."""

    column: str
    rule: str
    message: str
    warning: bool = False


def text(settings: Settings) -> str:
    """The contract as it stands; empty where the project has none."""
    path = settings.project / "contract.toml"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def require(
    settings: Settings, raw: Any, say: Callable[[str], None]
) -> list[Violation]:
    """Check the data, leave artifacts/contract.json, and stop where the policy says so."""
    agreed = _read(settings)
    main = checks.main_frame(raw)
    found = violations(main, agreed)
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    report = settings.artifacts / "contract.json"
    written = report.with_name(f"{report.name}.{os.getpid()}")
    written.write_text(
        json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8"
    )
    written.replace(report)
    for one in found:
        say(f"contract: {one.message}")
    breaking = [one.message for one in found if not one.warning]
    if breaking and agreed.get("policy", "stop") == "stop":
        told = "; ".join(breaking[:SHOWN])
        if len(breaking) > SHOWN:
            told += f"; and {len(breaking) - SHOWN} more"
        if not set(agreed.get("columns", main)) & set(
            main
        ):  # most often another separator
            told += f"; there are {', '.join(map(repr, main.columns[:SHOWN]))}"
        raise ContractError(
            f"the data break contract.toml: {told} (all of it: {report})"
        )
    return found


def _read(settings: Settings) -> dict[str, Any]:
    try:
        agreed = tomllib.loads(text(settings))
    except ValueError as error:  # no TOML, or no UTF-8
        raise ContractError(f"contract.toml: {error}") from error
    unknown = [key for key in agreed if key not in ("policy", "rows", "columns")]
    wrong = [] if type(agreed.get("rows", 1)) is int else ["rows"]
    columns = agreed.get("columns", {})
    tables = isinstance(columns, dict) and all(
        isinstance(rules, dict) for rules in columns.values()
    )
    for name, rules in columns.items() if tables else ():
        unknown += [f"columns.{name}.{rule}" for rule in rules if rule not in RULES]
        wrong += [
            f"columns.{name}.{rule}" for rule in rules if not _fits(rule, rules[rule])
        ]
    if unknown:
        raise ContractError(f"contract.toml: unknown {', '.join(unknown)}")
    if wrong or not tables:
        raise ContractError(
            f"contract.toml: {', '.join(wrong) or 'columns'} cannot be that"
        )
    if agreed.get("policy", "stop") not in ("stop", "warn"):
        raise ContractError(
            f"contract.toml: policy is {agreed['policy']!r}; it must be stop or warn"
        )
    return agreed


def _fits(rule: str, value: Any) -> bool:
    """Whether a rule may have this value; an unknown one is told apart."""
    if rule == "type":
        return value in TYPES
    if rule == "range":
        return (
            isinstance(value, list)
            and len(value) == 2
            and all(isinstance(one, NUMBER) for one in value)
        )
    return isinstance(value, RULES.get(rule, object))  # type: ignore[arg-type]


def violations(main: pd.DataFrame, agreed: dict[str, Any]) -> list[Violation]:
    """Where the rows differ from what was agreed."""
    found = []
    if len(main) < agreed.get("rows", 1):
        found.append(
            Violation(
                "",
                "rows",
                f"{len(main)} rows; at least {agreed.get('rows', 1)} are expected",
            )
        )
    for name, rules in agreed.get("columns", {}).items():
        if name not in main:
            found.append(Violation(name, "missing", f"column {name!r} is missing"))
        else:
            found += _column(name, main[name], rules)
    for name in main.columns if agreed.get("columns") else ():
        if name not in agreed["columns"]:  # it may become a feature
            found.append(Violation(name, "new", f"column {name!r} is new", True))
    return found


def _column(name: str, column: pd.Series, rules: dict[str, Any]) -> list[Violation]:
    found = []
    known = column.dropna()
    nulls = len(column) - len(known)
    if nulls and not rules.get("nulls", True):
        found.append(
            Violation(
                name,
                "nulls",
                f"column {name!r} has {nulls} missing values; it had none",
            )
        )
    kind, wanted = _kind(known), rules.get("type", "")
    # Gaps make floats of whole numbers: that is one fault, not two.
    whole = (
        nulls and wanted == "int" and kind == "float" and bool((known % 1 == 0).all())
    )
    if wanted and len(known) and kind != wanted and not whole:
        found.append(
            Violation(name, "type", f"column {name!r} is {kind}; it was {wanted}")
        )
        return found
    if (
        len(known)
        and kind not in ("int", "float", "bool")
        and {"min", "max", "range"} & set(rules)
    ):
        found.append(
            Violation(name, "type", f"column {name!r} is {kind}; it was a number")
        )
        return found
    if "min" in rules and len(known) and known.min() < rules["min"]:
        found.append(
            Violation(
                name,
                "min",
                f"column {name!r} goes down to {known.min()}; at least {rules['min']} is agreed",
            )
        )
    if "max" in rules and len(known) and known.max() > rules["max"]:
        found.append(
            Violation(
                name,
                "max",
                f"column {name!r} goes up to {known.max()}; at most {rules['max']} is agreed",
            )
        )
    if "range" in rules and len(known) and not known.between(*rules["range"]).all():
        seen = f"column {name!r} goes from {known.min()} to {known.max()}"
        found.append(
            Violation(
                name,
                "range",
                f"{seen}; it went from {rules['range'][0]} to {rules['range'][1]}",
                True,
            )
        )
    if rules.get("unique") and not known.is_unique:
        found.append(
            Violation(
                name,
                "unique",
                f"column {name!r} holds {int(known.duplicated().sum())} values twice",
            )
        )
    if "values" in rules:
        new = sorted(set(known.astype(str)) - set(rules["values"]))
        if new:
            found.append(
                Violation(
                    name,
                    "values",
                    f"column {name!r} has new values: {', '.join(new[:5])}",
                    True,
                )
            )
    return found


def _kind(column: pd.Series) -> str:
    """The type of a column in the words of the contract."""
    types = pd.api.types
    if types.is_bool_dtype(column):
        return "bool"
    if types.is_integer_dtype(column):
        return "int"
    if types.is_float_dtype(column):
        return "float"
    if types.is_datetime64_any_dtype(column):
        return "datetime"
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _kind(column.astype(column.cat.categories.dtype))
    inferred = types.infer_dtype(column, skipna=True)
    if inferred == "floating" and all(float(value).is_integer() for value in column):
        return "int"  # whole numbers with gaps, as objects
    kinds = {
        "integer": "int",
        "floating": "float",
        "mixed-integer-float": "float",
        "boolean": "bool",
    }
    return kinds.get(
        inferred,
        "datetime" if inferred in ("datetime", "datetime64", "date") else "str",
    )
