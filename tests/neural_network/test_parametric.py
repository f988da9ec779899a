"""Parametric activations in the estimators."""

import pickle

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import ACTIVATIONS, SELU, LeakyReLU, Parametric
from skgd.solvers import SOLVERS
from tests.engine.helpers import assert_close
from tests.neural_network.test_determinism import limit_calls
from tests.neural_network.test_weights_set_by_hand import SET
from tests.oracles.activations import ACTIVATIONS as ORACLES
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 5))
Y = np.column_stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2]])
CLASSES = (X[:, 0] > 0) + (X[:, 1] > 0.5) * 1
TARGETS = {MLPRegressor: Y, MLPClassifier: CLASSES}
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
TANH = Parametric("tanh")


def fitted(estimator=MLPRegressor, activation=TANH, **parameters):
    parameters = {"learning_rate_init": 0.02, "max_iter": 6, "random_state": 0} | parameters
    return estimator(
        hidden_layer_sizes=(8, 6), activation=activation, batch_size=11, **parameters
    ).fit(X, TARGETS[estimator])


def same(one, other):
    assert one.stages_.keys() == other.stages_.keys()
    arrays = (m.coefs_ + m.intercepts_ + m.stages_["activation"] for m in (one, other))
    for a, b in zip(*arrays, strict=True):
        np.testing.assert_array_equal(a, b)


@all_pairs(
    estimator=[MLPClassifier, MLPRegressor],
    solver=[*SOLVERS, "lbfgs"],
    activation=ACTIVATIONS,
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    regularized=[
        {},
        {"batch_normalization": True},
        {"ema_decay": 0.9, "weight_decay": 0.1},
        {"early_stopping": True, "dropout": 0.1},
    ],
)
def test_predictions_by_the_fitted_attributes(
    estimator, solver, activation, dtype, is_sparse, regularized
):
    """Only one of the layers is parametric."""
    rows = X.astype(dtype)
    if solver == "lbfgs":
        regularized = {}
    model = estimator(
        hidden_layer_sizes=(8, 6),
        activation=[Parametric(activation), "relu"],
        solver=solver,
        max_iter=5,
        random_state=0,
        **regularized,
    ).fit(csr_array(rows) if is_sparse else rows, TARGETS[estimator])
    (W, V, U), (b, c, d) = model.coefs_, model.intercepts_
    a, none = model.stages_["activation"]
    assert a.shape == (8,)
    assert a.dtype == dtype
    assert (a != 1).all() or activation == "identity"
    assert none is None
    z = X @ W.astype(float) + b
    hidden = np.maximum((a * ORACLES[activation][0](z) + (1 - a) * z) @ V + c, 0)
    expected = hidden @ U + d
    if estimator is MLPClassifier:
        found = np.diff(np.log(model.predict_proba(rows)))
        expected = np.diff(expected)
    else:
        found = model.predict(rows)
    assert_close(found, expected, 10 * TOLERANCE[dtype])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))


@pytest.mark.parametrize(("initial", "plain"), [(1.0, "tanh"), (0.0, "identity")])
def test_without_a_rate_it_is_a_plain_activation(initial, plain):
    factors = {"activation": 0.0}
    model = fitted(activation=Parametric("tanh", initial), learning_rate_factors=factors)
    other = fitted(activation=plain)
    for weights in model.stages_["activation"]:
        np.testing.assert_array_equal(weights, initial)
    assert_close(model.predict(X), other.predict(X), 1e-9)
    assert other.stages_ == {}


@all_pairs(
    estimator=[MLPClassifier, MLPRegressor],
    batch_normalization=[False, True],
    early_stopping=[False, True],
    ema_decay=[None, 0.8],
    dropout=[0.0, 0.2],
)
def test_calls_of_any_size(
    monkeypatch, estimator, batch_normalization, early_stopping, ema_decay, dropout
):
    models = []
    for n_batches in (1, 7, 10**9):
        limit_calls(monkeypatch, n_batches)
        models.append(
            fitted(
                estimator,
                batch_normalization=batch_normalization,
                early_stopping=early_stopping,
                ema_decay=ema_decay,
                dropout=dropout,
            )
        )
    for model in models[1:]:
        same(models[0], model)
        assert model.loss_curve_ == models[0].loss_curve_


@pytest.mark.parametrize("ema_decay", [None, 0.8])
def test_partial_fit_is_a_fit(ema_decay):
    whole = fitted(shuffle=False, ema_decay=ema_decay)
    model = clone(whole)
    for _ in range(whole.n_iter_):
        model.partial_fit(X, Y)
        model = pickle.loads(pickle.dumps(model))
    same(model, whole)


@pytest.mark.parametrize("solver", ["momentum", "lbfgs"])
def test_a_warm_start_goes_on(solver):
    model = fitted(solver=solver, warm_start=True)
    before, loss = [a.copy() for a in model.stages_["activation"]], model.loss_
    model.fit(X, Y)
    assert model.loss_ < loss
    for a, b in zip(model.stages_["activation"], before, strict=True):
        assert 0 < np.abs(a - b).max() < 0.5


