"""Epochs of more rows, width, depth and batch: python benchmarks/growth.py [--write].

The libraries take turns, each in a process of its own. Ten million rows are a file that is
mapped into memory, not read; it is written to a temporary directory.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace

import numpy as np
import plots
from cases import Case
from epochs import measure_all
from numpy.lib.format import open_memmap
from peers import PEERS, skgd
from report import cell, conditions, options, publish, table
from resident import watched

ROWS = Case(1000, 20, (100,), 2, 200)
LAYERS = Case(10000, 50, (128, 128), 5, 256)
SWEEPS = {
    "rows": [replace(ROWS, n_samples=10**k) for k in (3, 4, 5, 6)],
    "width": [replace(LAYERS, hidden=(n, n)) for n in (16, 64, 256, 1024)],
    "depth": [replace(LAYERS, hidden=(128,) * n) for n in (1, 2, 4, 8)],
    "batch": [replace(LAYERS, batch_size=n) for n in (16, 64, 256, 1024)],
}
TITLES = {
    "rows": f"20 features, (100), 2 outputs, batch {ROWS.batch_size}",
    "width": "two hidden layers; 10,000 rows, batch 256",
    "depth": "layers of 128; 10,000 rows, batch 256",
    "batch": "(128, 128); 10,000 rows",
}
LABELS = {
    "rows": "rows",
    "width": "units in a hidden layer",
    "depth": "hidden layers",
    "batch": "rows in a mini-batch",
}
LINES = [peer for peer in PEERS if peer != "skgd, 1 thread"]
MANY = 10**7
# Epochs of many rows wait for their first pages, and take long: these libraries, once.
FEW = ["skgd", "skgd, 1 thread", "scikit-learn", "PyTorch", "JAX"]
WRITTEN_AT_ONCE = 10**5
SECONDS = 0.2


def value(sweep, case):
    """Return what a sweep varies."""
    return {
        "rows": case.n_samples,
        "width": case.hidden[0],
        "depth": len(case.hidden),
        "batch": case.batch_size,
    }[sweep]


def write_data(case):
    """Write the files of a case, some rows at a time."""
    rng = np.random.default_rng(0)
    shape = case.n_samples, case.n_features
    X = open_memmap(f"{case.folder}/X.npy", "w+", case.dtype, shape)
    y = open_memmap(f"{case.folder}/y.npy", "w+", np.int64, shape[:1])
    weights = rng.standard_normal(case.n_features)
    for start in range(0, len(X), WRITTEN_AT_ONCE):
        rows = slice(start, start + WRITTEN_AT_ONCE)
        X[rows] = rng.standard_normal(X[rows].shape, dtype=case.dtype)
        y[rows] = X[rows] @ weights > 0


def memory_of(case):
    """Return MB of anonymous and of file-backed memory that a fit takes."""
    answer = subprocess.run(
        [sys.executable, __file__, "memory", str(case.n_samples), case.folder],
        check=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(answer.stdout)


def mapped():
    """Measure the epochs of many rows, and the memory that they take."""
    with tempfile.TemporaryDirectory() as folder:
        case = replace(ROWS, n_samples=MANY, folder=folder)
        write_data(case)
        return measure_all([case], 1, FEW), memory_of(case)


def section(sweep, best, columns):
    """Write the table of a sweep."""
    rows = [
        [f"{value(sweep, case):,}", *(cell(best[peer][i]) for peer in columns)]
        for i, case in enumerate(SWEEPS[sweep])
    ]
    return (
        f"## {sweep.capitalize()}\n\nMilliseconds an epoch; {TITLES[sweep]}.\n\n"
        f"{table([LABELS[sweep], *columns], rows)}\n"
    )


def many_section(best, many, memory):
    """Write how the time of a row changes from the fewest to the most rows."""
    rows = [
        [
            f"{case.n_samples:,}",
            *(cell(best[peer][i] and best[peer][i] * 1e3 / case.n_samples) for peer in FEW),
        ]
        for i, case in enumerate(SWEEPS["rows"])
    ]
    rows.append([f"{MANY:,}", *(cell(many[p][0] and many[p][0] * 1e3 / MANY) for p in FEW)])
    size = MANY * ROWS.n_features * 4 / 1e6
    anonymous, of_files = memory
    return (
        f"## Microseconds a row\n\nThe last line is of a file of {size:.0f} MB of float32 "
        "that `numpy.memmap` maps into memory; an epoch of it has been run before, so that "
        "its pages are in the system's cache.\n\n"
        f"{table(['rows', *FEW], rows)}\n\n"
        f"During that fit of skgd, {of_files:.0f} MB of files are resident, which the "
        f"system may drop at any time, and {anonymous:.0f} MB of other memory: "
        f"{anonymous * 1e6 / MANY:.0f} bytes a row, for the target, the order of the rows "
        f"and its draw. A copy of the features would be {ROWS.n_features * 4}.\n"
    )


def draw(best, many):
    """Draw all sweeps."""
    panels = []
    for sweep, cases in SWEEPS.items():
        x = [value(sweep, case) for case in cases]
        series = {peer: best[sweep][peer] for peer in LINES}
        if sweep == "rows":
            x.append(MANY)
            series = {
                peer: [*times, *many.get(peer, [None])] for peer, times in series.items()
            }
        panels.append((TITLES[sweep], LABELS[sweep], x, series))
    plots.lines("growth", panels, "milliseconds an epoch")


def main():
    arguments = options(__doc__, rounds=2)
    cases = [case for sweep in SWEEPS.values() for case in sweep]
    found = measure_all(cases, arguments.rounds, seconds=SECONDS)
    best, start = {}, 0
    for sweep, its_cases in SWEEPS.items():
        stop = start + len(its_cases)
        best[sweep] = {peer: times[start:stop] for peer, times in found.items()}
        start = stop
    many, memory = mapped()
    text = (
        "# Growth\n\n"
        "What an epoch takes by the number of rows, and by the width, depth and batch size "
        "of the network: Adam, ReLU, float32. Libraries take turns, each in a process of "
        f"its own, the best of {3 * arguments.rounds} measurements counts, but one of ten "
        f"million rows. {conditions()}\n\n"
        "![Milliseconds an epoch by rows, width, depth and batch size](growth.svg)\n\n"
    )
    sections = [section(sweep, best[sweep], list(PEERS)) for sweep in SWEEPS]
    sections.append(many_section(best["rows"], many, memory))
    publish("growth", text + "\n".join(sections), arguments.write)
    if arguments.write:
        draw(best, many)


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        n_samples, folder = sys.argv[2:]
        skgd(replace(ROWS, n_samples=1000))(1)
        train = skgd(replace(ROWS, n_samples=int(n_samples), folder=folder))
        print(json.dumps(watched(lambda: train(1), ["RssAnon", "RssFile"])))
    else:
        main()
