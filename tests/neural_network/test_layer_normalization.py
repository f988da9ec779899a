"""Layer normalization in the estimators."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import Parametric
from tests.engine.helpers import assert_close
from tests.neural_network.test_weights_set_by_hand import SET
from tests.oracles.network import normal_rows
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 5))
Y = np.column_stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2]])
TARGETS = {MLPRegressor: Y, MLPClassifier: (X[:, 0] > 0) * 1 + (X[:, 1] > 0.5)}
WEIGHT = rng.uniform(0.5, 2, 64)


def fitted(estimator=MLPRegressor, rows=X, weight=None, **parameters):
    parameters = {"learning_rate_init": 0.02, "max_iter": 5, "random_state": 0} | parameters
    parameters = {"layer_normalization": True, "batch_size": 11} | parameters
    return estimator(hidden_layer_sizes=(8, 8), **parameters).fit(
        rows, TARGETS[estimator], weight
    )


def arrays_of(model):
    stages = [a for arrays in model.stages_.values() for a in arrays if a is not None]
    return [*model.coefs_, *model.intercepts_, *stages]


def same(one, other):
    for a, b in zip(arrays_of(one), arrays_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


@all_pairs(
    estimator=[MLPClassifier, MLPRegressor],
    solver=["adam", "momentum", "lbfgs"],
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    weight=[None, WEIGHT],
    regularized=[
        {},
        {"ema_decay": 0.9, "weight_decay": 0.1, "alpha": 2.0, "l1_ratio": 0.5},
        {"early_stopping": True, "dropout": 0.1, "init": "he_normal"},
    ],
)
def test_predictions_by_the_fitted_attributes(
    estimator, solver, dtype, is_sparse, weight, regularized
):
    rows = X.astype(dtype)
    regularized = {} if solver == "lbfgs" else regularized
    model = fitted(
        estimator,
        csr_array(rows) if is_sparse else rows,
        weight,
        activation=[Parametric("tanh"), "relu"],
        solver=solver,
        **regularized,
    )
    (W, V, U), (b, c, d) = model.coefs_, model.intercepts_
    (gamma, other), (beta, shift) = model.stages_["scale"], model.stages_["bias"]
    a, _ = model.stages_["activation"]
    assert gamma.dtype == beta.dtype == dtype
    assert (gamma != 1).any()
    assert beta.any()
    z = gamma * normal_rows(X.astype(dtype) @ W.astype(float) + b) + beta
    hidden = (a * np.tanh(z) + (1 - a) * z) @ V + c
    expected = np.maximum(other * normal_rows(hidden) + shift, 0) @ U + d
    if estimator is MLPClassifier:
        found = np.diff(np.log(model.predict_proba(rows)))
        expected = np.diff(expected)
    else:
        found = model.predict(rows)
    assert_close(found, expected, 1e-4 if dtype == "float32" else 1e-11)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))


@pytest.mark.parametrize("estimator", TARGETS)
def test_partial_fit_is_a_fit(estimator):
    """Epoch by epoch, also from pickles."""
    whole = fitted(estimator, shuffle=False)
    model = clone(whole)
    classes = {"classes": [0, 1, 2]} if estimator is MLPClassifier else {}
    for _ in range(whole.n_iter_):
        model.partial_fit(X, TARGETS[estimator], **classes)
        model = pickle.loads(pickle.dumps(model))
    same(model, whole)
    # A warm start goes on as well.
    model.set_params(warm_start=True).fit(X, TARGETS[estimator])
    assert model.loss_curve_[-1] < whole.loss_


def test_rows_do_not_depend_on_each_other():
    """Nor does the training on the size of a mini-batch of one."""
    model = fitted(batch_size=1)
    np.testing.assert_allclose(model.predict(X[:1]), model.predict(X)[:1], rtol=1e-12)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("change", SET)
def test_weights_set_by_hand(change, name):
    model = fitted()
    setattr(model, name, change(getattr(model, name)))
    for call in (model.predict, lambda X: model.partial_fit(X, Y)):
        with pytest.raises(ValueError, match=r"not those of the last fit.*layer_norm"):
            call(X)


@pytest.mark.parametrize("kind", ["scale", "bias"])
def test_stages_set_by_hand(kind):
    model = fitted()
    model.stages_[kind][0][0] += 1
    with pytest.raises(ValueError, match="not those of the last fit"):
        model.predict(X)


@pytest.mark.parametrize("is_on", [False, True])
def test_another_network_than_that_of_the_fit(is_on):
    model = fitted(layer_normalization=is_on)
    expected = model.predict(X)
    model.set_params(layer_normalization=not is_on, warm_start=True)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(
            ValueError, match=f"layer_normalization={not is_on} do not match"
        ):
            train(X, Y)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_scikit_learn_has_none():
    with pytest.raises(ValueError, match=r"no layer normalization.*=False"):
        fitted().to_sklearn()


def test_validation_data_and_searches():
    model = MLPRegressor(layer_normalization=True, max_iter=6, random_state=0)
    model.fit(X, Y, X_val=X[:20], y_val=Y[:20])
    best = clone(model).set_params(max_iter=model.best_epoch_).fit(X, Y)
    for kind in ("scale", "bias"):
        np.testing.assert_array_equal(model.best_stages_[kind], best.stages_[kind])
    search = GridSearchCV(model, {"layer_normalization": [False, True]}, cv=2)
    assert search.fit(X, Y).best_params_["layer_normalization"] in (False, True)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"layer_normalization": 2}, "'layer_normalization' parameter"),
        (
            {"batch_normalization": True},
            "batch_normalization=True and layer_normalization=True .*Set one of them to",
        ),
        ({"hidden_layer_sizes": (4, 1)}, r"at least 2 units.*hidden_layer_sizes=\(4, 1\)"),
    ],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_parameters_that_exclude_each_other(parameters, match, solver):
    model = fitted()
    before = model.predict(X)
    if solver == "lbfgs" and "batch_normalization" in parameters:
        match = "batch_normalization=True needs mini-batches"
    with pytest.raises(ValueError, match=match):
        model.set_params(solver=solver, **parameters).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_squares_that_overflow_raise():
    """They would make a row of zeros."""
    network = MLPRegressor(layer_normalization=True, max_iter=2, random_state=0)
    with pytest.raises(ValueError, match=r"not finite|is nan"):
        network.fit(np.float32(1e25) * X.astype("float32"), Y)
    model = MLPRegressor(layer_normalization=True, max_iter=2).fit(X.astype("float32"), Y)
    with pytest.raises(ValueError, match="predictions are not finite"):
        model.predict(np.float32(1e25) * X.astype("float32"))


def test_no_hidden_layer():
    model = MLPRegressor(hidden_layer_sizes=(), layer_normalization=True, max_iter=3)
    assert model.fit(X, Y).stages_ == {}
    model.predict(X)
