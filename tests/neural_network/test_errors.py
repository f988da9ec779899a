"""The errors of a fit: their text, and that the estimator does not change."""

import joblib
import numpy as np
import pytest
from sklearn import config_context

from skgd import MLPClassifier, MLPRegressor
from skgd.neural_network import _prediction
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
CLASSES = (X[:, 0] > 0).astype(int)
TARGETS = np.abs(X[:, 0]) * 3
ESTIMATORS = {MLPClassifier: CLASSES, MLPRegressor: TARGETS}


def spoiled(array, value):
    array = np.array(array, dtype=float)
    array.flat[5] = value
    return array


# parameter, value, what the message must name besides
BAD_PARAMETERS = [
    ("solver", "newton", [*SOLVERS, "lbfgs"]),
    ("learning_rate", "linear", [*SCHEDULES]),
    ("activation", "swish", ["relu", "tanh", "logistic", "identity"]),
    ("rho", 1.0, ["[0.0, 1.0)"]),
    ("rho", -0.1, ["[0.0, 1.0)"]),
    ("epsilon", 0, ["(0.0, inf)"]),
    ("decay_rate", -1, ["[0.0, inf)"]),
    ("decay_steps", 0, ["[1, inf)"]),
    ("decay_steps", 1.5, ["int"]),
    ("staircase", "yes", ["bool"]),
    ("batch_normalization", "yes", ["bool"]),
    ("batch_normalization_momentum", 1.0, ["[0.0, 1.0)"]),
    ("batch_normalization_epsilon", 0, ["(0.0, inf)"]),
    ("weight_decay", -0.1, ["[0.0, inf)"]),
    ("max_grad_norm", 0, ["(0.0, inf)", "None"]),
    ("learning_rate_factors", 0.1, ["dict", "None"]),
    ("learning_rate_factors", {"biases": 0.1}, ["'weights', 'bias', 'scale'"]),
    ("ema_decay", 1.0, ["[0.0, 1.0)", "None"]),
    ("dropout", 1.0, ["[0.0, 1.0)", "list"]),
    ("dropout", [0.1, 1.0], ["[0, 1)", "one for the input, and one for each hidden layer"]),
    ("n_jobs", "all", ["int", "None"]),
    ("learning_rate_init", 0, ["(0.0, inf)"]),
    ("alpha", -1, ["[0.0, inf)"]),
    ("batch_size", 0, ["auto", "[1, inf)"]),
    ("momentum", 1.5, ["[0.0, 1.0]"]),
    ("hidden_layer_sizes", (5, 0), ["> 0"]),
    ("hidden_layer_sizes", (5, 2.5), ["integers"]),
    ("hidden_layer_sizes", (5, True), ["integers"]),
    ("hidden_layer_sizes", True, ["integer > 0"]),
    ("hidden_layer_sizes", np.array(5), ["sequence of integers"]),
    ("hidden_layer_sizes", [[5]], ["sequence of integers"]),
]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("name", "value", "allowed"), BAD_PARAMETERS)
def test_a_message_names_parameter_value_and_what_is_allowed(
    estimator, name, value, allowed
):
    model = estimator(**{name: value})
    with pytest.raises(ValueError, match=name) as error:
        model.fit(X, ESTIMATORS[estimator])
    message = str(error.value)
    for part in (str(value), *allowed):
        assert part in message
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("name", "value", "allowed"), BAD_PARAMETERS)
def test_a_parameter_set_on_a_fitted_model_is_checked(estimator, name, value, allowed):
    """scikit-learn does not, in ``partial_fit``."""
    y = ESTIMATORS[estimator]
    model = estimator(hidden_layer_sizes=(5,), random_state=0)
    model.partial_fit(X, y, **_classes(estimator, "partial_fit"))
    before = joblib.hash(model.set_params(**{name: value}))
    with pytest.raises(ValueError, match=name) as error:
        model.partial_fit(X, y)
    for part in (str(value), *allowed):
        assert part in str(error.value)
    assert joblib.hash(model) == before


def test_a_loss_set_on_a_fitted_model_is_checked():
    model = MLPRegressor(random_state=0).partial_fit(X, TARGETS)
    predicted = model.predict(X)
    with pytest.raises(ValueError, match=r"'loss'.*(poi.*squ|squ.*poi).*'hubert'"):
        model.set_params(loss="hubert").partial_fit(X, TARGETS)
    with pytest.raises(ValueError, match=r"'identity'; loss='poisson' does not match"):
        model.set_params(loss="poisson").partial_fit(X, TARGETS)
    np.testing.assert_array_equal(model.predict(X), predicted)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": 1e39}, "alpha=1e.39 is too large for float32"),
        ({"learning_rate_init": 1e39}, "learning_rate_init=1e.39 is too large for float32"),
        ({"epsilon": 1e-50}, "epsilon=1e-50 is too small for float32"),
        (
            {"batch_normalization": True, "batch_normalization_epsilon": 1e-50},
            "batch_normalization_epsilon=1e-50 is too small for float32",
        ),
    ],
)
def test_a_parameter_that_the_dtype_cannot_hold(parameters, message):
    model = MLPRegressor(**parameters, max_iter=1)
    with pytest.raises(ValueError, match=message):
        model.fit(X.astype(np.float32), TARGETS)


