"""Instrumented code does what the plain code does, and its calls stand where the trace says."""

from __future__ import annotations

import ast
import contextlib
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.frontend import parse
from nb2prod.injected.recorder import Recorder
from nb2prod.ir.program import Program
from nb2prod.ir.trace import SiteFact, Trace, fingerprint
from nb2prod.run.instrument import Tap, instrument
from nb2prod.run.sites import CALL as NAME
from nb2prod.source import Cell, Notebook, Span, cut

SNIPPETS = r'''
x = [i ** 2 for i in range(5) if i % 2]
print(x, len(x))
# ----
d = {'a': {'b': [1, 2, 3]}}
print(d['a']['b'][1:], d['a'].get('z', 'no'))
# ----
print(f"{str(5).zfill(3)!r:>10} {1+1=} {len('abc'):{4}d} {{}}")
# ----
value = 3
print(f'{value=} {value == 3} {value + 1 = }')
# ----
value = 3
print(f"""value {value}
  value {value:>{value}} é {value!r}
""")
# ----
print('é' + str('ü'.upper()), 'x'.join(c for c in 'abc'))
# ----
def f(a, *args, k=len('ab'), **kw):
    'doc'
    return a, args, k, kw
print(f(1, *[2, 3], **{'z': 4}), f.__doc__)
# ----
class A:
    x = list('ab')
    def __init__(self): self.__y = self.x[0]
    def y(self): return self.__y
class B(A):
    def y(self): return super().y() * 2
print(B().y())
# ----
a, *b = range(4)
b[1:], c = [9], a
b[0] += 5
print(a, b, c)
# ----
x = 1, 2
y = (yes := 3) + yes
print(x, y)
# ----
print(sum(i for i in [1, 2, 3]), sum((i for i in [1])), sorted([3, 1], key=lambda v: -v))
# ----
try:
    {}['k']
except (KeyError, ValueError) as error:
    print(type(error).__name__)
finally:
    print('end')
# ----
match {'kind': 'a', 'n': [1, 2]}:
    case {'kind': 'a', 'n': [first, *rest]} if len(rest) == 1:
        print(first, rest)
# ----
print(1 if'a'.upper()else 2, not'b'.isupper(), [c for c in'ab'if c.islower()])
# ----
def g():
    return'x'.upper()
print(g())
# ----
x = (
    [1, 2]
    [0]
)
x = 'a' \
  .upper()
print(x)
# ----
def gen():
    got = yield 1
    yield from [got, 2]
i = gen()
print(next(i), i.send(7), list(i))
# ----
x = [1, 2, 3]
del x[x.index(2)]
print(x, x[-1], x[::-1], -x[0] ** 2, (-x[0]) ** 2)
# ----
x: list = [1]
y: 'int'
x[0]: int = 4
print(x)
# ----
from functools import lru_cache, reduce
@lru_cache(maxsize=None)
def h(n): return n if n < 2 else h(n - 1) + h(n - 2)
print(h(20), reduce(lambda p, q: p + q, [1, 2]))
# ----
with open('/dev/null') as stream, open('/dev/null') as other:
    print(stream.name, other.closed)
print(other.closed)
# ----
i = 0
while i < 3:
    i += 1
    if i == 2: continue
    print(i)
else:
    print('else')
# ----
a = 5
print(1 < a <= 5 != 6, a and 0 or 'z', a if a > 3 else -a, ~a, a is None)
# ----
def outer():
    n = 0
    def inner():
        nonlocal n
        n += 1
        return n
    return inner(), inner()
print(outer())
# ----
print(*[1, 2], sep=', '); print({**{'a': 1}, 'b': 2}, {*[1]}, [*'ab'])
# ----
for i, (a, b) in enumerate(zip('ab', 'cd')):
    print(i, a, b, end=';')
# ----
print('%s %d' % ('a', 3), '{} {x}'.format(1, x=2), b'ab'[0], rf'{1}\n')
# ----
print(eval('1 + 1'), [k for k in list(locals()) if k == 'nothing'], (lambda *a, k=1: (a, k))(2))
# ----
assert len('a') == 1, 'no'
print(__name__)
# ----
x = [[1, 2], [3, 4]]
print([[c * 2 for c in row] for row in x], {k: v for k, v in x}, {n for r in x for n in r})
# ----
x = 'a'.join(['b', 'c']).replace('b', 'd').upper().lower().strip()[0:2][::-1]
print(x)
'''[1:-1].split("\n# ----\n")


def program_of(*cells: str) -> Program:
    return parse(Notebook("test.ipynb", tuple(Cell(index, "code", text) for index, text in enumerate(cells))))


def recorder(sites: int, taps: list[dict[str, Any]] | None = None, baseline: str = "") -> Recorder:
    return Recorder({"sites": sites, "taps": taps or [], "baseline": baseline, "imports": []})


