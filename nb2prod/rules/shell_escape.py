"""NBP303."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity
from nb2prod.rules.inline_install import installs

SHELLS = ("bash", "sh", "script", "cmd", "system", "sx", "!", "perl", "ruby")
CALLS = ("os.system", "os.popen", "commands.getoutput", "subprocess.getoutput", "subprocess.getstatusoutput")


class ShellEscape(Rule):
    """A shell command runs: `!cmd`, `%%bash`, `os.system`.

    Why it matters: it needs the programs of one machine, and when it fails nothing stops: the notebook goes
    on without the file that should be there.

    Instead: `subprocess.run([...], check=True)`, or Python (`pathlib`, `shutil`, `glob`).

    Installing packages is NBP304.
    """

    code, name, severity = "NBP303", "shell-escape", Severity.WARNING
    help = "use `subprocess.run([...], check=True)`, or the Python function that does it"
    fires = ("!ls data", "%%bash\nls", "import os\nos.system('ls')", "files = !ls")
    silent = ("!pip install pandas", "import subprocess\nsubprocess.run(['ls'], check=True)", "%pwd")

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        message = "a shell command runs, and nothing checks whether it worked"
        for magic in a.program.magics:
            if installs(magic):
                continue
            if magic.kind == "shell" or (magic.kind in ("cell", "line") and magic.name in SHELLS):
                yield self.found(a, message, magic.span)
        every = a.once(calls)
        for call in every if not every.apis.isdisjoint(CALLS) else ():
            if call.api in CALLS:
                yield self.found(a, message, call.stmt.text.span(call.node))