def test_the_last_update_must_leave_finite_predictions():
    """Its weights are finite, and the loss before it was."""
    model = MLPRegressor(solver="minibatch", learning_rate_init=1e200, max_iter=1)
    with pytest.raises(ValueError, match=r"not finite after epoch 1 .*Lower learning_rate"):
        model.fit(X, TARGETS)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_predictions_that_overflow_raise(estimator, method):
    model = estimator(random_state=0, max_iter=1).fit(X, ESTIMATORS[estimator])
    for coef in model.coefs_:
        coef *= 10
    if hasattr(model, method):
        with pytest.raises(ValueError, match=r"X are too large .*ZScoreScaler"):
            getattr(model, method)(np.sign(X) * 1.7e308)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("n_rows", "row"), [(1, 0), (40, 3), (5000, 0), (5000, -1)])
def test_a_number_that_no_unit_passes_on_is_found(
    n_rows, row, order, value, dtype, monkeypatch
):
    """With weights below zero, the rectified units are 0 beside infinity, or a NaN."""
    monkeypatch.setattr(_prediction, "WORTH_SHARING", 1_000_000)
    model = MLPRegressor(random_state=0, max_iter=1, n_jobs=2)
    model.fit(X.astype(dtype), TARGETS)
    model.coefs_[0][:] = -np.sign(value) if np.isinf(value) else 1
    rows = np.resize(X, (n_rows, X.shape[1])).astype(dtype, order=order)
    assert np.isfinite(model.predict(rows)).all()
    rows[row, -1] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.predict(rows)


@pytest.mark.parametrize("convert", [np.asarray, list])
def test_rows_that_scikit_learn_is_to_assume_finite(convert):
    """Those whose predictions are finite have some."""
    model = MLPRegressor(hidden_layer_sizes=3, activation="tanh", max_iter=1).fit(
        X, TARGETS
    )
    rows = X[:2].copy()
    rows[1, 0] = np.inf
    with config_context(assume_finite=True):
        assert np.isfinite(model.predict(convert(rows))).all()
        model.coefs_[0][0] = 0
        with pytest.raises(ValueError, match="Input X contains infinity"):
            model.predict(convert(rows))


def test_a_validation_set_without_weight():
    model = MLPClassifier(early_stopping=True, random_state=0)
    weight = np.zeros(40)
    weight[0] = 1
    with pytest.raises(ValueError, match="All of sample_weight in the validation set"):
        model.fit(X, CLASSES, sample_weight=weight)


def test_an_unknown_activation_cannot_predict():
    model = MLPRegressor(random_state=0).partial_fit(X, TARGETS)
    with pytest.raises(ValueError, match=r"activation .*identity.*tanh.*'swish'"):
        model.set_params(activation="swish").predict(X)


def test_a_message_names_the_losses():
    with pytest.raises(
        ValueError, match=r"loss.*poisson.*squared_error|squared_error.*poi"
    ):
        MLPRegressor("hubert").fit(X, TARGETS)


DIVERGING = {"solver": "minibatch", "learning_rate_init": 1e30, "max_iter": 20}

