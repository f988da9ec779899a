"""The warnings of a fit: their text, and that they point to the caller's line."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn import config_context, neural_network
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.pipeline import make_pipeline

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.neural_network import _trainer
from skgd.schedules import SCHEDULES, Constant
from skgd.solvers import SOLVERS
from tests.drop_in.tasks import SINCE_1_7

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
CLASSES = (X[:, 0] > 0).astype(int)
TARGETS = X[:, 0] - X[:, 1]
ESTIMATORS = {MLPClassifier: CLASSES, MLPRegressor: TARGETS}
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)
not_converged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def caught(method, *args):
    """Call a method; return its warnings, which must all point to this call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        method(*args)
    assert {(w.filename, w.lineno) for w in found} <= {(__file__, line)}
    return [(w.category, str(w.message)) for w in found]


def only(found, category):
    """Return the message of the only warning."""
    assert [kind for kind, _ in found] == [category], found
    return found[0][1]


# ---------------------------------------------------------------------------- whose line


@pytest.mark.parametrize("wrap", [clone, make_pipeline, lambda m: make_pipeline(clone(m))])
@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@every_estimator
def test_no_convergence(estimator, solver, wrap):
    model = wrap(estimator(solver=solver, max_iter=2, random_state=0))
    message = only(caught(model.fit, X, ESTIMATORS[estimator]), ConvergenceWarning)
    assert "2" in message


def test_no_convergence_with_a_transformed_target():
    model = TransformedTargetRegressor(MLPRegressor(max_iter=2), transformer=ZScoreScaler())
    only(caught(model.fit, X, TARGETS), ConvergenceWarning)


def test_a_subclass_is_a_caller():
    class Twice(MLPRegressor):
        def fit(self, X, y):
            return super().fit(X, y).partial_fit(X, y)

    with pytest.warns(ConvergenceWarning) as found:
        Twice(max_iter=2).fit(X, TARGETS)
    lines, first = inspect.getsourcelines(Twice)
    assert found[0].filename == __file__
    assert first <= found[0].lineno < first + len(lines)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@every_estimator
def test_other_warnings(estimator, method):
    y = ESTIMATORS[estimator]
    model = estimator(batch_size=50, tol=10, n_iter_no_change=1, random_state=0)
    model.partial_fit(X[:1].repeat(50, axis=0), np.resize(y, 50), **_classes(estimator))
    found = caught(getattr(model, method), X, y[:, np.newaxis])
    assert [category for category, _ in found] == [DataConversionWarning, UserWarning]
    assert "column-vector" in found[0][1]
    assert "batch_size`=50" in found[1][1]


def _classes(estimator):
    return {"classes": [0, 1]} if estimator is MLPClassifier else {}


@every_estimator
def test_learning_rate_with_lbfgs(estimator):
    model = estimator(solver="lbfgs", tol=10, learning_rate="adaptive")
    message = only(caught(model.fit, X, ESTIMATORS[estimator]), UserWarning)
    assert "learning_rate='adaptive' has no effect" in message
    # All of scikit-learn's that are set, in one.
    ignored = {
        "batch_size": 7,
        "learning_rate": "invscaling",
        "learning_rate_init": 0.1,
        "power_t": 0.7,
        "shuffle": False,
        "momentum": 0.8,
        "nesterovs_momentum": False,
        "early_stopping": np.True_,
        "validation_fraction": 0.3,
        "beta_1": 0.8,
        "beta_2": 0.9,
        "epsilon": 1e-6,
        "n_iter_no_change": 3,
    }
    model.set_params(**ignored)
    message = only(caught(model.fit, X, ESTIMATORS[estimator]), UserWarning)
    named = ", ".join(f"{name}={value!r}" for name, value in ignored.items())
    assert message.startswith(f"{named} have no effect with solver='lbfgs'")
    model.set_params(**{name: estimator().get_params()[name] for name in ignored})
    assert caught(model.fit, X, ESTIMATORS[estimator]) == []
    model.set_params(learning_rate=Constant())
    assert caught(model.fit, X, ESTIMATORS[estimator]) == []


def test_ctrl_c(monkeypatch):
    def press(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_trainer, "run_together", press)
    assert "interrupted" in only(caught(MLPRegressor().fit, X, TARGETS), UserWarning)


