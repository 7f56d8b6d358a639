"""NBP305."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

CALLS = frozenset(
    """
    builtins.input builtins.raw_input builtins.breakpoint getpass.getpass pdb.set_trace pdb.run
    ipdb.set_trace IPython.core.debugger.set_trace pdb.pm IPython.embed code.interact
    google.colab.files.upload google.colab.drive.mount google.colab.auth.authenticate_user
    """.split()
)
MAGICS = ("debug", "pdb")


class InteractiveInput(Rule):
    """The notebook waits for somebody: `input()`, `getpass()`, a widget's value, a debugger.

    Why it matters: in production nobody answers, and the run hangs or fails.

    Instead: a parameter, a file or an environment variable.

    A function of the notebook's own that is called `input` is fine.
    """

    code, name, severity = "NBP305", "interactive-input", Severity.ERROR
    help = "make it a parameter, or read it from the environment"
    fires = (
        "name = input('name? ')",
        "from getpass import getpass\nkey = getpass()",
        "breakpoint()",
        "%debug",
        "from ipywidgets import interact\ninteract(print, x=3)",
    )
    silent = ("def input():\n    return 3\nx = input()", "from nn import Input\nInput(3)", "%pdb off")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        message = "the run waits here for somebody to answer"
        for magic in a.program.magics:
            if (
                magic.kind in ("line", "cell")
                and magic.name in MAGICS
                and not magic.text.endswith(("off", "0"))
            ):
                yield self.found(a, message, magic.span)
        seen: set[int] = set()
        every = a.once(calls)
        if every.apis.isdisjoint(CALLS) and not any(api.startswith("ipywidgets.") for api in every.apis):
            return
        for call in every:
            widget = call.api.startswith("ipywidgets.")
            if (call.api in CALLS or widget) and not (widget and call.stmt.cell in seen):
                seen.add(call.stmt.cell)
                yield self.found(a, message, call.stmt.text.span(call.node))
