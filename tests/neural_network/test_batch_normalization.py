import numpy as np
import pytest
from scipy import sparse

from skgd import MLPClassifier, MLPRegressor
from skgd.engine.layout import Layout
from tests.engine.helpers import assert_close
from tests.oracles import network as oracle

rng = np.random.default_rng(0)
X = rng.normal(3, 5, size=(90, 4))
y = np.sin(X[:, 0]) + X[:, 1] / 5
PARAMETERS = {
    "hidden_layer_sizes": (9, 6),
    "batch_normalization": True,
    "random_state": 0,
    "batch_size": 30,
}


def layers_of(model):
    """Return the network before it was folded, and its running statistics."""
    layout = Layout([4, 9, 6, 1], True)
    kept = model._normalised
    parts = [layout.weights(kept.theta), layout.biases(kept.theta)]
    layers, running, start = [], [], 0
    for weights, bias, gamma in zip(*parts, layout.gammas(kept.theta), strict=True):
        layer = {"weights": weights, "bias": bias}
        moments = None
        if gamma is not None:
            layer["gamma"] = gamma
            n = gamma.size
            moments = kept.running[start : start + n], kept.running[start + n :][:n]
            start += 2 * n
        layers.append(layer)
        running.append(moments)
    return layers, running


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("n_epochs", [1, 5])
def test_predictions_are_those_of_the_running_statistics(activation, n_epochs):
    model = MLPRegressor(**PARAMETERS, activation=activation)
    for _ in range(n_epochs):
        model.partial_fit(X, y)
    layers, running = layers_of(model)
    epsilon = model.batch_normalization_epsilon
    centred = X - model._normalised.centre
    z, _ = oracle.forward(layers, centred, activation, epsilon=epsilon, running=running)
    assert_close(model.predict(X), z[:, 0], 1e-12)
    # which is a plain network's:
    plain = [
        {"weights": weights, "bias": bias}
        for weights, bias in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    z, _ = oracle.forward(plain, X, activation)
    assert_close(model.predict(X), z[:, 0], 1e-12)


def test_fitted_attributes_are_those_of_a_plain_network():
    model = MLPRegressor(**PARAMETERS).partial_fit(X, y)
    assert [c.shape for c in model.coefs_] == [(4, 9), (9, 6), (6, 1)]
    assert [b.shape for b in model.intercepts_] == [(9,), (6,), (1,)]
    assert model.n_layers_ == 4


def test_the_first_weights_are_those_of_a_plain_network():
    """The random draws come in the same order, so models can be compared."""
    plain = MLPRegressor(
        hidden_layer_sizes=(9, 6), random_state=0, batch_size=30, learning_rate_init=1e-12
    )
    normal = MLPRegressor(**PARAMETERS, learning_rate_init=1e-12)
    plain.partial_fit(X, y)
    normal.partial_fit(X, y)
    layers, _ = layers_of(normal)
    for layer, coef in zip(layers, plain.coefs_, strict=True):
        assert_close(layer["weights"], coef, 1e-10)
    for layer in layers[:-1]:
        np.testing.assert_allclose(layer["gamma"], 1, rtol=1e-10)
        np.testing.assert_allclose(layer["bias"], 0, atol=1e-10)


def test_one_epoch_of_one_mini_batch_has_its_loss_after_all():
    """Nothing learned: the loss of the predictions is that of training."""
    model = MLPRegressor(
        **{**PARAMETERS, "batch_size": 90}, learning_rate_init=1e-12, alpha=0
    ).partial_fit(X, y)
    assert model.loss_ == pytest.approx(((model.predict(X) - y) ** 2).mean() / 2, rel=1e-6)


def test_one_short_epoch_predicts_about_as_well_as_it_trained():
    model = MLPRegressor(**PARAMETERS, alpha=0).partial_fit(X, y)
    loss = ((model.predict(X) - y) ** 2).mean() / 2
    assert loss == pytest.approx(model.loss_, rel=0.3)


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_weights_are_repetitions(estimator):
    target = (y > 0).astype(int) if estimator is MLPClassifier else y
    repeats = np.arange(90) % 3
    parameters = {**PARAMETERS, "batch_size": 200, "shuffle": False}
    with pytest.warns(UserWarning, match="batch_size"):
        one = estimator(**parameters).partial_fit(
            X,
            target,
            sample_weight=repeats,
            **({"classes": [0, 1]} if estimator is MLPClassifier else {}),
        )
        other = estimator(**parameters).partial_fit(
            X.repeat(repeats, 0),
            target.repeat(repeats),
            **({"classes": [0, 1]} if estimator is MLPClassifier else {}),
        )
    for a, b in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        assert_close(a, b, 1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_it_learns_at_any_scale_of_the_features(scale):
    features = np.random.default_rng(0).normal(size=(200, 4))
    target = np.sin(2 * features[:, 0]) + features[:, 1]
    scores = {}
    for batch_normalization in (False, True):
        model = MLPRegressor(
            hidden_layer_sizes=(30, 30),
            batch_normalization=batch_normalization,
            batch_size=50,
            random_state=0,
            learning_rate_init=0.01,
            max_iter=60,
        )
        model.fit(scale * features, target)
        scores[batch_normalization] = model.score(scale * features, target)
    assert scores[True] > 0.9
    assert scores[False] < 0.5


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_far_from_zero_are_learnt_as_those_around_it(dtype, early_stopping):
    """The running mean lags behind the weights, which counts times the features' mean."""
    features = np.random.default_rng(0).normal(size=(200, 4))
    target = np.sin(2 * features[:, 0]) + features[:, 1]
    losses = []
    for offset in (0, 5000):
        rows = (features + offset).astype(dtype)
        model = MLPRegressor(
            hidden_layer_sizes=(30,),
            batch_normalization=True,
            early_stopping=early_stopping,
            batch_size=50,
            random_state=0,
            learning_rate_init=0.01,
            max_iter=60,
        ).fit(rows, target)
        losses.append(model.loss_)
        assert model.score(rows, target) > 0.9
    # The sixth digit of the data is beyond float32.
    assert losses[0] == pytest.approx(losses[1], rel=1e-6 if dtype == "float64" else 0.1)


def test_a_network_is_the_same_about_any_centre():
    model = MLPRegressor(**PARAMETERS).partial_fit(X, y)
    layout, kept = Layout([4, 9, 6, 1], True), model._normalised.copy()
    kept.recentre(layout, np.array([0.0, -3.0, 10.0, 100.0]))
    coefs, intercepts = kept.plain(layout, model.batch_normalization_epsilon)
    for a, b in zip(coefs, model.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(intercepts, model.intercepts_, strict=True):
        assert_close(a, b, 1e-12)
    assert not np.allclose(kept.running[:9], model._normalised.running[:9])


def test_sparse_rows_go_on_with_the_network_of_dense_ones():
    parameters = {**PARAMETERS, "learning_rate_init": 1e-12, "alpha": 0}
    models = [MLPRegressor(**parameters).partial_fit(X, y) for _ in range(2)]
    models[0].partial_fit(X, y)
    models[1].partial_fit(sparse.csr_array(X), y)
    assert_close(models[0].predict(X), models[1].predict(X), 1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_keeps_the_statistics_of_the_best_epoch():
    model = MLPRegressor(
        **PARAMETERS, early_stopping=True, learning_rate_init=0.1, max_iter=40, tol=0
    ).fit(X, y)
    layers, running = layers_of(model)
    epsilon = model.batch_normalization_epsilon
    centred = X - model._normalised.centre
    z, _ = oracle.forward(layers, centred, "relu", epsilon=epsilon, running=running)
    assert_close(model.predict(X), z[:, 0], 1e-12)