def run(code: str, calls: Recorder | None = None) -> tuple[str, str]:
    """What code prints, and the error it ends with."""
    shown = io.StringIO()
    error = ""
    with contextlib.redirect_stdout(shown):
        try:
            exec(compile(code, "cell", "exec"), {"__name__": "test", NAME: calls})
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
    return shown.getvalue(), error


def same(code: str) -> Recorder:
    """Runs code plain and instrumented, compares, and gives the recorder back."""
    changed = instrument(program_of(code))
    calls = recorder(len(changed.spans))
    text = changed.texts.get(0, code)
    assert len(text.splitlines()) == len(code.splitlines())
    assert run(text, calls) == run(code), text
    assert calls.stats["failed"] == 0
    return calls


@pytest.mark.parametrize("code", SNIPPETS)
def test_instrumented_code_does_the_same(code: str) -> None:
    assert run(code)[1] == "", "the snippet itself should run"
    assert same(code).facts


@given(st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_several_statements_in_a_cell(codes: list[str]) -> None:
    same("\n".join(codes))


_leaves = st.sampled_from(["a", "b", "x[0]", "x[n]", "d['k']", "len(x)", "s.upper()", "1", "'t'", "n"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: f"({p[0]}) + ({p[1]})"),
        pair.map(lambda p: f"({p[0]} == {p[1]})"),
        pair.map(lambda p: f"[{p[0]}, *[{p[1]}]]"),
        pair.map(lambda p: f"(lambda v: ({p[0]}, v))({p[1]})"),
        pair.map(lambda p: f"({p[0]} if({p[1]})else 0)"),
        inner.map(lambda e: f"str({e})[:3]"),
        inner.map(lambda e: f"[q for q in [{e}] if q or not({e})]"),
        inner.map(lambda e: f"f'''é {{{e}}} {{({e})!r:>9}}'''"),
        inner.map(lambda e: f"(w := {e})"),
    )


@given(st.recursive(_leaves, _larger, max_leaves=12))
@settings(max_examples=150, deadline=None)
def test_random_expressions(expression: str) -> None:
    start = "a, b, n, s, x, d = 2, 3.5, 1, 'és', [4, 'y'], {'k': (1, 2)}\n"
    same(f"{start}r = {expression}\nprint(r, type(r))\nprint({expression})")


def test_sites_stand_in_the_stored_text() -> None:
    cell = "  é = 'ü'; y = é.upper() + str(len(é))\n  print(f'{y[0]}')\n"
    changed = instrument(program_of("%matplotlib inline\nimport os", cell))
    texts = [cut(cell, span) for span in changed.spans]
    first = ["é", "é.upper()", "é.upper() + str(len(é))", "str(len(é))", "len(é)", "é"]
    assert texts == [*first, "print(f'{y[0]}')", "y", "y[0]"]
    assert changed.texts[1].startswith("  é = 'ü'; y = __nb2prod__(")
    assert 0 not in changed.texts


def test_magics_and_broken_cells_are_left_alone() -> None:
    cells = [
        "%time x = len('a')",
        "!ls {x}\ny = !ls\nz = len(y)",
        "for in",
        "%%bash\necho $x",
        "%%time\nw = len('b')",
    ]
    changed = instrument(program_of(*cells))
    assert changed.texts[0] == "%time x = __nb2prod__(0, len('a'))"
    assert changed.texts[1].startswith("!ls {x}\ny = !ls\nz = __nb2prod__(1, len(__nb2prod__(2, y)))")
    assert set(changed.texts) == {0, 1, 4}


def test_what_is_never_instrumented() -> None:
    code = (
        "import numpy as np\nfrom numba import njit\n"
        "@njit\ndef f(v):\n    return len(v)\n"
        "def g(v: list[int] = np.zeros(3)) -> np.ndarray:\n    return v\n"
        "x = np.random.rand(3)\napi_key = 'a'\nprint(api_key)\n"
    )
    changed = instrument(program_of(code))
    assert [cut(code, span) for span in changed.spans] == ["v", "np.random.rand(3)", "print(api_key)"]


# taps


def keeps(tap_span: Span, where: str, expression: str, code: str) -> tuple[str, list[Any]]:
    """The text with one tap, and what the tap saw."""
    tap = Tap("t", tap_span, where, expression)
    changed = instrument(program_of(code), [tap], record=False)
    assert not changed.left_out, changed.left_out
    seen: list[Any] = []

    def call(site: int, value: Any, thunk: Any = None) -> Any:
        seen.append(value if thunk is None else thunk())
        return value

    text = changed.texts[0]
    names: dict[str, Any] = {NAME: call}
    exec(text, names)
    return text, seen


def stmt_span(code: str, number: int) -> Span:
    return list(program_of(code).stmts())[number].span


CODE = """\
x = [1]; x = x + [2]
# note
for i in x:
    y = i
y = -1
if y:
    z = 5
def f():
    return 1
[y,
 z]"""


@pytest.mark.parametrize(
    ("number", "where", "expression", "expected"),
    [
        (0, "after", "list(x)", [[1]]),
        (1, "before", "list(x)", [[1]]),
        (1, "after", "list(x)", [[1, 2]]),
        (2, "before", "x[-1]", [2]),
        (2, "after", "y", [2]),
        (3, "before", "y", [2]),
        (4, "before", "y", [-1]),
        (4, "after", "z", [5]),
        (5, "before", "z", [5]),
        (5, "after", "f()", [1]),
        (6, "before", "z", [5]),
        (6, "after", "z", [5]),
    ],
)
def test_taps_beside_statements(number: int, where: str, expression: str, expected: list[Any]) -> None:
    text, seen = keeps(stmt_span(CODE, number), where, expression, CODE)
    assert seen == expected
    changed = instrument(program_of(CODE), [Tap("t", stmt_span(CODE, number), where, expression)])
    assert len(text.splitlines()) == len(CODE.splitlines()) + len(changed.inserted[0])
    ast.parse(changed.texts[0])


def test_a_tap_that_needs_a_line_maps_lines_back() -> None:
    code = "if 1:\n    x = 1\nfor i in [1]:\n    y = i\n1 / 0"
    changed = instrument(program_of(code), [Tap("t", stmt_span(code, 1), "before", "x")], record=False)
    assert changed.inserted[0] == (3,)
    assert [changed.stored_line(0, line) for line in (1, 2, 3, 4, 5, 6)] == [1, 2, 3, 3, 4, 5]


def test_taps_on_expressions_stand_outside_sites() -> None:
    code = "x = sum([1, 2]), 3\nprint(f'{max(x):.2f}')"
    spans = [Span(0, 1, 5, 1, 16), Span(0, 1, 5, 1, 19), Span(0, 2, 10, 2, 16), Span(0, 1, 1, 1, 2)]
    changed = instrument(program_of(code), [Tap(str(place), span) for place, span in enumerate(spans)])
    assert len(changed.left_out) == 1 and "no expression" in changed.left_out[0]
    seen: dict[int, Any] = {}

    def call(site: int, value: Any, thunk: Any = None) -> Any:
        seen[site - len(changed.spans)] = value
        return value

    with contextlib.redirect_stdout(io.StringIO()) as shown:
        exec(changed.texts[0], {NAME: call})
    assert (seen[0], seen[1], seen[2]) == (3, (3, 3), 3)
    assert shown.getvalue() == "3.00\n"


def test_impossible_taps_say_why() -> None:
    code = "def f(x):\n    return x\n(v for v in [1])\nlen(v for v in [1])"
    taps = [
        Tap("a", Span(0, 2, 5, 2, 13), "after", "x"),
        Tap("b", stmt_span(code, 0), "before", "not an expression"),
        Tap("c", Span(0, 9, 1, 9, 2), "before", "x"),
    ]
    left = instrument(program_of(code), taps).left_out
    assert [text.partition(": ")[0] for text in left] == ["tap 'a'", "tap 'b'", "tap 'c'"]


# the trace


def test_trace_is_stable_text() -> None:
    facts = (
        SiteFact(
            Span(1, 1, 1, 1, 3), ("pandas.DataFrame",), 2, (3, 2), "n=3:00", ("a", "b"), ("int64", "str")
        ),
        SiteFact(Span(1, 1, 1, 1, 9), ("builtins.float",), 1, value=1.5, varies=("value",)),
        SiteFact(Span(2, 1, 1, 1, 2), ("builtins.NoneType",), 1),
    )
    trace = Trace("3.11.7", "ab", (("numpy", "2.0"),), (("numpy", "numpy"),), facts)
    trace.check()
    text = trace.to_json()
    assert Trace.from_json(text) == trace and Trace.from_json(text).to_json() == text
    assert trace.at(facts[1].span) == facts[1] and trace.at(Span(1, 1, 1, 1, 4)) is None
    assert trace.dump().splitlines()[0] == "cell 1:1:1-1:3  pandas.DataFrame  3x2  rows n=3:00  2 hits"
    for bad in (
        "",
        "[]",
        "{}",
        text.replace('"format": 1', '"format": 9'),
        text.replace('"hits": 2', '"hits": 0'),
    ):
        with pytest.raises(ValueError):
            Trace.from_json(bad)


def test_fingerprint_is_of_the_code() -> None:
    def notebook(*texts: str) -> Notebook:
        return Notebook("n", tuple(Cell(index, "code", text) for index, text in enumerate(texts)))

    assert (
        fingerprint(notebook("a", "b")) == fingerprint(notebook("a", "b")) != fingerprint(notebook("ab", ""))
    )
