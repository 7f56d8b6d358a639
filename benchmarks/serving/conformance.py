"""Schemathesis against the service of every example: no 5xx, and every answer as its OpenAPI says.

    pip install schemathesis
    python benchmarks/serving/conformance.py --work /tmp/examples --examples 300

Each example is compiled and trained in `--work` (once) and served on a port of its own.  Schemathesis makes
requests from the service's own OpenAPI: valid, invalid and in sequences.  Exit code 1 if it finds anything.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples" / "notebooks"
EXAMPLES = ("churn", "house_prices", "reviews_text", "segments", "titanic_twins")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--examples", type=int, default=100, help="requests that it makes for each operation")
    parser.add_argument("--only", nargs="*", default=EXAMPLES, choices=EXAMPLES)
    parser.add_argument("--schemathesis", default="schemathesis", help="the command")
    given = parser.parse_args()
    bad = []
    for name in given.only:
        project = trained(name, given.work.resolve())
        with served(name, project) as url:
            command = [given.schemathesis, "run", f"{url}/openapi.json", "--checks", ",".join(CHECKS)]
            command += ["--max-examples", str(given.examples), "--seed", "1", "--generation-database", "none"]
            print(f"== {name}", flush=True)
            if subprocess.run(command, check=False).returncode:
                bad.append(name)
    print(f"found something: {', '.join(bad)}" if bad else "nothing found")
    return 1 if bad else 0


def trained(name: str, work: Path) -> Path:
    """The project of an example, compiled and trained unless it is there."""
    project = work / name
    if not (project / "mlflow.db").exists():
        compiled = [
            "-m",
            "nb2prod",
            "compile",
            str(NOTEBOOKS / f"{name}.ipynb"),
            "-o",
            str(project),
            "--force",
        ]
        subprocess.run([sys.executable, *compiled], check=True)
        train = [sys.executable, "-m", name, "train"]
        subprocess.run(train, check=True, cwd=project, env=environment(project))
    return project


def environment(project: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1"}


@contextmanager
def served(name: str, project: Path) -> Iterator[str]:
    """The address of the running service."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (project / "serve.log").open("w") as log:
        command = [sys.executable, "-m", name, "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=project, env=environment(project), stdout=log, stderr=log)
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while time.monotonic() < until and process.poll() is None:
            try:
                urllib.request.urlopen(f"{url}/ready", timeout=5).close()
                break
            except OSError:
                time.sleep(0.3)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(main())
