"""An integer random_state gives bitwise one model, also if calls divide the training."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from skgd import MLPClassifier, MLPRegressor
from skgd.neural_network import _trainer
from skgd.solvers import SOLVERS
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(67, 5))
Y = {
    MLPClassifier: (X[:, 0] > 0) + (X[:, 1] > 0.5) * 1,
    MLPRegressor: X[:, 0] * X[:, 1] + X[:, 2],
}
WEIGHT = rng.uniform(0, 2, 67)


def same(one, other):
    for a, b in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(a, b)
    for name in ("loss_curve_", "validation_scores_", "n_iter_", "loss_", "t_"):
        assert getattr(one, name) == getattr(other, name)


def limit_calls(monkeypatch, n_batches):
    """Let each compiled call train so many mini-batches."""

    class Pace(_trainer.Pace):
        def __init__(self, *args):
            super().__init__(*args)
            self.limit = n_batches

        def record(self, *args):
            pass

    monkeypatch.setattr(_trainer, "Pace", Pace)


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_run_after_run(estimator, solver):
    parameters = {"solver": solver, "random_state": 3, "max_iter": 8}
    model = estimator(**parameters).fit(X, Y[estimator], WEIGHT)
    for again in (model, estimator(**parameters)):
        before = [a.copy() for a in model.coefs_]
        again.fit(X, Y[estimator], WEIGHT)
        for a, b in zip(again.coefs_, before, strict=True):
            np.testing.assert_array_equal(a, b)


@all_pairs(
    estimator=[MLPClassifier, MLPRegressor],
    shuffle=[False, True],
    early_stopping=[False, True],
    batch_normalization=[False, True],
    learning_rate=["constant", "inverse_time", "invscaling"],
)
def test_calls_of_any_size(
    monkeypatch, estimator, shuffle, early_stopping, batch_normalization, learning_rate
):
    """Calls within an epoch, of an epoch, of many; with patience that is used up."""

    def fit(n_batches):
        limit_calls(monkeypatch, n_batches)
        random_state = np.random.RandomState(7)
        model = estimator(
            hidden_layer_sizes=(8, 6),
            batch_size=11,
            shuffle=shuffle,
            early_stopping=early_stopping,
            batch_normalization=batch_normalization,
            learning_rate=learning_rate,
            decay_steps=5,
            learning_rate_init=0.03,
            random_state=random_state,
            n_iter_no_change=3,
            tol=0.003,
            max_iter=60,
        ).fit(X, Y[estimator], WEIGHT)
        return model, random_state.uniform()

    model, drawn = fit(7)
    for n_batches in (1, 2, 10, 50, 10**9):
        again, drawn_again = fit(n_batches)
        same(model, again)
        assert drawn_again == drawn


def test_adaptive_rates_in_calls_of_any_size(monkeypatch):
    models = []
    for n_batches in (1, 7, 10**9):
        limit_calls(monkeypatch, n_batches)
        model = MLPRegressor(
            solver="momentum",
            learning_rate="adaptive",
            n_iter_no_change=2,
            tol=0.01,
            learning_rate_init=0.02,
            random_state=0,
            max_iter=300,
        )
        models.append(model.fit(X, Y[MLPRegressor]))
    assert models[0].n_iter_ < 300  # down to the smallest rate
    for model in models[1:]:
        same(models[0], model)


def test_sparse_rows_in_calls_of_any_size(monkeypatch):
    rows = sparse.csr_array(np.where(np.abs(X) < 0.5, 0, X))
    models = []
    for n_batches in (1, 10**9):
        limit_calls(monkeypatch, n_batches)
        model = MLPClassifier(batch_size=16, random_state=0, max_iter=9)
        models.append(model.fit(rows, Y[MLPClassifier]))
    same(*models)


WIDE = """
import hashlib, sys
import numpy as np
from skgd import MLPClassifier
from skgd.parallel.pace import Pace

Pace.next_call = lambda pace: (pace.most, pace.limit)
rng = np.random.default_rng(0)
X = rng.normal(size=(600, 60)).astype("float32")
y = rng.integers(5, size=600)
model = MLPClassifier(
    (128, 70), random_state=0, n_iter_no_change=10**6, tol=0, n_jobs=int(sys.argv[1])
)
for _ in range(4):
    model.partial_fit(X, y, classes=range(5))
digest = hashlib.sha256()
for a in [*model.coefs_, *model.intercepts_, np.array(model.loss_curve_)]:
    digest.update(np.ascontiguousarray(a).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_in_any_process_with_any_number_of_threads():
    """A network and mini-batches that are large enough to share."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", WIDE, str(n_jobs)],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        ).stdout
        for n_jobs in (1, 2, 2, 5)
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == hashlib.sha256().digest_size * 2


def test_numpys_global_state_is_neither_read_nor_moved():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for estimator, y in Y.items():
        for early_stopping in (False, True):
            parameters = {"early_stopping": early_stopping, "max_iter": 2}
            estimator(random_state=0, **parameters).fit(X, y)
            estimator(random_state=np.random.RandomState(0), **parameters).fit(X, y)
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(after, before)
