"""Calls of partial_fit: what may change between them, and the cost of each."""

import copy
import inspect
import pickle

import joblib
import numpy as np
import pytest
from sklearn import neural_network

from skgd import MLPClassifier, MLPRegressor
from skgd.neural_network import _base, _run
from skgd.neural_network._orders import seeded
from skgd.solvers import SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
CLASSES = np.array([0, 1, 2])[X.argmax(axis=1)]
TARGETS = X[:, 0] + X[:, 1] ** 2
ESTIMATORS = {MLPClassifier: CLASSES, MLPRegressor: TARGETS}
SMALL = {"hidden_layer_sizes": (4,), "batch_size": 8, "random_state": 0}


def start(estimator, **parameters):
    """Make a model of one ``partial_fit``."""
    model = estimator(**{**SMALL, **parameters})
    if estimator is MLPClassifier:
        return model.partial_fit(X, CLASSES, classes=[0, 1, 2])
    return model.partial_fit(X, TARGETS)


def go_on(model, way):
    """Train for four epochs: by ``partial_fit``, or by a warm start."""
    y = ESTIMATORS[type(model)]
    if way == "fit":
        return model.set_params(warm_start=True, max_iter=4).fit(X, y)
    for _ in range(4):
        model.partial_fit(X, y)
    return model


def assert_same_weights(a, b):
    for one, other in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        np.testing.assert_array_equal(one, other)


# ------------------------------------------------- every parameter of the constructor

