"""The recorder: starts the notebook's kernel and looks at values there, without touching them.

    python recorder.py CONFIG.json -f CONNECTION_FILE [arguments of ipykernel]

It runs in the user's Python, from 3.8 on: standard library and ipykernel only; numpy and pandas are used where
the notebook has imported them.  Instrumented code calls `__nb2prod__(id, value)` and gets `value` back.  The
recorder keeps facts, never values, draws no random number, issues no warning and raises nothing.
"""

from __future__ import annotations

import json
import mmap
import os
import pickle
import random
import re
import sys
import threading
import zlib

NAME = "__nb2prod__"
SAMPLED = 1000  # hits of a site that are looked at
DESCRIBED = 16  # hits of a site whose shape, rows and columns are compared; later ones give their type only
LABELS = 500  # columns kept of one value
LABEL_BUDGET = 5000000  # characters of labels kept in a run
FINGERPRINTED = 65536  # row labels that go into a fingerprint; of more, an even choice
TEXT = 80  # characters of a string value kept
_FIELDS = ("shape", "rows", "columns", "dtypes", "value")
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/_.\-]{20,}")


class Recorder:
    """What instrumented code calls.  `config` is what `nb2prod.run` wrote for this run."""

    def __init__(self, config):
        self.config = config
        self.first_tap = config["sites"]
        self.taps = config["taps"]
        self.hits = [0] * (self.first_tap + len(self.taps))
        self.facts = {}
        self.index = {"values": {}, "metrics": {}, "random": {}}
        self.stats = {"failed": 0, "unlabelled": 0}
        self.labels_left = LABEL_BUDGET
        self.labels = {}
        self.busy = threading.local()
        self.files = {}
        self.at_start = set(sys.modules)

    def __call__(self, site, value, thunk=None):
        hits = self.hits
        hits[site] = hit = hits[site] + 1
        if hit <= SAMPLED or site >= self.first_tap:
            if not getattr(self.busy, "now", False):
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

    def __reduce__(self):
        # functions of the notebook that cloudpickle sends to workers take a stand-in with them
        return eval, ("lambda site, value, thunk=None: value",)

    # sites

    def look(self, site, value, hit):
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

    def describe(self, value):
        """Shape, labels and the like, for the types that are known to give them without side effects."""
        kind = type(value)
        if kind in (bool, int, float, str) or value is None:
            return {"value": plain(value)}
        if kind in (list, tuple, dict, set, frozenset):
            labels = None
            if kind in (list, tuple) and 0 < len(value) <= LABELS and all(type(item) is str for item in value):
                labels = self.pooled(value)
            return {"shape": (len(value),), "columns": labels}
        frame, series, index, array, scalar = _types()
        if isinstance(value, frame):
            dtypes = self.pooled([str(dtype) for dtype in value.dtypes.array[:LABELS]])
            columns = self.pooled(value.columns[:LABELS])
            return {"shape": value.shape, "rows": self.rows(value.index), "columns": columns, "dtypes": dtypes}
        if isinstance(value, series):
            columns = None if value.name is None else self.pooled([value.name])
            dtypes = self.pooled([str(value.dtype)])
            return {"shape": value.shape, "rows": self.rows(value.index), "columns": columns, "dtypes": dtypes}
        if isinstance(value, index):
            named = value.dtype.kind in "OTU" or str(value.dtype) in ("str", "string", "category")
            columns = self.pooled(value) if named and 0 < len(value) <= LABELS else None
            return {"shape": value.shape, "columns": columns, "dtypes": self.pooled([str(value.dtype)])}
        if isinstance(value, scalar):
            return {"value": plain(value.item()), "dtypes": self.pooled([str(value.dtype)])}
        if isinstance(value, array) or kind.__module__.startswith("scipy.sparse"):
            return {"shape": value.shape, "dtypes": self.pooled([str(value.dtype)])}
        return {}

    def pooled(self, labels):
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

    def rows(self, index):
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
        return "n=%d:%08x" % (len(index), zlib.crc32(data))

    # taps

    def save(self, name, thunk, metric=False, with_random=False):
        """Keeps what `thunk` returns; for code that runs after the notebook."""
        try:
            self.keep({"name": name, "metric": metric, "with_random": with_random}, None, thunk)
        except Exception:
            self.stats["failed"] += 1

    def keep(self, tap, value, thunk):
        name = tap["name"]
        values = self.index["values"]
        earlier = values.pop(name, {})
        entry = {"hits": earlier.get("hits", 0) + 1}
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
            entry["error"] = ("%s: %s" % (type(error).__name__, error))[:500]
        values[name] = entry

    def write(self, key, value):
        """Pickles a value; the file appears whole or not at all.  Says also whether it needs the notebook."""
        file = self.files.setdefault(key, "value%d.pkl" % len(self.files))
        path = os.path.join(self.config["baseline"], file)
        try:
            with open(path + ".new", "wb") as stream:
                pickle.dump(value, stream, protocol=4)
            with open(path + ".new", "rb") as stream:
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

    def finish(self):
        """Writes what was seen; called after the last cell, and when a cell fails."""
        sites = {}
        for site, fact in self.facts.items():
            entry = {name: fact[name] for name in _FIELDS if fact.get(name) is not None}
            entry["types"] = sorted({type_name(kind) for kind in fact["types"]})
            entry["varies"] = sorted(fact["varies"])
            entry["hits"] = self.hits[site]
            sites[site] = entry
        modules, packages = imported(self.at_start, self.config["imports"])
        version = ".".join(map(str, sys.version_info[:3]))
        found = {"python": version, "modules": modules, "packages": packages, "sites": sites, "stats": self.stats}
        _write_json(self.config["facts"], found)
        if self.config["baseline"]:
            index = {name: self.index[name] for name in ("values", "metrics", "random")}
            _write_json(os.path.join(self.config["baseline"], "index.json"), index)


