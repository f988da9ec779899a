"""Searches of scikit-learn on Dask, and workers that are lost or closed."""

import os
import signal
import warnings
from contextlib import suppress
from itertools import chain
from threading import Event
from time import sleep
from unittest.mock import Mock
from uuid import uuid4

import numpy as np
import pytest
from joblib import parallel_config
from numba.core.event import RecordingListener, register
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

pytest.importorskip("distributed", reason="needs the extra dask")

import dask.array as da
from distributed import Client, LocalCluster, WorkerPlugin

import skgd
from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.dask import DaskMLPClassifier
from skgd.dask._training import ReplicaTrainer
from skgd.model_selection import EpochHalvingSearchCV

X, Y = load_iris(return_X_y=True)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer.*:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture
def processes():
    """Two workers, each in a process."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


DIGITS, NUMBERS = (a[:600] for a in load_digits(return_X_y=True))
# Sent to all workers; joblib would send what is not named to one.
FOLDS = list(StratifiedKFold(3).split(DIGITS, NUMBERS))
EVERYWHERE = [DIGITS, NUMBERS, *chain.from_iterable(FOLDS)]
NETWORK = MLPClassifier(max_iter=9, early_stopping=True, random_state=0)
MODEL = make_pipeline(ZScoreScaler(), NETWORK)
RATES = {"mlpclassifier__learning_rate_init": [1e-4, 1e-3, 1e-2, 0.1]}
SEARCHES = [
    GridSearchCV(MODEL, RATES, cv=FOLDS),
    EpochHalvingSearchCV(MODEL, RATES, n_candidates="all", factor=2, cv=FOLDS),
]


def process(model, X, y):
    return os.getpid()


class Deadly:
    """Score, and kill the process of the eighth score."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, model, X, y):
        (self.folder / uuid4().hex).touch()
        with suppress(FileExistsError):
            if len(os.listdir(self.folder)) >= 8:
                (self.folder / "killed").mkdir()
                os.kill(os.getpid(), signal.SIGKILL)
        return accuracy_score(y, model.predict(X))


def assert_same(found, expected):
    for name, column in expected.cv_results_.items():
        if "time" not in name and "process" not in name:
            np.testing.assert_array_equal(found.cv_results_[name], column, name)
    networks = [search.best_estimator_[-1] for search in (found, expected)]
    np.testing.assert_equal(*(network.coefs_ for network in networks))


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_has_the_same_results(processes, search):
    """In the processes of the workers, which load the kernels that one has compiled."""

    class WarmUp(WorkerPlugin):
        def setup(self, worker):
            skgd.warm_up("float64", verbose=False)

    hosts = {address.rsplit(":", 1)[0]: address for address in processes.nthreads()}
    processes.run(skgd.warm_up, "float64", verbose=False, workers=list(hosts.values()))
    processes.register_plugin(WarmUp())
    recorders = processes.run(record_compilations)
    assert len(recorders) == 2
    search = clone(search).set_params(refit="accuracy", cv=FOLDS)
    search.set_params(scoring={"accuracy": "accuracy", "process": process})
    expected = clone(search).fit(DIGITS, NUMBERS)
    processes.scatter = Mock(wraps=processes.scatter)
    with parallel_config(backend="dask", scatter=EVERYWHERE):
        search.fit(DIGITS, NUMBERS)
    assert processes.scatter.call_count == 1
    assert_same(search, expected)
    where = np.concatenate([search.cv_results_[f"split{i}_test_process"] for i in range(3)])
    assert set(where) <= set(processes.run(os.getpid).values())
    assert set(processes.run(n_compilations).values()) == {0}


def record_compilations():
    global RECORDER
    RECORDER = RecordingListener()
    register("numba:compile", RECORDER)


def n_compilations():
    return len(RECORDER.buffer)


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_survives_a_worker(processes, search, tmp_path):
    expected = clone(search).fit(DIGITS, NUMBERS)
    # A clone would have copies of the folds, which are nowhere yet.
    search = clone(search).set_params(scoring=Deadly(tmp_path), cv=FOLDS)
    # Otherwise Dask drops all copies but one of what no task is waiting for.
    processes.amm.stop()
    with parallel_config(backend="dask", scatter=EVERYWHERE):
        search.fit(DIGITS, NUMBERS)
    assert (tmp_path / "killed").exists()
    assert_same(search, expected)


@pytest.mark.slow
def test_ray():
    """The results of a search in Ray's processes, too, are those of this one."""
    ray = pytest.importorskip("ray", reason="needs Ray")
    from ray.util.joblib import register_ray

    options = {"include_dashboard": False, "log_to_driver": False}
    ray.init(num_cpus=2, **options, runtime_env={"env_vars": {"PYTHONPATH": os.getcwd()}})
    try:
        register_ray()
        for search in (SEARCHES[0], clone(SEARCHES[1]).set_params(factor=None)):
            expected, found = clone(search).fit(DIGITS, NUMBERS), clone(search)
            with parallel_config(backend="ray", n_jobs=-1):
                found.fit(DIGITS, NUMBERS)
            assert_same(found, expected)
    finally:
        ray.shutdown()


