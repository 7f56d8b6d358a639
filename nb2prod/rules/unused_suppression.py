"""NBP506."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class UnusedSuppression(Rule):
    """A comment `# nb2prod: ignore[CODE]` silences nothing, or names a code that does not exist.

    Why it matters: the fault was mended, or the code has a typing error. Either way the comment will hide
    the next fault of that kind.

    Instead: remove the code from the comment.

    Codes that were not looked for (`--select`, `--ignore`), and codes that only `compile` finds, are left
    alone.
    """

    code, name, severity = "NBP506", "unused-suppression", Severity.WARNING
    help = "remove the code from the comment"
    fires = ("x = 1  # nb2prod: ignore[NBP101]", "# nb2prod: ignore[NBP999]\nx = 1")
    silent = ("print(a)  # nb2prod: ignore[NBP101]", "# nb2prod: ignore[NBP601]\nx = 1")