# values


def plain(value):
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


def number(value):
    """A metric as a JSON number."""
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError("not a number: " + type_name(type(value)))
    return value


def _label(label):
    return label if type(label) is str else repr(label)


def _types():
    """DataFrame, Series, Index, ndarray, generic; a class of its own where the library is not imported."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    found = [getattr(pandas, "__dict__", {}).get(name) or Recorder for name in ("DataFrame", "Series", "Index")]
    return found + [getattr(numpy, "__dict__", {}).get(name) or Recorder for name in ("ndarray", "generic")]


def type_name(kind):
    """The public name of a type: the shortest module path that has it; private pandas types are `pandas.X`."""
    parts = kind.__module__.split(".") if isinstance(kind.__module__, str) else ["?"]
    if parts[0] == "pandas":
        return "pandas." + kind.__qualname__
    for count in range(1, len(parts) + 1):
        module = sys.modules.get(".".join(parts[:count]))
        if getattr(module, "__dict__", {}).get(kind.__name__) is kind:
            return ".".join(parts[:count]) + "." + kind.__name__
    return ".".join(parts) + "." + kind.__qualname__


def random_state():
    """Where the global random streams stand."""
    numpy_random = sys.modules.get("numpy.random")
    return {
        "random": random.getstate(),
        "numpy": None if numpy_random is None else numpy_random.get_state(),
    }


def imported(at_start, wanted):
    """Top-level modules imported by the notebook -> distribution, and distribution -> version.

    What the kernel itself had imported counts only where the notebook's text asks for it (`wanted`).
    """
    from importlib import metadata

    before = {name.partition(".")[0] for name in at_start}
    now = {name.partition(".")[0] for name in list(sys.modules)}
    names = {name for name in now if name not in before or name in wanted}
    modules, packages = {}, {}
    for distribution in metadata.distributions():
        try:
            name = distribution.metadata["Name"]
            for module in names & _top_level(distribution):
                if name and modules.setdefault(module, name) == name:
                    packages[name] = distribution.version
        except Exception:  # a broken installation is not the notebook's fault
            continue
    return modules, packages


def _top_level(distribution):
    listed = distribution.read_text("top_level.txt")
    if listed:
        return set(listed.split())
    record = distribution.read_text("RECORD") or ""
    firsts = {line.split(",", 1)[0].split("/", 1)[0] for line in record.splitlines()}
    return {first.split(".", 1)[0] for first in firsts if not first.endswith((".dist-info", ".data"))}


def _write_json(path, data):
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(data, stream, sort_keys=True, indent=1)
    os.replace(path + ".new", path)


# the kernel


class SeedOnImport:
    """Seeds a library's global generator as soon as the notebook imports it; imports nothing itself."""

    def __init__(self, seed):
        self.seeds = {
            "numpy.random": lambda module: module.seed(seed % 2**32),
            "torch": lambda module: module.manual_seed(seed),
        }

    def start(self):
        for name in list(self.seeds):
            if name in sys.modules:
                self.seeds.pop(name)(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        if name not in self.seeds:
            return None
        seed = self.seeds.pop(name)
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                execute = spec.loader.exec_module

                def exec_module(module):
                    execute(module)
                    seed(module)

                spec.loader.exec_module = exec_module
                return spec
        self.seeds[name] = seed
        return None


def guard(linked, offline):
    """Refuses writing to the originals of linked files and, offline, leaving this machine."""

    def loopback(host):
        host = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        return not host or host in ("localhost", "::1", gethostname()) or str(host).startswith("127.")

    def watch(event, args):
        if event == "open" and isinstance(args[0], str) and isinstance(args[2], int):
            if args[2] & (os.O_WRONLY | os.O_RDWR) and os.path.realpath(args[0]) in linked:
                raise PermissionError("nb2prod links this large file read-only: " + args[0])
        if not offline or not event.startswith("socket."):
            return
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1]
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            address = args
        else:
            return
        if isinstance(address, tuple) and (not loopback(address[0]) or address[1:2] == (9,)):
            raise OSError("network access is blocked by --offline (%s)" % (address[0],))

    from socket import gethostname

    sys.addaudithook(watch)


