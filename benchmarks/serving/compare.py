"""One model behind several servers, asked for one row at a time: CPU, latency, throughput, memory, start.

    python benchmarks/serving/compare.py --work /tmp/serving --picture benchmarks/serving/comparison.svg

Each contender gets an environment of its own in `--work` and runs alone, with one process that scores.  All
use the churn example's trained forest on the same rows, and every one is first checked to answer what ours
answers.  CPU is that of all processes of the server (user and system), so a busy machine disturbs it little;
latencies it does.  The client is Python threads in one process: beyond some thousand requests a second it is
the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from asking import MARK, Connection, cpu, marked, memory, press
from picture import draw

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WARM = 1100  # requests before anything is measured: ours imports pandas for the thousandth, which it checks
OURS, BASE, FLOOR = "nb2prod's project", "FastAPI + pandas + scikit-learn", "our app, constant handler"

Row = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """How a server is installed, started and asked, and where its answer has the probability."""

    name: str
    packages: tuple[str, ...]  # beside pandas and scikit-learn; none: the project's own environment
    command: str  # with {python}, {bin}, {folder}, {port}
    path: str = "/predict"
    body: Callable[[Row], Any] = lambda row: row
    probability: Callable[[Any], float] | None = None  # None: a constant


def _odds(answer: Any) -> float:
    return float(answer["probability"])


UVICORN = ("fastapi", "uvicorn", "uvloop", "httptools")
CONTENDERS = (
    Contender(
        OURS,
        (),
        "{python} -m churn serve --project {folder}/project --port {port}",
        probability=lambda answer: float(answer["predictions"][0]["probabilities"]["1"]),
    ),
    Contender(BASE, UVICORN, "{python} fastapi_app.py {folder} {port}", probability=_odds),
    Contender(
        "mlflow models serve",
        (),
        "{bin}/mlflow models serve -m {folder}/mlflow --port {port} --env-manager local --workers 1",
        "/invocations",
        lambda row: {"dataframe_records": [row]},
        lambda answer: float(answer["predictions"][0]["probability"]),
    ),
    Contender(
        "BentoML",
        ("bentoml",),
        "{bin}/bentoml serve bentoml_app:Churn --port {port}",
        body=lambda row: {"row": row},
        probability=_odds,
    ),
    Contender("LitServe", ("litserve",), "{python} litserve_app.py {folder} {port}", probability=_odds),
    Contender("Ray Serve", ("ray[serve]",), "{python} ray_app.py {folder} {port}", probability=_odds),
    Contender(FLOOR, (), "{python} ours_constant.py {folder} {port}"),
    Contender("FastAPI, constant", UVICORN, "{python} fastapi_constant.py {folder} {port}"),
    Contender("raw ASGI, constant", UVICORN, "{python} asgi_constant.py {folder} {port}"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="environments, the trained project, logs")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each of the two measurements")
    parser.add_argument("--only", nargs="*", help="parts of names of contenders")
    parser.add_argument(
        "--estimator", default="", help="in place of the forest: sklearn.naive_bayes.GaussianNB"
    )
    parser.add_argument("--picture", type=Path, help="SVG to write")
    parser.add_argument("--json", type=Path, help="file for the figures")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    own = environment(work / "venv-project", ["--editable", str(ROOT / "generated" / "churn")])
    subprocess.run([own, str(HERE / "prepare.py"), str(work), given.estimator], check=True)
    rows: list[Row] = json.loads((work / "rows.json").read_text())
    expected: list[float] = []
    found = []
    for contender in CONTENDERS:
        if given.only and not any(part in contender.name for part in given.only):
            continue
        print(f"{contender.name} ...", file=sys.stderr, flush=True)
        try:
            found.append(measured(contender, work, own, rows, expected, given.seconds))
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            print(f"  not measured: {error}", file=sys.stderr)
    print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    if given.picture:
        given.picture.write_text(draw(found, OURS, BASE))


def environment(folder: Path, packages: list[str]) -> str:
    """The Python of an environment with these packages; made once."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        uv = shutil.which("uv")
        make = [uv, "venv", "--quiet", "--clear"] if uv else [sys.executable, "-m", "venv", "--clear"]
        install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
        subprocess.run([*make, folder], check=True)
        subprocess.run([*install, "--quiet", *packages], check=True)
        (folder / "done").touch()
    return str(python)


