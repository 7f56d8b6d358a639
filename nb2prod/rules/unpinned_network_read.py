"""NBP307."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.analysis.calls import Called, calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

URL = re.compile(r"(?:https?|ftp|s3|gs|gcs|abfs|hdfs)://\S+")
PINNED = re.compile(r"[0-9a-f]{40}|@[0-9a-f]{7,}|[?&](?:version|v|rev|revision|etag)=|/v?\d+\.\d+(?:\.\d+)?/")
READS = re.compile(
    r"read_\w+|urlopen|urlretrieve|get|post|request|download\w*|wget|load_dataset_?|open|genfromtxt|loadtxt|get_file"
)


class UnpinnedNetworkRead(Rule):
    """Data are read from an address that names no version.

    Why it matters: what stands there changes, or goes away. Training again gives another model, and nobody
    knows which rows the old one had seen.

    Instead: keep a copy with its hash, or an address with a version or a commit in it.

    The address must be a literal, or a name that was given one.
    """

    code, name, severity = "NBP307", "unpinned-network-read", Severity.WARNING
    help = "keep a copy of the file beside the notebook with its hash, or read a fixed version"
    fires = (
        "import pandas as pd\ndf = pd.read_csv('https://example.org/a.csv')",
        "import requests\nURL = 'https://example.org/a.json'\nrows = requests.get(URL).json()",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a.csv')",
        "import pandas as pd\ndf = pd.read_csv('https://example.org/" + "0123456789" * 4 + "/a.csv')",
        "print('https://example.org')",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        texts: dict[str, str] = {}
        for call in a.once(calls):
            if READS.fullmatch(call.name) and _reads(call):
                if not texts:
                    texts = {"": "", **_texts(a)}
                for value in [*call.node.args[:2], *[k.value for k in call.node.keywords]]:
                    text = value.value if isinstance(value, ast.Constant) else None
                    text = texts.get(value.id, "") if isinstance(value, ast.Name) else text
                    if isinstance(text, str) and URL.match(text) and not PINNED.search(text):
                        span = call.stmt.text.span(call.node)
                        yield self.found(a, "the data at this address may change", span)
                        break


def _reads(call: Called) -> bool:
    if call.name in ("get", "post", "request", "open"):
        return call.api.startswith(("requests.", "httpx.", "urllib"))
    return True


def _texts(a: Analysis) -> dict[str, str]:
    """Names that are given a text."""
    return {
        target.id: stmt.node.value.value
        for stmt, _ in a.script.stmts()
        if isinstance(stmt.node, ast.Assign)
        and isinstance(stmt.node.value, ast.Constant)
        and isinstance(stmt.node.value.value, str)
        for target in stmt.node.targets
        if isinstance(target, ast.Name)
    }
