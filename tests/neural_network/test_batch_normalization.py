import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import ReLU
from skgd.neural_network._network import layout_of
from skgd.neural_network._orders import batch_bounds
from skgd.neural_network._parameters import Parameters
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


def layout():
    return layout_of([4, 9, 6, 1], [ReLU()] * 2, (0.9, 1e-5))


def layers_of(model):
    """Return the network before it was folded, and its running statistics."""
    kept = Parameters(**model._normalized)
    kinds = {"weights": "weights", "bias": "bias", "scale": "gamma"}
    layers, running, start = [{}, {}, {}], [], 0
    for kind, name in kinds.items():
        for layer, view in zip(layers, layout().views(kept.theta, kind), strict=False):
            layer[name] = view
    for layer in layers:
        moments = None
        if "gamma" in layer:
            n = layer["gamma"].size
            moments = kept.running[start : start + n], kept.running[start + n :][:n]
            start += 2 * n + 1
        running.append(moments)
    assert start == len(kept.running)
    return layers, running


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("n_epochs", [1, 5])
def test_predictions_are_those_of_the_running_statistics(activation, n_epochs):
    model = MLPRegressor(**PARAMETERS, activation=activation)
    for _ in range(n_epochs):
        model.partial_fit(X, y)
    layers, running = layers_of(model)
    epsilon = model.batch_normalization_epsilon
    centered = X - model._normalized["center"]
    z, _ = oracle.forward(layers, centered, activation, epsilon=epsilon, running=running)
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
def test_training_at_any_scale_of_the_features(scale):
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
def test_features_far_from_zero_are_learned_as_those_around_it(dtype, early_stopping):
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


def test_a_network_is_the_same_about_any_center():
    model = MLPRegressor(**PARAMETERS).partial_fit(X, y)
    kept = Parameters(**model._normalized).copy()
    kept.recenter(layout(), np.array([0.0, -3.0, 10.0, 100.0]))
    coefs, intercepts = kept.plain(layout())
    for a, b in zip(coefs, model.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(intercepts, model.intercepts_, strict=True):
        assert_close(a, b, 1e-12)
    assert not np.allclose(kept.running[:9], model._normalized["running"][:9])


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
    centered = X - model._normalized["center"]
    z, _ = oracle.forward(layers, centered, "relu", epsilon=epsilon, running=running)
    assert_close(model.predict(X), z[:, 0], 1e-12)
    # And as many rows are in their averages.
    n_samples = model.t_ // model.n_iter_
    n_epochs = 1 + np.argmax(model.validation_scores_)
    assert n_epochs < model.n_iter_
    rows = np.tile(np.diff(batch_bounds(n_samples, 30, True)), n_epochs)
    expected = (0.9 ** np.arange(len(rows))[::-1] * rows).sum()
    # After mean and variance of 9 units and of 6.
    assert model._normalized["running"][[18, 31]] == pytest.approx(expected, rel=1e-12)


def assert_same(one, other):
    for a, b in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(a, b)
    for name in ("loss_curve_", "validation_scores_", "n_iter_", "t_"):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_rows_of_weight_zero_are_left_out(estimator, dtype, container):
    """Bit by bit, and whatever is in them."""
    kept = np.random.default_rng(1).random(90) < 0.3
    weight = np.where(kept, np.random.default_rng(2).uniform(0.5, 2, 90), 0)
    rows = X.astype(dtype)
    rows[~kept] *= 1e30
    target = (y > 0).astype(int) if estimator is MLPClassifier else y
    for parameters in [
        {"batch_size": 8},
        {"batch_size": "auto", "shuffle": False},
        {"batch_size": 30, "early_stopping": True, "validation_fraction": 0.3},
    ]:
        model = estimator(**{**PARAMETERS, "max_iter": 5, **parameters})
        masked = clone(model).fit(container(rows), target, sample_weight=weight)
        left_out = model.fit(
            container(rows[kept]), target[kept], sample_weight=weight[kept]
        )
        assert_same(masked, left_out)
        assert masked.t_ == masked.n_iter_ * (26 - 8 * masked.early_stopping)
        if not masked.early_stopping:
            masked.partial_fit(container(rows), target, sample_weight=weight)
            left_out.partial_fit(
                container(rows[kept]), target[kept], sample_weight=weight[kept]
            )
            assert_same(masked, left_out)


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e-17])
def test_rows_of_negligible_weight_are_left_out(size):
    kept = np.arange(90) % 3 > 0
    masked = MLPRegressor(**PARAMETERS).partial_fit(
        X, y, sample_weight=np.where(kept, 1, size)
    )
    left_out = MLPRegressor(**PARAMETERS).partial_fit(X[kept], y[kept])
    assert_same(masked, left_out)


def test_weights_of_zero_leave_rows_out():
    kept = np.arange(90) % 3 > 0
    masked = MLPRegressor(**PARAMETERS).partial_fit(X, y, sample_weight=kept)
    left_out = MLPRegressor(**PARAMETERS).partial_fit(X[kept], y[kept])
    assert_same(masked, left_out)


def test_all_classes_are_known_by_rows_of_weight_zero():
    target = np.arange(90) % 3
    model = MLPClassifier(**PARAMETERS)
    model.partial_fit(X, target, classes=[0, 1, 2], sample_weight=target > 0)
    assert model.predict_proba(X).shape == (90, 3)


@pytest.mark.parametrize("n_kept", [0, 1])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_rows_of_weight_zero_are_not_enough(method, n_kept):
    weight = np.zeros(90)
    weight[:n_kept] = 2
    model = MLPRegressor(**PARAMETERS).partial_fit(X, y)
    before = vars(model).copy()
    message = "n_samples=1" if n_kept else "non-zero"
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X, y, sample_weight=weight)
    assert vars(model) == before


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_the_unit_of_the_weights_does_not_count(size):
    """Nor in the running statistics, beside those of an earlier call."""
    models = [MLPRegressor(**PARAMETERS, alpha=0).partial_fit(X, y) for _ in range(2)]
    models[0].partial_fit(X, y)
    models[1].partial_fit(X, y, sample_weight=np.full(90, size))
    assert_close(models[1].predict(X), models[0].predict(X), 1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_two_rows_more_than_whole_mini_batches_do_no_harm():
    weights = np.random.RandomState(9).standard_normal(10)
    errors = {}
    for n_samples in (202, 400, 402):
        errors[n_samples] = 0
        for seed in range(3):
            random_state = np.random.RandomState(seed)
            rows = random_state.standard_normal((n_samples, 10))
            target = 2 * np.tanh(rows @ weights)
            target += 0.1 * random_state.standard_normal(n_samples)
            model = MLPRegressor(
                hidden_layer_sizes=(64, 64),
                batch_normalization=True,
                learning_rate_init=0.01,
                n_iter_no_change=200,
                random_state=seed,
            ).fit(rows, target)
            errors[n_samples] += ((model.predict(rows) - target) ** 2).mean()
    assert errors[202] < 8 * errors[400]
    assert errors[402] < 8 * errors[400]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_few_rows_of_large_weight_do_not_replace_the_running_statistics():
    """A mini-batch with one of them has next to no variance."""
    rows = np.random.default_rng(0).normal(size=(1000, 10))
    target = 2 * np.tanh(rows @ np.random.default_rng(1).normal(size=10))
    model = MLPRegressor(
        batch_normalization=True, batch_size=32, learning_rate_init=0.01, random_state=0
    ).set_params(max_iter=40)
    model.fit(rows, target, sample_weight=np.where(np.arange(1000) < 5, 1e6, 1))
    assert model.score(rows, target) > 0.9