def measured(
    contender: Contender, work: Path, own: str, rows: list[Row], expected: list[float], seconds: float
) -> dict[str, Any]:
    """The figures of one contender; `expected` takes the answers of the first and judges the others."""
    python = own
    if contender.packages:
        packages = [*contender.packages, *pins(own)]
        python = environment(work / f"venv-{packages[0].partition('[')[0]}", packages)
    bodies = [json.dumps(contender.body(row)).encode() for row in rows[:500]]
    with running(contender, work, python) as (port, mark, begun):
        connection = ready(contender, port, mark, bodies[0], begun)
        figures: dict[str, Any] = {"name": contender.name}
        figures |= {"start_s": time.perf_counter() - begun, "start_cpu_s": cpu(mark)}
        warm(connection, bodies, mark)
        if contender.probability:
            told = [contender.probability(json.loads(connection.ask(body)[1])) for body in bodies[:50]]
            expected[:] = expected or told
            worst = max(abs(a - b) for a, b in zip(told, expected, strict=True))
            assert worst < 1e-9, f"its answers differ by {worst}"
        connection.close()
        one = press(port, contender.path, bodies, 1, seconds, mark)
        eight = press(port, contender.path, bodies, 8, seconds, mark)
        assert not one.failed + eight.failed, f"{one.failed + eight.failed} requests failed"
        figures |= {
            "requests": one.requests,
            "cpu_ms": 1000 * one.cpu / one.requests,
            "p50_ms": one.ms(0.5),
            "p99_ms": one.ms(0.99),
            "per_s": eight.requests / eight.seconds,
            "cpu_ms_8": 1000 * eight.cpu / eight.requests,
            "memory_mb": memory(mark),
        }
    return figures


def warm(connection: Connection, bodies: list[bytes], mark: str) -> None:
    """Ask until everything has been done once, and wait until what that started has ended."""
    for body in islice(cycle(bodies), WARM):
        connection.ask(body)
    used = -1.0
    while cpu(mark) - used > 0.05:
        used = cpu(mark)
        time.sleep(1)


def pins(own: str) -> list[str]:
    """pandas and scikit-learn in the versions that the project has."""
    names = ("joblib", "numpy", "pandas", "scikit-learn")
    script = "import sys, importlib.metadata as m; print(*(f'{n}=={m.version(n)}' for n in sys.argv[1:]))"
    command = [own, "-c", script, *names]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


@contextmanager
def running(contender: Contender, work: Path, python: str) -> Iterator[tuple[int, str, float]]:
    """The server as processes that carry a mark; ended with all that they started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {"python": python, "bin": Path(python).parent, "folder": work, "port": port}
    mark = uuid.uuid4().hex
    environment = {**os.environ, MARK: mark, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment |= {"PYTHONPATH": str(work / "project" / "src")}  # the code that was trained
    environment |= {"BENCH_FOLDER": str(work), "PATH": f"{Path(python).parent}:{os.environ['PATH']}"}
    name = "".join(letter if letter.isalnum() else "-" for letter in contender.name)
    with (work / f"{name}.log").open("w") as log:
        begun = time.perf_counter()
        subprocess.Popen(
            contender.command.format(**places).split(),
            cwd=HERE / "contenders",
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield port, mark, begun
        finally:
            for process in marked(mark):
                process.terminate()
            time.sleep(2)
            for process in marked(mark):
                process.kill()


def ready(contender: Contender, port: int, mark: str, body: bytes, begun: float) -> Connection:
    """A connection on which the first row was answered."""
    while marked(mark) and time.perf_counter() - begun < 240:
        try:
            connection = Connection(port, contender.path)
            if connection.ask(body)[0] == 200:
                return connection
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("it ended, or gave no answer in four minutes; its log is in the work folder")


def table(found: list[dict[str, Any]]) -> str:
    """The figures, and CPU a request beside what most people would write and beside our floor."""
    cost = {one["name"]: one["cpu_ms"] for one in found}
    lines = [
        "| | CPU a request | p50 | p99 | requests/s (8 at a time) | memory | start: s, CPU s "
        "| CPU against pandas | against our floor |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        less = f"{cost[BASE] / one['cpu_ms']:.3g} times less" if BASE in cost else ""
        more = f"{one['cpu_ms'] / cost[FLOOR]:.3g} times" if FLOOR in cost else ""
        lines.append(
            f"| {one['name']} | {one['cpu_ms']:.3f} ms | {one['p50_ms']:.2f} ms | {one['p99_ms']:.2f} ms "
            f"| {one['per_s']:.0f} | {one['memory_mb']:.0f} MB "
            f"| {one['start_s']:.1f}, {one['start_cpu_s']:.1f} | {less} | {more} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