def _failing_line(shell, result):
    """The line of the running cell that failed."""
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, SyntaxError) and result.error_before_exec is not None:
        return error.lineno
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if step.tb_frame.f_globals is shell.user_ns and code.co_name == "<module>":
            break
        step = step.tb_next
    line = None
    while step is not None:
        if step.tb_frame.f_code.co_filename == code.co_filename:
            line = step.tb_lineno
        step = step.tb_next
    return line + 1 if line and code.co_filename == "<timed exec>" else line


def main(argv):
    with open(argv[0], encoding="utf-8") as stream:
        config = json.load(stream)
    log = os.open(config["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.path.pop(0)  # this file's folder
    del sys.argv[1]
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(argv[1:])
    shell = app.shell
    recorder = Recorder(config)
    sys.modules["builtins"].__dict__[NAME] = recorder  # what is left after %reset
    shell.user_ns[NAME] = shell.user_ns_hidden[NAME] = recorder

    def before_first_cell(*_):
        shell.events.unregister("pre_run_cell", before_first_cell)
        recorder.at_start = set(sys.modules)
        random.seed(config["seed"])
        SeedOnImport(config["seed"]).start()
        if config["linked"] or config["offline"]:
            guard(set(config["linked"]), config["offline"])

    def after_cell(result):
        if result.error_before_exec is not None or result.error_in_exec is not None:
            _write_json(config["failure"], {"line": _failing_line(shell, result)})
            recorder.finish()

    shell.events.register("pre_run_cell", before_first_cell)
    shell.events.register("post_run_cell", after_cell)
    app.start()


if __name__ == "__main__":
    main(sys.argv[1:])
