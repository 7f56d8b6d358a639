"""Hostile requests against a running service: no 5xx, no crash, and memory that stays flat.

    python -m churn serve --port 8000 &
    python benchmarks/serving/hostile.py http://127.0.0.1:8000 --pid $! --requests 1000000

The requests are drawn from a seed: random bytes, cut and nested JSON, wrong types, huge numbers, NaN, lone
surrogates, unknown and endless columns, CSV with too many of everything, damaged HTTP.  Valid rows are the
service's own examples.  Requests go out in groups on one connection, because a client that waits for each one
is slower than the service.  Exit code 1 if one got a 5xx or no answer, or if memory grew.
"""

from __future__ import annotations

import argparse
import copy
import http.client
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

VALUES: list[Any] = [
    None, True, False, 0, -1, 2**63, 10**30, 10**400, -(10**400), 1e308, -0.0, 5e-324, float("nan"),
    float("inf"),
    "", " ", "\x00", "\ud800", "\udfff x", "é" * 50, "x" * 5_000, "NaN", "1e999", "2020-99-99", "0001-01-01",
    "9999-12-31T23:59:59", "<script>", "'; drop table", [], {}, [[1]], {"a": {"b": [1]}}, [None] * 100,
]  # fmt: skip
GROWTH = 1.15  # of memory, from after the first tenth to the end
GROUP = 50  # requests that are sent before the first answer is read

Body = tuple[bytes, str]


def as_json(value: Any) -> Body:
    return json.dumps(value).encode(), "application/json"


def random_bytes(draw: random.Random, rows: list[Any]) -> Body:
    return draw.randbytes(draw.randint(0, 3_000)), draw.choice(["application/json", "text/csv", "x", ""])


def damaged_json(draw: random.Random, rows: list[Any]) -> Body:
    text = bytearray(json.dumps(draw.choice(rows)).encode())
    for _ in range(draw.randint(1, 8)):
        text[draw.randrange(len(text))] = draw.randrange(256)
    return bytes(text[: draw.randint(1, len(text))] if draw.random() < 0.3 else text), "application/json"


def deep_json(draw: random.Random, rows: list[Any]) -> Body:
    deep = draw.choice([10, 900, 5_000, 100_000])
    return draw.choice([b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep]), "application/json"


def wrong_values(draw: random.Random, rows: list[Any]) -> Body:
    row = copy.deepcopy(draw.choice(rows))
    for column in draw.sample(list(row), draw.randint(1, len(row))):
        row[column] = draw.choice(VALUES)
    return as_json(draw.choice([row, [row] * draw.randint(1, 5), {"rows": [row, draw.choice(VALUES)]}]))


def strange_columns(draw: random.Random, rows: list[Any]) -> Body:
    row = copy.deepcopy(draw.choice(rows))
    for _ in range(draw.randint(1, 50)):
        row[draw.choice(["", "id", "\ud800", "__class__", str(draw.random())])] = draw.choice(VALUES)
    if draw.random() < 0.2:
        row.pop(draw.choice(list(row)))
    return as_json(row)


def no_rows(draw: random.Random, rows: list[Any]) -> Body:
    value = draw.choice(VALUES)
    return as_json(
        draw.choice([value, {"rows": value}, [value] * draw.randint(0, 50), {"rows": {"rows": []}}])
    )


def many_rows(draw: random.Random, rows: list[Any]) -> Body:
    return draw.choice([as_json([1] * 20_000), as_json([[]] * 200_000), as_json({"rows": [{}] * 9_000})])


def strange_csv(draw: random.Random, rows: list[Any]) -> Body:
    names = list(rows[0])
    cells = [str(draw.choice([*VALUES[:12], *rows[0].values()])) for _ in names]
    header = ",".join(draw.choice([names, names[:-1], [*names, names[0]], [str(i) for i in range(3)]]))
    lines = draw.choice([[",".join(cells)] * draw.randint(0, 20), ['"' * 5], ["\x00" * 20], [","] * 10])
    return "\n".join([header, *lines]).encode("utf-8", "replace"), "text/csv"


