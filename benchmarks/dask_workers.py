"""Two Dask workers, by sync_every: python benchmarks/dask_workers.py."""

import warnings
from time import perf_counter

import dask.array as da
from distributed import Client, LocalCluster
from report import conditions, options, publish, table
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from skgd import MLPClassifier
from skgd.dask import DaskMLPClassifier

SETTINGS = {"hidden_layer_sizes": (100,), "max_iter": 20, "tol": 0.0, "random_state": 0}


def main():
    arguments = options(__doc__)
    warnings.simplefilter("ignore")
    X, y = make_classification(
        80_000, 40, n_informative=20, n_classes=4, class_sep=0.7, random_state=0
    )
    X = X.astype("float32")
    X, X_test, y, y_test = train_test_split(X, y, test_size=20_000, random_state=0)
    MLPClassifier(**{**SETTINGS, "max_iter": 1}).fit(X, y)
    started = perf_counter()
    local = MLPClassifier(**SETTINGS).fit(X, y)
    rows = [["one process", "", f"{perf_counter() - started:.1f}"]]
    rows[0] += [f"{local.score(X_test, y_test):.4f}", ""]
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        parts = da.from_array(X, chunks=(15_000, 40)), da.from_array(y, chunks=15_000)
        parts = client.persist(parts)
        DaskMLPClassifier(**{**SETTINGS, "max_iter": 1}).fit(*parts)
        before = None
        for every in ("epoch", 100, 30, 10):
            started = perf_counter()
            found = DaskMLPClassifier(sync_every=every, **SETTINGS).fit(*parts)
            seconds = perf_counter() - started
            # 300 updates an epoch.
            n = 20 * (1 if every == "epoch" else 300 // every)
            before = before or (seconds, n)
            more = (seconds - before[0]) / (n - before[1]) if n > before[1] else None
            rows.append([f"two workers, {every}", f"{n}", f"{seconds:.1f}"])
            rows[-1] += [f"{found.to_local().score(X_test, y_test):.4f}"]
            rows[-1] += [f"{1000 * more:.0f}" if more else ""]
    for n in (4, 8, 16):
        # They share two cores, so that their score tells something, but not their time.
        settings = {"processes": False, "n_workers": n, "threads_per_worker": 1}
        with Client(**settings, dashboard_address=":0"):
            size = len(X) // n
            parts = da.from_array(X, chunks=(size, 40)), da.from_array(y, chunks=size)
            found = DaskMLPClassifier(**SETTINGS).fit(*parts)
        score = found.to_local().score(X_test, y_test)
        rows.append([f"{n} workers, epoch", "20", "", f"{score:.4f}", ""])
    state = found._progress["state"]
    size = (len(state) + 1) * state[0].nbytes
    header = ["sync_every", "averages", "seconds", "test accuracy", "ms each"]
    text = (
        "# Dask\n\n60,000 rows of 40 features in float32, four classes, a hidden layer of "
        "100 units, Adam, 20 epochs. Two workers have two partitions each, others one. "
        f"More than two share the cores. A worker sends {size / 1e3:.0f} kB "
        "for an average, and receives as much. The time of each average is what an average "
        f"more than those of 'epoch' takes. {conditions()}\n\n{table(header, rows)}\n"
    )
    publish("dask", text, arguments.write)


if __name__ == "__main__":
    main()
