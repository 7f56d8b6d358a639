"""The recorder, in this process: what it notes, and that it changes nothing."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core import pylabtools

from nb2prod.injected import recorder as injected
from nb2prod.injected.recorder import Recorder, imported, plain, type_name
from nb2prod.injected.start_kernel import OnImport, meets_new_kernel, seeding


def recorder(tmp_path: Path, sites: int = 1, taps: list[dict[str, Any]] | None = None) -> Recorder:
    facts = str(tmp_path / "facts.json")
    return Recorder(
        {"sites": sites, "taps": taps or [], "baseline": str(tmp_path), "imports": [], "facts": facts}
    )


def fact(tmp_path: Path, *values: Any) -> dict[str, Any]:
    """What is written about one site that had these values."""
    calls = recorder(tmp_path)
    for value in values:
        assert calls(0, value) is value
    calls.finish()
    assert calls.stats["failed"] == 0
    found: dict[str, Any] = json.loads((tmp_path / "facts.json").read_text())["sites"]["0"]
    return found


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], 3: [0.5, None, 1.5]})


def test_frames(tmp_path: Path) -> None:
    found = fact(tmp_path, FRAME)
    assert found["types"] == ["pandas.DataFrame"]
    assert (found["shape"], found["columns"]) == ([3, 3], ["a", "b", "3"])
    assert found["dtypes"][0] == "int64"
    assert found["rows"].startswith("n=3:")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (FRAME["a"], {"types": ["pandas.Series"], "shape": [3], "columns": ["a"], "dtypes": ["int64"]}),
        (FRAME.columns[:2], {"types": ["pandas.Index"], "shape": [2], "columns": ["a", "b"]}),
        (FRAME.columns, {"types": ["pandas.Index"], "shape": [3], "columns": None}),
        (FRAME.groupby("b"), {"types": ["pandas.DataFrameGroupBy"]}),
        (np.zeros((2, 3)), {"types": ["numpy.ndarray"], "shape": [2, 3], "dtypes": ["float64"]}),
        (np.float64(2.5), {"types": ["numpy.float64"], "value": 2.5}),
        (np.float64("nan"), {"types": ["numpy.float64"]}),
        (True, {"types": ["builtins.bool"], "value": True}),
        (None, {"types": ["builtins.NoneType"]}),
        (["a", "b"], {"types": ["builtins.list"], "shape": [2], "columns": ["a", "b"]}),
        (["a", 1], {"types": ["builtins.list"], "shape": [2]}),
        (len, {"types": ["builtins.builtin_function_or_method"]}),
    ],
)
def test_kinds_of_values(tmp_path: Path, value: Any, expected: dict[str, Any]) -> None:
    found = fact(tmp_path, value)
    assert {key: found.get(key) for key in expected} == expected


def test_later_hits_say_what_varies(tmp_path: Path) -> None:
    found = fact(tmp_path, FRAME, FRAME[1:], FRAME["a"], 1)
    assert found["types"] == ["builtins.int", "pandas.DataFrame", "pandas.Series"]
    assert found["varies"] == ["columns", "dtypes", "rows", "shape", "value"]
    assert found["hits"] == 4 and found["shape"] == [3, 3]


def test_a_site_is_sampled(tmp_path: Path) -> None:
    found = fact(tmp_path, *range(injected.SAMPLED), "late")
    assert found["hits"] == injected.SAMPLED + 1
    assert found["types"] == ["builtins.int"]


def test_rows_name_the_labels(tmp_path: Path) -> None:
    rows = recorder(tmp_path).rows
    assert rows(pd.RangeIndex(3)) == rows(pd.Index([0, 1, 2])) == rows(pd.Index([0, 1, 2], dtype="int32"))
    assert rows(pd.Index(["a", "b"])) == rows(pd.Index(["a", "b"], dtype=object))
    distinct = [
        pd.RangeIndex(3), pd.Index([0, 1]), pd.Index([2, 1, 0]), pd.Index([0.0, 1.0, 2.5]),
        pd.Index(["0", "1", "2"]),
        pd.date_range("2024-01-01", periods=3), pd.date_range("2024-01-01", periods=3, tz="UTC"),
        pd.MultiIndex.from_product([[0, 1], ["a"]]), pd.CategoricalIndex(["u", "v"]),
        pd.period_range("2024", periods=2),
    ]  # fmt: skip
    assert len({rows(index) for index in distinct}) == len(distinct)
    big = pd.RangeIndex(1_000_000)
    assert rows(big) == rows(pd.Index(np.arange(1_000_000))) != rows(big[:-1])


def test_no_private_text_in_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "correct horse")
    for text in (
        "/home/me/data.csv",
        "C:\\data",
        "correct horse",
        "x" * 81,
        "AKIA1234567890ABCDEF1234",
        2**60,
    ):
        assert plain(text) is None
    for value in ("Embarked", "S", 3, 2.5, False):
        assert plain(value) == value


def test_lists_of_strings_are_column_names_or_few(tmp_path: Path) -> None:
    wide = pd.DataFrame({f"c{number}": [0] for number in range(60)})
    names, other = list(wide.columns), [f"person {number}" for number in range(60)]
    calls = recorder(tmp_path)
    assert calls.names(names) == [] == calls.names(other)
    calls(0, wide)
    calls(0, FRAME)
    assert calls.names(FRAME.columns.tolist()) == ["a", "b", 3]
    assert calls.names(names) == names and calls.names(other) == []
    assert calls.names(other[:3]) == other[:3] and calls.names(["a", "/home/me"]) == []


def test_labels_have_a_budget(tmp_path: Path) -> None:
    calls = recorder(tmp_path)
    calls.labels_left = 3
    assert calls.pooled(["ab"]) == ("ab",) and calls.pooled(["ab"]) == ("ab",)
    assert calls.pooled(["cde"]) is None and calls.stats["unlabelled"] == 1


class Odd:
    """Everything about it fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __len__(self) -> int:
        raise RuntimeError("len")

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    __eq__ = __hash__ = __reduce__ = __repr__  # type: ignore[assignment]