def endless_csv(draw: random.Random, rows: list[Any]) -> Body:
    return draw.choice(
        [b"," * 400_000, b"a\n" * 300_000, b'"\n",' + b"a," * 200_000, b"\n" * 300_000]
    ), "text/csv"


COMMON: list[Callable[[random.Random, list[Any]], Body]] = [
    random_bytes, damaged_json, wrong_values, wrong_values, strange_columns, no_rows, strange_csv
]  # fmt: skip
RARE = [deep_json, many_rows, endless_csv]
DAMAGED = [
    b"GET\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    b"\x16\x03\x01" * 50,
    b"GET /" + b"a" * 70_000,
]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--pid", type=int, help="process whose memory is watched")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    where = urlsplit(given.url)
    host, port = where.hostname or "127.0.0.1", where.port or 80
    draw = random.Random(given.seed)
    rows = examples(host, port)
    found: Counter[int] = Counter()
    bad: list[tuple[int, str, bytes]] = []
    connection, early, begin = Connection(host, port), 0, time.monotonic()
    for at in range(0, given.requests, GROUP):
        if early == 0 and at >= given.requests // 10:
            early = memory(given.pid)
        if at % 10_000 == 0:
            damaged(host, port, draw.choice(DAMAGED))
            used = f", {memory(given.pid) / 1e6:.0f} MB" if given.pid else ""
            print(f"{at} requests: {dict(sorted(found.items()))}{used}", file=sys.stderr)
        group = [drawn(draw, rows) for _ in range(min(GROUP, given.requests - at))]
        for (_, body, name), status in zip(group, connection.ask([one for one, _, _ in group]), strict=True):
            found[status] += 1
            if status >= 500:
                bad.append((status, name, body[:200]))
    late, alive = memory(given.pid), bool(examples(host, port))
    print(f"{given.requests} requests in {time.monotonic() - begin:.0f} s: {dict(sorted(found.items()))}")
    for status, name, body in bad[:20]:
        print(f"  {status} {name} {body!r}")
    if given.pid:
        print(f"memory {early / 1e6:.0f} MB after a tenth of them, {late / 1e6:.0f} MB at the end")
    return 1 if bad or not alive or late > early * GROWTH else 0


def drawn(draw: random.Random, rows: list[Any]) -> tuple[bytes, bytes, str]:
    """A request as it is sent, its body, and what made it."""
    make = draw.choice(RARE if draw.random() < 0.0005 else COMMON)
    body, kind = make(draw, rows)
    path = "/feedback" if draw.random() < 0.05 else draw.choice(["/predict", "/invocations"])
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {kind}\r\n\r\n" if kind else "\r\n"
    return head.encode() + body, body, make.__name__


class Connection:
    """Requests on one kept connection, which is made again where the service closed it."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.socket: socket.socket | None = None

    def ask(self, requests: list[bytes]) -> list[int]:
        """The status of each request; 599 for those without an answer."""
        found: list[int] = []
        try:
            if self.socket is None:
                self.socket = socket.create_connection(self.address, timeout=120)
            self.socket.sendall(b"".join(requests))
            answers = self.socket.makefile("rb")
            while len(found) < len(requests):
                found.append(answered(answers))
        except OSError:
            self.socket = None
        return found + [599] * (len(requests) - len(found))


def answered(answers: IO[bytes]) -> int:
    """The status of the next answer."""
    status = answers.readline()
    if not status:
        raise ConnectionError("closed")
    length = 0
    while (line := answers.readline().lower()) not in (b"\r\n", b""):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    answers.read(length)
    return int(status.split()[1])


def examples(host: str, port: int) -> list[dict[str, Any]]:
    """Valid rows, from the service's own description."""
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.request("GET", "/openapi.json")
    described = json.loads(connection.getresponse().read())
    connection.close()
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    rows: list[dict[str, Any]] = content["examples"]["rows"]["value"]
    return rows


def damaged(host: str, port: int, sent: bytes) -> None:
    """What is no HTTP gets an error or a closed connection; the service goes on."""
    with socket.create_connection((host, port), timeout=5) as raw:
        raw.sendall(sent)


def memory(pid: int | None) -> int:
    """Resident memory of a process in bytes (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 if pid else 0


if __name__ == "__main__":
    sys.exit(main())
