"""NBP109."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.program import Magic
from nb2prod.rules import Analysis, Rule, Severity

WHERE = {
    "store": ("the store of another session", "save the value to a file, and load that file here"),
    "run": ("another file", "import what you need from a module"),
    "load": ("another file", "paste the code into the cell, or import it from a module"),
    "rerun": ("the history of the session", "write the code into the cell"),
    "recall": ("the history of the session", "write the code into the cell"),
    "autoreload": ("modules that change while the notebook runs", "restart the kernel when a module changes"),
}


class PersistedStateMagic(Rule):
    """A magic brings in state from outside of the notebook: `%store -r`, `%run`, `%load`, `%autoreload`.

    Why it matters: the notebook is no longer the whole program.  On another machine, or next month, the
    store is empty and the file has changed.

    Instead: import from a module, or load a data file that is part of the project.

    Calls such as `get_ipython().run_line_magic("run", ...)` are not reported.
    """

    code, name, severity = "NBP109", "persisted-state-magic", Severity.WARNING
    fires = ("%store -r prices", "%run setup.py", "%load_ext autoreload\n%autoreload 2")
    silent = ("%store prices", "%matplotlib inline", "%load_ext autoreload", "%autoreload 0")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for magic in a.program.magics:
            if magic.kind == "line" and magic.name in WHERE and _brings_in(magic):
                where, help = WHERE[magic.name]
                yield self.found(a, f"`{magic.text}` takes state from {where}", magic.span, (), help)


def _brings_in(magic: Magic) -> bool:
    words = magic.text.split()[1:]
    if magic.name == "store":
        return "-r" in words
    return magic.name != "autoreload" or words[:1] not in (["0"], ["off"])
