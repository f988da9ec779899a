"""All benchmarks, one after the other: python benchmarks/run.py [--write].

``--write`` puts their pages and pictures into docs/benchmarks, and into docs/benchmarks.md
how long each of them took. It needs the `bench` extra and a machine that does nothing else.
"""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

from report import conditions, insert, options, table

# In the order in which they run: what is in each page.
SCRIPTS = {
    "training": "epochs of networks beside scikit-learn, PyTorch, JAX and bare products",
    "breakdown": "where the time of a mini-batch goes",
    "products": "matrix products beside OpenBLAS's",
    "growth": "epochs by rows, width, depth and batch size",
    "everyday": "whole fits on scikit-learn's data sets",
    "small": "fits of milliseconds, and `partial_fit`",
    "features": "what each feature of the training costs",
    "embeddings": "input groups of tables compared with the encoded matrix",
    "lbfgs": "full-batch training",
    "prediction": "one row, a thousand, a million",
    "scalers": "fit, transform and back",
    "memory": "the most that fits, scalers and predictions take",
    "cold_start": "the first fit of a process, and of an installation",
    "threads": "two threads beside one, and beside a busy process",
    "scaling": "what 16 and 64 cores would bring, argued from measurements",
    "search": "a search by threads and by processes",
    "epoch_halving": "a search in rungs of epochs compared with a random one",
}


def main():
    arguments = options(__doc__)
    rows = []
    for name, what in SCRIPTS.items():
        command = [sys.executable, str(Path(__file__).with_name(f"{name}.py"))]
        started = perf_counter()
        subprocess.run(command + ["--write"] * arguments.write, check=True)
        minutes = (perf_counter() - started) / 60
        rows.append([f"[{what}](benchmarks/{name}.md)", f"`{name}.py`", f"{minutes:.1f}"])
    header = ["what", "script in `benchmarks/`", "minutes"]
    insert("benchmarks", f"{conditions()}\n\n{table(header, rows)}", arguments.write)


if __name__ == "__main__":
    main()
