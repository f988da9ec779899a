"""Faults of scikit-learn that skgd does not have: a test for each row of the table."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context, neural_network, preprocessing
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_array

import skgd
from skgd import MLPClassifier, MLPRegressor
from skgd.neural_network import _trainer
from tests.drop_in.tasks import (
    SINCE_1_7,
    TASKS,
    assert_same_weights,
    data,
    fitted,
    networks,
    quietly,
)


def objective(model, X, y):
    """Half the squared error, summed over the outputs, and the penalty."""
    a = X
    for coef, intercept in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        a = np.tanh(a @ coef + intercept)
    a = a @ model.coefs_[-1] + model.intercepts_[-1]
    squares = sum((coef**2).sum() for coef in model.coefs_)
    return (0.5 * ((a - y) ** 2).sum() + 0.5 * model.alpha * squares) / len(X)


def test_loss_of_several_outputs_is_the_objective():
    """scikit-learn reports the mean over the outputs, and minimizes the sum."""
    X, y, _ = data("multioutput")
    ours, theirs = fitted("multioutput", X, y, {}, alpha=0.0, max_iter=5, batch_size=50)
    for a, b in zip(ours.loss_curve_, theirs.loss_curve_, strict=True):
        assert a == pytest.approx(b * y.shape[1], rel=1e-10)


def test_lbfgs_of_several_outputs_minimizes_what_it_reports():
    """scikit-learn's line search compares a loss with the gradient of another."""
    X, y, _ = data("multioutput")
    parameters = {"solver": "lbfgs", "activation": "tanh", "alpha": 1.0}
    ours, theirs = fitted("multioutput", X, y, {}, max_iter=400, **parameters)
    assert ours.loss_ == pytest.approx(objective(ours, X, y), rel=1e-9)
    assert theirs.loss_ < 0.8 * objective(theirs, X, y)
    assert objective(ours, X, y) <= objective(theirs, X, y) * (1 + 1e-3)
    rng = np.random.default_rng(0)
    smallest = objective(ours, X, y)
    for coef in ours.coefs_:
        direction = rng.standard_normal(coef.shape)
        for step in (1e-3, -1e-3):
            coef += step * direction
            assert objective(ours, X, y) > smallest - 1e-6
            coef -= step * direction


DIVERGING = {
    "momentum": {"solver": "sgd", "learning_rate_init": 1e3},
    "minibatch": {"solver": "minibatch", "learning_rate_init": 1e3},
    "huge values": {"scale": 1e200},
    "lbfgs": {"solver": "lbfgs", "scale": 1e200},
    # The last update overflows, after a finite loss.
    "last update": {
        "solver": "minibatch",
        "learning_rate_init": 1e300,
        "max_iter": 1,
        "batch_size": 150,
        "scale": 1e20,
    },
    "early stopping": {
        "solver": "sgd",
        "learning_rate_init": 1e300,
        "early_stopping": True,
    },
}


@pytest.mark.parametrize("case", DIVERGING)
def test_a_loss_that_is_not_finite_raises_and_names_the_remedy(case):
    X, y, _ = data("regression")
    parameters = {"activation": "identity", "random_state": 0, **DIVERGING[case]}
    X = X * parameters.pop("scale", 1.0)
    model = MLPRegressor(hidden_layer_sizes=(5,), **parameters)
    with pytest.raises(ValueError, match="ZScoreScaler") as raised:
        quietly(model.fit, X, y)
    if parameters.get("solver") != "lbfgs":
        assert "Lower learning_rate_init" in str(raised.value)
    # Nothing of the failed fit stays behind.
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "n_features_in_")


def test_a_failed_fit_leaves_the_model_as_it_was():
    X, y, _ = data("regression")
    model = quietly(MLPRegressor(max_iter=3, solver="sgd", warm_start=True).fit, X, y)
    before, curve = model.predict(X), list(model.loss_curve_)
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="Lower learning_rate_init"):
            method(X * 1e200, y)
        np.testing.assert_array_equal(model.predict(X), before)
        assert model.loss_curve_ == curve


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_negative_weights_raise(make, solver):
    X, y, _ = data("binary")
    weight = np.ones(len(y))
    weight[3] = -1e-3
    with pytest.raises(ValueError, match=r"(?i)negative"):
        make(solver=solver).fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="at least one non-zero"):
        make(solver=solver).fit(X, y, sample_weight=0 * weight)


