"""NBP410."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity, held
from nb2prod.rules.hard_coded_secret import secrets


class CopiedSecret(Rule):
    """A password, key or token stands in a statement that the project needs.

    Why it matters: compiling would copy it into source files and configuration that are committed, built into
    images and read by many more people than the notebook.

    Instead: read it from the environment (`os.environ["DB_PASSWORD"]`), in the notebook as in production. A
    secret in a statement that the model does not need falls away, and is masked in the copy of the notebook.
    """

    code, name, severity, blocks_compile = "NBP410", "copied-secret", Severity.ERROR, True
    help = 'read it from the environment: `os.environ["NAME"]`'

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        found = secrets(a.notebook) if a.stages is not None else ()
        if a.stages is None or not found:
            return
        kept = [stmt.span for stmt in held(a, a.stages)]
        for _, place in found:
            if any(s.cell == place.cell and s.line <= place.line <= s.end_line for s in kept):
                yield self.found(a, "a password, key or token would be copied into the project", place)
