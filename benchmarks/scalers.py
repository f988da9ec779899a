"""The scalers beside scikit-learn's, in one run: best times and their ratios.

Run ``python benchmarks/scalers.py``, or with ``--write`` to replace
``docs/benchmarks/scalers.md``. Both packages take turns, so that what else the machine
does hits both, and the best of all turns counts.
"""

import argparse
import platform
import time
from pathlib import Path

import numba
import numpy as np
import sklearn
from sklearn import preprocessing

import skgd

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "scalers.md"
SHAPES = {(1_000_000, 20): 15, (1_000, 20): 2_000}
PAIRS = {
    "min-max": (skgd.MinMaxScaler, preprocessing.MinMaxScaler),
    "z-score": (skgd.ZScoreScaler, preprocessing.StandardScaler),
    "mean": (skgd.MeanScaler, None),
}
CALLS = ["fit", "transform", "inverse_transform", "fit_transform"]


def best_times(functions, turns):
    best = [np.inf] * len(functions)
    for _ in range(turns):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def timed(cls, call, X):
    """The call; what is fitted is new each time, as in a cross-validation."""
    if call.startswith("fit"):
        return lambda: getattr(cls(), call)(X)
    fitted = cls().fit(X)
    return lambda: getattr(fitted, call)(X)


def measure(X, classes, turns):
    cells = []
    for call in CALLS:
        functions = [timed(cls, call, X) for cls in classes if cls]
        ours, *theirs = best_times(functions, turns)
        cell = f"{ours * 1e3:.3g}"
        if theirs:
            cell += f" / {theirs[0] * 1e3:.3g} = **{theirs[0] / ours:.2f}**"
        cells.append(cell)
    return cells


def cpu():
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(line.split(":")[1].strip() for line in lines if "model name" in line)


def table():
    rng = np.random.default_rng(0)
    header = ["samples x features", "dtype", "order", "scaler", *CALLS]
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join(["---"] * len(header)) + " |"
    for shape, turns in SHAPES.items():
        for dtype in (np.float64, np.float32):
            for order in "CF":
                X = np.asarray(rng.standard_normal(shape), dtype=dtype, order=order)
                for name, classes in PAIRS.items():
                    size = f"{shape[0]:,} x {shape[1]}"
                    cells = [size, dtype.__name__, order, name]
                    cells += measure(X, classes, turns)
                    yield "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    write = parser.parse_args().write
    lines = []
    for line in table():
        print(line, flush=True)
        lines.append(line)
    if write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(
            "# The scalers beside scikit-learn's\n\n"
            "Milliseconds of skgd / milliseconds of scikit-learn = **how many times "
            "faster**. One run of `benchmarks/scalers.py`: both take turns, the best of "
            "several turns counts, kernels are compiled before. There is no mean "
            "normalization in scikit-learn.\n\n"
            f"{cpu()}, one thread; Python {platform.python_version()}, scikit-learn "
            f"{sklearn.__version__}, numpy {np.__version__}, numba {numba.__version__}."
            "\n\n" + "\n".join(lines) + "\n"
        )


if __name__ == "__main__":
    main()
