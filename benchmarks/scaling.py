"""What limits many threads, measured with two: python benchmarks/scaling.py [--write].

The parts of a mini-batch are measured with one thread, meetings and exchanges between cores
with two. A model of these few numbers predicts the time with two threads, which is measured
too, and with more. ``--write`` puts the tables into docs/benchmarks/scaling.md.
"""

import json
import subprocess
import sys
from itertools import pairwise
from time import perf_counter

import numpy as np
import stopwatch
from breakdown import epochs_of
from cases import CASES, Case
from peers import skgd
from report import best_seconds, conditions, insert, options, table

from skgd.activations import ACTIVATIONS
from skgd.compile.jit import jit
from skgd.engine import passes, update
from skgd.neural_network import _stochastic, _trainer
from skgd.neural_network._network import layout_of
from skgd.parallel import pace
from skgd.parallel.barrier import barrier
from skgd.parallel.threads import run_together

MEASURED = [
    *[case for case in CASES if case.dtype == "float32" and not case.is_sparse],
    Case(32768, 50, (256, 128), 5, 2048),
    Case(32768, 50, (256, 128), 5, 8192),
    Case(32768, 784, (512, 256), 10, 8192),
]
THREADS = [2, 4, 8, 16, 64]
# What each thread does for its rows; the rest of a compiled call is for its tiles.
ROWS = [
    passes.gather,
    passes.forward,
    passes.backward,
    passes.evaluate,
    update.chunk_gradients,
]
SLOTS = {"adam": 2, "momentum": 1, "rmsprop": 1}
ITEM = 4
LINE = 64

# Eight cores of this kind share a cache. What is written beyond it comes later: so many
# times is an assumption.
NEAR = 8
FAR = 4

MEETINGS = 100_000
EXCHANGES = 200
EXCHANGED = 2**16
LARGE = 2**26


@jit
def _meetings(n, arrivals, n_threads):
    for _ in range(n):
        barrier(arrivals, n_threads)


@jit
def _exchanges(n, mine, read, arrivals):
    """Write an array and read one, in turn with another thread."""
    total = read[0]
    for _ in range(n):
        for i in range(mine.shape[0]):
            mine[i] += 1
        barrier(arrivals, 2)
        for i in range(read.shape[0]):
            total += read[i]
        barrier(arrivals, 2)
    return total


@jit
def _sum(array):
    total = array[0]
    for i in range(array.shape[0]):
        total += array[i]
    return total


def counter():
    """Make a barrier's counter, alone in its cache lines."""
    return np.zeros(32, dtype=np.int64)[16:17]


def together(kernel, arguments, rounds):
    """Return the best time of calls at the same time."""

    def call():
        run_together(kernel, lambda n: arguments, len(arguments))

    return best_seconds([call], rounds + 1)[0]


def between_cores(rounds):
    """Return µs a meeting, ns for a line that another core has written, and GB/s."""
    calls = [(MEETINGS, counter(), 2)] * 2
    meeting = together(_meetings, calls, rounds) * 1e6 / MEETINGS
    a, b = (np.zeros(EXCHANGED, dtype=np.float32) for _ in range(2))
    arrivals = counter()
    seconds = [
        together(
            _exchanges,
            [
                (EXCHANGES, mine, read, arrivals)
                for mine, read in zip((a, b), reads, strict=True)
            ],
            rounds,
        )
        for reads in ((a, b), (b, a))
    ]
    line = (seconds[1] - seconds[0]) * 1e9 / EXCHANGES / (a.nbytes / LINE)
    arrays = [np.zeros(LARGE, dtype=np.float32) for _ in range(2)]
    for array in arrays:
        array += 1
    rates = [
        n * arrays[0].nbytes / 1e9 / together(_sum, [(x,) for x in arrays[:n]], rounds)
        for n in (1, 2)
    ]
    return meeting, line, rates


class AlwaysMost(pace.Pace):
    """Never goes back to one thread."""

    def next_call(self):
        return self.most, self.limit


def parts(rounds):
    """Return, with one thread, microseconds a mini-batch: all, in calls, for rows."""
    for kernel in ROWS:
        stopwatch.time_kernel(kernel, 0)
    in_calls = [0.0]

    def timed(*args):
        started = perf_counter()
        result = run_together(*args)
        in_calls[0] += perf_counter() - started
        return result

    _trainer.run_together = timed

    def begin():
        stopwatch.start()
        in_calls[0] = 0.0

    def end():
        return [in_calls[0] * 1e6, stopwatch.microseconds()[0]]

    return [fastest(case, 1, rounds, begin, end) for case in MEASURED]


def waits(rounds):
    """Return, with two threads, microseconds a mini-batch: all, and waiting."""
    stopwatch.time_kernel(barrier, 0)
    _trainer.Pace = AlwaysMost

    def end():
        return [stopwatch.microseconds()[0] / 2]

    return [fastest(case, 2, rounds, stopwatch.start, end) for case in MEASURED]


def fastest(case, n_jobs, rounds, begin, end):
    """Return the time of the fastest fit and what ``end`` tells of it, a mini-batch."""
    fit = skgd(case, n_jobs)
    epochs = epochs_of(fit)
    best = [float("inf")]
    for _ in range(rounds):
        begin()
        started = perf_counter()
        fit(epochs)
        best = min(best, [(perf_counter() - started) * 1e6, *end()])
    return [float(value) / epochs / case.n_batches for value in best]


def measure(mode, rounds):
    """Measure in a process of its own, whose loop has a stopwatch."""
    answer = subprocess.run(
        [sys.executable, __file__, mode, str(rounds)], check=True, stdout=subprocess.PIPE
    )
    return json.loads(answer.stdout)


