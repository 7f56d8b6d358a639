"""NBP404."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class HiddenFileEdge(Rule):
    """Data leave the notebook through a file and come back on a way that cannot be followed: another path,
    another format, another program.

    Why it matters: a generated project would read a file that nothing writes any more.

    Instead: pass the data on in a variable, or write and read the file by the same path.
    """

    code, name, severity, blocks_compile = "NBP404", "hidden-file-edge", Severity.ERROR, True
    message = "data come back through a file that nb2prod cannot follow: `{subject}`"
    help = "pass the data on in a variable"
    refused = (("pd.read_csv(path)", ""),)
