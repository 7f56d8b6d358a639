"""Puts the recorder into the text of cells: a call around an expression, or one beside a statement.

    df["Age"].fillna(0)     ->  __nb2prod__(7, __nb2prod__(4, df)["Age"]).fillna(0)      (site)
    X = df.drop(columns=c)  ->  __nb2prod__(9, None, lambda: df); X = df.drop(columns=c) (tap before it)

Lines, comments and magics stay, so that tracebacks keep their line numbers; where a tap needs a line of its
own, `Instrumented.inserted` says so.  Every cell is checked: without the calls its tree is the old one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nb2prod.ir.program import Program, Stmt
from nb2prod.run.sites import CALL, sites
from nb2prod.source import Span, Text, split_lines
from nb2prod.tree import bodies

_CLOSING, _AFTER, _BEFORE, _OPENING = 0, 1, 2, 3  # the order of texts inserted at one place
_NO_AFTER = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_SIMPLE = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Delete, ast.Import, ast.ImportFrom, ast.Pass,
    ast.Assert, ast.Global, ast.Nonlocal, *_NO_AFTER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tap:
    """Asks for a value to be kept under `name`, as it is at one moment of the run.

    `where` is "value": what the expression at `span` evaluates to; or "before" or "after": what the Python
    text `expression` evaluates to before or after the statement at `span`.  The last hit counts.
    `with_random` keeps the state of the global random generators too; a `metric` is kept as a number.
    Of two taps with `streams` and one name, the first keeps where these generators stand and the second puts
    them back there.
    """

    name: str
    span: Span
    where: str = "value"
    expression: str = ""
    with_random: bool = False
    metric: bool = False
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instrumented:
    """The texts to run instead of the stored ones, and what the ids in them stand for.

    Ids of taps follow those of sites.  `inserted` holds, for a cell, the lines before which one was added;
    `left_out` says what could not be instrumented.
    """

    texts: Mapping[int, str]
    spans: tuple[Span, ...] = ()
    taps: tuple[Tap, ...] = ()
    inserted: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def stored_line(self, cell: int, line: int) -> int:
        """The line of the stored text for one of the instrumented text."""
        shown = 0
        for number, before in enumerate(self.inserted.get(cell, ())):
            if before + number < line:
                shown += 1
        return line - shown


@dataclass(frozen=True, slots=True)
class _Edit:
    """Text to insert at a byte offset of a line; `order` sorts edits at one place."""

    line: int
    offset: int
    order: tuple[int, int]
    text: str


def instrument(program: Program, taps: Sequence[Tap] = (), record: bool = True) -> Instrumented:
    """Instruments every expression worth it (`record`), and the places that `taps` name."""
    nodes = _located(program)
    spans = sorted({text.span(node) for node, text, _ in nodes.sites}) if record else []
    number = {span: place for place, span in enumerate(spans)}
    edits: dict[int, list[_Edit]] = {}
    optional: dict[_Edit, bool] = {}  # edits of sites; True in f-strings, where one may go wrong
    if record:
        for node, text, in_string in nodes.sites:
            added = _around(node, number[text.span(node)])
            edits.setdefault(text.cell, []).extend(added)
            optional.update(dict.fromkeys(added, in_string))
    left_out = []
    for place, tap in enumerate(taps, len(spans)):
        found = _tap_edits(tap, place, nodes)
        if isinstance(found, str):
            left_out.append(f"tap {tap.name!r}: {found}")
        else:
            edits.setdefault(tap.span.cell, []).extend(found)
    texts: dict[int, str] = {}
    inserted: dict[int, tuple[int, ...]] = {}
    for cell, wanted in sorted(edits.items()):
        kept = _safe(nodes.texts[cell], nodes.stmts[cell], wanted, optional)
        if len(kept) < len(wanted):
            lost = sorted({edit.line for edit in wanted} - {edit.line for edit in kept})
            left_out.append(f"cell {cell}: {len(wanted) - len(kept)} edits, lines {lost}")
        texts[cell] = _apply(kept, split_lines(program.notebook.cells[cell].text), nodes.texts[cell])
        inserted[cell] = tuple(sorted(edit.line for edit in kept if edit.text.endswith("\n")))
    return Instrumented(texts, tuple(spans), tuple(taps), inserted, tuple(left_out))


# what there is


@dataclass(slots=True)
class _Nodes:
    """The nodes of a program by what is asked of them; only statements whose stored text is Python."""

    texts: dict[int, Text] = field(default_factory=dict)
    stored: dict[int, tuple[str, ...]] = field(default_factory=dict)
    stmts: dict[int, list[ast.stmt]] = field(default_factory=dict)
    sites: list[tuple[ast.expr, Text, bool]] = field(default_factory=list)
    expressions: dict[Span, ast.expr] = field(default_factory=dict)
    statements: dict[Span, ast.stmt] = field(default_factory=dict)
    previous: dict[ast.stmt, ast.stmt] = field(default_factory=dict)
    following: dict[ast.stmt, ast.stmt] = field(default_factory=dict)


def _located(program: Program) -> _Nodes:
    nodes = _Nodes()
    modules = _imported(program)
    for stmt in program.stmts():
        cell = stmt.cell
        nodes.texts[cell] = stmt.text
        stored = nodes.stored.setdefault(cell, split_lines(program.notebook.cells[cell].text))
        nodes.stmts.setdefault(cell, [])
        if not _same_text(stmt, stored):
            continue
        nodes.stmts[cell].append(stmt.node)
        found = sites(stmt.node, stmt.text, modules)
        nodes.sites += [(node, stmt.text, in_string) for node, in_string in found]
        nodes.statements[stmt.span] = stmt.node
        for node in ast.walk(stmt.node):
            if isinstance(node, ast.expr):
                nodes.expressions.setdefault(stmt.text.span(node), node)
            elif isinstance(node, ast.stmt):
                nodes.statements.setdefault(stmt.text.span(node), node)
            for body in bodies(node):
                _link(nodes, body)
    for stmts in nodes.stmts.values():
        _link(nodes, stmts)
    return nodes


def _link(nodes: _Nodes, body: Sequence[ast.stmt]) -> None:
    for before, after in pairwise(body):
        nodes.previous[after] = before
        nodes.following[before] = after


def static_imports(program: Program) -> set[str]:
    """Top-level modules that the notebook's text imports."""
    found: set[str] = set()
    for stmt in program.stmts():
        for node in ast.walk(stmt.node):
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _imported(program: Program) -> frozenset[str]:
    """Names that imports bind and nothing else does."""
    names: set[str] = set()
    other: set[str] = set()
    for stmt in program.stmts():
        for node in ast.walk(stmt.node):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                other.add(node.id)
    return frozenset(names - other)


