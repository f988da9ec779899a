"""Networks with a weight for each input."""

import pickle

import numpy as np
import pytest

from skgd import MLPRegressor
from skgd.activations import ReLU
from skgd.neural_network._network import layout_of
from skgd.stages import Scale
from tests.engine.helpers import assert_close
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 5)) + 3
Y = np.column_stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2]])


class Scaled(MLPRegressor):
    _scales_inputs = True


def fitted(cls=Scaled, dtype="float64", **parameters):
    parameters = {
        "hidden_layer_sizes": (8, 6),
        "batch_size": 11,
        "learning_rate_init": 0.01,
        "max_iter": 5,
        "random_state": 0,
    } | parameters
    return cls(**parameters).fit(X.astype(dtype), Y)


def scale_of(model):
    units = (5, *model.hidden_layer_sizes, 2)
    layout = layout_of(units, [ReLU()] * (len(units) - 2), scales_inputs=True)
    return layout.views(model._normalized["theta"], "scale", Scale)[0]


@all_pairs(
    batch_normalization=[False, True],
    dropout=[0.0, [0.1, 0.1, 0.1]],
    dtype=["float32", "float64"],
    solver=["momentum", "adam"],
)
def test_without_a_rate_nothing_changes(batch_normalization, dropout, dtype, solver):
    options = {"dropout": dropout, "dtype": dtype, "solver": solver}
    options["batch_normalization"] = batch_normalization
    factors = {"scale": 0.0}
    models = [
        fitted(c, learning_rate_factors=factors, **options) for c in (Scaled, MLPRegressor)
    ]
    for a, b in zip(*(m.coefs_ + m.intercepts_ for m in models), strict=True):
        np.testing.assert_array_equal(a, b)
    other = fitted(learning_rate_factors={"scale": 6.0}, **options)
    assert (other.coefs_[0] != models[0].coefs_[0]).all()
    assert other.coefs_[0].dtype == dtype


def test_the_gradient():
    """At 1, that by a scale is the sum of its weights times their gradients."""
    rate, options = 0.01, {"solver": "minibatch", "batch_size": 64, "alpha": 0}
    options |= {"max_iter": 1, "hidden_layer_sizes": (), "learning_rate_init": rate}
    still = fitted(
        MLPRegressor,
        learning_rate_factors=dict.fromkeys(["weights", "bias"], 0.0),
        **options,
    )
    moved = fitted(MLPRegressor, **options)
    before = still.coefs_[0]
    gradient = (before - moved.coefs_[0]) / rate
    scale = scale_of(fitted(learning_rate_factors={"scale": 6.0}, **options))
    assert_close((1 - scale) / (6 * rate), (before * gradient).sum(axis=1), 1e-9)


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("ema_decay", [None, 0.8])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_scale_is_folded(batch_normalization, ema_decay, solver):
    options = {"batch_normalization": batch_normalization, "ema_decay": ema_decay}
    model = fitted(solver=solver, **(options if solver == "adam" else {}))
    (W, V, U), (b, c, d) = model.coefs_, model.intercepts_
    expected = np.maximum(np.maximum(X @ W + b, 0) @ V + c, 0) @ U + d
    assert_close(model.predict(X), expected, 1e-12)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).predict(X), model.predict(X)
    )
    model.to_sklearn().predict(X)
    assert model.stages_ == {}


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_training_goes_on(batch_normalization):
    options = {"shuffle": False, "batch_normalization": batch_normalization}
    whole, steps = fitted(**options), fitted(max_iter=1, **options)
    for _ in range(4):
        steps.partial_fit(X, Y)
    for a, b in zip(steps.coefs_, whole.coefs_, strict=True):
        assert_close(a, b, 1e-9)
    steps.coefs_[0][0] += 1
    with pytest.raises(ValueError, match="not those of the last fit"):
        steps.partial_fit(X, Y)
