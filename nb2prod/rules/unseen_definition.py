"""NBP408."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class UnseenDefinition(Rule):
    """The model needs a name that no statement of the notebook defines: it comes from a magic (`%run`,
    `%store -r`, `files = !ls`), a star import of an unknown module, `exec`, or a cell that is not Python.

    Why it matters: what cannot be seen cannot be moved to a project, which would stop with a NameError.

    Instead: define the name in a Python cell, or import it by name.

    This is about compiling alone; `nb2prod lint` does not report it.
    """

    code, name, severity, blocks_compile = "NBP408", "unseen-definition", Severity.ERROR, True

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for missing in a.names.unseen if a.stages is not None else ():
            if missing.name not in seen:
                seen.add(missing.name)
                labels = [Label(missing.place, "needed here")]
                message = f"`{missing.name}` is not defined by any statement of the notebook"
                if missing.name == "get_ipython":
                    message = "the model needs the result of a magic or shell command"
                    help = "write it in Python, such as `glob` for `!ls`"
                else:
                    help = f"define `{missing.name}` in a Python cell, or import it by name"
                yield self.found(a, message, missing.place, labels, help)