# What is set on a fitted model, what it is given then, what the message says.
FAILURES = {
    "an unknown solver": ({"solver": "newton"}, {}, "solver"),
    "NaN in X": ({}, {"X": spoiled(X, np.nan)}, "NaN"),
    "infinity in X": ({}, {"X": spoiled(X, np.inf)}, "infinity"),
    "too few targets": ({}, {"y": CLASSES[:-1]}, "inconsistent numbers of samples"),
    "NaN in y": ({}, {"y": spoiled(CLASSES, np.nan)}, "NaN"),
    "a negative weight": ({}, {"sample_weight": spoiled(np.ones(40), -1)}, "[Nn]egative"),
    "only zero weights": ({}, {"sample_weight": np.zeros(40)}, "non-zero"),
    "NaN in the weights": ({}, {"sample_weight": spoiled(np.ones(40), np.nan)}, "NaN"),
    "too few weights": ({}, {"sample_weight": np.ones(39)}, "sample_weight"),
    "no rows": ({}, {"X": X[:0], "y": CLASSES[:0]}, "minimum of 1"),
    "no hidden units": ({"hidden_layer_sizes": (5, 0)}, {}, "hidden_layer_sizes"),
    "one row to normalize": (
        {"batch_normalization": True},
        {"X": X[:1], "y": CLASSES[:1]},
        "n_samples=1|batch_normalization=True .*do not match",
    ),
    "mini-batches of one row to normalize": (
        {"batch_normalization": True, "batch_size": 1},
        {},
        "batch_size=1",
    ),
    "lbfgs with normalization": (
        {"batch_normalization": True, "solver": "lbfgs"},
        {},
        "lbfgs.*Use one of",
    ),
}
ONLY_FIT = {
    "diverging": (DIVERGING, {}, "learning_rate_init=1e\\+30"),
    "diverging with early stopping": (
        {**DIVERGING, "early_stopping": True},
        {"X": X * 1e300},
        "Lower learning_rate_init",
    ),
    "too few to validate with": (
        {"early_stopping": True, "validation_fraction": 0.02},
        {},
        "validation_fraction|validation set|test_size = 1",
    ),
    "a warm start of another shape": (
        {"warm_start": True, "hidden_layer_sizes": (7, 7)},
        {},
        "hidden_layer_sizes=\\(7, 7\\)",
    ),
    "a warm start of another kind": (
        {"warm_start": True, "batch_normalization": True},
        {},
        "batch_normalization=True",
    ),
}
ONLY_PARTIAL_FIT = {
    "early stopping": ({"early_stopping": True}, {}, "early_stopping=True"),
    "another shape": ({"hidden_layer_sizes": (7, 7)}, {}, "hidden_layer_sizes"),
    "other features": ({}, {"X": X[:, :2]}, "features"),
}
LBFGS_CANNOT = {"lbfgs with normalization"}
CASES = [
    *[("fit", name) for name in {**FAILURES, **ONLY_FIT}],
    *[
        ("partial_fit", name)
        for name in {**FAILURES, **ONLY_PARTIAL_FIT}
        if name not in LBFGS_CANNOT
    ],
]


# scikit-learn looks at the kind of the targets before it looks for NaN.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize(("method", "name"), CASES)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_failure_leaves_the_model_as_it_was(estimator, method, name, fitted):
    parameters, data, message = {**FAILURES, **ONLY_FIT, **ONLY_PARTIAL_FIT}[name]
    needs_a_fit = "warm start" in name or name in ("another shape", "other features")
    if needs_a_fit and not fitted:
        return
    arguments = {"X": X, "y": ESTIMATORS[estimator], **data}
    model = estimator(hidden_layer_sizes=(5,), random_state=0, max_iter=3)
    if fitted:
        model.partial_fit(X, ESTIMATORS[estimator], **_classes(estimator, "partial_fit"))
    model.set_params(**parameters)
    before = joblib.hash(vars(model))
    names = list(vars(model))
    kept = {name: array.copy() for name, array in arguments.items()}
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(**arguments, **_classes(estimator, method))
    assert list(vars(model)) == names
    assert joblib.hash(vars(model)) == before
    for key, array in arguments.items():
        np.testing.assert_array_equal(array, kept[key])


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_step_that_diverges_leaves_the_model_as_it_was(estimator, batch_normalization):
    """The first step is taken at a finite loss; it is seen in a later one."""
    model = estimator(**DIVERGING, random_state=0, batch_normalization=batch_normalization)
    with pytest.raises(ValueError, match="learning_rate_init=1e\\+30"):
        for _ in range(20):
            before = joblib.hash(vars(model))
            model.partial_fit(
                X, ESTIMATORS[estimator], **_classes(estimator, "partial_fit")
            )
    assert model.n_iter_ == 1
    assert joblib.hash(vars(model)) == before


def _classes(estimator, method):
    if estimator is MLPClassifier and method == "partial_fit":
        return {"classes": [0, 1]}
    return {}


def test_targets_that_a_loss_cannot_take():
    model = MLPRegressor("poisson", max_iter=2)
    with pytest.raises(ValueError, match=r"loss='poisson' needs y >= 0.*-1"):
        model.fit(X, -np.ones(40))
    with pytest.raises(ValueError, match="too large for float32"):
        MLPRegressor().fit(X.astype(np.float32), np.full(40, 1e300))
    with pytest.raises(ValueError, match=r"could not convert|Unknown label|numeric"):
        MLPRegressor().fit(X, np.array(["a", "b"] * 20))
    with pytest.raises(ValueError, match=r"classes not in|`y` has classes"):
        MLPClassifier(max_iter=2).partial_fit(X, CLASSES, classes=[1, 2])


def test_lbfgs_that_diverges():
    model = MLPRegressor(solver="lbfgs", activation="identity")
    with pytest.raises(ValueError, match=r"non-finite.*lbfgs"):
        model.fit(X * 1e200, TARGETS * 1e200)
    assert not hasattr(model, "coefs_")