def test_another_function_goes_on_from_the_weights():
    model = fitted(max_iter=1)
    weights = [a.copy() for a in model.stages_["activation"]]
    model.set_params(activation__activation="selu", learning_rate_init=1e-12)
    model.partial_fit(X, Y)
    for a, b in zip(model.stages_["activation"], weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


@pytest.mark.parametrize("way", ["predict", "partial_fit", "fit", "score"])
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("change", SET)
def test_weights_set_by_hand(change, name, way):
    model = fitted(warm_start=True)
    model = pickle.loads(pickle.dumps(model))
    kept = [array.copy() for array in getattr(model, name)]
    setattr(model, name, change(getattr(model, name)))
    arguments = (X,) if way == "predict" else (X, Y)
    with pytest.raises(ValueError, match=r"coefs_.* not those of the last fit.*Parametric"):
        getattr(model, way)(*arguments)
    setattr(model, name, kept)
    getattr(model, way)(*arguments)
    model.set_params(warm_start=False).fit(X, Y)


@pytest.mark.parametrize("change", SET)
def test_stages_set_by_hand(change):
    model = fitted()
    model.stages_["activation"] = change(model.stages_["activation"])
    for call in (model.predict, lambda X: model.partial_fit(X, Y)):
        with pytest.raises(ValueError, match="not those of the last fit"):
            call(X)


@pytest.mark.parametrize(
    ("fitted_with", "other"),
    [
        (TANH, "tanh"),
        ("tanh", TANH),
        ([TANH, "tanh"], ["tanh", TANH]),
        ([TANH, "tanh"], TANH),
    ],
)
def test_other_layers_than_those_of_the_fit(fitted_with, other):
    # Of equal widths, so that the parameters are as many.
    model = MLPRegressor(
        hidden_layer_sizes=(7, 7), activation=fitted_with, warm_start=True, max_iter=3
    ).fit(X, Y)
    expected = model.predict(X)
    model.set_params(activation=other)
    with pytest.raises(ValueError, match=r"activation=.*must be Parametric for the same"):
        model.predict(X)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"activation=.* do not match it"):
            train(X, Y)
    model.set_params(activation=fitted_with)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_scikit_learn_has_none():
    for activation in (TANH, ["tanh", TANH]):
        model = fitted(activation=activation)
        with pytest.raises(ValueError, match=r"has no activation=.*Parametric"):
            model.to_sklearn()


def test_files(tmp_path):
    model = fitted(MLPClassifier, activation=Parametric(LeakyReLU(0.2), 0.5))
    joblib.dump(model, tmp_path / "model")
    again = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    same(again.partial_fit(X, CLASSES), model.partial_fit(X, CLASSES))


def test_searches_and_clones():
    network = MLPClassifier((5,), activation=Parametric(SELU()), max_iter=3)
    options = {"activation__initial": [0.5, 1], "activation__activation": ["relu", SELU()]}
    search = GridSearchCV(network, options, cv=2).fit(X, CLASSES)
    assert set(search.best_params_) == set(options)
    assert repr(clone(network).activation) == "Parametric(activation=SELU())"
    assert network.activation.initial == 1.0


@pytest.mark.parametrize("scoring", [None, "loss", "r2"])
def test_validation_data(scoring):
    parameters = {"max_iter": 8, "random_state": 0, "scoring": scoring}
    model = MLPRegressor(hidden_layer_sizes=(8,), activation=TANH, **parameters)
    model.fit(X, Y, X_val=X[:20], y_val=Y[:20])
    best = clone(model).set_params(max_iter=model.best_epoch_).fit(X, Y)
    for a, b in zip(
        model.best_stages_["activation"], best.stages_["activation"], strict=True
    ):
        np.testing.assert_array_equal(a, b)
    loss = np.mean((best.predict(X[:20]) - Y[:20]) ** 2)
    assert model.validation_loss_curve_[model.best_epoch_ - 1] == pytest.approx(loss)
    expected = model.score(X[:20], Y[:20])
    if scoring == "loss":
        expected = -np.mean((model.predict(X[:20]) - Y[:20]) ** 2)
    assert model.validation_scores_[-1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("activation", "match"),
    [
        (Parametric("sel"), "'activation' parameter of Parametric must be a str among"),
        (Parametric(TANH), "'activation' parameter of Parametric must be"),
        (Parametric(None), "'activation' parameter of Parametric must be"),
        (Parametric(SELU), "'activation' parameter of Parametric must be"),
        (Parametric("selu", np.nan), "'initial' parameter of Parametric must be"),
        (Parametric("selu", np.inf), "'initial' parameter of Parametric must be"),
        (Parametric("selu", "1"), "'initial' parameter of Parametric must be"),
        (Parametric(LeakyReLU("a")), "activation=.*'alpha'"),
        (Parametric, "'activation' parameter of MLPRegressor must be"),
        ([TANH], "a list of 1"),
    ],
)
def test_invalid_activations(activation, match):
    model = fitted()
    before = model.predict(X)
    model.set_params(activation=activation)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=match):
            train(X, Y)
    np.testing.assert_array_equal(model.set_params(activation=TANH).predict(X), before)


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (Parametric("tanh", 1e300), "activation__initial"),
        (Parametric(LeakyReLU(1e300)), "activation__activation__alpha"),
    ],
)
def test_an_initial_weight_too_large_for_float32(activation, name):
    with pytest.raises(ValueError, match=f"{name}=1e.300 is too large for float32"):
        MLPRegressor(activation=activation).fit(X.astype("float32"), Y)


def test_no_hidden_layer():
    model = MLPRegressor(hidden_layer_sizes=(), activation=TANH, max_iter=3).fit(X, Y)
    assert model.stages_ == {}
    model.predict(X)
