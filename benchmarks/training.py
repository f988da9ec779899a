"""Milliseconds an epoch beside scikit-learn, PyTorch, JAX and the bare products.

    python benchmarks/training.py [--rounds 3] [--write]

Libraries take turns, each in a process of its own; the best of several rounds counts.
``--write`` puts the tables into docs/benchmarks/training.md.
"""

import argparse
import json
import subprocess
import sys
from time import perf_counter

from cases import CASES
from peers import PEERS
from report import conditions, publish

# A measurement is of as many epochs as take so long, in seconds.
SECONDS = 0.6


def measure(peer):
    """Return milliseconds an epoch of each case; None where there is no such thing."""
    results = []
    for case in CASES:
        train = PEERS[peer](case)
        if train is None:
            results.append(None)
            continue
        train(1)
        started = perf_counter()
        train(1)
        epochs = max(2, int(SECONDS / (perf_counter() - started)))
        best = float("inf")
        for _ in range(3):
            started = perf_counter()
            train(epochs)
            best = min(best, (perf_counter() - started) / epochs)
        results.append(best * 1e3)
    return results


def measure_all(rounds):
    """Run every library in turn in its own process; keep the best of the rounds."""
    best = {}
    for _ in range(rounds):
        for peer in PEERS:
            command = [sys.executable, __file__, "--peer", peer]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            results = json.loads(answer.stdout.splitlines()[-1])
            kept = best.get(peer, results)
            best[peer] = [
                None if old is None else min(old, new)
                for old, new in zip(kept, results, strict=True)
            ]
            print(f"{peer} done", file=sys.stderr)
    return best


def _cell(value, form):
    return "–" if value is None else form.format(value)


def tables(best):
    """Write the measurements as Markdown, a table a dtype."""
    lines = []
    for dtype in dict.fromkeys(case.dtype for case in CASES):
        lines += [f"\n## {dtype}\n", "Milliseconds an epoch:\n"]
        lines.append("| n, features, hidden, outputs, batch | " + " | ".join(PEERS) + " |")
        lines.append("| --- |" + " ---: |" * len(PEERS))
        rows = [i for i, case in enumerate(CASES) if case.dtype == dtype]
        for i in rows:
            cells = [_cell(best[peer][i], "{:.3g}") for peer in PEERS]
            lines.append(f"| {CASES[i]} | " + " | ".join(cells) + " |")
        others = [peer for peer in PEERS if peer != "skgd"]
        lines += ["\nTimes as fast as the others, and share of the products' rate:\n"]
        lines.append("| case | " + " | ".join(others) + " |")
        lines.append("| --- |" + " ---: |" * len(others))
        for i in rows:
            ours = best["skgd"][i]
            cells = [
                _cell(best[peer][i] and best[peer][i] / ours, "{:.2f}") for peer in others
            ]
            lines.append(f"| {CASES[i]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        print(json.dumps(measure(arguments.peer)))
        return
    text = tables(measure_all(arguments.rounds))
    text = (
        f"# Training\n\n{conditions()} Libraries take turns, each in a process of its "
        f"own; the best of {3 * arguments.rounds} measurements of {SECONDS} s, or 2 "
        f"epochs, counts. Everything may use both cores but "
        f'"skgd, 1 thread".\n{text}\n'
    )
    publish("training", text, arguments.write)


if __name__ == "__main__":
    main()