class OddList(list):  # type: ignore[type-arg]
    __len__ = Odd.__len__


def test_it_never_raises_and_disturbs_nothing(tmp_path: Path) -> None:
    taps = [
        {"name": "t", "metric": False, "with_random": True, "streams": ()},
        {"name": "m", "metric": True, "with_random": False, "streams": ()},
    ]
    calls = recorder(tmp_path, 1, taps)
    random.seed(1), np.random.seed(1)
    before = (random.getstate(), np.random.get_state()[1].tolist())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for value in (Odd(), OddList(), FRAME, FRAME.to_numpy(), type, sys, iter([]), Odd):
            assert calls(0, value) is value
            assert calls(1, value) is value
            assert calls(2, value) is value
        calls(1, None, lambda: missing)  # type: ignore[name-defined]  # noqa: F821
    assert not caught
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert calls.index["values"]["t"]["error"].startswith("NameError")


def test_no_change_to_chained_assignment() -> None:
    """pandas counts references to tell a temporary: the recorder must not hold one."""
    calls = Recorder({"sites": 2, "taps": [], "baseline": "", "imports": []})

    def warned(call: Any) -> list[str]:
        frame = FRAME.copy()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(1, call(0, frame)["a"])[frame["a"] > 1] = 0
        return [warning.category.__name__ for warning in caught]

    assert warned(calls) == warned(lambda site, value: value)


# taps


def test_taps_keep_copies(tmp_path: Path) -> None:
    taps = [
        {"name": name, "metric": name == "m", "with_random": name == "x", "streams": ()}
        for name in ("x", "m", "bad")
    ]
    calls = recorder(tmp_path, 0, taps)
    frame = FRAME.copy()
    calls(0, frame)
    calls(0, frame)
    frame["a"] = 0
    calls(1, np.float64(0.75))
    calls(2, (i for i in ()))
    calls.save("later", lambda: [1])
    calls.finish()
    index = json.loads((tmp_path / "index.json").read_text())
    entry = index["values"]["x"]
    assert (entry["type"], entry["shape"], entry["hits"], entry["needs_main"]) == (
        "pandas.DataFrame",
        [3, 3],
        2,
        False,
    )
    assert pickle.loads((tmp_path / entry["file"]).read_bytes()).equals(FRAME)
    assert index["metrics"] == {"m": 0.75}
    assert index["values"]["bad"]["error"].startswith("TypeError")
    assert set(pickle.loads((tmp_path / index["random"]["x"]).read_bytes())) == {"random", "numpy", "torch"}
    assert pickle.loads((tmp_path / index["values"]["later"]["file"]).read_bytes()) == [1]
    assert not list(tmp_path.glob("*.new"))


