"""For any data, a fitted network has finite numbers, or a ValueError says why not."""

import re
import warnings

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import ACTIVATIONS
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

# What an error must name: the cause, and what to do about it.
REASONS = [
    r"[Ll]oss is (nan|inf|-inf) .*learning_rate_init=.* Lower .*, or scale the data",
    r"score is (nan|-inf) .*learning_rate_init=.* Lower .*, or scale the data",
    r"non-finite .*learning_rate_init=.* Lower .*, or scale the data",
    r"non-finite .*solver='lbfgs'.* large values and need to be preprocessed",
    r"predictions of the training data, are not finite .* (?i:lower) .*, or scale the data",
    r"predictions of the training data, are not finite .* You may scale the data",
    r"(alpha|rate_init|epsilon)=\S+ is too (large|small) for float32, the dtype of the ",
    r"y is too large for float32, the dtype of the network",
    r"batch_normalization=True needs at least 2 samples .* train on, got n_samples=[01]",
    r"batch_normalization=True needs mini-batches of at least 2 rows, got batch_size=1",
    r"batch_normalization=True needs mini-batches, .* Use one of",
    r"All of sample_weight (outside|in) the validation set is zero",
    r"sample_weight .* finite sum",
    r"learning_rate=\w+\(.*\) needs the number of all updates, which partial_fit does not",
    r"validation set is too small\. Increase 'validation_fraction'",
    r"training set is too small\. Decrease 'validation_fraction'",
    r"least populated class(es)? in y ha(s|ve) only 1 member",
]
# What a fit may warn of.
EXPECTED = [
    (ConvergenceWarning, ""),
    (UserWarning, r"Got `batch_size`=\d+ larger than the sample size"),
    (UserWarning, r".* ha(s|ve) no effect with solver='lbfgs'"),
    (UserWarning, r"learning_rate='\w+' has no effect: with \w+="),
    (
        UserWarning,
        r"(beta_1|beta_2|momentum)=\S+ has no effect with solver='(lion|rmsprop)'",
    ),
]


def magnitudes(dtype):
    """Mostly ones, and powers of ten up to the ends of the dtype."""
    low, high = (-44, 38) if dtype == "float32" else (-308, 308)
    sizes = st.integers(low, high).map(lambda k: 10.0**k)
    return mostly(st.just(1.0), sizes).flatmap(lambda size: size)


def mostly(usual, *others):
    return st.sampled_from([*[usual] * 3 * len(others), *others])