@pytest.mark.skipif(not SINCE_1_7, reason="This scikit-learn says it in other words.")
@pytest.mark.parametrize("limits", [{"max_iter": 3}, {"max_iter": 50, "max_fun": 3}])
def test_lbfgs_warns_as_scikit_learn(limits):
    parameters = {"solver": "lbfgs", "random_state": 0, "tol": 0.0, **limits}
    ours = only(caught(MLPRegressor(**parameters).fit, X, TARGETS), ConvergenceWarning)
    with pytest.warns(ConvergenceWarning) as theirs:
        neural_network.MLPRegressor(**parameters).fit(X, TARGETS)
    assert ours == str(theirs[0].message)


# ------------------------------------------------------------ a target to be scaled first


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@pytest.mark.parametrize(
    ("scale", "shift", "advised"),
    [(1, 0, False), (5, 5, False), (100, 0, True), (1, -50, True), (0.01, 0, True)],
)
def test_advice_to_scale_the_target(scale, shift, advised, solver):
    rate = {} if solver == "lbfgs" else {"learning_rate_init": 1e-5}
    model = MLPRegressor(solver=solver, max_iter=2, random_state=0, **rate)
    advice = "TransformedTargetRegressor(..., transformer=StandardScaler())"
    for y in (TARGETS, np.column_stack([TARGETS / TARGETS.std(), TARGETS])):
        y = y * scale + shift
        message = only(caught(model.fit, X, y), ConvergenceWarning)
        assert (advice in message) == advised
        if advised:
            column = y.reshape(40, -1)[:, 0]
            assert f"mean of {column.mean():.3g} " in message
            assert f"deviation of {column.std():.3g}." in message


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    "model", [MLPRegressor("poisson", max_iter=2), MLPClassifier(max_iter=2)]
)
def test_no_advice_to_scale_counts_or_classes(model, solver):
    y = 100 * CLASSES
    message = only(
        caught(clone(model).set_params(solver=solver).fit, X, y), ConvergenceWarning
    )
    assert "TransformedTargetRegressor" not in message


def test_no_advice_to_scale_what_does_not_vary():
    message = only(
        caught(MLPRegressor(max_iter=2).fit, X, np.full(40, 0.3)), ConvergenceWarning
    )
    assert "TransformedTargetRegressor" not in message


# --------------------------------------------------------------- a schedule without effect

IDLE = {
    "inverse_time": ({}, ["decay_steps=1000", "staircase=True", "decay_rate=1.0"]),
    "no decay": ({"decay_rate": 0, "decay_steps": 1}, ["decay_rate=0"]),
    "invscaling": ({"power_t": 0.0}, ["power_t=0.0"]),
    "one epoch": ({"max_iter": 1}, ["power_t=0.5"]),
}
ACTING = {
    "inverse_time": [{"decay_steps": 9}, {"staircase": False}],
    "invscaling": [{"max_iter": 2}, {"power_t": 0.01}],
    "adaptive": [{}, {"n_iter_no_change": 1}],
    "constant": [{}],
}


def scheduled(estimator, name, **parameters):
    """Make a network whose fit is 10 epochs of one update."""
    schedule = name if name in SCHEDULES else ("inverse_time", "invscaling")[name[0] == "o"]
    parameters = {"max_iter": 10, "tol": 0.0, "learning_rate": schedule, **parameters}
    return estimator(batch_size=40, random_state=0, **parameters)


@not_converged
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", IDLE)
@every_estimator
def test_a_schedule_without_effect(estimator, name, solver):
    parameters, parts = IDLE[name]
    y = ESTIMATORS[estimator]
    model = scheduled(estimator, name, solver=solver, **parameters)
    found = [m for kind, m in caught(model.fit, X, y) if kind is UserWarning]
    assert len(found) == 1
    for part in (f"learning_rate={model.learning_rate!r}", *parts, "no effect"):
        assert part in found[0]
    # The network is that of a constant rate.
    other = clone(model).set_params(learning_rate="constant").fit(X, y)
    assert (other.coefs_[0] == model.coefs_[0]).all()


@not_converged
@pytest.mark.parametrize(
    ("name", "parameters"), [(name, p) for name, sets in ACTING.items() for p in sets]
)
@every_estimator
def test_a_schedule_with_effect_or_none_to_have(estimator, name, parameters):
    model = scheduled(estimator, name, **parameters)
    found = caught(model.fit, X, ESTIMATORS[estimator])
    assert UserWarning not in [kind for kind, _ in found]


@not_converged
def test_a_warm_start_starts_the_schedule_anew():
    model = scheduled(MLPRegressor, "invscaling", max_iter=1, warm_start=True)
    for _ in range(2):
        with pytest.warns(UserWarning, match="power_t"):
            model.fit(X, TARGETS)


