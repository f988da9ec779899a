"""Matrix products beside OpenBLAS's: python benchmarks/products.py [--write].

Both from one compiled loop, on one thread, in turns.
"""

import numba
import numpy as np
from report import best_seconds, conditions, options, publish, table
from threadpoolctl import threadpool_limits

from skgd.compile.jit import jit
from skgd.kernels.multiply import SCRATCH_SIZE, choose
from skgd.kernels.products import input_gradient, linear, weight_gradient

# Rows, inputs and outputs of layers.
SHAPES = [
    (32, 10, 32),
    (200, 20, 100),
    (200, 100, 1),
    (100, 64, 64),
    (64, 100, 50),
    (256, 128, 5),
    (128, 256, 10),
    (256, 256, 128),
    (256, 128, 128),
    (128, 784, 512),
    (128, 512, 256),
    (256, 1024, 1024),
]
PRODUCTS = ["forward", "weight gradient", "input gradient"]
multiply = choose()
# Multiplications that take some milliseconds.
ENOUGH = 2e8


@jit
def ours(kind, X, weights, delta, bias, outs, room, times):
    """Compute one of the products several times."""
    for _ in range(times):
        if kind == 0:
            linear(X, weights, bias, outs[0], multiply, room)
        elif kind == 1:
            weight_gradient(X, 0, delta, outs[1], multiply, room)
        else:
            input_gradient(delta, weights, outs[2], multiply, room)


@numba.njit
def theirs(kind, X, weights, delta, bias, outs, room, times):
    """Do so through SciPy's BLAS."""
    for _ in range(times):
        if kind == 0:
            np.dot(X, weights, outs[0])
        elif kind == 1:
            np.dot(X.T, delta, outs[1])
        else:
            np.dot(delta, weights.T, outs[2])


def measure(shape, dtype, rounds):
    """Return the rates of each product, in Gflop/s: theirs and ours."""
    rows, inputs, outputs = shape
    rng = np.random.default_rng(0)
    X, weights, delta = (
        rng.standard_normal(size).astype(dtype)
        for size in ((rows, inputs), (inputs, outputs), (rows, outputs))
    )
    outs = np.empty_like(delta), np.empty_like(weights), np.empty_like(X)
    arguments = X, weights, delta, X[0, :0], outs, np.empty(SCRATCH_SIZE, dtype)
    multiplications = rows * inputs * outputs
    times = max(1, int(ENOUGH / multiplications))
    rates = []
    for kind in range(len(PRODUCTS)):
        for function in (theirs, ours):
            function(kind, *arguments, 1)
        seconds = best_seconds(
            [
                lambda kind=kind: theirs(kind, *arguments, times),
                lambda kind=kind: ours(kind, *arguments, times),
            ],
            rounds,
        )
        rates.append([2e-9 * multiplications * times / s for s in seconds])
    return rates


def section(dtype, rounds):
    rows = []
    for shape in SHAPES:
        rates = measure(shape, dtype, rounds)
        numbers = [f"{b:.0f} / {a:.0f} = **{b / a:.2f}**" for a, b in rates]
        rows.append([", ".join(str(n) for n in shape), *numbers])
    return f"## {dtype}\n\n{table(['rows, inputs, outputs', *PRODUCTS], rows)}\n"


def main():
    arguments = options(__doc__, rounds=12)
    text = (
        "# Products\n\nGflop/s of a layer's three matrix products: skgd's / OpenBLAS's = "
        "times as fast. Both are called from one compiled loop, on one thread, in turns; "
        f"the best of {arguments.rounds}. {conditions()}\n\n"
    )
    with threadpool_limits(1, user_api="blas"):
        sections = [section(dtype, arguments.rounds) for dtype in ("float32", "float64")]
    publish("products", text + "\n".join(sections), arguments.write)


if __name__ == "__main__":
    main()