@st.composite
def columns(draw, n_samples, n_columns, dtype):
    """Columns of any size: random, constant, duplicate, collinear, far from zero."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    result = np.empty((n_samples, n_columns))
    for j in range(n_columns):
        kind = draw(st.sampled_from(["random", "constant", "same", "collinear", "offset"]))
        column = rng.uniform(-1, 1, n_samples)
        if kind == "constant":
            column[:] = draw(st.sampled_from([0.0, 1.0, -0.7]))
        elif kind == "offset":
            column = 1 - 1e-6 * abs(column)
        column *= draw(magnitudes(dtype))
        if kind == "same" and j:
            column = result[:, j - 1]
        elif kind == "collinear" and j:
            column = (result[:, :j] / j).sum(axis=1)
        result[:, j] = column
    return result


@st.composite
def weights(draw, n_samples):
    """None, or some of them zero, never all."""
    if draw(st.booleans()):
        return None
    values = st.sampled_from([0.0, 0.0, 1.0, 0.5, 3.0, 1e-30, 1e30])
    weight = np.array(draw(st.lists(values, min_size=n_samples, max_size=n_samples)))
    weight[draw(st.integers(0, n_samples - 1))] = 1
    return weight


@st.composite
def parameters(draw, n_samples):
    """Constructor parameters of a tiny network."""
    solver = draw(st.sampled_from([*SOLVERS, "lbfgs"]))
    drawn = {
        "hidden_layer_sizes": draw(st.sampled_from([(), (1,), (3,), (2, 2), (20, 4, 1)])),
        "activation": draw(st.sampled_from(sorted(ACTIVATIONS))),
        "solver": solver,
        "learning_rate": draw(st.sampled_from(sorted(SCHEDULES))),
        "learning_rate_init": draw(mostly(1e-3, 1e-12, 1.0, 1e3, 1e30, 1e300)),
        "power_t": draw(mostly(0.5, 0, 400)),
        "decay_rate": draw(mostly(1.0, 0, 1e300)),
        "decay_steps": draw(st.sampled_from([1, 1000])),
        "staircase": draw(st.booleans()),
        "alpha": draw(mostly(1e-4, 0.0, 1.0, 1e30, 1e300)),
        "batch_size": draw(
            st.one_of(st.just("auto"), st.integers(1, n_samples + 5), st.just(10**6))
        ),
        "momentum": draw(mostly(0.9, 0, 1.0)),
        "nesterovs_momentum": draw(st.booleans()),
        "beta_1": draw(st.sampled_from([0.9, 0])),
        "beta_2": draw(st.sampled_from([0.999, 0])),
        "rho": draw(st.sampled_from([0.9, 0])),
        "epsilon": draw(mostly(1e-8, 1e-300, 1e300)),
        "batch_normalization": draw(mostly(solver != "lbfgs", True, False)),
        "batch_normalization_momentum": draw(mostly(0.9, 0, 0.999999)),
        "batch_normalization_epsilon": draw(mostly(1e-5, 1e-300, 1e300)),
        "early_stopping": draw(mostly(False, True)),
        "shuffle": draw(st.booleans()),
        "max_iter": draw(st.integers(1, 4)),
        "n_iter_no_change": draw(st.sampled_from([1, 10])),
        "tol": draw(mostly(1e-4, 0, 1e300)),
        "random_state": draw(st.integers(0, 9)),
    }
    if solver == "lbfgs":
        # It refuses them.
        refused = {"learning_rate", "decay_rate", "decay_steps", "staircase", "rho"}
        refused |= {"batch_normalization_momentum", "batch_normalization_epsilon"}
        drawn = {name: drawn[name] for name in drawn.keys() - refused}
    return drawn


SIZES = st.one_of(st.integers(1, 5), st.integers(6, 40))


# What a fit is called with besides.
METHODS = mostly("fit", "partial_fit", "warm start")
CONTAINERS = mostly(np.asarray, sparse.csr_array)


@st.composite
def problems(draw):
    """Return rows, weights and parameters."""
    n_samples, dtype = draw(SIZES), draw(st.sampled_from(["float32", "float64"]))
    X = draw(columns(n_samples, draw(st.integers(1, 4)), dtype)).astype(dtype)
    return X, draw(weights(n_samples)), draw(parameters(n_samples))


def train(model, X, y, weight, method):
    """Fit in a call, or in two that go on."""
    if method == "fit":
        return model.fit(X, y, sample_weight=weight)
    if method == "warm start":
        return model.set_params(warm_start=True).fit(X, y).fit(X, y, sample_weight=weight)
    labels = np.unique(y) if y.ndim == 1 else range(y.shape[1])
    classes = {"classes": labels} if isinstance(model, MLPClassifier) else {}
    model.set_params(early_stopping=False)
    return model.partial_fit(X, y, **classes).partial_fit(X, y, sample_weight=weight)


def check(model, X, y, weight, method, container):
    """Train; then either all numbers are finite, or a ValueError says why not."""
    if method == "partial_fit" and model.solver == "lbfgs":
        method = "warm start"
    rows = container(X)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for category, message in EXPECTED:
                warnings.filterwarnings("ignore", message, category)
            train(model, rows, y, weight, method)
            # Never what is raised for rows that are too large for a network.
            predictions = [model.predict(rows)]
            if isinstance(model, MLPClassifier):
                assert np.isin(predictions[0], [*model.classes_, 0]).all()
                predictions = [model.predict_proba(rows)]
                assert (predictions[0] >= 0).all()
                assert (predictions[0] <= 1).all()
    except ValueError as error:
        event("raised: " + str(error)[:20])
        assert any(re.search(reason, str(error), re.DOTALL) for reason in REASONS), error
        return
    event("fitted")
    assert np.isfinite(model.loss_)
    for array in [*model.coefs_, *model.intercepts_, *predictions]:
        assert np.isfinite(array).all()
        assert array.dtype == X.dtype


@given(problem=problems(), method=METHODS, container=CONTAINERS, data=st.data())
def test_regressor(problem, method, container, data):
    X, weight, parameters = problem
    n_outputs = data.draw(st.integers(1, 2))
    y = data.draw(columns(len(X), n_outputs, "float64"))
    y = y if n_outputs > 1 else y[:, 0]
    loss = data.draw(st.sampled_from(["squared_error", "poisson"]))
    y = abs(y) if loss == "poisson" else y
    check(MLPRegressor(loss, **parameters), X, y, weight, method, container)


@given(problem=problems(), method=METHODS, container=CONTAINERS, data=st.data())
def test_classifier(problem, method, container, data):
    X, weight, parameters = problem
    kind = data.draw(st.sampled_from(["one", "two", "three", "strings", "many"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    if kind == "many":
        y = rng.integers(0, 2, (len(X), 2))
    else:
        n_classes = {"one": 1, "two": 2, "three": 3, "strings": 4}[kind]
        y = rng.integers(0, n_classes, len(X))
    if kind == "strings":
        y = np.array(["a", "b", "c", "d"])[y]
    check(MLPClassifier(**parameters), X, y, weight, method, container)
