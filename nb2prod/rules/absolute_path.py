"""NBP301."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.analysis.nodes import nodes
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

PATH = re.compile(
    r"(?:/(?!dev/|proc/|tmp(?:/|$))[\w.@ -]+/[^\n]*|~[\w.-]*/[^\n]+|[A-Za-z]:[\\/]+\w[^\n]*|\\\\\w+\\[^\n]+)"
)
READERS = re.compile(
    r"read\w*|to_\w+|open|load\w*|save\w*|dump|Path|PurePath|glob|listdir|exists|isfile|isdir|makedirs|mkdir"
    r"|join|ImageFolder|imread|imwrite|savefig|copy\w*|move|walk|ExcelFile|genfromtxt|connect|from_file"
)
FOLDERS = re.compile(
    r"(?:/home/|/Users/|/root/|/mnt/|/content/|/kaggle/|/data/|/opt/|/var/|~/|[A-Za-z]:[\\/])"
)


class AbsolutePath(Rule):
    """A path that begins at the root, at a home folder or at a drive is written in the code.

    Why it matters: it exists on one machine. In production, and at a colleague's, the read fails.

    Instead: a path relative to the notebook, or a parameter.

    Found in calls that read and write files, and in texts that are plainly such a path.  `/dev`, `/proc` and
    `/tmp` are left alone.
    """

    code, name, severity = "NBP301", "absolute-path", Severity.WARNING
    help = "use a path relative to the notebook, or a parameter"
    fires = (
        "import pandas as pd\ndf = pd.read_csv('/home/ann/data.csv')",
        "import pandas as pd\ndf = pd.read_csv(r'C:\\Users\\ann\\data.csv')",
        "FOLDER = '/content/drive/My Drive/data/'",
        "open('~/notes.txt')",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('data/a.csv')",
        "open('/dev/null')",
        "pattern = '/a/b'\nunit = 'km/h'",
        "import pandas as pd\ndf = pd.read_csv('https://example.org/home/a.csv')",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        seen: set[tuple[int, str]] = set()
        given: set[int] | None = None
        cells = {c.index for c in a.notebook.code_cells() if "/" in c.text or "\\" in c.text}
        for stmt, _ in a.script.stmts():
            if stmt.cell not in cells or not _may_hold_one(
                stmt.text.lines, stmt.span.line, stmt.span.end_line
            ):
                continue
            for node in nodes(stmt.node):
                if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                    continue
                if not PATH.fullmatch(node.value) or (stmt.cell, node.value) in seen:
                    continue
                given = _given(a) if given is None else given
                if id(node) in given or FOLDERS.match(node.value):
                    seen.add((stmt.cell, node.value))
                    yield self.found(a, "a path of one machine is written in the code", stmt.text.head(node))


def _given(a: Analysis) -> set[int]:
    """The arguments of what reads and writes files."""
    every = a.once(calls)
    names = {name for name in every.names if READERS.fullmatch(name)}
    return {
        id(value)
        for call in every
        if call.name in names
        for value in [*call.node.args, *[keyword.value for keyword in call.node.keywords]]
    }


def _may_hold_one(lines: tuple[str, ...], first: int, last: int) -> bool:
    return any("/" in line or "\\" in line for line in lines[first - 1 : last])