@pytest.mark.skipif(not SINCE_1_7, reason="This scikit-learn knows no weights.")
def test_a_mini_batch_without_weight_is_left_out():
    """scikit-learn divides by its weight."""
    X, y, _ = data("binary")
    weight = np.repeat([1.0, 0.0, 2.0], 50)
    ours, theirs = networks("binary", batch_size=50, shuffle=False, max_iter=3)
    with pytest.raises(ZeroDivisionError):
        theirs.fit(X, y, sample_weight=weight)
    quietly(ours.fit, X, y, sample_weight=weight)
    kept = np.flatnonzero(weight)
    other, _ = networks("binary", batch_size=50, shuffle=False, max_iter=3)
    quietly(other.fit, X[kept], y[kept], sample_weight=weight[kept])
    for a, b in zip(ours.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_lbfgs_has_no_partial_fit(task):
    ours, theirs = networks(task, solver="lbfgs")
    assert not hasattr(ours, "partial_fit")
    assert hasattr(theirs, "partial_fit") == (task == "regression")
    with pytest.raises(AttributeError):
        ours.partial_fit  # noqa: B018
    assert hasattr(ours.set_params(solver="adam"), "partial_fit")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_class_has_one_probability(solver):
    X, _, _ = data("binary")
    model = quietly(MLPClassifier(solver=solver, max_iter=3).fit, X, ["only"] * len(X))
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    assert set(model.predict(X)) == {"only"}
    assert model.predict_proba(X).shape[1] == len(model.classes_)


@pytest.mark.parametrize("solver", ["minibatch", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("schedule", ["inverse_time", "invscaling", "adaptive"])
def test_schedules_act_with_every_solver(schedule, solver):
    """scikit-learn ignores them with 'adam'."""
    X, y, _ = data("regression")

    def fit(learning_rate):
        model = MLPRegressor(
            solver=solver,
            learning_rate=learning_rate,
            decay_steps=2,
            n_iter_no_change=1,
            tol=1e3,
            max_iter=8,
            random_state=0,
        )
        return quietly(model.fit, X, y)

    model, constant = fit(schedule), fit("constant")
    # The patience is used up in the third epoch. 'adaptive' goes on with a lower rate.
    assert model.n_iter_ == (8 if schedule == "adaptive" else 3)
    assert constant.n_iter_ == 3
    if schedule == "adaptive":
        assert len(set(model.loss_curve_)) == 8
    else:
        assert not np.allclose(model.coefs_[0], constant.coefs_[0], rtol=1e-6)


@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_lbfgs_says_that_it_takes_no_schedule(make):
    X, y, _ = data("binary")
    model = make(solver="lbfgs", learning_rate="adaptive", max_iter=3)
    with pytest.warns(UserWarning, match="learning_rate='adaptive' has no effect") as seen:
        quietly(model.fit, X, y)
    assert [w.filename.rsplit("/", 1)[-1] for w in seen] == ["tasks.py"]


def test_best_weights_survive_a_warm_start_that_finds_no_better_ones():
    """scikit-learn trains the very arrays that it has kept as the best."""
    X, y, _ = data("regression")
    ours, theirs = networks(
        "regression", early_stopping=True, warm_start=True, max_iter=30, solver="sgd"
    )
    quietly(ours.fit, X, y)
    quietly(theirs.fit, X, y)
    best = ours.predict(X)
    np.testing.assert_allclose(theirs.predict(X), best)
    for model in (ours, theirs):
        model.set_params(learning_rate_init=1.0, max_iter=2)
        score = model.best_validation_score_
        quietly(model.fit, X, y)
        assert model.best_validation_score_ == score
    np.testing.assert_array_equal(ours.predict(X), best)
    assert not np.allclose(theirs.predict(X), best, rtol=1e-2)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("first", [False, True])
def test_early_stopping_is_switched_between_warm_starts(task, first):
    """scikit-learn compares with None."""
    X, y, _ = data(task)
    ours, theirs = networks(task, early_stopping=first, warm_start=True, max_iter=3)
    for model in (ours, theirs):
        quietly(model.fit, X, y)
        model.set_params(early_stopping=not first)
    with pytest.raises((TypeError, AttributeError)):
        quietly(theirs.fit, X, y)
    quietly(ours.fit, X, y)
    assert len(ours.loss_curve_) == 6
    # Epochs without a score are NaN: the curves keep step.
    assert np.isfinite(ours.validation_scores_ or []).sum() == 3


def test_poisson_needs_counts():
    X, y, _ = data("regression")
    with pytest.raises(ValueError, match="y >= 0"):
        MLPRegressor("poisson").fit(X, y)


def test_a_warm_start_of_another_shape_raises():
    X, y, _ = data("regression")
    model = quietly(MLPRegressor(warm_start=True, max_iter=2).fit, X, y)
    model.set_params(hidden_layer_sizes=(7,))
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        model.fit(X, y)


def test_probabilities_are_not_clipped():
    """Of a certain prediction that is wrong, the loss is its logarithm, not 36 at most."""
    X = np.array([[1.0], [-1.0]]) * 1e3
    y = np.array([0, 1])
    model = MLPClassifier((), max_iter=1, random_state=0, learning_rate_init=1e-12)
    losses = []
    for labels in (y, 1 - y):
        losses.append(quietly(model.fit, X, labels).loss_)
    assert max(losses) > 100
    z = abs(X @ model.coefs_[0] + model.intercepts_[0])
    assert max(losses) == pytest.approx(z.mean(), rel=1e-6)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_hundreds_of_epochs(early_stopping):
    """The compiled calls do not grow beyond all numbers."""
    X, y, _ = data("binary")
    model = MLPClassifier(
        (3,), max_iter=900, early_stopping=early_stopping, n_iter_no_change=np.inf
    )
    with pytest.warns(ConvergenceWarning) as seen:
        model.fit(X, y)
    assert model.n_iter_ == 900
    assert seen[0].filename == __file__


def test_lbfgs_keeps_float32():
    X, y, _ = data("regression", np.float32)
    ours, theirs = fitted("regression", X, y, {}, solver="lbfgs", max_iter=5)
    assert {a.dtype for a in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    assert {a.dtype for a in theirs.coefs_ + theirs.intercepts_} == {np.dtype(np.float64)}


def test_scalers_take_no_negative_weights():
    X, weight = [[0.0], [1.0], [2.0]], [1.0, -0.5, 1.0]
    preprocessing.StandardScaler().fit(X, sample_weight=weight)
    for scaler in (skgd.ZScoreScaler(), skgd.MeanScaler()):
        with pytest.raises(ValueError, match="negative"):
            scaler.fit(X, sample_weight=weight)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_range_must_be_finite():
    X = [[0.0], [1.0], [2.0]]
    scaled = preprocessing.MinMaxScaler(feature_range=(0, np.inf)).fit_transform(X)
    assert not np.isfinite(scaled).any()
    with pytest.raises(ValueError, match="finite"):
        skgd.MinMaxScaler(feature_range=(0, np.inf)).fit(X)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("X", [[-1.7e308, 0.0, 1.7e308], [1e-170, 2e-170, 4e-170]])
def test_squares_that_cannot_be_represented_are_refused(X):
    X = np.reshape(X, (3, 1))
    for theirs, ours in (
        (preprocessing.MinMaxScaler(), skgd.MinMaxScaler()),
        (preprocessing.StandardScaler(), skgd.StandardScaler()),
    ):
        assert np.ptp(theirs.fit_transform(X)) not in (1, pytest.approx(2.4, abs=0.1))
        with pytest.raises(ValueError, match=r"in column 0: .* 1e-150 to 1e\+150"):
            ours.fit(X)


def test_a_range_is_small_compared_with_the_numbers():
    noise = [[0.3], [0.1 + 0.2]]
    for X, scaled in (([[1.0], [2.0], [5.0]], True), (noise, False)):
        for unit in (1e-27, 1.0, 1e27):
            ours = skgd.MinMaxScaler().fit(np.multiply(X, unit))
            assert (ours.scale_[0] != 1) == scaled
    small, large = np.multiply([[1], [2]], 1e-27), np.multiply(noise, 1e27)
    assert preprocessing.MinMaxScaler().fit(small).scale_ == 1
    assert preprocessing.MinMaxScaler().fit(large).scale_ != 1


def test_the_scale_of_float32_data_is_float64():
    X = np.array([[0.0], [3.0]], dtype=np.float32)
    ours, theirs = skgd.MinMaxScaler().fit(X), preprocessing.MinMaxScaler().fit(X)
    for name in ("scale_", "min_"):
        assert getattr(ours, name).dtype == np.float64
        assert getattr(theirs, name).dtype == np.float32
    assert ours.transform(X).dtype == theirs.transform(X).dtype == np.float32


def test_sparse_booleans_are_scaled():
    frame = pd.get_dummies(pd.Series(list("abcab")), sparse=True)
    if not sparse.issparse(check_array(frame, accept_sparse=True)):
        pytest.skip("scikit-learn takes data frames of this pandas for dense")
    with pytest.raises(TypeError, match="bool"):
        preprocessing.StandardScaler(with_mean=False).fit_transform(frame)
    scaled = skgd.ZScoreScaler(with_mean=False).fit_transform(frame).toarray()
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_predictions_that_overflow_raise():
    X, y, _ = data("multiclass")
    ours, theirs = networks("multiclass", max_iter=2)
    for model in (ours, theirs):
        quietly(model.fit, X, y)
        for coef in model.coefs_:
            coef *= 10
    rows = np.sign(X) * 1.7e308
    with np.errstate(all="ignore"):
        assert np.isnan(theirs.predict_proba(rows)).any()
        assert (theirs.predict(rows) == theirs.classes_[0]).any()
    for method in (ours.predict, ours.predict_proba):
        with pytest.raises(ValueError, match="too large"):
            method(rows)


def test_parameters_set_after_a_fit_are_checked():
    X, y, _ = data("regression")
    ours, theirs = networks("regression", max_iter=2, solver="sgd")
    for model in (ours, theirs):
        quietly(model.fit, X, y).set_params(momentum=7.0)
    theirs.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"'momentum'.*\[0.0, 1.0\].*7.0"):
        ours.partial_fit(X, y)


@pytest.mark.parametrize("name", ["learning_rate_init", "momentum"])
def test_parameters_set_between_calls_act(name):
    X, y, _ = data("regression")
    values = {"learning_rate_init": 0.1, "momentum": 0.0}
    weights = []
    for change in ({}, {name: values[name]}):
        pair = networks("regression", solver="sgd")
        for model in pair:
            model.partial_fit(X, y).set_params(**change).partial_fit(X, y).partial_fit(X, y)
        weights.append([model.coefs_[0] for model in pair])
    (ours, theirs), (our_changed, their_changed) = weights
    np.testing.assert_array_equal(theirs, their_changed)
    assert abs(ours - our_changed).max() > 1e-4


def test_partial_fit_takes_some_classes_whatever_warm_start_is():
    X, y, _ = data("multiclass")
    for model in networks("multiclass", warm_start=True, batch_size=1):
        model.partial_fit(X, y, classes=np.unique(y))
        if isinstance(model, MLPClassifier):
            model.partial_fit(X[:1], y[:1])
        else:
            with pytest.raises(ValueError, match="warm_start"):
                model.partial_fit(X[:1], y[:1])


def test_another_solver_goes_on_after_lbfgs():
    X, y, _ = data("binary")
    ours, theirs = fitted("binary", X, y, {}, solver="lbfgs", max_iter=3)
    for model in (ours, theirs):
        model.set_params(solver="adam")
    with pytest.raises(AttributeError):
        theirs.partial_fit(X, y)
    assert len(ours.partial_fit(X, y).loss_curve_) == 1


def test_log_probabilities_are_not_of_rounded_ones():
    X, y, _ = data("binary")
    ours, theirs = fitted("binary", X, y, {}, max_iter=2, activation="identity")
    with np.errstate(divide="ignore"):
        lost = theirs.predict_log_proba(1e4 * X)
    assert np.isneginf(lost).any()
    found = ours.predict_log_proba(1e4 * X)
    assert np.isfinite(found).all()
    kept = np.isfinite(lost) & (lost < -1e-6)
    np.testing.assert_allclose(found[kept], lost[kept], rtol=1e-6)


def test_nothing_else_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        for task in TASKS:
            X, y, _ = data(task)
            ours, _ = networks(task, max_iter=2)
            ours.fit(X, y).predict(X)
    assert skgd.__version__


def test_a_wrong_name_among_several():
    for network, alpha in (
        (neural_network.MLPClassifier(), 1.0),
        (MLPClassifier(), 0.0001),
    ):
        with pytest.raises(ValueError, match="Invalid parameter 'epochs'"):
            network.set_params(alpha=1.0, epochs=3)
        assert network.alpha == alpha


@pytest.mark.parametrize("library", [skgd, neural_network])
def test_ctrl_c_ends_a_search(library, monkeypatch):
    """scikit-learn keeps it for one fit, and goes on with the next."""
    X, y, _ = data("regression")
    pressed = []

    def press(*args, **kwargs):
        pressed.append(args)
        raise KeyboardInterrupt

    if library is skgd:
        monkeypatch.setattr(_trainer, "run_together", press)
    else:
        monkeypatch.setattr(neural_network.MLPRegressor, "_backprop", press)
    search = GridSearchCV(library.MLPRegressor(random_state=0), {"alpha": [0.0, 1.0]}, cv=2)
    if library is skgd:
        with pytest.raises(KeyboardInterrupt):
            search.fit(X, y)
        assert len(pressed) == 1
    else:
        with pytest.warns(UserWarning, match="interrupted"):
            search.fit(X, y)
        # And a last one, with the best parameters. A second Ctrl-C changes nothing.
        assert len(pressed) == 5


def test_divergence_ends_early_stopping():
    X, y, _ = data("regression")
    parameters = {
        "activation": "identity",
        "solver": "sgd",
        "learning_rate_init": 1.0,
        "early_stopping": True,
        "n_iter_no_change": 20,
        "max_iter": 15,
    }
    ours, theirs = networks("regression", **parameters)
    with pytest.warns(ConvergenceWarning, match="in epoch .* Lower learning_rate_init"):
        ours.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(X, y)
    assert 1 < ours.n_iter_ < theirs.n_iter_ == 15
    assert np.isnan(theirs.validation_scores_[-1])
    assert_same_weights(ours, theirs, 1e-8)


def test_a_schedule_without_effect():
    X, y, _ = data("regression")
    parameters = {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "power_t": 0.0,
        "tol": 0.1,
    }
    ours, theirs = networks("regression", learning_rate_init=0.01, **parameters)
    with pytest.warns(UserWarning, match=r"power_t=0\.0"):
        quietly(ours.fit, X, y)
    quietly(theirs.fit, X, y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_warnings_point_to_the_caller(solver):
    X, y, _ = data("regression")
    for network, is_here in zip(
        networks("regression", solver=solver, max_iter=2), (True, False), strict=True
    ):
        with pytest.warns(ConvergenceWarning) as caught:
            network.fit(X, 100 * y)
        assert (caught[0].filename == __file__) == is_here
        assert ("TransformedTargetRegressor" in str(caught[0].message)) == is_here


def test_nan_that_is_assumed_away():
    X, y, _ = data("regression")
    X = X.copy()
    X[3, 1] = np.nan
    ours, theirs = networks("regression", max_iter=2)
    with config_context(assume_finite=True):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            ours.fit(X, y)
        with pytest.raises(ValueError, match="may contain large values"):
            quietly(theirs.fit, X, y)
