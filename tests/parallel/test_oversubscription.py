"""The fits of a search share the cores of the search, and start no further threads."""

import threading

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from skgd import MLPClassifier
from skgd.neural_network import _prediction
from skgd.parallel import threads
from tests.engine.helpers import PURE_PYTHON

pytestmark = [
    pytest.mark.skipif(PURE_PYTHON, reason="Python's threads share one interpreter lock"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(1500, 60)), rng.integers(3, size=1500)
# Three threads share the mini-batches of the wide one, if there are three.
NETWORKS = {
    "small": {"hidden_layer_sizes": (8,)},
    "wide": {"hidden_layer_sizes": (128, 100), "batch_size": 250},
}


class CountedThread(threading.Thread):
    started = 0

    def start(self):
        CountedThread.started += 1
        super().start()


class Counting(MLPClassifier):
    """Also in other processes, it counts the threads that are started for it."""

    def fit(self, X, y):
        threads.Thread = CountedThread
        # Worth the threads that there may be, also with the small network.
        _prediction.WORTH_SHARING = 1_000_000
        before = CountedThread.started
        super().fit(X, y).predict(np.tile(X, (20, 1)))
        self.started_ = CountedThread.started - before
        return self


def count(model, X, y):
    return model.started_


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    monkeypatch.setattr(threads, "Thread", threads.Thread)
    monkeypatch.setattr(_prediction, "WORTH_SHARING", _prediction.WORTH_SHARING)
    monkeypatch.setattr(threads, "_openmp_effective_n_threads", lambda: 3)
    with threadpool_limits(3, user_api="blas"):
        yield


def started_in_a_search(network, n_jobs, backend):
    model = Counting(max_iter=2, random_state=0, n_jobs=n_jobs, **NETWORKS[network])
    search = GridSearchCV(
        model, {"alpha": [1e-4, 1e-3]}, scoring=count, cv=2, n_jobs=2, refit=False
    )
    with parallel_config(backend):
        search.fit(X, Y)
    return np.array([search.cv_results_[f"split{i}_test_score"] for i in range(2)])


@pytest.mark.parametrize("network", NETWORKS)
def test_a_fit_alone_starts_threads(network):
    """Or else there would be nothing to be seen in a search."""
    alone = Counting(max_iter=2, random_state=0, **NETWORKS[network]).fit(X, Y)
    assert alone.started_ >= 3


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_fit_in_a_search_starts_none(backend, network):
    assert (started_in_a_search(network, None, backend) == 0).all()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_fit_in_a_search_starts_those_asked_for(backend):
    assert (started_in_a_search("wide", 2, backend) >= 2).all()
