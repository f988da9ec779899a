"""Seconds until the first fit is done: with an empty kernel cache, and afterwards.

    python benchmarks/cold_start.py [--rounds 5] [--write]

Each measurement is of a process of its own, the best of several counts; they take turns.
``--write`` puts the table into docs/benchmarks/cold_start.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from training import conditions

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "cold_start.md"

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


def seconds(code, cache):
    """Run the code in a new process."""
    started = perf_counter()
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    best = {}

    def record(what, who, value):
        best[what, who] = min(value, best.get((what, who), value))

    first, later = "first fit, empty cache", "first fit of a later process"
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as cache:
            for who, module in MODULES.items():
                code = FIT.format(module=module)
                record("import", who, seconds(IMPORT.format(module=module), cache))
                record(first, who, seconds(code, cache))
                record(later, who, seconds(code, cache))
    rows = [
        f"| {what} | " + " | ".join(f"{best[what, who]:.2f}" for who in MODULES) + " |"
        for what in ("import", later, first)
    ]
    text = "\n".join(
        [
            "# Cold start\n",
            "Seconds of a whole process, Python's own start and imports included; the",
            "estimator is `MLPClassifier(max_iter=5)` with its defaults, in float64.",
            conditions(arguments.rounds) + "\n",
            "| | " + " | ".join(MODULES) + " |",
            "| --- | ---: | ---: |",
            *rows,
            "",
        ]
    )
    print(text)
    if arguments.write:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
