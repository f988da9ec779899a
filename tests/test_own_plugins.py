"""Plug-ins of a plain script, outside of the package, are as fast as the built-in ones."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.oracles.activations import ACTIVATIONS
from tests.oracles.losses import Loss
from tests.oracles.network import train
from tests.oracles.schedules import SCHEDULES
from tests.oracles.solvers import SOLVERS

ROOT = Path(__file__).parents[1]

SCRIPT = '''
import json
import math
import warnings
from numbers import Real

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import Interval

from skgd import MLPRegressor
from skgd.activations import Activation
from skgd.losses import Loss
from skgd.solvers import Solver
from skgd.testing import check_plugin


class ThreeSlots(Solver):
    """Momentum of momentum, and the number of updates."""

    n_slots = 3
    _parameter_constraints = {"keep": [Interval(Real, 0, 1, closed="left")]}

    def __init__(self, keep=0.9, lift=0.5):
        self.keep = keep
        self.lift = lift

    def coefficients(self, rate, t):
        return rate, self.keep, 1 - self.keep, self.lift

    @staticmethod
    def update(theta, g, state, coefficients):
        eta, keep, rest, lift = coefficients
        m, v, count = state
        count = count + 1.0
        m = keep * m + rest * g
        v = keep * v + rest * m
        return theta - eta * (m + lift * v / count), (m, v, count)


class Swish(Activation):
    """z times a logistic function of sharpness z."""

    slope_of = "input"

    def __init__(self, sharpness=1.0):
        self.sharpness = sharpness

    @staticmethod
    def value(z, sharpness):
        return z / (1.0 + math.exp(-sharpness * z))

    @staticmethod
    def slope(z, sharpness):
        s = 1.0 / (1.0 + math.exp(-sharpness * z))
        return s + sharpness * z * s * (1.0 - s)


class Huber(Loss):
    """Squared near the target, linear far from it."""

    domain = (-100, float("inf"), "neither")

    def __init__(self, delta=1.0):
        self.delta = delta

    @staticmethod
    def value(z, y, delta):
        e = abs(z - y)
        return 0.5 * e * e if e <= delta else delta * (e - 0.5 * delta)

    @staticmethod
    def slope(z, y, delta):
        e = z - y
        return e if abs(e) <= delta else (delta if e > 0.0 else -delta)


def made(**parameters):
    return MLPRegressor(
        **{
            "loss": Huber(delta=0.7),
            "hidden_layer_sizes": (30, 7),
            "activation": Swish(sharpness=1.5),
            "solver": ThreeSlots(keep=0.8),
            "learning_rate": lambda update, n_updates: 1 - update / (n_updates + 1),
            "learning_rate_init": 0.05,
            "batch_size": 300,
            "shuffle": False,
            "max_iter": 4,
            "random_state": 0,
            **parameters,
        }
    )


def main():
    warnings.simplefilter("ignore", UserWarning)
    for plugin in (ThreeSlots(), Swish(0.7), Huber(2)):
        check_plugin(plugin)
    data = np.load("data.npz")
    X, y = data["X"], data["y"]
    found = {}
    for dtype in ("float32", "float64"):
        for batch_normalization in (False, True):
            for n_jobs in (1, 2):
                model = made(batch_normalization=batch_normalization, n_jobs=n_jobs)
                model.fit(X.astype(dtype), y)
                found[f"{dtype} {batch_normalization} {n_jobs}"] = {
                    "losses": model.loss_curve_,
                    "prediction": model.predict(X[:3].astype(dtype)).tolist(),
                    "dtype": model.coefs_[0].dtype.name,
                }
    try:
        made().fit(X, np.where(y > y.mean(), y, -100.0))
    except ValueError as error:
        found["domain"] = str(error)
    grid = {"solver__keep": [0.5, 0.8], "loss__delta": [0.7]}
    for n_jobs in (1, 2):
        search = GridSearchCV(made(max_iter=2), grid, cv=2, n_jobs=n_jobs)
        search.fit(X, y)
        found[f"search {n_jobs}"] = {
            "scores": search.cv_results_["mean_test_score"].tolist(),
            "best": search.best_params_,
            "solver": repr(search.best_estimator_.solver),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
'''


def three_slots(theta, state, g, rate, t, *, keep, lift):
    m, v, count = state or (np.zeros_like(theta),) * 3
    count = count + 1
    m = keep * m + (1 - keep) * g
    v = keep * v + (1 - keep) * m
    return theta - rate * (m + lift * v / count), (m, v, count)


def swish(z):
    return z / (1 + np.exp(-1.5 * z))


def swish_derivative(z):
    s = 1 / (1 + np.exp(-1.5 * z))
    return s + 1.5 * z * s * (1 - s)


def huber(z, y):
    e = np.abs(z - y)
    return np.where(e <= 0.7, e**2 / 2, 0.7 * (e - 0.35)).sum(axis=1)


HUBER = Loss(huber, lambda z, y: np.clip(z - y, -0.7, 0.7), lambda z: z, None)

rng = np.random.default_rng(0)
X = rng.normal(size=(620, 40))
Y = X[:, 0] - X[:, 1] ** 2 + rng.normal(size=620) / 10
UNITS = (40, 30, 7, 1)
N_UPDATES = 4 * 3


def initial_layers(normalized):
    """Draw the initial weights as scikit-learn does."""
    random_state = np.random.RandomState(0)
    layers = []
    for index, shape in enumerate(pairwise(UNITS)):
        bound = np.sqrt(6 / sum(shape))
        weights = random_state.uniform(-bound, bound, shape)
        bias = random_state.uniform(-bound, bound, shape[1])
        layer = {"weights": weights, "bias": bias}
        if normalized and index < len(UNITS) - 2:
            layer |= {"bias": np.zeros(shape[1]), "gamma": np.ones(shape[1])}
        layers.append(layer)
    return layers


def expected_losses(monkeypatch, normalized):
    monkeypatch.setitem(ACTIVATIONS, "swish", (swish, swish_derivative))
    monkeypatch.setitem(SOLVERS, "three_slots", three_slots)
    monkeypatch.setitem(
        SCHEDULES, "linear", lambda rate, t, n_seen: rate * (1 - t / (N_UPDATES + 1))
    )
    epochs = train(
        initial_layers(normalized),
        X,
        Y[:, None],
        "swish",
        HUBER,
        orders=[np.arange(len(X))] * 4,
        batch_size=300,
        solver="three_slots",
        learning_rate="linear",
        rate=0.05,
        hyper=({"keep": 0.8, "lift": 0.5}, {}),
        alpha=0.0001,
        epsilon=1e-5,
    )
    return [epoch.loss for epoch in epochs]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    (folder / "own.py").write_text(SCRIPT, encoding="utf-8")
    np.savez(folder / "data.npz", X=X, y=Y)
    done = subprocess.run(
        [sys.executable, "own.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "normalized"), [("float32", True), ("float64", False)])
def test_training_follows_a_slow_computation(found, monkeypatch, dtype, normalized):
    one, two = (found[f"{dtype} {normalized} {n_jobs}"] for n_jobs in (1, 2))
    assert one == two
    assert one["dtype"] == dtype
    expected = expected_losses(monkeypatch, normalized)
    assert expected[-1] < expected[0]
    tolerance = {"float32": 1e-4, "float64": 1e-10}[dtype]
    np.testing.assert_allclose(one["losses"], expected, rtol=tolerance)


@pytest.mark.slow
def test_the_domain_of_a_loss(found):
    assert found["domain"] == "loss=Huber(delta=0.7) needs y > -100, got -100.0."


@pytest.mark.slow
def test_a_search_from_a_script(found):
    assert found["search 1"] == found["search 2"]
    assert np.isfinite(found["search 1"]["scores"]).all()
    keep = found["search 1"]["best"]["solver__keep"]
    assert found["search 1"]["solver"] == f"ThreeSlots(keep={keep})"
