"""NBP309."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class NonPythonCell(Rule):
    """A code cell is not valid Python 3, or belongs to a notebook in another language.

    Why it matters: the cell stops a run from top to bottom, and nb2prod cannot tell what it does.

    Instead: repair the cell, or make it a Markdown or raw cell.

    Cells of another language by design (`%%bash`, `%%html`) are not reported.  The Python is that of
    nb2prod's own version.
    """

    code, name, severity = "NBP309", "non-python-cell", Severity.ERROR
    help = "repair the cell, or make it a Markdown or raw cell"
    fires = ("x = = 1", "print 'hello'")
    silent = ("%%bash\nls", "!ls -l", "x = 1;")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for item in a.program.opaque():
            labels = [Label(item.span, "from here")]
            yield self.found(a, f"this cell cannot be understood: {item.reason}", item.span, labels)
