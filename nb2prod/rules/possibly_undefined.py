"""NBP104."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.paths import possible
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class PossiblyUndefined(Rule):
    """A name is bound on some paths only (a branch, a `try` that swallows, a loop over what was filtered),
    and a later statement that always runs reads it.

    Why it matters: it worked with the data and on the machine of the author. With other data, or without a
    file that was there, the run stops with a NameError, or goes on with what an earlier run left behind.

    Instead: bind the name on every path, or give it a value before.

    A loop over something that was not filtered is taken to turn at least once, and so is a `while` loop that
    changes what it asks. Reads behind an `if` are taken to know what they do.
    """

    code, name, severity = "NBP104", "possibly-undefined", Severity.WARNING
    fires = (
        "for n in (1, 2):\n    if n == 3:\n        kept = n\n# %%\nprint(kept)",
        "import os\nif os.path.exists('a'):\n    size = 3\n# %%\nprint(size)",
        "try:\n    rates = open('rates')\nexcept OSError:\n    print('none')\n# %%\nprint(rates)",
        "for row in filter(None, [0]):\n    last = row\n# %%\nprint(last)",
        "import sys\nmatch len(sys.argv):\n    case 1:\n        mode = 'a'\n# %%\nprint(mode)",
        "FAST = False\nif FAST:\n    n = 10\n# %%\nprint(n)",
        "conf = {}\nif 'width' in conf:\n    width = conf['width']\n# %%\nprint(width)",
        "x = 1\nimport os\nif os.name == 'nt':\n    del x\n# %%\nprint(x)",
        "import os\nif os.name == 'nt':\n    t = '1'\n# %%\ntry:\n    n = int(t)\nexcept ValueError:\n"
        "    n = 0",
        "mode = 'c'\nmatch mode:\n    case 'a':\n        n = 1\n    case 'b':\n        n = 2\nprint(n)",
        "import os\nif os.name == 'nt':\n    sep = 1\ndef f():\n    return sep\n# %%\nf()",
    )
    silent = (
        "for n, label in ((1, 'a'), (2, 'b')):\n    if n == 2:\n        kept = label\n# %%\nprint(kept)",
        "top = 0\nfor n in [1, 2]:\n    score = n * n\n    if score > top:\n        top, best = score, n\n"
        "# %%\nprint(best)",
        "import os\nif 'a' not in globals():\n    a = 1\nprint(a)",
        "mode = 'b'\nmatch mode:\n    case 'a':\n        n = 1\n    case 'b':\n        n = 2\nprint(n)",
        "import os\nif os.name == 'nt':\n    a = 1\nelse:\n    a = 2\nprint(a)",
        "import os\nif os.name == 'nt':\n    a = 1\nelse:\n    raise OSError\nprint(a)",
        "import os\nif os.name == 'nt':\n    a = 1\nif os.name == 'nt':\n    print(a)",
        "try:\n    import json as j\nexcept ImportError:\n    j = None\nprint(j)",
        "try:\n    n = int('1')\nexcept ValueError as error:\n    raise SystemExit from error\nprint(n)",
        "for i in range(3):\n    last = i\nprint(i, last)",
        "FAST = True\nif FAST:\n    n = 10\nprint(n)",
        "if __name__ == '__main__':\n    n = 10\nprint(n)",
        "while True:\n    n = 1\n    if n:\n        break\nprint(n)",
        "match 3:\n    case 1:\n        a = 1\n    case _:\n        a = 2\nprint(a)",
        "import os\nif os.name == 'nt':\n    max = 3\nprint(max)",
        "with open('/dev/null') as f:\n    text = f.read()\nprint(text)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        certain = {missing.name for missing in a.names.missing}
        for found in a.once(possible):
            if found.name in certain:
                continue
            what = "called here, and reads it" if found.call else "read here"
            labels = [
                Label(found.read, f"{what}{a.ran(found.read.cell)}"),
                Label(found.decides, f"not every path through this binds it{a.ran(found.decides.cell)}"),
            ]
            help = f"give `{found.name}` a value on every path, or one before cell {found.decides.cell}"
            if found.decides.cell == found.read.cell:
                help = f"give `{found.name}` a value on every path, or one before line {found.decides.line}"
            yield self.found(a, f"`{found.name}` may not be defined here", found.read, labels, help)