def _same_text(stmt: Stmt, stored: tuple[str, ...]) -> bool:
    """Whether a statement stands in the stored text as it was parsed; a magic's stand-in does not."""
    node, text = stmt.node, stmt.text
    first, last = _first_line(node), node.end_lineno or node.lineno
    for line in range(first, last + 1):
        if line > len(stored):
            return False
        code = text.lines[line - 1].rstrip("\r\n").encode()
        start = node.col_offset if line == first else 0
        end = node.end_col_offset if line == last and node.end_col_offset is not None else len(code)
        piece = stored[line - 1].rstrip("\r\n")[text.column(line, start) - 1 : text.column(line, end) - 1]
        if piece != code[start:end].decode(errors="replace"):
            return False
    return True


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


# edits


def _around(node: ast.expr, number: int, thunk: str = "", parens: bool = False) -> list[_Edit]:
    """A call around an expression.  An outer one opens earlier and closes later than an inner one."""
    assert node.end_lineno is not None and node.end_col_offset is not None
    opening = f"{CALL}({number}, " + "(" * parens
    closing = ")" * parens + (f", lambda: {thunk})" if thunk else ")")
    length = (node.end_lineno - node.lineno) * 1_000_000 + node.end_col_offset - node.col_offset
    # among equal spans (a tap on a site) the tap is outside: it comes with a higher number
    size = length * 1_000_000 + number
    return [
        _Edit(node.lineno, node.col_offset, (_OPENING, -size), opening),
        _Edit(node.end_lineno, node.end_col_offset, (_CLOSING, size), closing),
    ]


def _tap_edits(tap: Tap, number: int, nodes: _Nodes) -> list[_Edit] | str:
    """The edits for a tap, or why there are none."""
    if tap.where == "value":
        node = nodes.expressions.get(tap.span)
        if isinstance(node, ast.Starred):
            node = node.value
        if node is None or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return "no expression stands there"
        return _around(node, number, parens=True)
    stmt = nodes.statements.get(tap.span)
    if stmt is None:
        return "no statement stands there"
    try:
        ast.parse(tap.expression, mode="eval")
    except SyntaxError:
        return f"{tap.expression!r} is not an expression"
    call = f"{CALL}({number}, None, lambda: {tap.expression})"
    if tap.where == "before":
        return _before(stmt, call, nodes, tap.span.cell)
    if isinstance(stmt, _NO_AFTER):
        return "nothing runs after this statement"
    if isinstance(stmt, ast.Expr):
        return _around(stmt.value, number, thunk=tap.expression, parens=True)
    return _after(stmt, call, nodes, tap.span.cell)