def test_incremental(client):
    """The blocks of a Dask array, one after the other."""
    wrappers = pytest.importorskip("dask_ml.wrappers", reason="needs dask-ml")
    rows, labels = da.from_array(DIGITS, (200, 64)), da.from_array(NUMBERS, 200)
    expected = clone(NETWORK).set_params(early_stopping=False)
    model = wrappers.Incremental(clone(expected), shuffle_blocks=False)
    for _ in range(3):
        model.partial_fit(rows, labels, classes=range(10))
        for start in range(0, 600, 200):
            part = slice(start, start + 200)
            expected.partial_fit(DIGITS[part], NUMBERS[part], classes=range(10))
    np.testing.assert_equal(model.estimator_.coefs_, expected.coefs_)


@pytest.mark.slow
def test_a_lost_worker_costs_time_alone(processes, monkeypatch):
    """Its rows are computed again, and training goes on with the same result."""
    rows, labels = da.from_array(X, chunks=(40, 4)), da.from_array(Y, chunks=40)
    model = DaskMLPClassifier(max_iter=30, sync_every=2, random_state=0)
    coefs = model.fit(rows, labels).coefs_

    losses, run = [], ReplicaTrainer.run

    def run_and_kill(self, n_seen, before_call=None):
        for loss in run(self, n_seen, before_call):
            losses.append(loss)
            if len(losses) == 3:
                os.kill(min(processes.run(os.getpid).values()), signal.SIGKILL)
            yield loss

    monkeypatch.setattr(ReplicaTrainer, "run", run_and_kill)
    model.fit(rows, labels)
    assert len(losses) == 30
    np.testing.assert_equal(model.coefs_, coefs)


@pytest.mark.slow
def test_what_cannot_be_computed_again(processes):
    """Rows that the client has scattered are lost with their worker."""
    workers = sorted(processes.run(os.getpid).items())
    rows, labels = da.from_array(X, chunks=(75, 4)), da.from_array(Y, chunks=75)
    parts = processes.scatter([X[:75], X[75:]], workers=[workers[0][0]])
    rows = da.concatenate([da.from_delayed(p, (75, 4), float) for p in parts])
    model = DaskMLPClassifier(max_iter=3, random_state=0)
    os.kill(workers[0][1], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="Workers were lost with data"):
        model.fit(rows, labels)
    assert not hasattr(model, "coefs_")


BEGUN, ENDED, ERRORS = Event(), Event(), []


def fit_for_years(solver):
    model = MLPRegressor(solver=solver, max_iter=10**9, max_fun=10**9, tol=0.0)
    model.set_params(n_iter_no_change=10**9)
    BEGUN.set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while True:
                model.fit(X, X[:, 0])
    except RuntimeError as error:
        ERRORS.append(str(error))
    finally:
        ENDED.set()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_ends_with_its_worker(solver):
    """The worker would wait for it, or be killed."""
    BEGUN.clear()
    ENDED.clear()
    ERRORS.clear()
    cluster = LocalCluster(processes=False, n_workers=1, dashboard_address=":0")
    client = Client(cluster)
    future = client.submit(fit_for_years, solver)
    assert BEGUN.wait(60)
    cluster.close()
    assert ENDED.wait(60)
    assert ERRORS == ["The Dask worker that this ran on has been closed."]
    assert future.status != "finished"
    client.close()


def has_begun():
    return BEGUN.is_set()


@pytest.mark.slow
@pytest.mark.parametrize("is_compiled", [True, False])
def test_closing_a_cluster_kills_nobody(is_compiled, monkeypatch):
    """Its processes end by themselves: idle, in a fit, or while a kernel is compiled."""
    if not is_compiled:
        monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    client = Client(cluster)
    if is_compiled:
        with parallel_config(backend="dask", scatter=EVERYWHERE):
            clone(SEARCHES[0]).set_params(cv=FOLDS).fit(DIGITS, NUMBERS)
        rows, labels = da.from_array(X, chunks=(40, 4)), da.from_array(Y, chunks=40)
        DaskMLPClassifier(max_iter=3).fit(rows, labels)
        client.submit(MLPRegressor(max_iter=3).fit, X, X[:, 0]).result()
    first = min(client.nthreads())
    task = client.submit(fit_for_years, "adam", workers=[first])
    while not client.run(has_begun, workers=[first])[first]:
        sleep(0.1)
    sleep(2)
    assert task.status == "pending"
    ended = [nanny.process.process for nanny in cluster.workers.values()]
    cluster.close()
    assert [process.exitcode for process in ended] == [0, 0]
    client.close()
