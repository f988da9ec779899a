"""One thread and two, also beside a busy process.

python benchmarks/threads.py [--rounds 4] [--write]
"""

import argparse
import subprocess
import sys
import warnings

from cases import CASES, data
from report import best_seconds, conditions, publish, table

import skgd

SECONDS = 1.0
BUSY = [sys.executable, "-c", "while True: pass"]


def fits(case):
    """Return a fit with one thread and one with two, of about a second each."""
    X, y = data(case)

    def fit(n_jobs, epochs):
        skgd.MLPClassifier(
            case.hidden,
            case.activation,
            solver=case.solver,
            batch_normalization=case.batch_normalization,
            batch_size=case.batch_size,
            max_iter=epochs,
            tol=0.0,
            n_iter_no_change=10**9,
            random_state=0,
            n_jobs=n_jobs,
        ).fit(X, y)

    fit(1, 2)
    (once,) = best_seconds([lambda: fit(1, 2)], 1)
    epochs = max(2, int(2 * SECONDS / once))
    return [lambda: fit(1, epochs), lambda: fit(2, epochs)]


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
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
        f"The best of {arguments.rounds}. {conditions()}\n\n{table(header, rows)}\n"
    )
    publish("threads", text, arguments.write)


if __name__ == "__main__":
    main()