ADAPTIVE = {"learning_rate": "adaptive", "tol": 1e3, "n_iter_no_change": 1}
INVERSE_TIME = {"learning_rate": "inverse_time", "decay_steps": 3}
# The next call differs: the parameters before, and the new value.
ACTS = {
    "activation": ({}, "tanh"),
    "solver": ({}, "rmsprop"),
    "alpha": ({}, 10.0),
    "batch_size": ({}, 5),
    "learning_rate": ({"decay_steps": 1}, "inverse_time"),
    "learning_rate_init": ({}, 0.01),
    "power_t": ({"learning_rate": "invscaling"}, 0.9),
    "shuffle": ({}, False),
    "random_state": ({}, 7),
    "tol": ({**ADAPTIVE, "tol": 0.0}, 1e3),
    "momentum": ({"solver": "momentum"}, 0.1),
    "nesterovs_momentum": ({"solver": "momentum"}, False),
    "beta_1": ({}, 0.1),
    "beta_2": ({}, 0.1),
    "epsilon": ({}, 1.0),
    "n_iter_no_change": ({**ADAPTIVE, "n_iter_no_change": 100}, 1),
    "rho": ({"solver": "rmsprop"}, 0.1),
    "decay_rate": (INVERSE_TIME, 5.0),
    "decay_steps": (INVERSE_TIME, 1),
    "staircase": (INVERSE_TIME, False),
    "batch_normalization_momentum": ({"batch_normalization": True}, 0.1),
    "batch_normalization_epsilon": ({"batch_normalization": True}, 1.0),
    "weight_decay": ({}, 0.5),
    "max_grad_norm": ({"solver": "minibatch"}, 1e-3),
    "learning_rate_factors": ({}, {"bias": 0.0}),
    "ema_decay": ({"ema_decay": 0.5}, 0.9),
    "dropout": ({}, 0.5),
    "l1_ratio": ({"alpha": 1.0}, 0.5),
    "label_smoothing": ({}, 0.5),
    "class_weight": ({}, {0: 2.0}),
}
OF_CLASSES = {"label_smoothing", "class_weight"}
# The next call raises: the parameters before, and the new value.
RAISES = {
    "hidden_layer_sizes": ({}, (5,)),
    "batch_normalization": ({}, True),
    "layer_normalization": ({}, True),
    "early_stopping": ({}, True),
    "numeric_embedding": ({}, "periodic"),
    "loss": ({}, "poisson"),
}
# Of ``fit`` only, as the documentation of ``partial_fit`` says.
OF_FIT = {"max_iter": 7, "max_fun": 7, "validation_fraction": 0.5, "warm_start": True}
# They change what else a call does; each has a test of its own.
OTHERS = {"verbose", "n_jobs", "scoring", "init"}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_parameter_has_a_test(estimator):
    names = set(inspect.signature(estimator).parameters)
    assert names | OF_CLASSES == {*ACTS, *RAISES, *OF_FIT, *OTHERS}


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", ACTS)
def test_a_parameter_that_is_set_acts_on_the_next_call(name, estimator, way):
    if name in OF_CLASSES and estimator is MLPRegressor:
        pytest.skip("It has no such parameter.")
    before, value = ACTS[name]
    model = start(estimator, **before)
    assert getattr(model, name) != value
    changed = go_on(copy.deepcopy(model).set_params(**{name: value}), way)
    kept = go_on(model, way)
    assert any(map(np.not_equal, kept.loss_curve_, changed.loss_curve_)) or any(
        (a != b).any() for a, b in zip(kept.coefs_, changed.coefs_, strict=True)
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", RAISES)
def test_a_parameter_that_cannot_change_raises(name, estimator):
    if name == "loss" and estimator is MLPClassifier:
        pytest.skip("It has no such parameter.")
    before, value = RAISES[name]
    model = start(estimator, **before).set_params(**{name: value})
    state = joblib.hash(model)
    with pytest.raises(ValueError, match=name):
        model.partial_fit(X, ESTIMATORS[estimator])
    assert joblib.hash(model) == state


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", OF_FIT)
def test_a_parameter_of_fit_does_nothing_in_any_call(name, estimator):
    always = go_on(start(estimator, **{name: OF_FIT[name]}), "partial_fit")
    later = start(estimator).set_params(**{name: OF_FIT[name]})
    never = go_on(start(estimator), "partial_fit")
    for model in (always, go_on(later, "partial_fit")):
        assert_same_weights(model, never)
    assert f"``{name}``" in estimator.partial_fit.__doc__


def test_verbose_acts_on_the_next_call(capsys):
    model = start(MLPRegressor)
    assert capsys.readouterr().out == ""
    model.set_params(verbose=True).partial_fit(X, TARGETS)
    assert "Iteration 1, loss" in capsys.readouterr().out


def test_n_jobs_acts_on_the_next_call(monkeypatch):
    model, asked = start(MLPRegressor), []
    monkeypatch.setattr(_run, "available_threads", lambda n: asked.append(n) or 1)
    for n_jobs in (1, 2):
        model.set_params(n_jobs=n_jobs).partial_fit(X, TARGETS)
    assert asked == [1, 2]


# ------------------------------------------------------------------- the learning rate

PLAIN = {"solver": "minibatch", "batch_size": 30, "shuffle": False, "alpha": 0.0}
SCHEDULES = {
    "constant": {},
    "inverse_time": {"decay_steps": 1},
    "invscaling": {},
    "adaptive": ADAPTIVE,
}


def step(model, y, **parameters):
    """Return by how much the weights change in the next call."""
    model = copy.deepcopy(model).set_params(**parameters)
    before = [coef.copy() for coef in model.coefs_]
    model.partial_fit(X.astype(before[0].dtype), y)
    return [after - coef for after, coef in zip(model.coefs_, before, strict=True)]


def assert_proportional(steps, others, factor):
    for one, other in zip(steps, others, strict=True):
        np.testing.assert_allclose(other, factor * one, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_of_the_next_call_is_of_the_new_initial_one(schedule, estimator):
    """A schedule is a factor of it, which stays."""
    parameters = {**PLAIN, "learning_rate": schedule, **SCHEDULES[schedule]}
    model = start(estimator, learning_rate_init=0.1, **parameters)
    go_on(model, "partial_fit")
    y = ESTIMATORS[estimator]
    kept = step(model, y)
    for value in (0.2, 0.025):
        other = step(model, y, learning_rate_init=value)
        assert_proportional(kept, other, value / 0.1)
    # The schedule has acted.
    initial = step(model, y, learning_rate="constant")
    if schedule == "constant":
        assert_proportional(kept, initial, 1.0)
    else:
        assert abs(initial[0]).max() > 1.5 * abs(kept[0]).max()


@pytest.mark.parametrize("solver", ["momentum", "rmsprop", "adam"])
def test_a_rate_of_almost_zero_moves_nothing_with_any_solver(solver):
    parameters = {"momentum": 0.0, "nesterovs_momentum": False}
    model = start(MLPRegressor, solver=solver, learning_rate_init=0.1, **parameters)
    steps = step(model, TARGETS, learning_rate_init=1e-12)
    assert abs(steps[0]).max() < 1e-9 < abs(step(model, TARGETS)[0]).max()


def test_an_adaptive_rate_goes_on_falling_from_the_new_one():
    model = start(MLPRegressor, learning_rate_init=0.1, **{**PLAIN, **ADAPTIVE})
    factors = []
    for value in (0.1, 0.1, 0.1, 0.3, 0.3, 0.3):
        model.set_params(learning_rate_init=value).partial_fit(X, TARGETS)
        factors.append(model._progress["rate"] / value)
    np.testing.assert_allclose(factors, np.minimum.accumulate(factors))
    assert factors[2] < 1
    assert factors[5] < factors[2]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "adaptive"])
def test_partial_fit_of_a_network_from_scikit_learn(schedule, solver):
    theirs = neural_network.MLPRegressor(
        solver=solver,
        learning_rate=schedule,
        learning_rate_init=0.1,
        momentum=0.0,
        tol=1e3,
        n_iter_no_change=1,
        max_iter=8,
        **SMALL,
    ).fit(X, TARGETS)
    model = MLPRegressor.from_sklearn(theirs)
    kept = step(model, TARGETS, batch_size=30)
    assert_proportional(
        kept, step(model, TARGETS, batch_size=30, learning_rate_init=0.2), 2.0
    )
    # Also if it was set before, where it had no effect.
    theirs.set_params(learning_rate_init=0.2)
    late = MLPRegressor.from_sklearn(theirs)
    assert_proportional(kept, step(late, TARGETS, batch_size=30), 2.0)


