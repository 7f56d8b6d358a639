"""What is missing in a fresh run: cells are split by `# %%`, an execution count is `# %% run=3`."""

from __future__ import annotations

import pytest
from percent import notebook

from nb2prod import frontend
from nb2prod.analysis.names import names
from nb2prod.analysis.script import script
from nb2prod.ir.names import Names


def found(text: str) -> Names:
    return names(script(frontend.parse(notebook(text))))


def missing(text: str) -> list[str]:
    """`name cell:line` of the place where the run stops, with `- deleted` or `- in f`."""
    return [
        f"{m.name} {m.place.cell}:{m.place.line}"
        + (" deleted" if m.deleted else "")
        + (f" in {m.function}" * bool(m.function))
        for m in found(text).missing
    ]


MISSING = {
    "nowhere": ("x", ["x 0:1"]),
    "later": ("x\n# %%\nx = 1", ["x 0:1"]),
    "itself": ("x += 1", ["x 0:1"]),
    "by a call": ("def f(): return g\nf()\ng = 1", ["g 0:2 in f"]),
    "by a call of a call": ("def f(): return h()\ndef h(): return g\n# %%\nf()\n# %%\ng = 1", ["g 1:1 in h"]),
    "by a method": ("class C:\n  def m(self): return g\nc = C()\nc.m()\ng = 1", ["g 0:4 in C.m"]),
    "by making an object": ("class C:\n  def __init__(self): g\nC()\ng = 1", ["g 0:3 in C.__init__"]),
    "by an argument": ("def f(v): return g\nd = []\nd.apply(f)\ng = 1", ["g 0:3 in f"]),
    "by a lambda": ("d = [1]\nd.apply(lambda v: g)\ng = 1", ["g 0:2 in <lambda>"]),
    "by a decorator": ("def d(f): return g\n@d\ndef h(): pass\ng = 1", ["g 0:2 in d"]),
    "by a function given on": ("def f(): g\ndef run(cb): cb()\nrun(f)\ng = 1", ["g 0:3 in f"]),
    "in a function never called": ("def f(): return g", ["g 0:1 in f"]),
    "awaited": ("async def f(): return g\nawait f()\ng = 1", ["g 0:2 in f"]),
    "in a taken branch": ("def f():\n  if True: return g\nf()\ng = 1", ["g 0:3 in f"]),
    "first in a try": ("def f():\n  try: g\n  finally: 1\nf()\ng = 1", ["g 0:4 in f"]),
    "a lambda given on": ("def run(cb): cb()\nrun(lambda: g)\ng = 1", ["g 0:2 in <lambda>"]),
    "deleted": ("x = 1\ndel x\nx", ["x 0:3 deleted"]),
    "deleted twice": ("x = 1\ndel x\ndel x", ["x 0:3 deleted"]),
    "reset": ("import os\n%reset -f\n# %%\nos", ["os 1:1 deleted"]),
    "reset by pattern": ("ab = 1; cb = 2\n%reset_selective -f ^a\nab, cb", ["ab 0:3 deleted"]),
    "of a handler": ("try: 1\nexcept OSError as e: e\ne", ["e 0:3 deleted"]),
    "sum without start": ("for i in range(3):\n  total = total + i", ["total 0:2"]),
    "timed": ("%time y = x", ["x 0:1"]),
    "only set by a function": ("def f():\n  global g\n  g = 1\ng", ["g 0:4"]),
    "comprehension variable": ("[i for i in range(3)]\ni", ["i 0:2"]),
    "class variable": ("class C:\n  a = 1\n  def m(self): return a", ["a 0:3 in C.m"]),
    "file": ("__file__", ["__file__ 0:1"]),
    "skipped cell": ("# %% tags=skip\nx = 1\n# %%\nx", ["x 1:1"]),
    "history after a star import": ("from foo import *\n_", ["_ 0:2"]),
    "default argument": ("def f(a=b): pass\nb = 1", ["b 0:1"]),
    "in a branch": ("if a: b = 1\na = 1", ["a 0:1"]),
}  # fmt: skip

