"""NBP304."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.program import Magic
from nb2prod.rules import Analysis, Edit, Fix, Rule, Severity
from nb2prod.source import Span

INSTALL = re.compile(
    r"[!%]{1,2}\s*(?:sudo\s+)?(?:[\w./{}-]*python[\d.]*\s+-m\s+|\{sys\.executable\}\s+-m\s+)?"
    r"(?:pip[\d.]*|conda|mamba|micromamba|uv(?:\s+pip)?|apt(?:-get)?|easy_install|npm|brew)\s+(?:-\S+\s+)*(?:install|add)\b"
)


def installs(magic: Magic) -> bool:
    """`!pip install x`, `%conda install x`, `!{sys.executable} -m pip install x`."""
    return INSTALL.match(magic.text.partition("=")[2].strip() if _assigned(magic) else magic.text) is not None


def _assigned(magic: Magic) -> bool:
    return re.match(r"\w+\s*=\s*[!%]", magic.text) is not None


class InlineInstall(Rule):
    """A cell installs packages: `!pip install`, `%pip install`, `%conda install`.

    Why it matters: it takes whatever version is the newest that day, changes the environment of everything
    else that runs there, and needs the network in production.

    Instead: list the packages with their versions in the requirements of the project.

    An exact version (`pandas==2.2.3`) is reported too: the line still runs on every start.
    """

    code, name, severity = "NBP304", "inline-install", Severity.WARNING
    help = "list the package with its version in the project's requirements, and remove the line"
    fires = ("!pip install pandas", "%pip install -q pandas==2.2.3", "%conda install numpy")
    silent = ("!pip list", "!ls", "install = 1")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for magic in a.program.magics:
            if magic.kind in ("shell", "line") and installs(magic):
                message = "the notebook installs packages while it runs"
                yield self.found(a, message, magic.span, fix=_fix(magic))


def _fix(magic: Magic) -> Fix | None:
    """The line becomes a comment, where it stands at the left edge: else a block might be empty."""
    span = magic.span
    if span.column != 1 or span.line != span.end_line or _assigned(magic):
        return None
    place = Span(span.cell, span.line, 1, span.line, 1)
    return Fix("make the line a comment", False, (Edit(place, "# "),))
