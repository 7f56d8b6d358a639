"""What IPython's magics mean for names: which they bind, delete and use, and which hold Python."""

from __future__ import annotations

import re

from nb2prod.ir.program import Magic
from nb2prod.source import Span

# cell magics whose body is ordinary Python in the notebook's own namespace
PYTHON_BODIES = frozenset(
    [
        "capture", "time", "prun", "memit", "heat", "snakeviz", "scalene", "pyinstrument", "debug",
        "trace", "notify", "wandb", "local", "opts", "output", "cache", "ipytest", "run_pytest",
        "manim", "nbval", "skip_on_ci",
    ]
)  # fmt: skip
# cell magics of other languages, or of Python that runs elsewhere: nothing is bound but what they say
FOREIGN_BODIES = frozenset(
    [
        "!", "bash", "cmd", "file", "html", "HTML", "javascript", "js", "latex", "markdown", "perl",
        "pypy", "python", "python2", "python3", "ruby", "script", "sh", "sql", "svg", "SVG", "sx",
        "system", "timeit", "writefile", "writetemplate", "R", "bigquery", "bigquery_stats", "px",
        "julia", "octave", "dot", "graphviz", "tikz", "mermaid", "spark", "sparksql", "configure",
        "sass", "css", "sqlite", "ai",
    ]
)  # fmt: skip
# line magics whose argument is Python; options and their arguments come first
PYTHON_ARGUMENTS = {
    "time": r"(?:--?[a-z][\w-]*\s+)*",
    "timeit": r"(?:-[nrp]\s*\d+\s+|-[tcqov]+\s+)*",
    "prun": r"(?:-[lsTD]\s*\S+\s+|-[rq]+\s+)*",
    "lprun": r"(?:-[fmDTuz]\s*\S+\s+|-[rs]+\s+)*",
    "memit": r"(?:-[rti]\s*\d+\s+|-[cio]+\s+)*",
    "mprun": r"(?:-[fT]\s*\S+\s+|-[rc]+\s+)*",
    "snakeviz": r"(?:-t\s+)*",
}
AUTOMAGIC = frozenset(
    [
        "autoreload", "bookmark", "cat", "cd", "clear", "conda", "config", "cp", "dhist", "dirs", "env",
        "hist", "history", "ldir", "less", "lf", "lk", "ll", "load", "load_ext", "ls", "lsmagic", "lx",
        "magic", "mamba", "man", "matplotlib", "mkdir", "more", "mv", "pdoc", "pfile", "pinfo", "pip",
        "psource", "pwd", "pycat", "pylab", "quickref", "reset", "rm", "rmdir", "run", "sc", "store",
        "sx", "system", "unalias", "who", "who_ls", "whos", "xdel", "xmode",
    ]
)  # fmt: skip
PYLAB = ("np", "plt", "numpy", "matplotlib", "pylab", "mlab", "pyplot", "display", "figsize", "getfigs")

_NAME = re.compile(r"[A-Za-z_]\w*$")
_WORD = re.compile(r"[A-Za-z_]\w*")
_EXPANDED = re.compile(r"(?<!\$)\$\{?([A-Za-z_]\w*)|\{\s*([A-Za-z_]\w*)")
_MAGIC_NAME = re.compile(r"%\s?([\w.]+)")
_EVERY = "(?s)."  # matches every name


def line_magic(text: str, line: str, span: Span) -> Magic:
    """The meaning of `%name args`, `!cmd`, `?name` and the autocall escapes, given without the assignment."""
    if text.startswith("!"):
        return Magic("shell", "!", line.strip(), span, reads=_expanded(text))
    if text.startswith("?") or text.endswith("?"):
        return Magic("help", text.strip("?% "), line.strip(), span)
    found = _MAGIC_NAME.match(text)
    if found is None:
        return Magic("line", text[:1], line.strip(), span, reads=tuple(_WORD.findall(text)))
    name, rest = found[1], text[found.end() :].strip()
    binds, drops, unknown = _line_effects(name, rest)
    reads = () if name in PYTHON_ARGUMENTS else _expanded(rest)
    if name in ("store", "macro", "psource", "pinfo", "pdoc") and not binds:
        reads = tuple(word for word in rest.split() if _NAME.match(word))
    if name == "R":
        binds, reads = _options(rest, "o", "output"), _options(rest, "i", "input")
    return Magic("line", name, line.strip(), span, binds, reads, drops=drops, unknown=unknown)


