"""CPU time and running threads of searches; no test.

    python -m tests.neural_network.measure_searches

If two threads share a core, they spend CPU time waiting. This shows in the CPU time of two
jobs compared with that of one, and in the mean number of threads that are ready to run.
Linux only.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path

# Their hidden layers and the number of epochs.
NETWORKS = {"small": ((32,), 600), "medium": ((256, 128), 20)}
CASES = [(1, "sequential"), (2, "threading"), (2, "loky")]
TICKS = 100.0  # a second, in /proc


def search(network, n_jobs, backend):
    """Search twice; say when the second time, with all processes there, begins and ends."""
    import warnings

    import numpy as np
    from joblib import parallel_config
    from sklearn.model_selection import GridSearchCV

    from skgd import MLPClassifier

    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, 50)), rng.integers(5, size=5000)
    hidden, max_iter = NETWORKS[network]
    model = MLPClassifier(hidden, max_iter=max_iter, n_iter_no_change=max_iter)
    grid = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2]}
    with parallel_config(backend):
        for word in ("warm", "begin"):
            print(word, flush=True)
            GridSearchCV(model, grid, cv=3, n_jobs=n_jobs, refit=False).fit(X, y)
        print("end", flush=True)
        sys.stdin.read()


def look(session):
    """Return the CPU time of a session's processes, and the number of threads that run."""
    ticks = n_running = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            _, _, stat = (process / "stat").read_text().rpartition(")")
            fields = stat.split()
            if int(fields[3]) != session:
                continue
            ticks += int(fields[11]) + int(fields[12])
            for task in (process / "task").iterdir():
                _, _, stat = (task / "stat").read_text().rpartition(")")
                n_running += stat.split()[0] == "R"
        except OSError:
            continue  # it has ended meanwhile
    return ticks / TICKS, n_running


def measure(network, n_jobs, backend):
    """Return wall seconds, CPU seconds and the mean and largest number that run."""
    command = [sys.executable, "-m", __spec__.name, network, str(n_jobs), backend]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        while child.stdout.readline() != "begin\n":
            assert child.poll() is None
        start, (before, _) = time.perf_counter(), look(child.pid)
        ended = threading.Event()
        threading.Thread(target=lambda: (child.stdout.readline(), ended.set())).start()
        running = []
        while not ended.wait(0.01):
            running.append(look(child.pid)[1])
        wall, (after, _) = time.perf_counter() - start, look(child.pid)
        child.stdin.close()
    return wall, after - before, sum(running) / len(running), max(running)


def main():
    for network in NETWORKS:
        for n_jobs, backend in CASES:
            wall, cpu, mean, most = measure(network, n_jobs, backend)
            print(
                f"{network:8} n_jobs={n_jobs} {backend:10} wall {wall:6.2f} s, "
                f"CPU {cpu:6.2f} s, running {mean:.2f} on average, {most} at most",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        search(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        main()