# ------------------------------------------------------------------- other solvers


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_stochastic_solver_goes_on_after_lbfgs(estimator, way):
    y = ESTIMATORS[estimator]
    model = estimator(**SMALL, solver="lbfgs", max_iter=5).fit(X, y)
    before = [coef.copy() for coef in model.coefs_]
    go_on(model.set_params(solver="adam", learning_rate_init=1e-9), way)
    assert len(model.loss_curve_) == 4
    for a, b in zip(model.coefs_, before, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_other_name_of_a_solver_keeps_its_state():
    models = [start(MLPRegressor, solver="momentum") for _ in range(2)]
    models[1].set_params(solver="sgd")
    for model in models:
        model.partial_fit(X, TARGETS)
    assert_same_weights(*models)


# ------------------------------------------------------------------------ warm starts


def test_partial_fit_does_not_care_about_warm_start():
    for rows in (slice(1), np.flatnonzero(CLASSES == 2), slice(10)):
        parameters = {"batch_size": "auto"}
        models = [start(MLPClassifier, warm_start=w, **parameters) for w in (False, True)]
        for model in models:
            model.partial_fit(X[rows], CLASSES[rows])
        assert_same_weights(*models)
    for model in models:
        with pytest.raises(ValueError, match="has classes not in"):
            model.partial_fit(X, CLASSES + 1)
    with pytest.raises(ValueError, match="warm_start can only be used"):
        models[1].fit(X[:1], CLASSES[:1])


@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 2]])
def test_targets_of_another_kind_raise(classes):
    model = MLPClassifier(**SMALL).partial_fit(X, CLASSES % len(classes), classes=classes)
    labels = np.eye(len(classes), dtype=int)[CLASSES % len(classes)]
    with pytest.raises(ValueError, match="one class for each row"):
        model.partial_fit(X, labels)


# ----------------------------------------------------------------------- what it costs


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_call_copies_the_curve(estimator):
    """Else, n calls would take time of the order of n**2."""
    model = start(estimator)
    curve = model.loss_curve_
    go_on(model, "partial_fit")
    assert model.loss_curve_ is curve
    assert len(curve) == 5


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_a_call_that_fails_publishes_nothing(monkeypatch, error, way):
    """The last thing that can fail, after the epochs."""
    model = start(MLPRegressor, early_stopping=False, max_iter=3, warm_start=True)
    if way == "fit":
        model.set_params(early_stopping=True).fit(X, TARGETS)
    before = joblib.hash(model)

    def fail(self, X, coefs, intercepts, stages, plugins, training):
        assert training.n_iter > 0
        raise error

    n_losses = len(model.loss_curve_)
    monkeypatch.setattr(_base.BaseMLP, "_check_finite", fail)
    with pytest.raises(error):
        getattr(model, way)(X, TARGETS)
    assert joblib.hash(model) == before
    assert len(model.loss_curve_) == n_losses


def test_nothing_else_grows_with_the_number_of_calls():
    model = start(MLPClassifier, batch_normalization=True)
    sizes = []
    for _ in range(2):
        for _ in range(20):
            model.partial_fit(X, CLASSES)
        model.loss_curve_, model.learning_rate_curve_ = [], []
        sizes.append(len(pickle.dumps(model)))
    # But for a byte of a count or two.
    assert abs(sizes[1] - sizes[0]) < 10


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, np.int64(5), np.uint8(7), True])
def test_an_integer_seeds_as_in_scikit_learn(seed):
    for _ in range(2):
        ours, theirs = seeded(seed), np.random.RandomState(seed)
        for draw in ("normal", "permutation", "uniform"):
            arguments = {"permutation": (9,)}.get(draw, (0.0, 1.0, 3))
            np.testing.assert_array_equal(
                getattr(ours, draw)(*arguments), getattr(theirs, draw)(*arguments)
            )


def test_other_generators_are_those_that_are_given():
    given = np.random.RandomState(0)
    assert seeded(given) is given
    assert seeded(None) is np.random.mtrand._rand


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_parameters_are_validated_when_they_change(monkeypatch, estimator):
    """Also by ``setattr``, and back and forth."""
    model, y, calls = start(estimator), ESTIMATORS[estimator], []
    validate = estimator._validate_params
    monkeypatch.setattr(
        estimator, "_validate_params", lambda self: calls.append(0) or validate(self)
    )
    for _ in range(3):
        model.partial_fit(X, y)
    n_calls = len(calls)
    assert n_calls <= 1
    for value in (0.5, 0.25):
        model.momentum = value
        model.partial_fit(X, y)
    assert len(calls) == n_calls + 2
    for _ in range(2):
        model.momentum = 1.5
        with pytest.raises(ValueError, match="momentum"):
            model.partial_fit(X, y)
        model.momentum = 0.25
        model.partial_fit(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
def test_lists_for_sizes_are_looked_at_in_each_call(solver):
    sizes = [4]
    model = start(MLPRegressor, solver=solver, hidden_layer_sizes=sizes)
    model.partial_fit(X, TARGETS)
    sizes[0] = 0
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        model.partial_fit(X, TARGETS)