@pytest.mark.parametrize("name", ["inverse_time", "invscaling"])
def test_partial_fit_is_no_whole_fit(name):
    model = scheduled(MLPRegressor, name)
    assert caught(model.partial_fit, X, TARGETS) == []


# ------------------------------------------------------------ divergence and early stopping

DIVERGING = {
    "activation": "identity",
    "solver": "sgd",
    "learning_rate_init": 0.3,
    "early_stopping": True,
    "validation_fraction": 0.25,
    "random_state": 0,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [10, 30])
def test_divergence_ends_early_stopping(batch_size, dtype):
    rows = X.astype(dtype)
    model = MLPRegressor(batch_size=batch_size, **DIVERGING)
    message = only(caught(model.fit, rows, TARGETS), ConvergenceWarning)
    assert f"in epoch {model.n_iter_} with" in message
    assert "Lower learning_rate_init" in message
    assert 1 < model.n_iter_ < 200
    # The curves tell of it.
    *scores, last = model.validation_scores_
    assert np.isfinite(scores).all()
    assert np.isnan(last)
    assert len(model.loss_curve_) == model.n_iter_ == len(model.validation_scores_)
    assert np.isfinite(model.loss_curve_[:-1]).all()
    # The weights are those of the best epoch.
    assert model.best_validation_score_ == max(scores)
    best = MLPRegressor(batch_size=batch_size, **DIVERGING)
    caught(best.set_params(max_iter=1 + int(np.argmax(scores))).fit, rows, TARGETS)
    for a, b in zip(model.coefs_, best.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    # They can be trained on, without the state that has diverged.
    model.set_params(early_stopping=False, learning_rate_init=1e-9)
    model.partial_fit(rows, TARGETS)
    assert np.isfinite(model.predict(rows)).all()


def test_divergence_in_the_first_epoch_raises():
    model = MLPRegressor(batch_size=1, **DIVERGING)
    with pytest.raises(ValueError, match=r"in epoch 1 with .* Lower learning_rate_init"):
        model.fit(10 * X, TARGETS)
    assert not hasattr(model, "coefs_")
    # Also in a warm start: the scores of another fit tell nothing.
    model.set_params(warm_start=True, learning_rate_init=1e-9, max_iter=1)
    caught(model.fit, 10 * X, TARGETS)
    kept = model.coefs_[0].copy()
    model.set_params(learning_rate_init=0.3)
    with pytest.raises(ValueError, match="in epoch 1 with"):
        model.fit(10 * X, TARGETS)
    np.testing.assert_array_equal(model.coefs_[0], kept)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["test_mlp_diverging_loss", "test_early_stopping_stratified"]
)
def test_scikit_learns_own_tests(name, monkeypatch):
    theirs = pytest.importorskip("sklearn.neural_network.tests.test_mlp")
    if not hasattr(theirs, name):
        pytest.skip("This scikit-learn has no such test.")
    for estimator in ESTIMATORS:
        monkeypatch.setattr(theirs, estimator.__name__, estimator)
    getattr(theirs, name)()


# -------------------------------------------------- data that are assumed to be finite


@not_converged
@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"solver": "lbfgs"},
        {"early_stopping": True, "validation_fraction": 0.4},
        {"batch_normalization": True},
    ],
)
@every_estimator
def test_data_that_are_not_finite_are_named(estimator, parameters, value, name):
    y = ESTIMATORS[estimator]
    spoiled = X.copy()
    spoiled[7, 1] = value
    model = estimator(random_state=0, max_iter=2, activation="identity", **parameters)
    methods = ["fit"] + ["partial_fit"] * (len(parameters) == 0)
    with config_context(assume_finite=True):
        for method in methods:
            with pytest.raises(ValueError, match=f"Input X contains {name}") as error:
                getattr(model, method)(spoiled, y)
            assert "learning_rate_init" not in str(error.value)
            model.fit(X, y)
        for rows in (spoiled, spoiled.tolist()):
            with pytest.raises(ValueError, match=f"Input X contains {name}"):
                model.predict(rows)
        weight = np.ones(40)
        weight[7] = value
        with pytest.raises(ValueError, match=f"Input sample_weight contains {name}"):
            model.fit(X, y, sample_weight=weight)
        if estimator is MLPRegressor:
            with pytest.raises(ValueError, match=f"Input y contains {name}"):
                model.fit(X, weight)
