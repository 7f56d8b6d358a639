"""The recorder: looks at the values of a running notebook without touching them.

Instrumented code calls `__nb2prod__(id, value)` and gets `value` back.  This runs in the user's Python, from
3.8 on, with the standard library; numpy and pandas are used where the notebook has imported them.  The
recorder keeps facts, never values (but for taps), draws no random number, issues no warning, raises nothing.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import pickle
import random
import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterable
from typing import Any

SAMPLED = 1000  # hits of a site that are looked at
DESCRIBED = 16  # hits of a site whose shape, rows and columns are compared; later ones give their type only
LABELS = 500  # columns kept of one value
FEW = 50  # strings in a list that are kept although no frame has such columns
LABEL_BUDGET = 5000000  # characters of labels kept in a run
FINGERPRINTED = 65536  # row labels that go into a fingerprint; of more, an even choice
TEXT = 80  # characters of a string value kept
_FIELDS = ("shape", "rows", "columns", "dtypes", "value")
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/_.\-]{20,}")


class Recorder:
    """What instrumented code calls.  `config` is what `nb2prod.run` wrote for this run."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.first_tap: int = config["sites"]
        self.taps: list[dict[str, Any]] = config["taps"]
        self.hits = [0] * (self.first_tap + len(self.taps))
        self.facts: dict[int, dict[str, Any]] = {}
        self.index: dict[str, dict[str, Any]] = {"values": {}, "metrics": {}, "random": {}}
        self.stats = {"failed": 0, "unlabelled": 0}
        self.labels_left = LABEL_BUDGET
        self.columns: set[Any] = set()
        self.labels: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.busy = threading.local()
        self.files: dict[str, str] = {}
        self.aside: dict[str, dict[str, Any]] = {}
        self.at_start = set(sys.modules)

    def __call__(self, site: int, value: Any, thunk: Callable[[], Any] | None = None) -> Any:
        hits = self.hits
        hits[site] = hit = hits[site] + 1
        if (hit <= SAMPLED or site >= self.first_tap) and not getattr(self.busy, "now", False):
            self.busy.now = True
            try:
                if site < self.first_tap:
                    self.look(site, value, hit)
                else:
                    self.keep(self.taps[site - self.first_tap], value, thunk)
            except Exception:
                self.stats["failed"] += 1
            finally:
                self.busy.now = False
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        # functions of the notebook that cloudpickle sends to workers take a stand-in with them
        return eval, ("lambda site, value, thunk=None: value",)

    # sites

    def look(self, site: int, value: Any, hit: int) -> None:
        fact = self.facts.get(site)
        kind = type(value)
        if fact is None:
            fact = self.facts[site] = {"types": {kind: None}, "varies": set()}
            fact.update(self.describe(value))
            return
        if kind not in fact["types"] and len(fact["types"]) < 10:
            fact["types"][kind] = None
        if hit <= DESCRIBED:
            now = self.describe(value)
            fact["varies"].update(name for name in _FIELDS if fact.get(name) != now.get(name))

    def describe(self, value: Any) -> dict[str, Any]:
        """Shape, labels and the like, for the types that are known to give them without side effects."""
        kind = type(value)
        if kind in (bool, int, float, str) or value is None:
            return {"value": plain(value)}
        if kind in (list, tuple, dict, set, frozenset):
            labels = self.names(value) if kind in (list, tuple) else []
            return {"shape": (len(value),), "columns": self.pooled(labels) if labels else None}
        return self.describe_table(value)

    def describe_table(self, value: Any) -> dict[str, Any]:
        frame, series, index, array, scalar = _types()
        if isinstance(value, frame):
            dtypes, columns = value.dtypes.array[:LABELS], value.columns[:LABELS].tolist()
            self.columns.update(columns)
            return {**self.described(value, dtypes, columns), "rows": self.rows(value.index)}
        if isinstance(value, series):
            columns = [] if value.name is None else [value.name]
            return {**self.described(value, [value.dtype], columns), "rows": self.rows(value.index)}
        if isinstance(value, index):
            labels = self.names(value.tolist()) if len(value) <= LABELS else []
            return self.described(value, [value.dtype], labels)
        if isinstance(value, scalar):
            return {"value": plain(value.item()), "dtypes": self.pooled([value.dtype])}
        if isinstance(value, array) or type(value).__module__.startswith("scipy.sparse"):
            return self.described(value, [value.dtype], [])
        return {}

    def described(self, value: Any, dtypes: Any, columns: Any) -> dict[str, Any]:
        labels = self.pooled(columns) if len(columns) else None
        return {"shape": value.shape, "columns": labels, "dtypes": self.pooled(dtypes)}

    def names(self, labels: Any) -> list[Any]:
        """Labels that may be columns: those of a frame met before, or a few harmless strings."""
        if not 0 < len(labels) <= LABELS or not all(isinstance(label, (str, int)) for label in labels):
            return []
        few = len(labels) <= FEW and all(isinstance(label, str) and plain(label) for label in labels)
        return list(labels) if few or all(label in self.columns for label in labels) else []

    def pooled(self, labels: Iterable[Any]) -> tuple[str, ...] | None:
        """Labels as one shared tuple of strings, while the budget lasts."""
        texts = tuple(str(label) for label in labels)
        known = self.labels.get(texts)
        if known is None:
            self.labels_left -= sum(map(len, texts))
            if self.labels_left < 0:
                self.stats["unlabelled"] += 1
                return None
            known = self.labels[texts] = texts
        return known

    def rows(self, index: Any) -> str:
        """A fingerprint of row labels that is the same in every process."""
        step = max(1, -(-len(index) // FINGERPRINTED))
        name = type(index).__name__
        numpy = sys.modules["numpy"]
        if name == "RangeIndex":
            labels = numpy.arange(index.start, index.stop, index.step)[::step]
        elif name == "MultiIndex":
            labels = None
        else:
            labels = numpy.asarray(index[::step])
        if labels is not None and labels.dtype.kind in "iub":
            data = labels.astype("int64").tobytes()
        elif labels is not None and labels.dtype.kind in "fmM":
            data = labels.tobytes()
        else:
            texts = map(_label, index[::step].tolist())
            data = "\x1f".join(texts).encode("utf-8", "surrogatepass")
        return f"n={len(index)}:{zlib.crc32(data):08x}"

    # taps

    def save(
        self, name: str, thunk: Callable[[], Any], metric: bool = False, with_random: bool = False
    ) -> None:
        """Keeps what `thunk` returns; for code that runs after the notebook."""
        try:
            tap = {"name": name, "metric": metric, "with_random": with_random, "streams": ()}
            self.keep(tap, None, thunk)
        except Exception:
            self.stats["failed"] += 1

    def keep(self, tap: dict[str, Any], value: Any, thunk: Callable[[], Any] | None) -> None:
        name = tap["name"]
        if tap["streams"]:
            self.set_aside(name, tap["streams"])
            return
        values = self.index["values"]
        earlier = values.pop(name, {})
        entry: dict[str, Any] = {"hits": earlier.get("hits", 0) + 1}
        try:
            if tap["with_random"]:
                self.index["random"][name] = self.write(name + "/random", random_state())[0]
            if thunk is not None:
                value = thunk()
            entry["type"] = type_name(type(value))
            if tap["metric"]:
                self.index["metrics"][name] = number(value)
                return
            entry["file"], entry["needs_main"] = self.write(name, value)
            shape = getattr(value, "shape", None)
            if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape):
                entry["shape"] = list(shape)
        except Exception as error:
            entry["error"] = f"{type(error).__name__}: {error}"[:500]
        values[name] = entry

    def set_aside(self, name: str, streams: Iterable[str]) -> None:
        """Keeps where the random streams stand; the second time, puts them back there."""
        kept = self.aside.pop(name, None)
        if kept is None:
            self.aside[name] = random_state()
            return
        put_back({stream: kept[stream] for stream in streams})

    def write(self, key: str, value: Any) -> tuple[str, bool]:
        """Pickles a value; the file appears whole or not at all.  Says also whether it needs the notebook."""
        file = self.files.setdefault(key, f"value{len(self.files)}.pkl")
        path = os.path.join(self.config["baseline"], file)
        try:
            with open(path + ".new", "w+b") as stream:
                pickle.dump(value, stream, protocol=4)
                stream.flush()
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    needs_main = data.find(b"__main__") >= 0
            os.replace(path + ".new", path)
        except BaseException:
            for left in (path + ".new", path):
                if os.path.exists(left):
                    os.remove(left)
            raise
        return file, needs_main

    # the end of a run

    def finish(self) -> None:
        """Writes what was seen; called after the last cell, and when a cell fails."""
        sites: dict[int, dict[str, Any]] = {}
        for site, fact in self.facts.items():
            entry = {name: fact[name] for name in _FIELDS if fact.get(name) is not None}
            entry["types"] = sorted({type_name(kind) for kind in fact["types"]})
            entry["varies"] = sorted(fact["varies"])
            entry["hits"] = self.hits[site]
            sites[site] = entry
        modules, packages = imported(self.at_start, self.config["imports"])
        version = ".".join(map(str, sys.version_info[:3]))
        found = {"python": version, "modules": modules, "packages": packages, "stats": self.stats}
        self.write_json(self.config["facts"], {**found, "sites": sites})
        if self.config["baseline"]:
            index = {name: self.index[name] for name in ("values", "metrics", "random")}
            self.write_json(os.path.join(self.config["baseline"], "index.json"), index)

    @staticmethod
    def write_json(path: str, data: Any) -> None:
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump(data, stream, sort_keys=True, indent=1)
        os.replace(path + ".new", path)


# values


def plain(value: Any) -> str | int | float | bool | None:
    """A scalar that may stand in a trace: small, no path, nothing that looks like a secret."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, str):
        if len(value) > TEXT or "/" in value or "\\" in value or _TOKEN.search(value):
            return None
        return None if len(value) > 5 and value in os.environ.values() else value
    if isinstance(value, int):
        return value if -(2**53) < value < 2**53 else None
    return None


def number(value: Any) -> bool | int | float:
    """A metric as a JSON number."""
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError("not a number: " + type_name(type(value)))
    return value


def _label(label: object) -> str:
    return label if isinstance(label, str) else repr(label)


def _types() -> list[Any]:
    """DataFrame, Series, Index, ndarray, generic; our own class stands for what is not imported."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    names = (
        (pandas, "DataFrame"),
        (pandas, "Series"),
        (pandas, "Index"),
        (numpy, "ndarray"),
        (numpy, "generic"),
    )
    return [getattr(module, "__dict__", {}).get(name) or Recorder for module, name in names]