FINE = {
    "bound": "x = 1\nx",
    "walrus": "[y := 1]\n[(z := i) for i in [1]]\ny, z",
    "match": "match [1]:\n  case [a, *b]: a, b\n  case {'k': c, **d}: c, d\n  case int() as e: e",
    "call time": "def f(): return g\ng = 1\nf()",
    "not called before": "def f(): return g\ng = 1",
    "guarded argument": "def f(d=None):\n  if d is None: d = g\n  return d\nf(1)\ng = 1",
    "returns early": "def f(d):\n  if d: return d\n  return g\nf(1)\ng = 1",
    "caught": "try:\n  x\nexcept NameError:\n  x = 1",
    "asked for": "if 'x' not in globals():\n  x = 1\nelse:\n  x\ny = z if 'z' in dir() else 0",
    "second turn": "for i in range(3):\n  if i: prev\n  prev = i",
    "maybe": "import os\nif os.name == 'nt': x = 1\nx",
    "except branch": "try: import json as j\nexcept ImportError: j = None\nj",
    "star": "from foo import *\nx",
    "exec": "exec('x = 1')\nx",
    "run": "%run other.py\nx",
    "restored": "%store -r x\nx",
    "captured": "%%capture out\n1\n# %%\nout",
    "shell result": "files = !ls\nfiles",
    "timed": "%time y = 1\ny",
    "timeit": "%timeit y = 1",
    "help": "x?",
    "globals": "globals()['x'] = 1\nx",
    "global": "def f():\n  global g\n  g = 1\nf()\ng",
    "global by callback": "def f():\n  global g\n  g = 1\nbutton = print\nbutton(f)\ng",
    "broken cell": "x = = 1\n# %%\nx",
    "may fail": "# %% tags=raises-exception\nx",
    "class scope": "class C:\n  a = 1\n  b = a\n  def m(self): return __class__, super().x",
    "closure": "def f():\n  v = 1\n  def g(): return v\n  return [g() for _ in range(2)], (lambda: v)()\nf()",
    "nonlocal": "def f():\n  v = 1\n  def g():\n    nonlocal v\n    v = 2\n  g()\n  return v\nf()",
    "recursion": "def f(n): return n and f(n - 1)\nf(3)",
    "deleted and bound": "x = 1\ndel x\nx = 2\nx",
    "maybe deleted": "x = 1\nif x: del x\nx",
    "handler": "e = 1\ntry: 1\nexcept OSError as e: e\nprint(e)",
    "with": "with open('f') as f, open('g') as (g, h): f, g, h",
    "generator": "def f():\n  yield later\ng = f()\nlater = 1\nnext(g)",
    "coroutine": "async def f(): later\ng = f()\nlater = 1\nawait g",
    "deferred": "button = print\nbutton(lambda b: later)\nlater = 1",
    "kernel": "get_ipython().magic('matplotlib inline')\ndisplay(In, Out) if False else None\n__name__",
    "await": "import asyncio\nawait asyncio.sleep(0)\nasync with asyncio.timeout(1) as t: t",
    "swapped names": "a, b = 1, 2\na, b = b, a\n[*c] = a,\nc",
    "annotation": "def f():\n  x: Nowhere = 1\n  return x",
    "type checking": "from typing import TYPE_CHECKING\nif TYPE_CHECKING: x",
}  # fmt: skip


@pytest.mark.parametrize("name", MISSING)
def test_missing(name: str) -> None:
    text, expected = MISSING[name]
    assert missing(text) == expected


@pytest.mark.parametrize("name", FINE)
def test_fine(name: str) -> None:
    assert missing(FINE[name]) == []


def moved(text: str) -> list[str]:
    return [
        f"{a.name} {a.read.cell}: {[w.cell for w in a.writers]} {[w.cell for w in b.writers]}"
        for a, b in found(text).moved
    ]


MOVED = {
    "rebound": ("# %% run=1\nx = 1\n# %% run=3\nx\n# %% run=2\nx = 2", ["x 1: [0] [2]"]),
    "changed in place": ("# %% run=1\nx = []\n# %% run=3\nx\n# %% run=2\nx.append(1)", ["x 1: [0] [0, 2]"]),
    "changed through an alias": (
        "# %% run=1\nx = []\ny = x\n# %% run=3\nx\n# %% run=2\ny.append(1)", ["x 1: [0] [0, 2]"]),
    "changed by a function": (
        "# %% run=1\nx = []\ndef f(v): v.append(1)\n# %% run=3\nx\n# %% run=2\nf(x)", ["x 1: [0] [0, 2]"]),
    "read by a function": (
        "# %% run=1\nx = 1\ndef f(): return x\n# %% run=3\nf()\n# %% run=2\nx = 2", ["x 1: [0] [2]"]),
    "other function": ("# %% run=1\ndef f(): 1\n# %% run=3\nf()\n# %% run=2\ndef f(): 2", ["f 1: [0] [2]"]),
    "only the source of a difference": (
        "# %% run=1\nx = 1\n# %% run=3\ny = x\n# %% run=4\ny\n# %% run=2\nx = 2", ["x 1: [0] [3]"]),
    "independent cells": ("# %% run=2\nx = 1\n# %% run=1\ny = 2\n# %% run=3\nx, y", []),
    "same text": ("# %% run=1\nx = 1\n# %% run=3\nx\n# %% run=2\nx = 1", []),
    "same import": (
        "# %% run=1\nimport a.b as x\n# %% run=3\nx\n# %% run=2\nfrom a import b as x", []),
    "in order": ("# %% run=1\nx = 1\n# %% run=2\nx\n# %% run=3\nx = 2", []),
    "never run": ("# %%\nx = 1\n# %% run=3\nx\n# %% run=2\ny = 2", []),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_moved(name: str) -> None:
    text, expected = MOVED[name]
    assert moved(text) == expected
