"""The range test, compared with a loop of ``partial_fit``."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.model_selection import learning_rate_range
from skgd.schedules import Cosine, FlatCos, Scheduled
from skgd.solvers import SOLVERS
from tests.pairs import all_pairs

RNG = np.random.RandomState(0)
X = RNG.normal(size=(90, 5))
TARGETS = {MLPRegressor: X @ RNG.normal(size=5), MLPClassifier: RNG.randint(3, size=90)}
WEIGHT = RNG.uniform(size=90)
RANGE = {"low": 1e-4, "high": 0.02, "n_updates": 12}
DIGITS, DIGIT = load_digits(return_X_y=True)


@all_pairs(
    estimator=list(TARGETS),
    solver=sorted(SOLVERS),
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    is_weighted=[False, True],
    more=[
        {},
        {"early_stopping": True, "scoring": "loss", "weight_decay": 0.1},
        {"learning_rate": Cosine(), "max_grad_norm": 0.1, "ema_decay": 0.9},
    ],
)
def test_the_losses(estimator, solver, dtype, is_sparse, is_weighted, more):
    """Each is that of ``partial_fit`` for a mini-batch, at the learning rate of its own."""
    model = estimator(
        hidden_layer_sizes=(7,),
        solver=solver,
        batch_size=25,
        shuffle=False,
        random_state=0,
        **more,
    )
    rows, y = X.astype(dtype), TARGETS[estimator]
    data = sparse.csr_array(rows) if is_sparse else rows
    weight = WEIGHT if is_weighted else None
    with warnings.catch_warnings():
        # Such a short test may find the lowest loss at the end.
        warnings.filterwarnings("ignore", "The loss is lowest")
        found = learning_rate_range(model, data, y, sample_weight=weight, **RANGE)
    rates = np.geomspace(1e-4, 0.02, 12)
    np.testing.assert_allclose(found.learning_rates, rates)
    plain = {"early_stopping": False, "scoring": None, "learning_rate": "constant"}
    reference = clone(model).set_params(**plain)
    order = np.tile(np.arange(90), 4)
    expected = []
    for t, rate in enumerate(rates):
        batch = order[25 * t : 25 * (t + 1)]
        parameters = {"classes": [0, 1, 2]} if estimator is MLPClassifier else {}
        if is_weighted:
            parameters["sample_weight"] = WEIGHT[batch]
        reference.set_params(learning_rate_init=rate)
        reference.partial_fit(rows[batch], y[batch], **parameters)
        expected.append(reference.loss_curve_[-1])
    tolerance = {"float32": 1e-4, "float64": 1e-9}[dtype]
    np.testing.assert_allclose(found.raw_losses, expected, rtol=tolerance)


def test_rows_without_weight_are_left_out():
    model = MLPClassifier((5,), batch_size=20, shuffle=False, random_state=0)
    y = TARGETS[MLPClassifier]
    counts = (np.arange(90) % 3 > 0).astype(float)
    kept = counts > 0
    found = learning_rate_range(model, X, y, sample_weight=counts)
    expected = learning_rate_range(model, X[kept], y[kept], sample_weight=counts[kept])
    assert np.array_equal(found.raw_losses, expected.raw_losses)
    model.set_params(shuffle=True, batch_normalization=True)
    found = learning_rate_range(model, X, y, sample_weight=counts)
    assert np.isfinite(found.raw_losses).all()


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_proposal(solver):
    model = MLPClassifier(solver=solver, random_state=0)
    found = learning_rate_range(model, DIGITS / 16, DIGIT)
    n = len(found.losses)
    # The test ends when the loss diverges.
    assert n == len(found.learning_rates) == len(found.raw_losses) < 200
    distance = np.arange(n) - np.arange(n)[:, np.newaxis]
    kernel = np.exp(-0.5 * (distance / 8) ** 2)
    smoothed = kernel @ found.raw_losses / kernel.sum(axis=1)
    np.testing.assert_allclose(found.losses, smoothed, rtol=0.02)
    lowest = found.losses.argmin()
    log_rates = np.log(found.learning_rates)
    falls = np.diff(found.losses[: lowest + 1])
    steepest = falls.argmin()
    assert 0 < steepest < lowest
    expected = np.exp((log_rates[lowest] + log_rates[steepest]) / 2)
    assert expected / 1.1 < found.learning_rate_init < expected * 1.1
    assert found["learning_rate_init"] == found.learning_rate_init
    losses = []
    for rate in np.array([0.01, 1, 100]) * found.learning_rate_init:
        model.set_params(learning_rate_init=rate, max_iter=4, n_iter_no_change=4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            losses.append(model.fit(DIGITS / 16, DIGIT).loss_)
    assert losses[1] < min(losses[0], losses[2])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_repeated_and_in_threads(n_jobs):
    model = MLPClassifier((300,), batch_size=500, dropout=0.1, random_state=0, n_jobs=1)
    first = learning_rate_range(model, DIGITS, DIGIT, n_updates=30)
    again = learning_rate_range(
        model.set_params(n_jobs=n_jobs), DIGITS, DIGIT, n_updates=30
    )
    assert np.array_equal(first.raw_losses, again.raw_losses)


def test_the_estimator_stays_as_it_is():
    model = MLPClassifier(
        (5,),
        max_iter=5,
        n_iter_no_change=5,
        tol=10,
        warm_start=True,
        dropout=Scheduled(0.1, FlatCos()),
        random_state=np.random.RandomState(0),
    )
    pipe = make_pipeline(ZScoreScaler(), model)
    y = TARGETS[MLPClassifier]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe.fit(X, y)
    before = pickle.dumps(pipe)
    found = learning_rate_range(pipe, X, y)
    assert pickle.dumps(pipe) == before
    scaled = ZScoreScaler().fit_transform(X)
    expected = learning_rate_range(model, scaled, y)
    assert np.array_equal(found.losses, expected.losses)
    for same in (make_pipeline(model), make_pipeline("passthrough", make_pipeline(model))):
        assert np.array_equal(learning_rate_range(same, scaled, y).losses, found.losses)


def test_bad_input():
    y = TARGETS[MLPRegressor]
    network = MLPRegressor(hidden_layer_sizes=(5,), random_state=0)
    for parameters in ({"low": 0}, {"low": 1, "high": 0.1}, {"high": np.inf}, {"low": "a"}):
        with pytest.raises(ValueError, match="0 < low < high, got"):
            learning_rate_range(network, X, y, **parameters)
    with pytest.raises(ValueError, match="n_updates must be an int >= 10, got 9"):
        learning_rate_range(network, X, y, n_updates=9)
    for other in (ZScoreScaler(), TransformedTargetRegressor(network)):
        with pytest.raises(TypeError, match="Pipeline that ends in one, got"):
            learning_rate_range(other, X, y)
    with pytest.raises(ValueError, match="has no learning rate"):
        learning_rate_range(clone(network).set_params(solver="lbfgs"), X, y)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        learning_rate_range(clone(network).set_params(alpha=-1), X, y)
    with pytest.raises(ValueError, match="NaN"):
        learning_rate_range(network, X * np.nan, y)
    fast = clone(network).set_params(solver="minibatch")
    with pytest.raises(ValueError, match=r"at once, at low=1.0 .* Lower low, or scale"):
        learning_rate_range(fast, X * 1e9, y, low=1.0)


def test_lowest_at_an_end():
    model = MLPClassifier(random_state=0)
    # With the lower one, it falls by less than its noise.
    for high in (1e-4, 1e-5):
        with pytest.warns(UserWarning, match=rf"lowest at high={high}: .* Raise high"):
            learning_rate_range(model, DIGITS / 16, DIGIT, high=high)
    model = MLPRegressor(solver="minibatch", random_state=0)
    with pytest.warns(UserWarning, match=r"lowest at low=1e-06: .* Lower low"):
        learning_rate_range(model, X * 1e3, TARGETS[MLPRegressor])


def test_plot():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    model = MLPClassifier(random_state=0)
    found = learning_rate_range(model, DIGITS / 16, DIGIT)
    _, ax = plt.subplots()
    assert found.plot(ax, linewidth=3) is found
    assert found.ax_ is ax
    assert found.figure_ is ax.figure
    assert ax.get_xscale() == "log"
    for name in ("losses", "raw_losses"):
        assert np.array_equal(found.lines_[name].get_ydata(), found[name])
    assert found.lines_["losses"].get_linewidth() == 3
    proposal = found.lines_["learning_rate_init"].get_xdata()
    assert list(proposal) == [found.learning_rate_init] * 2
    found.plot()
    assert found.ax_ is not ax
    plt.close("all")
