"""Fits in the caller's processes and threads: the same model in each of them."""

import hashlib
import importlib
import multiprocessing
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV

from skgd import MLPClassifier, MLPRegressor
from skgd.parallel.pace import Pace
from tests.engine.helpers import PURE_PYTHON

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Of Python 3.12, for a fork in a process that has had threads.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20))
Y = {MLPClassifier: rng.integers(3, size=300), MLPRegressor: X[:, 0] * X[:, 1]}
# Several threads share the mini-batches of the wide ones.
KINDS = {
    "small": {"hidden_layer_sizes": (7,), "max_iter": 5},
    "wide": {"hidden_layer_sizes": (100, 50), "max_iter": 2, "n_jobs": 2},
    "normalized": {"hidden_layer_sizes": (9,), "max_iter": 3, "batch_normalization": True},
    "lbfgs": {"hidden_layer_sizes": (7,), "max_iter": 5, "solver": "lbfgs"},
}
START_METHODS = [
    m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()
]


def share_at_once(pace):
    """Stand for `Pace.next_call`, by which such short fits would stay on one thread."""
    return pace.most, pace.limit


@pytest.fixture(autouse=True)
def shared_at_once(monkeypatch):
    monkeypatch.setattr(Pace, "next_call", share_at_once)


def fitted(estimator, kind):
    return estimator(random_state=3, **KINDS[kind]).fit(X, Y[estimator])


def digest(kind):
    """Fit both estimators; return a hash of all that they have learned and predict."""
    numbers = hashlib.sha256()
    for estimator in Y:
        model = fitted(estimator, kind)
        arrays = [*model.coefs_, *model.intercepts_, np.array(model.loss_)]
        for array in [*arrays, np.asarray(model.predict(X))]:
            numbers.update(np.ascontiguousarray(array).tobytes())
    return numbers.hexdigest()


def digest_there(kind):
    """The same in another process, where nobody has patched `Pace`."""
    Pace.next_call = share_at_once
    return digest(kind)


@pytest.fixture(scope="module")
def expected():
    """What one thread learns: it is made before `Pace` is patched."""
    return {kind: digest(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_fits_are_the_same(kind, expected):
    assert {digest(kind) for _ in range(20)} == {expected[kind]}


@pytest.mark.slow
@pytest.mark.skipif(PURE_PYTHON, reason="Processes would take their time.")
@pytest.mark.parametrize("start_method", START_METHODS)
def test_processes(start_method, expected):
    """A forked one begins after fits, with threads, in its parent."""
    with multiprocessing.get_context(start_method).Pool(2) as pool:
        results = pool.map_async(digest_there, list(KINDS) * 2, chunksize=1).get(
            timeout=300
        )
    assert results == list(expected.values()) * 2
    assert digest("wide") == expected["wide"]


@pytest.mark.skipif(PURE_PYTHON, reason="Processes would take their time.")
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(backend, expected):
    results = Parallel(n_jobs=2, backend=backend, timeout=300)(
        delayed(digest_there)(kind) for kind in KINDS
    )
    assert results == list(expected.values())


def test_concurrent_fits(expected):
    kinds = list(KINDS) * 2
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(digest, kinds)) == [expected[kind] for kind in kinds]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("estimator", Y)
def test_concurrent_predictions(estimator, kind):
    """By one model, of many rows and few."""
    model = fitted(estimator, kind)
    many = np.tile(X, (20, 1))
    rows = [many if i % 20 == 0 else X[i : i + 1 + i % 3] for i in range(200)]
    expected = [model.predict(part) for part in rows]
    with ThreadPoolExecutor(16) as pool:
        for result, alone in zip(pool.map(model.predict, rows), expected, strict=True):
            np.testing.assert_array_equal(result, alone)


@pytest.mark.skipif(PURE_PYTHON, reason="Processes would take their time.")
@pytest.mark.parametrize("estimator", Y)
def test_jobs_of_a_search(estimator):
    def search(n_jobs):
        grid = {"solver": ["adam", "lbfgs"], "batch_normalization": [False]}
        model = estimator(random_state=0, **KINDS["small"])
        found = GridSearchCV(model, grid, cv=3, n_jobs=n_jobs).fit(X, Y[estimator])
        return found.cv_results_["mean_test_score"], found.best_estimator_.coefs_

    (scores, coefs), (others, other_coefs) = search(1), search(2)
    np.testing.assert_array_equal(scores, others)
    for a, b in zip(coefs, other_coefs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(PURE_PYTHON, reason="Without the JIT, kernels hold the lock.")
@pytest.mark.parametrize(
    ("kernel", "parameters"),
    [
        ("neural_network._trainer.train", {"max_iter": 3, "batch_size": 1000}),
        ("engine.full_batch.lbfgs.minimize", {"max_iter": 3, "solver": "lbfgs"}),
        ("neural_network._prediction.predict_blocks", {"max_iter": 1}),
    ],
)
def test_other_threads_go_on_meanwhile(kernel, parameters, monkeypatch):
    """A kernel releases the lock, or else nobody would count while it runs."""
    module, _, name = f"skgd.{kernel}".rpartition(".")
    compiled = getattr(importlib.import_module(module), name)
    counted, during, going = [0], [], threading.Event()

    def watched(*args):
        before = counted[0]
        result = compiled(*args)
        during.append(counted[0] - before)
        return result

    def count():
        while going.is_set():
            counted[0] += 1
            time.sleep(0)  # offers the lock to others

    features, target = np.tile(X, (100, 1)), np.tile(Y[MLPRegressor], 100)
    model = MLPRegressor(hidden_layer_sizes=(100,), n_jobs=1, **parameters)
    # What compiles a kernel, or reads it from disk, releases the lock as well.
    model.fit(features[:1000], target[:1000]).predict(features)
    monkeypatch.setattr(f"{module}.{name}", watched)
    interval = sys.getswitchinterval()
    counter = threading.Thread(target=count)
    going.set()
    counter.start()
    try:
        # Nobody is asked for the lock: only who releases it lets others go on.
        sys.setswitchinterval(1000)
        for _ in range(20):
            model.fit(features, target).predict(features)
            if any(during):
                break
    finally:
        sys.setswitchinterval(interval)
        going.clear()
        counter.join()
    assert any(during)
