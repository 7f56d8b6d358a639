"""What serving does with a row that training never saw the like of: reject it, flag it, or allow it.

The domain of a column is what training saw in it: whether values were missing, which texts (where there were few
different ones), which range of numbers.  `[policies]` in config.toml decides; what was not seen is one of

    missing   no value, in a column where training had them all
    unseen    a text that training did not have
    range     a number below or above all of training

A row whose features lack a value that training always had is rejected whatever the policies say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ACTIONS = ("reject", "flag", "allow")
CODES = {"missing": "missing_value", "unseen": "unseen_value", "range": "out_of_range"}


class PolicyError(ValueError):
    """config.toml asks for a policy that there is not."""


@dataclass(frozen=True)
class Policies:
    """One of reject, flag, allow for each kind; `columns` has those of single columns that differ."""

    missing: str = "reject"
    unseen: str = "flag"
    range: str = "flag"
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> Policies:
        """The policies of config.toml; an unknown kind or action raises."""
        kinds = [name for name in cls.__dataclass_fields__ if name != "columns"]
        columns = table.get("columns", {})
        if not isinstance(columns, dict) or not all(
            isinstance(of, dict) for of in columns.values()
        ):
            raise PolicyError(
                "[policies] columns must be tables, [policies.columns.NAME]"
            )
        own = {name: value for name, value in table.items() if name != "columns"}
        for where, given in (
            ("", own),
            *((f"columns.{name}.", of) for name, of in columns.items()),
        ):
            for kind, action in given.items():
                if kind not in kinds:
                    raise PolicyError(
                        f"[policies] {where}{kind}: there are {', '.join(kinds)}"
                    )
                if action not in ACTIONS:
                    raise PolicyError(
                        f"[policies] {where}{kind} is {action!r}; it must be {', '.join(ACTIONS)}"
                    )
        return cls(**own, columns=columns)

    def of(self, column: str, kind: str) -> str:
        """What to do with such a value in a column."""
        return str(self.columns.get(column, {}).get(kind, getattr(self, kind)))

    def accept_missing(self, columns: Sequence[str]) -> frozenset[str]:
        """The columns in which a value may be missing though training had them all."""
        if self.missing == "reject" and not self.columns:
            return frozenset()
        return frozenset(
            column for column in columns if self.of(column, "missing") != "reject"
        )

    def judge(
        self, row: Mapping[str, Any], domain: Mapping[str, Any]
    ) -> tuple[list[str], list[tuple[str, str, str]]]:
        """The flags of a row, as kind:column, and why it is rejected, as (column, code, message)."""
        flags, reasons = [], []
        for column, seen in domain.items():
            found = _outside(row.get(column), seen)
            if found is None:
                continue
            kind, message = found
            action = self.of(column, kind)
            if action == "reject":
                reasons.append((column, CODES[kind], message))
            elif action == "flag":
                flags.append(f"{kind}:{column}")
        return flags, reasons


def _outside(value: Any, seen: Mapping[str, Any]) -> tuple[str, str] | None:
    """How a value lies outside of what training saw in its column, in a word and in a sentence."""
    if value is None:
        return (
            None
            if seen["missing"]
            else ("missing", "is empty; in the training data it never was")
        )
    if seen.get("values") is not None:
        if str(value) not in seen["values"]:
            return "unseen", f"is {_shown(value)}, which training never saw"
    elif seen.get("range") is not None:
        low, high = seen["range"]
        if isinstance(value, int | float) and not low <= value <= high:
            return (
                "range",
                f"is {value}; in training it was between {low:g} and {high:g}",
            )
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_missing(value: Any) -> bool:
    """Whether a value is none, as JSON, files and pandas say that."""
    if type(value) is str:
        return False
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")
