"""Milliseconds an epoch beside scikit-learn, PyTorch, JAX and the bare products.

    python benchmarks/training.py [--rounds 3] [--write]

Libraries take turns, each in a process of its own; the best of several rounds counts.
``--write`` puts the tables and a picture into docs/benchmarks.
"""

import plots
from cases import CASES
from epochs import SECONDS, measure_all
from peers import PEERS
from report import cell, conditions, options, publish, table

OTHERS = [peer for peer in PEERS if peer != "skgd"]
FIRST = "n, features, hidden, outputs, batch"


def _ratio(best, peer, i):
    """Return how many times as fast as a peer skgd is."""
    theirs = best[peer][i]
    return None if theirs is None else theirs / best["skgd"][i]


def sections(best):
    """Write the measurements as Markdown, a section a dtype."""
    for dtype in dict.fromkeys(case.dtype for case in CASES):
        rows = [i for i, case in enumerate(CASES) if case.dtype == dtype]
        times = [[str(CASES[i]), *(cell(best[peer][i]) for peer in PEERS)] for i in rows]
        ratios = [
            [str(CASES[i]), *(cell(_ratio(best, peer, i), "{:.2f}") for peer in OTHERS)]
            for i in rows
        ]
        yield (
            f"## {dtype}\n\nMilliseconds an epoch:\n\n{table([FIRST, *PEERS], times)}\n\n"
            "Times as fast as the others, and share of the products' rate:\n\n"
            f"{table([FIRST, *OTHERS], ratios)}\n"
        )


def draw(best):
    """Draw what the tables say of float32."""
    rows = [i for i, case in enumerate(CASES) if case.dtype == "float32"]
    plots.bars(
        "training",
        "Rows, features, (hidden), outputs, batch; float32",
        [str(CASES[i]) for i in rows],
        {
            peer: [_ratio(best, peer, i) for i in rows]
            for peer in ("scikit-learn", "PyTorch", "JAX", "products")
        },
        "time of an epoch, as a multiple of skgd's",
    )


def main():
    arguments = options(__doc__, rounds=3)
    best = measure_all(CASES, arguments.rounds)
    text = (
        f"# Training\n\n{conditions()} Libraries take turns, each in a process of its "
        f"own; the best of {3 * arguments.rounds} measurements of {SECONDS} s, or 2 "
        f'epochs, counts. Everything may use both cores but "skgd, 1 thread". "products" '
        "are the bare matrix products of an epoch through BLAS, from one compiled loop, "
        "which takes both cores only for products that are large enough.\n\n"
        "![Time of an epoch by library, as a multiple of skgd's](training.svg)\n\n"
    )
    publish("training", text + "\n".join(sections(best)), arguments.write)
    if arguments.write:
        draw(best)


if __name__ == "__main__":
    main()
