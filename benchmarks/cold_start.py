"""Seconds until the first fit is done: with an empty kernel cache, and afterwards.

    python benchmarks/cold_start.py [--rounds 5] [--write]

Each measurement is of a process of its own, the best of several counts; they take turns.
``--write`` puts the table into docs/benchmarks/cold_start.md.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from report import conditions, options, publish, table

PACKAGE = Path(__file__).parents[1] / "skgd"

FIT = """
import warnings
from sklearn.datasets import load_breast_cancer
from {module} import MLPClassifier
warnings.simplefilter("ignore")
X, y = load_breast_cancer(return_X_y=True)
MLPClassifier(max_iter=5).fit((X - X.mean(axis=0)) / X.std(axis=0), y)
"""
IMPORT = "import {module}"
MODULES = {"skgd": "skgd", "scikit-learn": "sklearn.neural_network"}


def seconds(code, place):
    """Run the code in a new process, with what there is in a directory."""
    started = perf_counter()
    environment = os.environ | {"HOME": place}
    environment.pop("NUMBA_CACHE_DIR", None)
    # What is there is imported from there.
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=place)
    return perf_counter() - started


def main():
    arguments = options(__doc__, rounds=5)
    best = {}

    def record(what, who, value):
        best[what, who] = min(value, best.get((what, who), value))

    first, later = "first fit, empty cache", "first fit of a later process"
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as place:
            # A copy without compiled kernels.
            shutil.copytree(
                PACKAGE, Path(place, "skgd"), ignore=shutil.ignore_patterns("*.skgd")
            )
            for who, module in MODULES.items():
                code = FIT.format(module=module)
                record("import", who, seconds(IMPORT.format(module=module), place))
                record(first, who, seconds(code, place))
                record(later, who, seconds(code, place))
    rows = [
        [what, *(f"{best[what, who]:.2f}" for who in MODULES)]
        for what in ("import", later, first)
    ]
    text = (
        "# Cold start\n\n"
        "Seconds of a whole process, Python's own start and imports included; the "
        "estimator is `MLPClassifier(max_iter=5)` with its defaults, in float64. "
        f"The best of {arguments.rounds}. {conditions()}\n\n"
        f"{table(['process', *MODULES], rows)}\n"
    )
    publish("cold_start", text, arguments.write)


if __name__ == "__main__":
    main()
