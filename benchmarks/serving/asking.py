"""Requests over kept connections, and what the processes that answer them use.

A client of sockets and nothing else, because a library's cost would be in every latency.
"""

from __future__ import annotations

import itertools
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

MARK = "SERVING_BENCHMARK"  # in the environment of every process of a server, however it was started


@dataclass(frozen=True)
class Load:
    """What so many connections got in so many seconds."""

    requests: int
    failed: int
    seconds: float
    cpu: float
    latencies: Sequence[float]

    def ms(self, share: float) -> float:
        """A percentile of the latencies in milliseconds."""
        return 1000 * statistics.quantiles(self.latencies, n=1000)[round(share * 1000) - 1]


class Connection:
    """One kept connection."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"POST {path} HTTP/1.1\r\nHost: bench\r\ncontent-type: application/json\r\n".encode()

    def ask(self, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self.socket.sendall(self.head + b"content-length: %d\r\n\r\n" % len(body) + body)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, rest = got.partition(b"\r\n\r\n")
        lines = [line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:]]
        headers = {name: value.strip() for name, value in lines}
        if headers.get(b"transfer-encoding") == b"chunked":
            while not rest.endswith(b"0\r\n\r\n"):
                rest += self._more()
            rest = rest.split(b"\r\n")[1]  # none of the answers has more than one chunk
        else:
            while len(rest) < int(headers[b"content-length"]):
                rest += self._more()
        return int(head.split(None, 2)[1]), rest

    def _more(self) -> bytes:
        found = self.socket.recv(65536)
        if not found:
            raise ConnectionError("the server closed the connection")
        return found

    def close(self) -> None:
        self.socket.close()


def press(port: int, path: str, bodies: Sequence[bytes], connections: int, seconds: float, mark: str) -> Load:
    """Ask on so many connections, each as soon as it has its answer."""
    latencies: list[float] = []
    failed: list[int] = []

    def ask_on(first: int) -> None:
        connection = Connection(port, path)
        own, wrong = [], 0
        for at in itertools.count(first, connections):
            sent = time.perf_counter()
            if sent > until:
                break
            status, _ = connection.ask(bodies[at % len(bodies)])
            own.append(time.perf_counter() - sent)
            wrong += status != 200
        connection.close()
        latencies.extend(own)
        failed.append(wrong)

    threads = [threading.Thread(target=ask_on, args=(at,)) for at in range(connections)]
    before, begin = cpu(mark), time.perf_counter()
    until = begin + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - begin, cpu(mark) - before
    return Load(len(latencies), sum(failed), took, used, latencies)


def marked(mark: str) -> list[psutil.Process]:
    """The processes of a server: whatever it started has its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def cpu(mark: str) -> float:
    """Seconds of CPU that the processes have used."""
    total = 0.0
    for process in marked(mark):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def memory(mark: str) -> float:
    """Megabytes that they hold; pages of several processes count in shares."""
    total = 0
    for process in marked(mark):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6
