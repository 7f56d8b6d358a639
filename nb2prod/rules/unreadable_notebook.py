"""NBP300."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity


class UnreadableNotebook(Rule):
    """A file that should be a notebook cannot be read: it is not JSON, not UTF-8, or has no cells.

    Why it matters: nothing in it can be checked or compiled, and Jupyter will not open it either.

    Instead: restore the file, or open and save it in Jupyter.
    """

    code, name, severity = "NBP300", "unreadable-notebook", Severity.ERROR

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        """Nothing: `lint` makes the finding, for there is no notebook to look at."""
        yield from ()
