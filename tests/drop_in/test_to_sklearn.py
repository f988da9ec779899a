"""Fitted estimators are converted to scikit-learn's, and from there to ONNX."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import preprocessing
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import skgd
from skgd.activations import Activation, Tanh
from skgd.engine import exp, log1p
from skgd.losses import Poisson, SquaredError
from skgd.schedules import InverseScaling
from skgd.solvers import Adam, Minibatch, Momentum, RMSProp
from tests.drop_in.tasks import (
    SINCE_1_7,
    TASKS,
    assert_same_predictions,
    assert_same_weights,
    data,
    networks,
    quietly,
)
from tests.pairs import all_pairs

# What scikit-learn has, what it does not, and what becomes of it there.
SOLVERS = {
    "adam": ({}, {}),
    "lbfgs": ({"solver": "lbfgs"}, {"solver": "lbfgs"}),
    "sgd": ({"solver": "sgd"}, {"solver": "sgd"}),
    "momentum": ({"solver": "momentum"}, {"solver": "sgd"}),
    "minibatch": (
        {"solver": "minibatch", "learning_rate": "inverse_time", "decay_steps": 2},
        {"solver": "sgd", "momentum": 0.0, "learning_rate": "constant"},
    ),
    "rmsprop": (
        {"solver": "rmsprop", "rho": 0.8, "learning_rate": "invscaling"},
        {"solver": "adam", "beta_1": 0.0, "beta_2": 0.8, "learning_rate": "invscaling"},
    ),
    "lion": ({"solver": "lion"}, {"solver": "adam", "beta_1": 0.9, "beta_2": 0.99}),
    "normalized": (
        {"batch_normalization": True, "early_stopping": True, "warm_start": True},
        {"early_stopping": True, "warm_start": True},
    ),
}


def trained(task, dtype=np.float64, **parameters):
    """A network of skgd, and what it was fitted to."""
    X, y, _ = data(task, dtype)
    model, _ = networks(task, max_iter=7, early_stopping=False)
    model.set_params(**parameters)
    return quietly(model.fit, X, y), X, y


@all_pairs(task=TASKS, solver=SOLVERS, dtype=[np.float32, np.float64])
def test_predicts_the_same(task, solver, dtype):
    given, expected = SOLVERS[solver]
    if task == "strings" and solver == "normalized" and not SINCE_1_7:
        pytest.skip("This scikit-learn asks whether the names of the classes are finite.")
    model, X, _ = trained(task, dtype, **given)
    before = pickle.dumps(model)
    exported = model.to_sklearn()
    assert type(exported) is type(model)._counterpart
    tolerance = 1e-13 if dtype == np.float64 else 1e-5
    assert_same_predictions(model, exported, X, tolerance)
    parameters = exported.get_params()
    assert expected.items() <= parameters.items()
    changed = {"solver", "momentum", "learning_rate", "beta_1", "beta_2"}
    for name in set(parameters) - changed:
        assert parameters[name] == model.get_params()[name]
    for name, value in vars(model).items():
        if name.endswith("_") and not name.startswith("_"):
            assert pickle.dumps(getattr(exported, name)) == pickle.dumps(value)
    # And back.
    again = type(model).from_sklearn(exported)
    assert_same_predictions(again, model, X, 0)
    assert_same_weights(again, model, 0)
    # As a pickle, in which nothing is skgd's.
    pickled = pickle.dumps(exported)
    assert b"skgd" not in pickled
    assert_same_predictions(pickle.loads(pickled), exported, X, 0)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("solver", sorted(SOLVERS.keys() - {"lbfgs"}))
@pytest.mark.parametrize("task", ["binary", "strings", "multilabel", "regression"])
def test_partial_fit_goes_on_from_the_weights(task, solver):
    given = {**SOLVERS[solver][0], "early_stopping": False, "learning_rate_init": 0.01}
    model, X, y = trained(task, **given)
    before = pickle.dumps(model)
    exported = model.to_sklearn()
    for _ in range(20):
        exported.partial_fit(X, y)
    assert exported.loss_curve_[:7] == model.loss_curve_
    assert exported.t_ == 27 * len(X)
    assert exported.loss_curve_[-1] < model.loss_curve_[-1]
    assert pickle.dumps(model) == before


def test_plain_gradient_descent_goes_on_as_it_would():
    model, X, y = trained("regression", solver="minibatch", shuffle=False, batch_size=40)
    exported = model.to_sklearn()
    for _ in range(3):
        exported.partial_fit(X, y)
        model.partial_fit(X, y)
    assert_same_weights(model, exported, 1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_warm_start_goes_on_from_the_weights(solver):
    model, X, y = trained("regression", **{**SOLVERS[solver][0], "warm_start": True})
    exported = model.to_sklearn()
    # Nothing is better than that.
    if exported.early_stopping:
        exported.set_params(max_iter=1)
        exported.best_validation_score_ = 2.0
        quietly(exported.fit, X, y)
        assert_same_weights(model, exported, 0)
    else:
        quietly(exported.fit, X, y)
        assert exported.loss_ < model.loss_


def test_neither_changes_with_the_other():
    state = np.random.RandomState(0)
    model, X, _ = trained("multiclass", random_state=state)
    exported = model.to_sklearn()
    before = model.predict_proba(X)
    for weights in exported.coefs_:
        weights[:] = 0
    np.testing.assert_array_equal(model.predict_proba(X), before)
    exported.random_state.uniform()
    assert exported.random_state.uniform() != model.random_state.uniform()


def test_names_of_features_and_one_class():
    X, y, _ = data("binary")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = quietly(skgd.MLPClassifier((3,), max_iter=2).fit, frame, y).to_sklearn()
    assert model.feature_names_in_.tolist() == list("abcdef")
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("fedcba")])
    one = quietly(skgd.MLPClassifier((3,), max_iter=2).fit, X, ["only"] * len(X))
    assert set(one.to_sklearn().predict(X)) == {"only"}


def test_the_loss_is_that_of_the_fit():
    X, y, _ = data("regression")
    model = quietly(skgd.MLPRegressor("poisson", (3,), max_iter=2).fit, X, abs(y))
    model.set_params(loss="squared_error")
    if SINCE_1_7:
        exported = model.to_sklearn()
        assert exported.loss == "poisson"
        assert_same_predictions(model, exported, X, 1e-13)
    else:
        with pytest.raises(ValueError, match=r"1\.6.*'exp'.*1\.7 it has loss='poisson'"):
            model.to_sklearn()


def test_networks_that_scikit_learn_does_not_have():
    model, _, _ = trained("regression")
    with pytest.raises(ValueError, match=r"no activation='gelu'.*Fit with .*'relu'"):
        model.set_params(activation="gelu").to_sklearn()
    model.set_params(activation="relu").out_activation_ = "softplus"
    with pytest.raises(ValueError, match=r"out_activation_='softplus', only .*'identity'"):
        model.to_sklearn()


@pytest.mark.parametrize(
    "make",
    [
        skgd.MLPClassifier,
        skgd.MLPRegressor,
        skgd.MinMaxScaler,
        skgd.MeanScaler,
        skgd.StandardScaler,
        skgd.ZScoreScaler,
    ],
)
def test_before_a_fit(make):
    with pytest.raises(NotFittedError):
        make().to_sklearn()


# -------------------------------------------------------------------------------- scalers

SCALERS = [
    (skgd.MinMaxScaler((-2, 3), clip=True), preprocessing.MinMaxScaler),
    (skgd.MinMaxScaler(copy=False), preprocessing.MinMaxScaler),
    (skgd.MeanScaler(), preprocessing.StandardScaler),
    (skgd.StandardScaler(), preprocessing.StandardScaler),
    (skgd.ZScoreScaler(), preprocessing.StandardScaler),
    (skgd.ZScoreScaler(with_mean=False), preprocessing.StandardScaler),
    (skgd.ZScoreScaler(with_std=False), preprocessing.StandardScaler),
    (skgd.ZScoreScaler(with_mean=False, with_std=False), preprocessing.StandardScaler),
]


def assert_close_columns(found, expected):
    """Compare with the largest number of each column."""
    size = np.nanmax(np.abs(expected), axis=0)
    size[size == 0] = 1
    tolerance = 10 * np.finfo(expected.dtype).eps
    np.testing.assert_allclose(found / size, expected / size, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("scaler", "counterpart"), SCALERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scales_the_same(scaler, counterpart, dtype):
    X = data("regression", dtype)[0] * [1, 2, 3, 1e-20, 1e20, 0] + [0, 1, 2, 0, 0, 3]
    frame = pd.DataFrame(X.astype(dtype), columns=list("abcdef"))
    frame.iloc[3, 1] = np.nan
    exported = scaler.fit(frame).to_sklearn()
    assert type(exported) is counterpart
    parameters = scaler.get_params()
    assert {k: v for k, v in exported.get_params().items() if k in parameters} == parameters
    for name, value in vars(scaler).items():
        if name.endswith("_"):
            copied = getattr(exported, name)
            np.testing.assert_array_equal(copied, value)
            assert copied is not value or not isinstance(value, np.ndarray)
    scaled, expected = exported.transform(frame.copy()), scaler.transform(frame.copy())
    assert scaled.dtype == dtype
    assert_close_columns(scaled, expected)
    back = exported.inverse_transform(expected.copy())
    assert_close_columns(back, scaler.inverse_transform(expected))


@pytest.mark.parametrize("make", [skgd.MinMaxScaler, skgd.StandardScaler])
def test_scalers_can_be_fitted_further(make):
    X, _, _ = data("regression")
    exported = make().fit(X[:50]).to_sklearn().partial_fit(X[50:])
    np.testing.assert_allclose(exported.transform(X), make().fit_transform(X), atol=1e-13)


def test_a_mean_scaler_cannot_be_fitted_further():
    X, _, _ = data("regression")
    exported = skgd.MeanScaler().fit(X).to_sklearn()
    with pytest.raises(AttributeError, match="var_"):
        exported.partial_fit(X)


# ------------------------------------------------------------------------------ plug-ins


class Leaky(Activation):
    def __init__(self, leak=0.1):
        self.leak = leak

    @staticmethod
    def value(z, leak):
        return z if z > 0.0 else leak * z

    @staticmethod
    def slope(a, leak):
        return 1.0 if a > 0.0 else leak


class Softplus(Poisson):
    """A link of a user's own."""

    out_activation = "softplus"

    @staticmethod
    def link(z):
        return log1p(exp(z))