def cell_magic(name: str, rest: str, span: Span, body: str) -> Magic:
    """The meaning of `%%name args` with its body."""
    text = f"%%{name} {rest}".strip()
    words = [word for word in rest.split() if not word.startswith("-")]
    binds: tuple[str, ...] = ()
    reads = _expanded(rest)
    match name:
        case "capture":
            binds = tuple(word for word in words[:1] if _NAME.match(word))
        case "bash" | "sh" | "script" | "perl" | "ruby" | "python" | "python3" | "pypy" | "cmd":
            binds = _options(rest, "out", "err", "proc")
        case "R":
            binds, reads = _options(rest, "o", "output"), _options(rest, "i", "input")
        case "bigquery" | "spark" | "sparksql":
            binds = _options(rest, "o") + tuple(word for word in words[:1] if _NAME.match(word))
        case "sql":
            binds = tuple(re.findall(r"(\w+)\s*<<", rest))
        case "cache":
            binds = tuple(word for word in words[1:] if _NAME.match(word))
        case "timeit":
            reads = tuple(dict.fromkeys(_WORD.findall(rest + "\n" + body)))
    is_python = name in PYTHON_BODIES
    unknown = not is_python and name not in FOREIGN_BODIES
    return Magic("cell", name, text, span, binds, reads, body=is_python, unknown=unknown)


def python_offset(text: str) -> int:
    """Where the Python begins in `%time y = f()`; 0 where the magic holds none."""
    found = re.match(r"%(\w+)[ \t]+", text)
    options = PYTHON_ARGUMENTS.get(found[1]) if found else None
    if found is None or options is None:
        return 0
    after = re.compile(options).match(text, found.end())
    return after.end() if after else found.end()


def _line_effects(name: str, rest: str) -> tuple[tuple[str, ...], str, bool]:
    """Names bound, the expression of names deleted, and whether unknown names may be bound."""
    words = rest.split()
    match name:
        case "store" if "-r" in words:
            names = tuple(word for word in words if _NAME.match(word))
            return names, "", not names
        case "run" | "rerun" | "recall" | "rep" | "load_r" | "nbrun" | "import_notebook":
            return (), "", True
        case "pylab":
            return PYLAB, "", "--no-import-all" not in words
        case "macro":
            return tuple(word for word in words[:2] if _NAME.match(word))[:1], "", False
        case "sc":
            return tuple(re.findall(r"(?:^|\s)([A-Za-z_]\w*)\s*=", rest)), "", False
        case "sql":
            return tuple(re.findall(r"(\w+)\s*<<", rest)), "", False
        case "bigquery":
            return tuple(word for word in words[:1] if _NAME.match(word)), "", False
        case "reset":
            partial = {"in", "out", "dhist", "array"} & set(words)
            return (), "" if partial else _EVERY, False
        case "reset_selective":
            return (), _selective(rest), False
        case "xdel":
            return (), "".join(f"^{word}$" for word in words if _NAME.match(word)), False
    return (), "", False


def _selective(rest: str) -> str:
    """`%reset_selective` searches its expression in every name that does not begin with `_`."""
    pattern = re.sub(r"^(?:-f\s+)+", "", rest).strip()
    whole = rf"^(?!_)(?=.*?(?:{pattern}))"
    try:
        re.compile(whole)
    except (re.error, RecursionError, OverflowError):
        return ""
    return whole if pattern else ""


def _options(rest: str, *letters: str) -> tuple[str, ...]:
    """The names given to `-o x`, `--out x` and `-o x,y`."""
    found = re.findall(rf"(?:^|\s)--?(?:{'|'.join(letters)})[ =]([\w,]+)", rest)
    return tuple(name for group in found for name in group.split(",") if _NAME.match(name))


def _expanded(text: str) -> tuple[str, ...]:
    """Names that IPython puts into a command: `$x` and `{x}`."""
    return tuple(dict.fromkeys(a or b for a, b in _EXPANDED.findall(text)))
