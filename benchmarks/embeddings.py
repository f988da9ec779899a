"""Embeddings in the first layer compared with the product of the encoded matrix.

    python benchmarks/embeddings.py [--rounds 5] [--write]

With ``--write``, into docs/benchmarks. Both train the same network on one thread, whose
time is measured: a first layer, ReLU, one output.
"""

from time import thread_time

import numpy as np
from report import best_seconds, conditions, options, publish, table

from skgd.activations import ReLU
from skgd.embeddings import Periodic as PeriodicEmbedding
from skgd.engine.binding import no_rows
from skgd.engine.layout import Layout
from skgd.losses import SquaredError
from skgd.neural_network._orders import Orders
from skgd.neural_network._parameters import Parameters
from skgd.neural_network._plugins import Plugins
from skgd.neural_network._trainer import Batches, Progress, Trainer, TrainingState
from skgd.schedules import Constant
from skgd.solvers import Adam
from skgd.stages import (
    Activate,
    Bias,
    Dense,
    Embedding,
    Lookup,
    Periodic,
    PiecewiseLinear,
)

DTYPE = np.dtype(np.float32)
ROWS, BATCH, COLUMNS, BINS, VALUES, SIZE = 12_800, 256, 20, 48, 50, 8


def trainer(first, fields):
    """Make a trainer of a network with these first stages and rows."""
    units = first[-1].outputs
    layout = Layout([*first, Activate(units, ReLU()), Dense(units, 1)])
    rng = np.random.default_rng(0)
    theta = (0.1 * rng.standard_normal(layout.n_params)).astype(DTYPE)
    rows = {**fields, "y": rng.standard_normal((ROWS, 1)).astype(DTYPE)}
    for array in rows.values():
        array.flags.writeable = False
    progress = Progress(Adam(), np.zeros((2, layout.n_params), DTYPE), 1e-3)
    bounds = np.arange(0, ROWS + 1, BATCH)
    center = np.zeros(layout.stages[0].inputs, DTYPE)
    return Trainer(
        no_rows(DTYPE)._replace(**rows),
        layout,
        Plugins([], Adam(), Constant(), SquaredError()),
        Batches(bounds, BATCH, False, 0.0),
        TrainingState(
            Parameters(theta, np.empty(0), center),
            progress,
            Orders(np.arange(ROWS), np.random.RandomState(0)),
        ),
        n_threads=1,
    )


def cases(units):
    """Yield what is compared: a name, the dense network and the one that embeds."""
    rng = np.random.default_rng(0)
    bins = rng.integers(BINS, size=(ROWS, COLUMNS))
    fractions = rng.random((ROWS, COLUMNS), dtype=DTYPE)
    below = np.arange(BINS) < bins[:, :, np.newaxis]
    encoded = below.astype(DTYPE)
    np.put_along_axis(encoded, bins[:, :, np.newaxis], fractions[:, :, np.newaxis], axis=2)
    fields = {
        "bins": (bins + BINS * np.arange(COLUMNS)).astype(np.uint16).reshape(-1),
        "fractions": fractions.reshape(-1),
    }
    yield (
        f"{COLUMNS} columns of {BINS} bins",
        trainer([Dense(COLUMNS * BINS, units)], {"X": encoded.reshape(-1)}),
        trainer([Bias(units), PiecewiseLinear([BINS] * COLUMNS, units)], fields),
    )
    codes = rng.integers(1, VALUES + 1, size=(ROWS, COLUMNS))
    one_hot = (codes[:, :, np.newaxis] == np.arange(1, VALUES + 1)).astype(DTYPE)
    dense = {"X": one_hot.reshape(-1)}
    fields = {"codes": codes.astype(np.uint16).reshape(-1)}
    place, values = (0, COLUMNS), [VALUES] * COLUMNS
    groups = {
        "weights for each": Lookup(values, place, units),
        f"vectors of {SIZE}": Embedding(values, SIZE, place, units),
    }
    for name, group in groups.items():
        yield (
            f"{COLUMNS} columns of {VALUES} values, {name}",
            trainer([Dense(COLUMNS * VALUES, units)], dense),
            trainer([Bias(units), group], fields),
        )
    n_waves, n_outputs = PeriodicEmbedding().waves
    periodic = Periodic(COLUMNS, COLUMNS, n_waves, n_outputs)
    numbers = rng.standard_normal((2, ROWS, periodic.outputs), dtype=DTYPE)
    yield (
        f"{COLUMNS} columns of {n_waves} cosines, {n_outputs} combinations",
        trainer([Dense(periodic.outputs, units)], {"X": numbers[0].reshape(-1)}),
        trainer(
            [periodic, Dense(periodic.outputs, units)],
            {"X": numbers[1, :, :COLUMNS].reshape(-1)},
        ),
    )


def main():
    arguments = options(__doc__, rounds=5)
    rows = []
    for units in (128, 256):
        for name, dense, groups in cases(units):
            trainers = dense, groups
            epochs = [lambda t=t: list(t.run(np.zeros(1, np.int64))) for t in trainers]
            best = best_seconds([*epochs], 1 + arguments.rounds, thread_time)
            micros = [seconds / (ROWS // BATCH) * 1e6 for seconds in best]
            cells = [f"{x:.0f}" for x in micros]
            rows.append([name, str(units), *cells, f"{micros[0] / micros[1]:.1f}"])
    header = ["first layer", "units", "encoded matrix, µs", "embedding, µs", "ratio"]
    text = (
        "# Embeddings\n\nA mini-batch through an embedding compared with one through the "
        "product of the encoded matrix, in CPU time of one thread. Both train a first "
        f"layer, ReLU and one output, in float32, with {BATCH} rows. The matrix of cosines "
        f"is taken as given: it would change with each update. {conditions()}\n\n"
        f"{table(header, rows)}\n"
    )
    publish("embeddings", text, arguments.write)


if __name__ == "__main__":
    main()