def small(**parameters):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    y = np.abs(X[:, 0])
    network = skgd.MLPRegressor(
        hidden_layer_sizes=(3, 2), max_iter=2, random_state=0, **parameters
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(X, y), X


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"solver": Adam(beta_1=0.5)}, {"solver": "adam", "beta_1": 0.5}),
        ({"solver": Momentum(0.3, False)}, {"solver": "sgd", "momentum": 0.3}),
        ({"solver": Minibatch()}, {"solver": "sgd", "momentum": 0.0}),
        ({"solver": RMSProp(0.7, 1e-6)}, {"beta_2": 0.7, "epsilon": 1e-6}),
        ({"activation": Tanh()}, {"activation": "tanh"}),
        ({"activation": ["tanh", Tanh()]}, {"activation": "tanh"}),
        ({"learning_rate": InverseScaling(0.3)}, {"power_t": 0.3}),
        ({"learning_rate": lambda update, n: 0.5}, {"learning_rate": "constant"}),
        ({"loss": SquaredError()}, {}),
    ],
)
def test_objects(parameters, expected):
    model, X = small(**parameters)
    exported = model.to_sklearn()
    assert expected.items() <= exported.get_params().items()
    np.testing.assert_allclose(exported.predict(X), model.predict(X), rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": Leaky()}, r"has no activation=Leaky\(\)\. Fit with one of"),
        ({"activation": ["relu", "tanh"]}, r"has no activation=\['relu', 'tanh'\]\. Fit"),
        ({"loss": Softplus()}, "has no loss with out_activation_='softplus'"),
    ],
)
def test_objects_that_scikit_learn_has_not(parameters, message):
    model, X = small(**parameters)
    with pytest.raises(ValueError, match=message):
        model.to_sklearn()
    if "loss" in parameters:
        # The link is that of the fit, whatever has been set since.
        before = model.predict(X)
        assert (before > 0).all()
        np.testing.assert_array_equal(model.set_params(loss="poisson").predict(X), before)
