"""NBP302."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

MAGICS = ("cd", "pushd", "popd")
CHANGES = ("os.chdir", "os.fchdir", "contextlib.chdir")


class WorkingDirectoryChange(Rule):
    """The working folder changes: `%cd`, `os.chdir`.

    Why it matters: what a relative path below means depends on whether this cell ran, and how often.

    Instead: write the folder into the paths, from a parameter.

    `!cd` changes nothing, because it runs in a process of its own, and is NBP303.
    """

    code, name, severity = "NBP302", "working-directory-change", Severity.WARNING
    help = "put the folder into the paths instead"
    fires = ("%cd data", "import os\nos.chdir('data')")
    silent = ("import os\nos.getcwd()", "%pwd")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        message = "the working folder changes, and with it what every relative path below means"
        for magic in a.program.magics:
            if magic.kind == "line" and magic.name in MAGICS:
                yield self.found(a, message, magic.span)
        every = a.once(calls)
        for call in every if not every.apis.isdisjoint(CHANGES) else ():
            if call.api in CHANGES:
                yield self.found(a, message, call.stmt.text.span(call.node))
