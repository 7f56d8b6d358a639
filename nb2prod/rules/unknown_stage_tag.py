"""NBP501."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from nb2prod.analysis.tags import LINE_WORDS
from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.refusal import TAGS
from nb2prod.rules import Analysis, Rule, Severity
from nb2prod.source import TAG_PREFIX, Cell

COMMENT = re.compile(r"\s*#\s*nb2prod\s*:\s*(.*?)\s*$")
MEANT = {
    "loading": "load",
    "preprocess": "features",
    "preprocessing": "features",
    "training": "train",
    "inference": "infer",
}
LINE_COMMENT = re.compile(rf"({'|'.join(LINE_WORDS)}|target\s*=.*|ignore\b.*)")


class UnknownStageTag(Rule):
    """A stage tag that nb2prod does not know, or a first-line comment and a tag that disagree.

    Why it matters: the cell would silently be missing from the stage that its author meant.

    Instead: use load, features, train, infer, setup, parameters, eda or skip.

    Tags have other uses (`hide-input`, `raises-exception`), so a tag in the metadata is reported only where
    it is nearly a stage tag or no plain word; a comment `# nb2prod: ...` is meant for nb2prod, and is always.
    """

    code, name, severity, blocks_compile = "NBP501", "unknown-stage-tag", Severity.ERROR, True
    fires = (
        "# nb2prod: clean\nx = 1",
        "# %% tags=feature\nx = 1",
        "# %% tags=../../x\nx = 1",
        "# %% tags=train\n# nb2prod: features\nx = 1",
    )
    silent = (
        "# nb2prod: features\nx = 1",
        "# %% tags=hide-input,features:customers\nx = 1",
        "# nb2prod: row-wise\nx = 1",
        "# %% tags=load,train\nx = 1",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        disagree = {r.span.cell: r for r in a.script.tags.refusals if r.span and r.detail}
        for cell in a.notebook.code_cells():
            if not cell.tags and TAG_PREFIX not in cell.text:
                continue
            span = a.first_line(cell.index)
            for word in _unknown(cell):
                close = _nearest(word)
                help = f"did you mean `{close}`?" if close else f"use one of {', '.join(TAGS)}"
                yield self.found(a, f"`{word[:60]}` is not a stage", span, (), help)
            if cell.index in disagree:
                message = f"{disagree[cell.index].detail}"
                yield self.found(
                    a, message, span, (), "let the tag and the comment say the same, or remove one"
                )


def _unknown(cell: Cell) -> Iterator[str]:
    for word in cell.tags:
        base, _, module = word.partition(":")
        if base in TAGS:
            if module and not module.isidentifier():
                yield word
        elif _nearest(word) or not re.fullmatch(r"[\w.:+ -]+", word):
            yield word
    found = COMMENT.match(cell.text.split("\n", 1)[0]) if TAG_PREFIX in cell.text else None
    if found is None or LINE_COMMENT.fullmatch(found[1]):
        return
    for word in found[1].split(","):
        base, _, module = word.strip().partition(":")
        if base not in TAGS or (module and not module.isidentifier()):
            yield word.strip()


def _nearest(word: str) -> str:
    """The stage that a word nearly is."""
    base = word.partition(":")[0].lower()
    if base in TAGS and base != word.partition(":")[0]:
        return base
    close = get_close_matches(base, TAGS, 1, 0.8)
    return MEANT.get(base, close[0] if close and base not in TAGS else "")
