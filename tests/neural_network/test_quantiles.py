"""Losses of one or several quantiles, which never cross."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, mean_pinball_loss, r2_score
from sklearn.model_selection import GridSearchCV

from skgd import MLPRegressor
from skgd.losses import Quantile
from tests.engine.helpers import DTYPES
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(300, 3))
Y = X[:, 0] + (1 + abs(X[:, 1])) * RNG.normal(size=300)
WEIGHT = RNG.uniform(0.5, 2, 300)


def network(quantile, **parameters):
    defaults = {"learning_rate_init": 0.01, "max_iter": 60, "random_state": 0}
    return MLPRegressor(
        Quantile(quantile), hidden_layer_sizes=(10,), **{**defaults, **parameters}
    )


def d2(y, predicted, levels, weight=None):
    columns = predicted.reshape(len(y), -1).T
    pairs = zip(columns, np.atleast_1d(levels), strict=True)
    return np.mean(
        [d2_pinball_score(y, p, alpha=level, sample_weight=weight) for p, level in pairs]
    )


@all_pairs(
    quantile=[0.8, [0.3], [0.1, 0.5, 0.9], np.array([0.25, 0.75])],
    solver=["adam", "lbfgs"],
    batch_normalization=[False, True],
    make=[np.asarray, csr_matrix],
    dtype=DTYPES,
    weighted=[False, True],
)
def test_the_share_of_targets_below_a_quantile(
    quantile, solver, batch_normalization, make, dtype, weighted
):
    normalized = batch_normalization and solver != "lbfgs"
    weight = WEIGHT if weighted else None
    model = network(quantile, solver=solver, batch_normalization=normalized)
    rows = make(X.astype(dtype))
    predicted = model.fit(rows, Y, sample_weight=weight).predict(rows)
    assert predicted.dtype == dtype
    if np.ndim(quantile):
        assert predicted.shape == (300, len(quantile))
        assert model.out_activation_ == "quantiles"
        assert (np.diff(predicted) >= 0).all()
    else:
        assert predicted.shape == (300,)
        assert model.out_activation_ == "identity"
    below = np.average(Y[:, None] < predicted.reshape(300, -1), axis=0, weights=weight)
    np.testing.assert_allclose(below, np.ravel(quantile), atol=0.08)
    score = model.score(rows, Y, sample_weight=weight)
    assert score == pytest.approx(d2(Y, predicted, quantile, weight))
    assert score > 0.1


@pytest.mark.parametrize("dtype", DTYPES)
def test_quantiles_do_not_cross_far_from_the_data(dtype):
    model = network([0.05, 0.2, 0.5, 0.8, 0.95], max_iter=10).fit(X.astype(dtype), Y)
    far = 1000 * RNG.normal(size=(500, 3)).astype(dtype)
    assert (np.diff(model.predict(far)) >= 0).all()


@pytest.mark.parametrize("quantile", [0.8, [0.1, 0.9]])
def test_early_stopping_watches_the_score(quantile):
    model = network(quantile, early_stopping=True).fit(X, Y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert 0.1 < model.best_validation_score_ < 1


def test_the_loss_of_validation_data():
    levels = [0.1, 0.5, 0.9]
    model = network(levels, max_iter=3).fit(X, Y, X_val=X, y_val=Y)
    pairs = zip(model.predict(X).T, levels, strict=True)
    expected = sum(mean_pinball_loss(Y, p, alpha=level) for p, level in pairs)
    assert model.validation_loss_curve_[-1] == pytest.approx(expected)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, Y))


@pytest.mark.parametrize("quantile", [0.8, [0.1, 0.9]])
def test_the_fitted_network_stays_what_it_is(quantile):
    model = network(quantile, max_iter=3).fit(X, Y)
    predicted, score = model.predict(X), model.score(X, Y)
    again = pickle.loads(pickle.dumps(model)).set_params(loss="squared_error")
    np.testing.assert_array_equal(again.predict(X), predicted)
    assert again.score(X, Y) == score == pytest.approx(d2(Y, predicted, quantile))
    again = clone(model).fit(X, Y)
    np.testing.assert_array_equal(again.predict(X), predicted)
    other = again.set_params(loss="squared_error").fit(X, Y)
    assert other.score(X, Y) == r2_score(Y, other.predict(X))


def test_calls_of_partial_fit_are_one_fit():
    settings = {"shuffle": False, "max_iter": 4, "batch_size": 50}
    whole = network([0.1, 0.9], **settings).fit(X, Y)
    steps = network([0.1, 0.9], **settings)
    for _ in range(4):
        steps.partial_fit(X, Y)
    np.testing.assert_array_equal(steps.predict(X), whole.predict(X))
    steps.set_params(loss=Quantile([0.1, 0.5, 0.9]))
    with pytest.raises(ValueError, match="go on with the network of the previous fit"):
        steps.partial_fit(X, Y)


def test_a_search_over_them():
    grid = {"loss__quantile": [0.1, 0.9]}
    search = GridSearchCV(network(0.5, max_iter=3), grid, cv=2, error_score="raise")
    search.fit(X, Y)
    best = search.best_params_["loss__quantile"]
    predicted = search.predict(X)
    assert search.score(X, Y) == pytest.approx(d2(Y, predicted, best))


def test_scikit_learn_has_networks_of_one():
    model = network(0.8, max_iter=3).fit(X, Y)
    np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X))
    model = network([0.2, 0.8], max_iter=3).fit(X, Y)
    with pytest.raises(ValueError, match="no loss with out_activation_='quantiles'"):
        model.to_sklearn()


@pytest.mark.parametrize("quantile", [0.5, [0.1, 0.9]])
def test_several_targets(quantile):
    model = network(quantile)
    with pytest.raises(ValueError, match=r"needs a single target, got y of shape \(300, 3"):
        model.fit(X, X)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize(
    "quantile",
    [0, 1.0, np.nan, True, "median", [], [0.5, 0.5], [0.9, 0.1], [0, 0.5], [[0.1, 0.9]]],
)
def test_levels_that_are_refused(quantile):
    with pytest.raises(ValueError, match="The 'quantile' parameter of Quantile must be a"):
        network(quantile).fit(X, Y)
