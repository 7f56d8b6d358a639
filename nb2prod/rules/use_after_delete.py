"""NBP103."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class UseAfterDelete(Rule):
    """A name is read after `del`, `%reset`, `%reset_selective` or `%xdel` has taken it away.

    Why it matters: the cell worked because it ran before the deletion.  Run from top to bottom, the
    notebook stops with a NameError.

    Instead: delete the name after its last use, or not at all.

    A deletion on some paths only is not reported.  The name in `except E as name` is gone after its handler.
    """

    code, name, severity, blocks_compile = "NBP103", "use-after-delete", Severity.ERROR, True
    fires = ("x = 1\n# %%\ndel x\n# %%\nprint(x)", "import os\n# %%\n%reset -f\n# %%\nos.getcwd()")
    silent = (
        "x = 1\n# %%\ndel x\n# %%\nx = 2\nprint(x)",
        "x = 1\nif x > 1:\n    del x\nprint(x)",
        "d = {'a': 1}\ndel d['a']\nprint(d)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for missing in a.names.missing:
            name, deleted = missing.name, missing.deleted
            if deleted is None or name in seen:
                continue
            seen.add(name)
            labels = [Label(missing.place, f"read here{a.ran(missing.place.cell)}")]
            if missing.call is not None:
                labels.append(Label(missing.read, f"in `{missing.function}`"))
            labels.append(Label(deleted, f"deleted here{a.ran(deleted.cell)}"))
            help = f"remove the deletion in cell {deleted.cell}, or move it below the last use of `{name}`"
            yield self.found(a, f"`{name}` is read after it was deleted", missing.place, labels, help)