def test_values_of_the_notebooks_own_types_are_marked(tmp_path: Path) -> None:
    code = (
        "import sys; from nb2prod.injected.recorder import Recorder\n"
        "class Own: pass\n"
        f"r = Recorder({{'sites': 0, 'taps': [], 'baseline': {str(tmp_path)!r}, 'imports': []}})\n"
        "r.save('own', Own)\nassert r.index['values']['own']['needs_main'], r.index\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# the process


def test_functions_sent_to_workers_take_a_stand_in(tmp_path: Path) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    names: dict[str, Any] = {"__nb2prod__": recorder(tmp_path), "__name__": "__main__"}
    exec("def f(x):\n    return __nb2prod__(0, x + 1)", names)
    sent = cloudpickle.dumps(names["f"])
    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())(2))"
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True)
    assert done.stdout.split() == [b"3"]


def test_seeds_wait_for_the_import() -> None:
    code = (
        "import sys; from nb2prod.injected.start_kernel import OnImport, seeding\n"
        "OnImport(seeding(7)).start(); assert 'numpy' not in sys.modules\n"
        "import numpy as np; print(np.random.rand())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    np.random.seed(7)
    assert float(done.stdout) == np.random.rand()
    state = np.random.get_state()
    finder = OnImport(seeding(3))
    try:
        finder.start()
        assert np.random.rand() == np.random.RandomState(3).rand()
    finally:
        sys.meta_path.remove(finder)  # type: ignore[arg-type]
        np.random.set_state(state)


def test_packages_by_module() -> None:
    modules, packages = imported({name for name in sys.modules if not name.startswith("pandas")}, ["numpy"])
    assert modules["pandas"] == "pandas" and packages["pandas"] == pd.__version__
    assert packages["numpy"] == np.__version__
    assert "json" not in modules and "pytest" not in modules


def test_public_names_of_types() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline

    assert type_name(RandomForestClassifier) == "sklearn.ensemble.RandomForestClassifier"
    assert type_name(Pipeline) == "sklearn.pipeline.Pipeline"
    assert type_name(type(FRAME.index)) == "pandas.RangeIndex"
    made = type("AxesSubplot", (), {"__module__": "matplotlib.axes._subplots"})
    assert type_name(made) == "matplotlib.axes.Axes"
    assert type_name(Path) in ("pathlib.Path", "pathlib._local.Path")


def test_offline_and_linked_files(tmp_path: Path) -> None:
    original = tmp_path / "big.csv"
    original.write_text("a")
    (tmp_path / "link.csv").symlink_to(original)
    code = f"""
import socket, urllib.request
from nb2prod.injected.start_kernel import guard
guard([{str(original)!r}], True)
for attempt in (
    lambda: socket.create_connection(("example.com", 80), 2),
    lambda: socket.create_connection(("10.1.2.3", 80), 2),
    lambda: urllib.request.urlopen("http://example.org/"),
    lambda: open({str(tmp_path / "link.csv")!r}, "w"),
):
    try:
        attempt()
        print("done")
    except OSError as error:
        print(error)
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
socket.create_connection(server.getsockname()).close()
print(open({str(tmp_path / "link.csv")!r}).read())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert all("blocked by --offline" in line for line in lines[:3]), lines
    assert "read-only" in lines[3] and lines[4] == "a"


def test_an_old_matplotlib_meets_a_new_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    class RcParams(dict[str, str]):
        pass

    monkeypatch.delattr(pylabtools, "backend2gui", raising=False)
    meets_new_kernel(SimpleNamespace(RcParams=RcParams))
    assert pylabtools.backend2gui == {}
    assert RcParams(backend="agg")._get("backend") == "agg"  # type: ignore[attr-defined]
