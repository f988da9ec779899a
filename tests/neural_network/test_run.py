"""A training that is continued in several steps, where `fit` takes a single one."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import Parametric
from skgd.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, Quantile
from skgd.neural_network._run import Run
from skgd.schedules import Cosine, FlatCos, Scheduled
from skgd.solvers import SOLVERS
from tests.pairs import all_pairs

RNG = np.random.RandomState(0)
X = RNG.normal(size=(90, 5))
TARGETS = {MLPRegressor: X @ RNG.normal(size=5), MLPClassifier: RNG.randint(3, size=90)}


def falling(update, n_updates):
    return 1 - update / n_updates


RATES = {"activation": 0.1}
SETTINGS = {
    "plain": {},
    "in order": {"shuffle": False},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 4},
    "scoring": {"early_stopping": True, "scoring": "loss"},
    "validated": {},
    "normalized": {"batch_normalization": True},
    "normalized by rows": {"layer_normalization": True},
    "lower rates": {"learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.1},
    "schedule": {"learning_rate": falling},
    "warm-up": {"learning_rate": Cosine(n_cycles=2, warmup_steps=7)},
    "two threads": {"n_jobs": 2},
    "regularized": {
        "weight_decay": 0.1,
        "max_grad_norm": 0.5,
        "learning_rate_factors": {"bias": 0.1},
    },
    "averaged": {"ema_decay": 0.9, "batch_normalization": True},
    "sparse weights": {"alpha": 2.0, "l1_ratio": 0.5},
    "dropout": {"dropout": [0.1, 0.3]},
    "scheduled": {
        "dropout": Scheduled([0.1, 0.3], FlatCos()),
        "weight_decay": Scheduled(0.5, Cosine(warmup_steps=3)),
    },
    "averages validated": {"ema_decay": 0.9, "early_stopping": True},
    "bins": {"numeric_embedding": "piecewise_linear", "batch_normalization": True},
    "periodic": {"numeric_embedding": "periodic", "early_stopping": True},
    "parametric": {"activation": Parametric("selu"), "learning_rate_factors": RATES},
}


def in_steps(steps, through_pickle):
    """Return what stands for ``Run.advance``."""
    advance = Run.advance

    def advance_in_steps(run, n_epochs, task=None):
        for n in steps:
            advance(run, min(n, n_epochs - run.n_iter))
            if through_pickle:
                kept = pickle.loads(pickle.dumps(run))
                vars(run).clear()
                vars(run).update(vars(kept))
        advance(run, n_epochs - run.n_iter)

    return advance_in_steps


def attributes(model):
    """Return all attributes that a fit sets."""
    kept = {"_progress", "_normalized"}
    return {
        name: value
        for name, value in vars(model).items()
        if name in kept or not name.startswith("_")
    }


def fitted(estimator, is_validated=False, **parameters):
    y = TARGETS[estimator]
    data = {"X_val": X[:30], "y_val": y[:30]} if is_validated else {}
    model = estimator(
        hidden_layer_sizes=(7,),
        batch_size=20,
        max_iter=12,
        random_state=0,
        **parameters,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **data)


@all_pairs(solver=SOLVERS, settings=SETTINGS, through_pickle=[False, True])
def test_several_steps_are_one(monkeypatch, solver, settings, through_pickle):
    estimator = MLPRegressor if through_pickle else MLPClassifier
    parameters = {"solver": solver, "learning_rate_init": 0.01, **SETTINGS[settings]}
    parameters["is_validated"] = settings == "validated"
    once = fitted(estimator, **parameters)
    monkeypatch.setattr(Run, "advance", in_steps([1, 0, 3], through_pickle))
    again = fitted(estimator, **parameters)
    assert once.n_iter_ > 1
    np.testing.assert_equal(attributes(again), attributes(once))


@pytest.mark.parametrize("through_pickle", [False, True])
@pytest.mark.parametrize(
    ("estimator", "loss"),
    [
        *((MLPRegressor, loss) for loss in REGRESSION_LOSSES),
        (MLPRegressor, Quantile([0.1, 0.5, 0.9])),
        *((MLPClassifier, loss) for loss in CLASSIFICATION_LOSSES),
    ],
)
def test_several_steps_are_one_for_every_loss(monkeypatch, estimator, loss, through_pickle):
    """With what acts on the targets of a mini-batch and on its gradient."""
    y = TARGETS[estimator]
    # Above zero, as some losses need it.
    monkeypatch.setitem(TARGETS, estimator, np.exp(y) if estimator is MLPRegressor else y)
    parameters = {"loss": loss, "dropout": 0.2, "ema_decay": 0.9, "max_grad_norm": 0.5}
    if loss == "log_loss":
        parameters["label_smoothing"] = 0.1
    once = fitted(estimator, **parameters)
    monkeypatch.setattr(Run, "advance", in_steps([1, 0, 3], through_pickle))
    np.testing.assert_equal(attributes(fitted(estimator, **parameters)), attributes(once))
    assert once.n_iter_ > 1


def test_a_kept_run_does_not_change(monkeypatch):
    """One that is kept does not change with the fits of others."""
    advance, kept = Run.advance, []

    def keep(run, n_epochs, task=None):
        kept.append(pickle.loads(pickle.dumps(run)))
        advance(run, n_epochs)

    monkeypatch.setattr(Run, "advance", keep)
    model = fitted(MLPClassifier)
    fitted(MLPClassifier, solver="momentum")
    advance(kept[0], model.max_iter)
    weights, biases = kept[0].best.plain(kept[0].layout)
    for found, expected in zip(
        weights + biases, model.coefs_ + model.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_sparse_rows(monkeypatch):
    parameters = {"max_iter": 5, "random_state": 0, "tol": 10, "n_iter_no_change": 2}
    data = csr_matrix(X), TARGETS[MLPRegressor]
    once = MLPRegressor(**parameters).fit(*data)
    monkeypatch.setattr(Run, "advance", in_steps([2], through_pickle=True))
    assert MLPRegressor(**parameters).fit(*data).loss_curve_ == once.loss_curve_