def _before(stmt: ast.stmt, call: str, nodes: _Nodes, cell: int) -> list[_Edit]:
    if isinstance(stmt, _SIMPLE):
        return [_Edit(stmt.lineno, stmt.col_offset, (_BEFORE, 0), call + "; ")]
    earlier = nodes.previous.get(stmt)
    if isinstance(earlier, _SIMPLE):
        return [_Edit(*_end(earlier), (_AFTER, 0), "; " + call)]
    first = _first_line(stmt)
    indent = " " * stmt.col_offset
    if first > 1 and _free(first - 1, nodes, cell):
        return [_Edit(first - 1, 0, (_BEFORE, 0), indent + call + " ")]
    return [_Edit(first, 0, (_BEFORE, 0), indent + call + "\n")]


def _after(stmt: ast.stmt, call: str, nodes: _Nodes, cell: int) -> list[_Edit]:
    if isinstance(stmt, _SIMPLE):
        return [_Edit(*_end(stmt), (_AFTER, 0), "; " + call)]
    later = nodes.following.get(stmt)
    if isinstance(later, _SIMPLE):
        return _before(later, call, nodes, cell)
    line, offset = _end(stmt)
    indent = " " * stmt.col_offset
    if line >= len(nodes.texts[cell].lines):
        return [_Edit(line, offset, (_AFTER, 0), "\n" + indent + call)]
    if _free(line + 1, nodes, cell):
        return [_Edit(line + 1, 0, (_BEFORE, 0), indent + call + " ")]
    return [_Edit(line + 1, 0, (_BEFORE, 0), indent + call + "\n")]


def _end(node: ast.stmt) -> tuple[int, int]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset


def _free(line: int, nodes: _Nodes, cell: int) -> bool:
    """Whether a line beside a compound statement holds nothing but a comment."""
    for lines in (nodes.texts[cell].lines, nodes.stored[cell]):
        if line > len(lines) or lines[line - 1].strip()[:1] not in ("", "#"):
            return False
    return True


# applying them


def _safe(
    text: Text, stmts: list[ast.stmt], wanted: list[_Edit], optional: Mapping[_Edit, bool]
) -> list[_Edit]:
    """The edits that leave the tree of the cell as it was, but for our calls."""
    if _harmless(text, wanted):
        return wanted
    kept: list[_Edit] = []
    left = set(wanted)
    for stmt in stmts:
        first, last = _first_line(stmt), stmt.end_lineno or stmt.lineno
        inside = [edit for edit in wanted if edit in left and first <= edit.line <= last]
        sturdy = [edit for edit in inside if not optional.get(edit)]
        taps = [edit for edit in inside if edit not in optional]
        for choice in (inside, sturdy, taps):
            if _harmless(text, kept + choice):
                kept += choice
                left.difference_update(choice)
                break
    return kept


def _harmless(text: Text, edits: list[_Edit]) -> bool:
    try:
        before = ast.parse(text.code)
        after = _Stripped().visit(ast.parse(_apply(edits, text.lines, None)))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return ast.dump(before) == ast.dump(after)


class _Stripped(ast.NodeTransformer):
    """Takes our calls out of a tree."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == CALL:
            return self.visit(node.args[1])  # type: ignore[no-any-return]
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == CALL:
            inner = call.args[1]
            if len(call.args) == 3 and isinstance(inner, ast.Constant) and inner.value is None:
                return None
        return self.generic_visit(node)


def _apply(edits: Iterable[_Edit], lines: tuple[str, ...], text: Text | None) -> str:
    """Inserts the edits into the parsed lines, or into the stored ones where `text` leads the way back."""
    places: dict[tuple[int, int], str] = {}
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.offset, edit.order)):
        places[edit.line, edit.offset] = places.get((edit.line, edit.offset), "") + edit.text
    out = list(lines)
    for (line, offset), added in sorted(places.items(), reverse=True):
        old = out[line - 1]
        if text is None:
            at = len(old.encode()[:offset].decode(errors="ignore"))
            lead = ""
        else:
            at = text.column(line, offset) - 1
            lead = "" if line in text.flush else _lead(lines, text.shift)
            ending = old[len(old.rstrip("\r\n")) :]
            if len(old) - len(ending) < at:
                old = lead + ending
        if added.startswith(CALL) and at > 0 and (old[at - 1].isalnum() or old[at - 1] == "_"):
            added = " " + added
        out[line - 1] = old[:at] + added.replace("\n", "\n" + lead) + old[at:]
    return "".join(out)


def _lead(lines: tuple[str, ...], shift: int) -> str:
    """The indentation that IPython takes off."""
    return next((line[:shift] for line in lines if line.strip()), "")
