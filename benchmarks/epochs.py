"""Milliseconds an epoch of some cases, each library in a process of its own."""

import json
import pickle
import subprocess
import sys
from time import perf_counter

from peers import PEERS

__all__ = ["SECONDS", "measure_all"]

# A measurement is of as many epochs as take so long, if nothing else is said.
SECONDS = 0.6

# An epoch that takes longer is measured once a round.
LONG = 5.0


def _seconds(train, epochs):
    started = perf_counter()
    train(epochs)
    return (perf_counter() - started) / epochs


def measure(peer, cases, seconds):
    """Return milliseconds an epoch of each case; None where there is no such thing."""
    results = []
    for case in cases:
        train = PEERS[peer](case)
        if train is None:
            results.append(None)
            continue
        train(1)
        best = _seconds(train, 1)
        if best < LONG:
            epochs = max(2, int(seconds / best))
            best = min(_seconds(train, epochs) for _ in range(3))
        results.append(best * 1e3)
    return results


def measure_all(cases, rounds, peers=tuple(PEERS), seconds=SECONDS):
    """Let the libraries take turns; a measurement takes about so many seconds.

    Returns
    -------
    dict of str to list of float
        For each library and case the best of the rounds, or None.
    """
    best = {}
    for _ in range(rounds):
        for peer in peers:
            answer = subprocess.run(
                [sys.executable, __file__],
                input=pickle.dumps((peer, cases, seconds)),
                check=True,
                stdout=subprocess.PIPE,
            )
            results = json.loads(answer.stdout.splitlines()[-1])
            kept = best.get(peer, results)
            best[peer] = [
                None if old is None else min(old, new)
                for old, new in zip(kept, results, strict=True)
            ]
            print(f"{peer} done", file=sys.stderr)
    return best


if __name__ == "__main__":
    print(json.dumps(measure(*pickle.load(sys.stdin.buffer))))
