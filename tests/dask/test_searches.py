"""Searches of scikit-learn on Dask, and workers that are lost or closed."""

import os
import signal
import warnings
from threading import Event

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

pytest.importorskip("distributed", reason="needs the extra dask")

import dask.array as da
from distributed import Client, LocalCluster

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.dask import DaskMLPClassifier
from skgd.dask._training import Together

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


@pytest.mark.slow
def test_a_search_has_the_same_results(processes):
    model = make_pipeline(ZScoreScaler(), MLPClassifier(max_iter=20, random_state=0))
    grid = {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__solver": ["adam", "lbfgs"]}
    search = GridSearchCV(model, grid, cv=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here = search.fit(X, Y)
        expected, coefs = here.cv_results_, here.best_estimator_[-1].coefs_
        with parallel_config(backend="dask", scatter=[X, Y]):
            found = search.fit(X, Y)
    for name in expected:
        if "time" not in name:
            np.testing.assert_array_equal(found.cv_results_[name], expected[name])
    np.testing.assert_equal(found.best_estimator_[-1].coefs_, coefs)


@pytest.mark.slow
def test_a_lost_worker_costs_time_alone(processes, monkeypatch):
    """Its rows are computed again, and training goes on with the same result."""
    rows, labels = da.from_array(X, chunks=(40, 4)), da.from_array(Y, chunks=40)
    model = DaskMLPClassifier(max_iter=30, sync_every=2, random_state=0)
    coefs = model.fit(rows, labels).coefs_

    losses, run = [], Together.run

    def run_and_kill(self, n_seen, before_call=None):
        for loss in run(self, n_seen, before_call):
            losses.append(loss)
            if len(losses) == 3:
                os.kill(min(processes.run(os.getpid).values()), signal.SIGKILL)
            yield loss

    monkeypatch.setattr(Together, "run", run_and_kill)
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
