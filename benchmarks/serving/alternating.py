"""Our app, the same with a constant handler, and FastAPI with pandas, asked in turn on a busy machine.

    python benchmarks/serving/alternating.py --work /tmp/serving     (after `compare.py` with the same folder)

`compare.py` runs one contender after the other, and what else the machine does disturbs their ratios.
Here all three are up at once and are asked for some seconds each, round after round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from asking import Load, press
from compare import BASE, CONTENDERS, FLOOR, OURS, ready, running, warm


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=6)
    given = parser.parse_args()
    work = given.work.resolve()
    rows = json.loads((work / "rows.json").read_text())
    found: dict[str, list[Load]] = {OURS: [], FLOOR: [], BASE: []}
    with ExitStack() as stack:
        servers = []
        for contender in CONTENDERS:
            if contender.name in found:
                environment = "venv-fastapi" if contender.packages else "venv-project"
                python = str(work / environment / "bin" / "python")
                port, mark, begun = stack.enter_context(running(contender, work, python))
                bodies = [json.dumps(contender.body(row)).encode() for row in rows[:500]]
                connection = ready(contender, port, mark, bodies[0], begun)
                warm(connection, bodies, mark)
                connection.close()
                servers.append((contender, port, mark, bodies))
        for _ in range(given.rounds):
            for contender, port, mark, bodies in servers:
                seconds = 5.0 if contender.name == BASE else 2.5
                found[contender.name].append(press(port, contender.path, bodies, 1, seconds, mark))
    cost = {name: statistics.median(1000 * one.cpu / one.requests for one in found[name]) for name in found}
    for name, loads in found.items():
        p50, p99 = (statistics.median(one.ms(share) for one in loads) for share in (0.5, 0.99))
        print(f"{name}: {cost[name]:.2f} ms of CPU a request, p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    print(
        f"{cost[BASE] / cost[OURS]:.0f} times less than {BASE}; {cost[OURS] / cost[FLOOR]:.2f} times {FLOOR}"
    )


if __name__ == "__main__":
    main()
