"""NBP306."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity
from nb2prod.source import Notebook, Span, split_lines

SHAPES = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|sk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}"
    r"|ya29\.[0-9A-Za-z_-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+|(?<=://)[^\s:/@'\"{}]+:[^\s:/@'\"{}]{3,}(?=@)"
)
NAMED = re.compile(
    r"""(?i)(?:password|passwd|pwd|passphrase|secret|api_?key|apikey|access_?key|auth_?token"""
    r"""|access_?token|private_?key|client_?secret|bearer|token)\w*['"]?\]?\s*(?::\s*str\s*)?[=:]\s*[rbf]?(['"])(?P<value>[^'"\n]{6,})\1"""
)
PLACEHOLDER = re.compile(
    r"(?i)[<{\[*$%.]|your|xxx|change|example|dummy|placeholder|secret|password|token|key|none|null|test|todo|insert|here"
)
HINTS = (
    "pass", "pwd", "secret", "key", "token", "bearer", "://", "akia", "ghp_", "gho_",
    "ghu_", "ghs_", "ghr_", "github_pat", "sk-", "hf_", "xox", "aiza", "ya29", "eyj", "private",
)  # fmt: skip


class HardCodedSecret(Rule):
    """A password, key or token stands in the code.

    Why it matters: whoever reads the repository, or an old version of it, has it.

    Instead: revoke it, and read the new one from the environment (`os.environ["API_KEY"]`).

    Known shapes of keys are found anywhere in a code cell; other texts where they are given to a name such as
    `password` or `api_key` and look like no placeholder.  The text itself is never printed.
    """

    code, name, severity = "NBP306", "hard-coded-secret", Severity.ERROR
    help = "revoke it, and read the new one from the environment"
    fires = (
        "password = 'hunter2rules'",
        "key = 'AKIAIOSFODNN7REALKEY'",
        "client = connect(user='ann', api_key='f3a9c07be15d42aa')",
        "url = 'postgresql://ann:s3cr8tpw@db.local/prices'",
    )
    silent = (
        "import os\npassword = os.environ['PASSWORD']",
        "api_key = 'YOUR_API_KEY'",
        "token = '<token>'\nkeys = ['a', 'b']",
        "tokenizer = 'bert-base-uncased'\npassword_column = 'pwd'",
        "sort_key = 'created_at'",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for _, span in secrets(a.notebook):
            yield self.found(a, "a password, key or token stands in the code", span)


def _secret(line: str) -> tuple[int, int] | None:
    """Where a secret stands in a line."""
    found = SHAPES.search(line)
    if found is not None and not re.search(r"(?i)example|xxx|user:pass|username:password", found[0]):
        return found.span()
    for named in NAMED.finditer(line) if "'" in line or '"' in line else ():
        value = named["value"]
        if not PLACEHOLDER.search(value) and " " not in value.strip() and _varied(value):
            return named.span("value")
    return None


def _varied(text: str) -> bool:
    """Text that is no plain word: digits or marks among letters, or many different characters."""
    counts = Counter(text)
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return (any(c.isdigit() for c in text) and entropy > 2.2) or (entropy > 3.5 and not text.islower())


def secrets(notebook: Notebook) -> tuple[tuple[str, Span], ...]:
    """Every secret that stands in the code, and where; texts that must not be copied anywhere."""
    found = []
    code = "\n".join(cell.text for cell in notebook.code_cells()).lower()
    hints = [hint for hint in HINTS if hint in code]
    for cell in notebook.code_cells() if hints else ():
        text = cell.text.lower()
        if not any(hint in text for hint in hints):
            continue
        for number, line in enumerate(split_lines(cell.text), 1):
            low = line.lower()
            place = _secret(line) if any(hint in low for hint in hints) else None
            if place is not None:
                span = Span(cell.index, number, place[0] + 1, number, place[1] + 1)
                found.append((line[place[0] : place[1]], span))
    return tuple(found)