class Model:
    """Predicts the time of a mini-batch from that of one thread's parts.

    Parameters
    ----------
    case : Case
        What is trained.

    total, in_calls, rows : float
        Microseconds with one thread: all, within compiled calls, and for rows.

    meeting, line : float
        Microseconds a meeting of two threads, and to read a line of another core.

    rate : float
        GB/s that all cores read.
    """

    def __init__(self, case, total, in_calls, rows, meeting, line, rate):
        activations = [ACTIVATIONS[case.activation]()] * len(case.hidden)
        normalization = (0.9, 1e-5) if case.batch_normalization else None
        self.layout = layout_of(case.units, activations, normalization)
        self.batch = case.batch_size
        chunk = _stochastic._chunk(self.layout, case.batch_size)
        self.chunks = -(-case.batch_size // chunk)
        self.by_rows = self.chunks > 1 and _stochastic._by_rows(self.layout, chunk)
        self.serial, self.rows, self.tiles = total - in_calls, rows, in_calls - rows
        self.meeting, self.line, self.rate = meeting, line, rate
        normalized = len(case.hidden) if case.batch_normalization else 0
        self.n_meetings = 2 + 2 * normalized
        # Forward and backward read the parameters; an update reads and writes all.
        touched = 2 + 2 * (1 + SLOTS[case.solver])
        self.traffic = touched * ITEM * self.layout.n_params / 1e6

    def exchanged(self, n_threads):
        """Return the bytes that others have written and the busiest thread reads."""
        tiles = self.layout.tiles(shared=True)
        bounds = self.layout.shares(tiles, n_threads)
        outputs = np.array([stage.outputs for stage in self.layout.stages])
        most = 0
        for first, last in pairwise(bounds):
            # The backward pass has exchanged what it has summed.
            mine = tiles[first:last][tiles.is_summed[first:last] == 0]
            sizes = mine.end - mine.begin
            if self.by_rows:
                values = self.chunks * sizes.sum()
            else:
                of_layers = outputs[np.unique(mine.stage)].sum()
                inputs = (mine.is_weights * sizes // outputs[mine.stage]).sum()
                values = self.batch * (of_layers + inputs)
            most = max(most, values)
        return ITEM * (most + self.layout.n_params) * (1 - 1 / n_threads)

    def largest_share(self, n_threads):
        """Return the part of the parameters that the busiest thread updates."""
        tiles = self.layout.tiles(shared=True)
        sizes, bounds = tiles.end - tiles.begin, self.layout.shares(tiles, n_threads)
        return max(sizes[a:b].sum() for a, b in pairwise(bounds)) / sizes.sum()

    def microseconds(self, n_threads):
        """Predict the time of a mini-batch."""
        n = min(n_threads, self.chunks)
        if n == 1:
            return self.serial + self.rows + self.tiles
        rows = self.rows * -(-self.chunks // n) / self.chunks
        tiles = self.tiles * self.largest_share(n)
        exchange = self.exchanged(n) / LINE * self.line
        # Arrivals at one counter, one after the other.
        meetings = self.n_meetings * self.meeting * n / 2
        between = (exchange + meetings) * (FAR if n > NEAR else 1)
        # As if memory were no faster for many cores, and no cache held the parameters.
        return self.serial + rows + max(tiles, self.traffic / self.rate * 1e3) + between


def tables(models, alone, pairs, meeting, line, rates):
    """Write what was measured and what follows."""
    constants = [
        ["a meeting of two threads at a barrier, µs", f"{meeting:.2f}"],
        [f"reading {LINE} bytes that the other core has written, ns", f"{line:.1f}"],
        ["reading memory, one core, GB/s", f"{rates[0]:.1f}"],
        ["reading memory, both cores, GB/s", f"{rates[1]:.1f}"],
    ]
    first = "n, features, hidden, outputs, batch"
    measured, predicted = [], []
    for case, model, one, two in zip(MEASURED, models, alone, pairs, strict=True):
        numbers = [model.serial, model.rows, model.tiles, one[0]]
        measured.append(
            [
                str(case),
                *(f"{value:.3g}" for value in numbers),
                f"{two[0]:.3g}",
                f"{model.microseconds(2):.3g}",
                f"{two[1]:.2g}",
                f"{model.exchanged(2) / 1e3:.0f}",
                f"{model.traffic:.2g}",
            ]
        )
        speeds = [one[0] / model.microseconds(n) for n in THREADS]
        predicted.append(
            [str(case), str(model.chunks), *(f"{speed:.1f}" for speed in speeds)]
        )
    header = [
        first,
        "outside calls",
        "rows",
        "parameters",
        "one thread",
        "two threads",
        "model of two",
        "waiting",
        "exchanged, kB",
        "touched, MB",
    ]
    many = [first, "chunks of rows", *(f"{n} threads" for n in THREADS)]
    return (
        f"{conditions()}\n\n{table(['between cores', 'measured'], constants)}\n\n"
        f"Microseconds a mini-batch, float32:\n\n{table(header, measured)}\n\n"
        f"Predicted, times as fast as one thread:\n\n{table(many, predicted)}"
    )


def main():
    arguments = options(__doc__, rounds=5)
    meeting, line, rates = between_cores(arguments.rounds)
    alone, pairs = measure("parts", arguments.rounds), measure("waits", arguments.rounds)
    models = [
        Model(case, *numbers, meeting, line / 1e3, rates[1])
        for case, numbers in zip(MEASURED, alone, strict=True)
    ]
    text = tables(models, alone, pairs, meeting, line, rates)
    insert("benchmarks/scaling", text, arguments.write)


if __name__ == "__main__":
    if sys.argv[1:2] in (["parts"], ["waits"]):
        run = {"parts": parts, "waits": waits}[sys.argv[1]]
        print(json.dumps(run(int(sys.argv[2]))))
    else:
        main()
