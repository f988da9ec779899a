"""The initial weights: their distributions, and their use by the estimators."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skgd import MLPClassifier, MLPRegressor
from skgd.initializers import INITIALIZERS, Initializer, Normal, Orthogonal, Uniform
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHAPE = 200, 100
VARIANCES = {
    "glorot_normal": 2 / 300,
    "he_uniform": 2 / 200,
    "he_normal": 2 / 200,
    "lecun_uniform": 1 / 200,
    "lecun_normal": 1 / 200,
    "orthogonal": 1 / 200,
    "uniform": 0.05**2 / 3,
    "normal": 0.05**2,
}
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 5))
Y = X[:, 0] - X[:, 1]
TARGETS = {MLPRegressor: Y, MLPClassifier: (Y > 0) * 1}
OPTIONS = {"hidden_layer_sizes": (7, 6), "max_iter": 2, "random_state": 0}


def at_the_start(estimator=MLPRegressor, rows=X, **parameters):
    """Return a network that does not learn."""
    rates = {"weights": 0.0, "bias": 0.0, "scale": 0.0}
    network = estimator(learning_rate_factors=rates, **OPTIONS | parameters)
    return network.fit(rows, TARGETS[estimator])


def test_every_name_is_here():
    assert set(VARIANCES) | {"glorot_uniform"} == set(INITIALIZERS)


@pytest.mark.parametrize("name", VARIANCES)
def test_the_distribution(name):
    W = INITIALIZERS[name](SHAPE, np.random.RandomState(0))
    assert W.shape == SHAPE
    assert W.var() == pytest.approx(VARIANCES[name], rel=0.03)
    assert abs(W.mean()) < 0.02 * W.std() + 1e-3
    kurtosis = (W**4).mean() / W.var() ** 2
    is_uniform = name.endswith("uniform")
    assert kurtosis == pytest.approx(1.8 if is_uniform else 3, rel=0.1)
    if is_uniform:
        bound = (3 * VARIANCES[name]) ** 0.5
        assert 0.99 * bound < abs(W).max() <= bound


@pytest.mark.parametrize("shape", [(5, 5), (9, 4), (4, 9), (1, 3), (3, 1)])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_orthogonality(shape, gain):
    W = Orthogonal(gain)(shape, np.random.RandomState(1))
    product = W.T @ W if shape[0] >= shape[1] else W @ W.T
    np.testing.assert_allclose(product, gain**2 * np.eye(min(shape)), atol=1e-14)


def test_orthogonal_matrices_have_both_signs():
    """Without the signs of the triangular factor, the first column would have one."""
    random_state = np.random.RandomState(0)
    firsts = [Orthogonal()((3, 3), random_state)[0, 0] for _ in range(40)]
    assert 10 < sum(np.array(firsts) > 0) < 30


@all_pairs(
    init=[*VARIANCES, Uniform(0.2), Normal(0.2), Orthogonal(2.0)],
    estimator=[MLPClassifier, MLPRegressor],
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    batch_normalization=[False, True],
    activation=["relu", "logistic"],
)
def test_layers_are_drawn_in_order(
    init, estimator, dtype, is_sparse, batch_normalization, activation
):
    """Those of the output, too; biases are 0."""
    rows = csr_array(X.astype(dtype)) if is_sparse else X.astype(dtype)
    model = at_the_start(
        estimator,
        rows,
        init=init,
        batch_normalization=batch_normalization,
        activation=activation,
        shuffle=False,
        alpha=0,
    )
    draw = INITIALIZERS[init] if isinstance(init, str) else init
    random_state = np.random.RandomState(0)
    expected = [draw(shape, random_state) for shape in ((5, 7), (7, 6), (6, 1))]
    found = [c.astype(float) for c in model.coefs_]
    assert model.coefs_[0].dtype == dtype
    if batch_normalization:
        # The statistics are folded: a factor for each unit.
        pairs = zip(found, expected, strict=True)
        found, expected = zip(*((f / f[0], e / e[0]) for f, e in pairs), strict=True)
    else:
        assert not np.concatenate(model.intercepts_).any()
    for weights, other in zip(found, expected, strict=True):
        tolerance = 1e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(weights, other, rtol=100 * tolerance, atol=tolerance)


def test_a_function_gets_shapes_and_the_random_state():
    calls = []

    def draw(shape, rng):
        calls.append(shape)
        return np.full(shape, rng.randint(1, 100)).tolist()

    model = at_the_start(init=draw)
    random_state = np.random.RandomState(0)
    assert calls == [(5, 7), (7, 6), (6, 1)]
    for weights in model.coefs_:
        np.testing.assert_array_equal(weights, random_state.randint(1, 100))


class Mine(Initializer):
    def __init__(self, size=1.0):
        self.size = size

    def __call__(self, shape, rng):
        return self.size * np.ones(shape)


def test_an_object_of_ones_own():
    assert (at_the_start(init=Mine(0.5)).coefs_[1] == 0.5).all()
    with pytest.raises(NotImplementedError):
        Initializer()((1, 1), None)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_it_trains_on_and_starts_once(solver):
    model = MLPRegressor(solver=solver, init="he_normal", warm_start=True, **OPTIONS)
    kept = [c.copy() for c in model.fit(X, Y).coefs_]
    # A warm start goes on from the weights, whatever init is.
    model.set_params(init=Mine(100.0)).fit(X, Y)
    assert abs(model.coefs_[0] - kept[0]).max() < 10
    other = pickle.loads(pickle.dumps(clone(model).set_params(init="he_normal")))
    for a, b in zip(other.fit(X, Y).coefs_, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("estimator", TARGETS)
def test_searches(estimator):
    search = GridSearchCV(estimator(**OPTIONS), {"init": list(INITIALIZERS)}, cv=2)
    assert search.fit(X, TARGETS[estimator]).best_params_["init"] in INITIALIZERS
    nested = GridSearchCV(estimator(init=Normal(), **OPTIONS), {"init__scale": [0.1, 1]})
    assert nested.fit(X, TARGETS[estimator]).best_params_["init__scale"] in (0.1, 1)


@pytest.mark.parametrize(
    ("init", "match"),
    [
        ("he", "'init' parameter .* 'he_normal'"),
        (Normal, "'init' parameter .* Did you mean init=Normal"),
        (1.0, "'init' parameter"),
        (Uniform(0.0), "init=Uniform.*'scale' parameter of Uniform must be"),
        (Orthogonal(-1), "init=Orthogonal.*'gain' parameter of Orthogonal must be"),
        (lambda shape: np.ones(shape), r"must take \(shape, rng\), but takes \(shape\)"),
        (lambda shape, rng: np.ones(3), r"real numbers of shape \(5, 7\), got float64 of"),
        (lambda shape, rng: np.ones(shape[::-1]), r"of shape \(5, 7\), got .* \(7, 5\)"),
        (lambda shape, rng: None, "real numbers of shape .*, got None"),
        (lambda shape, rng: [[1], [1, 2]], "real numbers of shape"),
        (lambda shape, rng: np.ones(shape, complex), "real numbers of .* got complex128"),
        (lambda shape, rng: np.full(shape, "a"), "real numbers of .* got <U1"),
        (lambda shape, rng: np.full(shape, np.nan), "finite in float32, .* got nan"),
        (lambda shape, rng: np.full(shape, 1e300), "finite in float32, .* got 1e"),
    ],
)
def test_what_is_not_valid(init, match):
    model = at_the_start(init="normal")
    before = model.predict(X)
    with pytest.raises(ValueError, match=match):
        model.set_params(init=init).fit(X.astype("float32"), Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_the_default_draws_as_scikit_learn():
    from sklearn.neural_network import MLPRegressor as Peer

    network = MLPRegressor(**OPTIONS, solver="sgd", init="glorot_uniform").fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = Peer(**OPTIONS, solver="sgd").fit(X, Y)
    np.testing.assert_allclose(network.coefs_[0], peer.coefs_[0], rtol=1e-10)
