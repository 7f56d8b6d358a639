"""Refusals, and the words a cell may be tagged with; made by analyses and passes, read by the rules."""

from __future__ import annotations

from dataclasses import dataclass

from nb2prod.source import Span

TAGS = ("setup", "parameters", "load", "features", "train", "infer", "eda", "skip")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason why the notebook cannot be compiled correctly; its wording belongs to the rule `code`."""

    code: str
    span: Span | None
    subject: str
    detail: str = ""
