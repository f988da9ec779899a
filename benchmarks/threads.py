"""Two threads, also beside a busy process: python benchmarks/threads.py [--write]."""

import subprocess
import sys
from functools import partial

from cases import CASES
from peers import skgd
from report import best_seconds, conditions, options, publish, table

SECONDS = 1.0
BUSY = [sys.executable, "-c", "while True: pass"]


def fits(case):
    """Return a fit with one thread and one with two, of about a second each."""
    one, two = (skgd(case, n_jobs) for n_jobs in (1, 2))
    one(2)
    (once,) = best_seconds([partial(one, 2)], 1)
    epochs = max(2, int(2 * SECONDS / once))
    return [partial(one, epochs), partial(two, epochs)]


def main():
    arguments = options(__doc__, rounds=4)
    rows = []
    for case in [case for case in CASES if case.dtype == "float32"]:
        functions = fits(case)
        one, two = best_seconds(functions, arguments.rounds)
        busy = subprocess.Popen(BUSY)
        try:
            one_busy, two_busy = best_seconds(functions, arguments.rounds)
        finally:
            busy.kill()
        rows.append([str(case), f"{one / two:.2f}", f"{two_busy / one_busy:.2f}"])
        print(*rows[-1], file=sys.stderr)
    header = [
        "n, features, hidden, outputs, batch",
        "two threads: times as fast as one",
        "beside a busy process: time of two / of one",
    ]
    text = (
        "# Threads\n\n`n_jobs=2` beside `n_jobs=1` on two cores, float32, and the same "
        "while another process keeps one of the cores busy: there the two threads should "
        "cost little more time than the one. Small networks stay on one thread. "
        f"The best of {arguments.rounds}. What limits more threads is "
        f"[argued from measurements](scaling.md). {conditions()}\n\n{table(header, rows)}\n"
    )
    publish("threads", text, arguments.write)


if __name__ == "__main__":
    main()
