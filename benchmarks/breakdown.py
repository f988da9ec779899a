"""Where the time of a mini-batch goes: python benchmarks/breakdown.py [--write].

One thread. For each dtype a process of its own counts the time of the kernels within the
loop; the rest is what the same fit takes but for them. Another process does without the
stopwatch, to show what it costs.
"""

import json
import subprocess
import sys
from itertools import pairwise
from time import perf_counter

import stopwatch
from cases import CASES
from peers import skgd_one_thread
from report import conditions, options, publish, table

import skgd.engine.passes as passes
import skgd.engine.update as update
import skgd.kernels.products as products
from skgd.neural_network._orders import Orders

KINDS = {
    "products": [
        products.linear,
        products.input_gradient,
        products.weight_gradient,
    ],
    "element-wise": [products.column_sums, passes.evaluate],
    "update": [update._add_chunks],
    "gather": [passes.gather],
}
# Kernels that the loop calls through pointers: stages that are not dense, and the solver.
ROLES = {
    "add_group": "products",
    "group_gradient": "products",
    "forward": "element-wise",
    "backward": "element-wise",
    "update": "update",
}
PARTS = [*KINDS, "shuffle", "rest"]
ALL = ["no stopwatch", "with it"]
SECONDS = 0.3


class Shuffles:
    """Counts the time in which Python draws the order of the rows."""

    def __init__(self):
        self.seconds = 0.0
        self._draw = Orders.draw
        Orders.draw = lambda orders, n_epochs: self._timed(orders, n_epochs)

    def _timed(self, orders, n_epochs):
        started = perf_counter()
        drawn = self._draw(orders, n_epochs)
        self.seconds += perf_counter() - started
        return drawn


def epochs_of(fit):
    """Return how many epochs take about ``SECONDS``."""
    fit(1)
    started = perf_counter()
    fit(2)
    return max(2, int(SECONDS / (perf_counter() - started) * 2))


def plain(cases, rounds):
    """Return microseconds a mini-batch, without a stopwatch."""
    found = []
    for case in cases:
        fit = skgd_one_thread(case)
        epochs = epochs_of(fit)
        best = float("inf")
        for _ in range(rounds):
            started = perf_counter()
            fit(epochs)
            best = min(best, perf_counter() - started)
        found.append(best * 1e6 / epochs / case.n_batches)
    return found


def timed(cases, rounds):
    """Return microseconds a mini-batch of each part, of the fastest fit."""
    for k, kernels in enumerate(KINDS.values()):
        for kernel in kernels:
            stopwatch.time_kernel(kernel, k)
    for role, kind in ROLES.items():
        stopwatch.time_role(role, list(KINDS).index(kind))
    shuffles = Shuffles()
    found = []
    for case in cases:
        fit = skgd_one_thread(case)
        epochs = epochs_of(fit)
        best = [float("inf")]
        for _ in range(rounds):
            stopwatch.start()
            shuffles.seconds = 0.0
            started = perf_counter()
            fit(epochs)
            total = (perf_counter() - started) * 1e6
            counted = stopwatch.microseconds()[: len(KINDS)].tolist()
            parts = [*counted, shuffles.seconds * 1e6]
            best = min(best, [total, *parts, total - sum(parts)])
        found.append([part / epochs / case.n_batches for part in best])
    return found


def measure(mode, dtype, rounds):
    """Measure in a process of its own."""
    command = [sys.executable, __file__, mode, dtype, str(rounds)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def of_dtype(dtype):
    return [case for case in CASES if case.dtype == dtype]


def gigaflops(case, microseconds):
    """Return the rate of a mini-batch's products; the first layer has no input gradient."""
    units = case.units
    pairs = [a * b for a, b in pairwise(units)]
    pairs = [pairs[0] * case.density, *pairs[1:]]
    rows = case.n_samples / case.n_batches
    return 2 * rows * (3 * sum(pairs) - pairs[0]) / microseconds / 1e3


def section(dtype, rounds):
    """Write the tables of a dtype."""
    alone, counted = measure("plain", dtype, rounds), measure("timed", dtype, rounds)
    times, shares = [], []
    for case, plain, parts in zip(of_dtype(dtype), alone, counted, strict=True):
        numbers = [f"{part:.3g}" for part in [plain, *parts]]
        times.append([str(case), *numbers, f"{gigaflops(case, parts[1]):.0f}"])
        shares.append([str(case), *(f"{part / parts[0]:.0%}" for part in parts[1:])])
    first = "n, features, hidden, outputs, batch"
    return (
        f"## {dtype}\n\nMicroseconds a mini-batch, and the rate of its products:\n\n"
        f"{table([first, *ALL, *PARTS, 'products, Gflop/s'], times)}\n\n"
        f"Shares:\n\n{table([first, *PARTS], shares)}\n"
    )


def main():
    arguments = options(__doc__, rounds=5)
    text = (
        "# Where the time goes\n\n"
        "One thread. Products are the matrix products; element-wise are activations and "
        "their slopes, loss, column sums and batch normalization; update is the solver, "
        "and sums of gradients over chunks of rows; gather is the copy of a mini-batch's "
        "rows; shuffle is the draw of their order, by NumPy. They are measured within the "
        "training loop by the processor's counter "
        "(`benchmarks/stopwatch.py`). The rest is what the whole fit takes "
        "more: the calls between kernels, the stopwatch itself, the checks of the data "
        f"before. The best of {arguments.rounds} of {SECONDS} s each. {conditions()}\n\n"
    )
    sections = [section(dtype, arguments.rounds) for dtype in ("float32", "float64")]
    publish("breakdown", text + "\n".join(sections), arguments.write)


if __name__ == "__main__":
    if sys.argv[1:2] in (["plain"], ["timed"]):
        mode, dtype, rounds = sys.argv[1:]
        run = {"plain": plain, "timed": timed}[mode]
        print(json.dumps(run(of_dtype(dtype), int(rounds))))
    else:
        main()