def type_name(kind: type) -> str:
    """The public name of a type: the shortest module path that has it.  All of pandas is `pandas.X`.

    Matplotlib before 3.7 makes the types of subplots while it runs, and no module has them.
    """
    parts = kind.__module__.split(".") if isinstance(kind.__module__, str) else ["?"]
    if parts[0] == "pandas":
        return "pandas." + kind.__qualname__
    if kind.__module__ == "matplotlib.axes._subplots":
        return "matplotlib.axes.Axes"
    name, full_name = kind.__name__, ".".join(parts) + "." + kind.__qualname__
    for count in range(1, len(parts) + 1):
        module = sys.modules.get(".".join(parts[:count]))
        if getattr(module, "__dict__", {}).get(name) is kind:
            return ".".join(parts[:count]) + "." + name
    return full_name


def random_state() -> dict[str, Any]:
    """Where the global random streams stand."""
    numpy_random, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    return {
        "random": random.getstate(),
        "numpy": None if numpy_random is None else numpy_random.get_state(),
        "torch": None if torch is None else torch.get_rng_state().numpy(),
    }


def put_back(states: dict[str, Any]) -> None:
    """Sets global random streams, by the names of `random_state`, to where they stood."""
    if states.get("random") is not None:
        random.setstate(states["random"])
    if states.get("numpy") is not None:
        importlib.import_module("numpy.random").set_state(states["numpy"])
    if states.get("torch") is not None:
        torch = importlib.import_module("torch")
        torch.set_rng_state(torch.from_numpy(states["torch"]))


def imported(at_start: set[str], wanted: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Top-level modules imported by the notebook -> distribution, and distribution -> version.

    What the kernel itself had imported counts only where the notebook's text asks for it (`wanted`).
    """
    from importlib import metadata

    before = {name.partition(".")[0] for name in at_start}
    now = {name.partition(".")[0] for name in list(sys.modules)}
    names = {name for name in now if name not in before or name in wanted}
    modules: dict[str, str] = {}
    packages: dict[str, str] = {}
    for distribution in metadata.distributions():
        try:
            name = distribution.metadata["Name"]
            for module in names & _top_level(distribution):
                if name and modules.setdefault(module, name) == name:
                    packages[name] = distribution.version
        except Exception:  # a broken installation is not the notebook's fault
            continue
    return modules, packages


def _top_level(distribution: Any) -> set[str]:
    listed = distribution.read_text("top_level.txt")
    if listed:
        return set(listed.split())
    record = distribution.read_text("RECORD") or ""
    firsts = {line.split(",", 1)[0].split("/", 1)[0] for line in record.splitlines()}
    return {first.split(".", 1)[0] for first in firsts if not first.endswith((".dist-info", ".data"))}
