"""Weight decay, clipping, rates by kind, averages and dropout, in the estimators."""

import pickle
import re
import warnings

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import Tanh
from skgd.engine.stage import KINDS
from skgd.losses import REGRESSION_LOSSES
from skgd.neural_network._network import layout_of
from skgd.neural_network._parameters import Parameters, pack
from skgd.schedules import SCHEDULES, Constant, Exponential, FlatCos, Scheduled
from skgd.solvers import SOLVERS
from tests.engine.helpers import Model, assert_close
from tests.engine.test_train import RATES
from tests.neural_network.test_determinism import limit_calls
from tests.oracles import solvers as solver_oracles
from tests.oracles import steps as oracle
from tests.oracles.losses import oracle_of
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = np.where(rng.random((64, 5)) < 0.3, 0, rng.normal(size=(64, 5)))
Y = X[:, :2] @ np.array([[1.0, 0.5], [-1.0, 2.0]]) + 1
CLASSES = (X[:, 0] > 0) + (X[:, 1] > 0.5) * 1
WEIGHT = rng.uniform(0.5, 2, 64)
LOSS = REGRESSION_LOSSES["squared_error"]
# Of all layers but the last the units are normalized, if any.
UNITS = (5, 7, 6, 2)
OFF = {
    "weight_decay": 0.0,
    "max_grad_norm": None,
    "learning_rate_factors": None,
    "ema_decay": None,
    "dropout": 0.0,
    "l1_ratio": 0.0,
}
TOLERANCE = {"float32": 2e-5, "float64": 1e-10}


def initial_layers(batch_normalization):
    """Return the layers that random_state=0 begins with, as the oracles read them."""
    model = Model(UNITS, batch_normalization=batch_normalization)
    normalization = (0.9, 1e-5) if batch_normalization else None
    layout = layout_of(UNITS, [Tanh()] * 2, normalization)
    drawn = Parameters.initial(
        layout, [Tanh()] * 3, np.random.RandomState(0), np.dtype("float64")
    )
    return model, model.layers(drawn.theta)


@all_pairs(
    solver=SOLVERS,
    weight_decay=[0.0, 0.5],
    max_grad_norm=[None, 0.3],
    learning_rate_factors=[None, {"bias": 0.1, "scale": 3.0}],
    ema_decay=[None, 0.8],
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    batch_normalization=[False, True],
    weighted=[False, True],
)
def test_the_oracle(
    solver,
    weight_decay,
    max_grad_norm,
    learning_rate_factors,
    ema_decay,
    dtype,
    is_sparse,
    batch_normalization,
    weighted,
):
    hyper = solver_oracles.SETTINGS[solver][0]
    rows, weight = X.astype(dtype), WEIGHT if weighted else None
    network = MLPRegressor(
        hidden_layer_sizes=UNITS[1:-1],
        activation="tanh",
        solver=SOLVERS[solver](**hyper),
        learning_rate_init=RATES[solver],
        alpha=0.1,
        batch_size=16,
        shuffle=False,
        max_iter=4,
        random_state=0,
        batch_normalization=batch_normalization,
        weight_decay=weight_decay,
        max_grad_norm=max_grad_norm,
        learning_rate_factors=learning_rate_factors,
        ema_decay=ema_decay,
    ).fit(csr_array(rows) if is_sparse else rows, Y.astype(dtype), weight)
    model, layers = initial_layers(batch_normalization)
    *_, (expected, averages) = oracle.train(
        layers,
        rows.astype(float),
        Y.astype(dtype).astype(float),
        oracle_of(LOSS),
        [np.arange(64)] * 4,
        solver=solver,
        hyper=hyper,
        rate=RATES[solver],
        batch_size=16,
        alpha=0.1,
        epsilon=1e-5,
        max_norm=max_grad_norm,
        weight_decay=weight_decay,
        rate_factors=learning_rate_factors,
        ema_decay=ema_decay or 0.0,
        weight=weight,
    )
    kept = getattr(network, "_normalized", None)
    public = pack(network.coefs_, network.intercepts_, dtype)
    found = [(public if kept is None else kept["theta"], expected)]
    if ema_decay is not None:
        found.append((kept["average"], averages))
        if not batch_normalization:
            np.testing.assert_array_equal(public, kept["average"])
    for theta, layers in found:
        assert theta.dtype == dtype
        for layer, other in zip(model.layers(theta), layers, strict=True):
            for kind in layer:
                assert_close(layer[kind], other[kind], TOLERANCE[dtype])


FEATURES = {
    "weight_decay": 0.3,
    "max_grad_norm": 0.1,
    "learning_rate_factors": {"bias": 0.1},
    "ema_decay": 0.8,
    "dropout": 0.3,
    "l1_ratio": 0.5,
}
every_feature = pytest.mark.parametrize("name", FEATURES)


def fitted(estimator=MLPClassifier, **parameters):
    parameters = {"learning_rate_init": 0.02, "max_iter": 6, "random_state": 0} | parameters
    y = CLASSES if estimator is MLPClassifier else Y
    return estimator(hidden_layer_sizes=(8, 6), batch_size=11, **parameters).fit(
        X, y, WEIGHT
    )


def same(one, other):
    for a, b in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_


@every_feature
def test_a_feature_that_is_off_changes_nothing(name):
    same(fitted(**{name: OFF[name]}), fitted())


@all_pairs(
    name=FEATURES,
    estimator=[MLPClassifier, MLPRegressor],
    batch_normalization=[False, True],
    early_stopping=[False, True],
)
def test_calls_of_any_size(
    monkeypatch, name, estimator, batch_normalization, early_stopping
):
    models = []
    for n_batches in (1, 7, 10**9):
        limit_calls(monkeypatch, n_batches)
        models.append(
            fitted(
                estimator,
                batch_normalization=batch_normalization,
                early_stopping=early_stopping,
                **{name: FEATURES[name]},
            )
        )
    for model in models[1:]:
        same(models[0], model)


@pytest.mark.parametrize("name", sorted(set(FEATURES) - {"dropout"}))
@pytest.mark.parametrize("batch_normalization", [False, True])
def test_partial_fit_is_a_fit(name, batch_normalization):
    """Epoch by epoch, also from pickles."""
    options = {
        name: FEATURES[name],
        "batch_normalization": batch_normalization,
        "shuffle": False,
    }
    whole = fitted(MLPRegressor, **options)
    model = clone(whole)
    for _ in range(whole.n_iter_):
        model.partial_fit(X, Y, WEIGHT)
        model = pickle.loads(pickle.dumps(model))
    if batch_normalization:
        # The means that are subtracted from the rows are added and subtracted once more.
        for a, b in zip(model.coefs_, whole.coefs_, strict=True):
            assert_close(a, b, 1e-12)
    else:
        same(model, whole)


@every_feature
def test_searches_and_clones(name):
    network = MLPClassifier((5,), max_iter=3, random_state=0)
    search = GridSearchCV(network, {name: [OFF[name], FEATURES[name]]}, cv=2)
    search.fit(X, CLASSES)
    assert set(search.cv_results_["rank_test_score"]) <= {1, 2}
    again = clone(network.set_params(**{name: FEATURES[name]}))
    assert again.get_params()[name] == FEATURES[name]


@every_feature
def test_lbfgs_refuses(name):
    network = MLPClassifier(solver="lbfgs", **{name: FEATURES[name]})
    with pytest.raises(ValueError, match=f"{name}=.* needs mini-batches.*Use one of"):
        network.fit(X, CLASSES)


OF_SCIKIT_LEARN = "constant", "invscaling", "adaptive"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("learning_rate", n) for n in SCHEDULES if n not in OF_SCIKIT_LEARN),
        *(("learning_rate", n()) for n in SCHEDULES.values() if n is not Constant),
        ("learning_rate", Constant(warmup_steps=5)),
        ("learning_rate", lambda update, n_updates: 1.0),
        ("validation_fraction", GroupShuffleSplit()),
        ("rho", 0.8),
        ("rho", 0.0),
        ("decay_rate", 2.0),
        ("decay_steps", 10),
        ("staircase", False),
        ("batch_normalization_momentum", 0.0),
        ("batch_normalization_epsilon", 0.1),
        ("scoring", "loss"),
        ("scoring", lambda model, X, y: 0.0),
        ("numeric_embedding", "periodic"),
        ("l1_ratio", 0.5),
        ("dropout", [0.0, 0.1]),
        ("ema_decay", 0.9),
    ],
)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_lbfgs_refuses_what_scikit_learn_does_not_have(estimator, name, value):
    network = estimator(hidden_layer_sizes=(5,), solver="lbfgs", random_state=0)
    network.fit(X, CLASSES).set_params(**{name: value})
    before = joblib.hash(network.coefs_)
    default = f"or leave {name} at {estimator().get_params()[name]!r}."
    message = (
        f"{name}={value!r} needs mini-batches, which solver='lbfgs' does not have. Use"
    )
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        network.fit(X, CLASSES)
    assert str(error.value).endswith(default)
    assert joblib.hash(network.coefs_) == before


def test_an_unknown_kind_of_parameters():
    network = MLPClassifier(learning_rate_factors={"biases": 0.1})
    with pytest.raises(ValueError, match="has 'biases'.*" + ", ".join(map(repr, KINDS))):
        network.fit(X, CLASSES)


@pytest.mark.parametrize("value", [-0.1, "a", np.inf, np.nan, None])
def test_a_factor_that_is_not_a_number(value):
    network = fitted(learning_rate_factors={"bias": 0.5})
    # The same dict.
    network.learning_rate_factors["bias"] = value
    with pytest.raises(ValueError, match=r"learning_rate_factors\['bias'\] must be"):
        network.partial_fit(X, CLASSES)


def test_no_rate_for_the_biases():
    short, longer = (
        fitted(learning_rate_factors={"bias": 0.0}, max_iter=n) for n in (1, 5)
    )
    for one, other in zip(short.intercepts_, longer.intercepts_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (short.coefs_[0] != longer.coefs_[0]).any()


def test_decay_alone_shrinks_the_weights():
    """Of constant targets and a network that predicts them, only the decay is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network = MLPRegressor(
            hidden_layer_sizes=(),
            solver="minibatch",
            alpha=0,
            weight_decay=0.5,
            learning_rate_init=0.1,
        )
        network.partial_fit(X, np.zeros(64))
        network.coefs_, network.intercepts_ = [np.ones((5, 1))], [np.zeros(1)]
        network.partial_fit(np.zeros((64, 5)), np.zeros(64))
    np.testing.assert_allclose(network.coefs_[0], 0.95)
    assert network.intercepts_[0] == 0


# ------------------------------------------------------------------------------ averages

AVERAGED = {"ema_decay": 0.8, "shuffle": False, "max_iter": 1}


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_running_statistics_are_averaged_likewise(dtype, weight, is_sparse):
    """One mini-batch a call: the averages of what the calls without averages leave."""
    rows = csr_array(X.astype(dtype)) if is_sparse else X.astype(dtype)
    options = {"batch_normalization": True, "random_state": 0, "shuffle": False}
    averaged = MLPRegressor(ema_decay=0.8, **options)
    plain, kept = MLPRegressor(**options), []
    for _ in range(5):
        averaged.partial_fit(rows, Y, weight)
        plain.partial_fit(rows, Y, weight)
        kept.append(plain._normalized["running"])
    n = kept[0].size
    np.testing.assert_array_equal(averaged._normalized["running"][:n], kept[-1])
    parts = 0.8 ** np.arange(5)[::-1]
    expected = parts @ np.array(kept) / parts.sum()
    np.testing.assert_allclose(averaged._normalized["running"][n:], expected, rtol=1e-12)
    # The folded network is that of the averages.
    (stage,) = (
        s for s in layout_of((5, 100, 2), [Tanh()], (0.9, 1e-5)).stages if s.n_running
    )
    theta = averaged._normalized["average"]
    W, gamma, beta = (theta[a:b] for a, b in ((0, 500), (500, 600), (600, 700)))
    W, _ = stage.fold(W.reshape(5, 100), gamma, beta, averaged._normalized["running"][n:])
    np.testing.assert_array_equal(averaged.coefs_[0], W)


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("way", ["partial_fit", "warm_start"])
def test_training_goes_on_from_the_parameters_themselves(way, batch_normalization):
    """Without averages from some call on, it is as if there had been none before."""
    options = {"batch_normalization": batch_normalization, "solver": "minibatch"}
    models = []
    for ema_decay in (0.8, None):
        model = fitted(MLPRegressor, **AVERAGED | options | {"ema_decay": ema_decay})
        assert (getattr(model, "_normalized", None) is None) == (
            ema_decay is None and not batch_normalization
        )
        model.set_params(ema_decay=None, warm_start=True)
        if way == "partial_fit":
            model.partial_fit(X, Y, WEIGHT)
        else:
            model.fit(X, Y, WEIGHT)
        models.append(model)
    same(*models)
    assert hasattr(models[0], "_normalized") == batch_normalization


def test_lbfgs_goes_on_from_the_parameters_themselves():
    options = {"solver": "lbfgs", "warm_start": True, "ema_decay": None}
    models = [fitted(MLPRegressor, **AVERAGED | {"ema_decay": d}) for d in (0.8, None)]
    for model in models:
        model.set_params(**options).fit(X, Y, WEIGHT)
    for a, b in zip(*(model.coefs_ for model in models), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_averages_begin_in_any_call(batch_normalization):
    """The first is of one update."""
    options = {
        **AVERAGED,
        "ema_decay": None,
        "batch_normalization": batch_normalization,
    }
    models = [fitted(MLPRegressor, **options) for _ in range(2)]
    models[0].set_params(ema_decay=0.9)
    for model in models:
        model.set_params(batch_size=64).partial_fit(X, Y, WEIGHT)
    for a, b in zip(models[0].coefs_, models[1].coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_the_average_is_validated(batch_normalization):
    """The best epoch's is kept, and training goes on from its parameters."""
    model = fitted(
        MLPRegressor,
        ema_decay=0.9,
        early_stopping=True,
        n_iter_no_change=50,
        max_iter=40,
        learning_rate_init=0.1,
        batch_normalization=batch_normalization,
    )
    best = int(np.argmax(model.validation_scores_)) + 1
    assert 1 < best < 40
    short = clone(model).set_params(max_iter=best).fit(X, Y, WEIGHT)
    assert short.validation_scores_ == model.validation_scores_[:best]
    for a, b in zip(model.coefs_, short.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model._normalized["theta"], short._normalized["theta"])
    # The validated rows are those that the split holds out.
    raw = clone(model).set_params(ema_decay=None).fit(X, Y, WEIGHT)
    assert raw.validation_scores_[0] != model.validation_scores_[0]
    assert raw.loss_curve_[:best] == model.loss_curve_[:best]


def test_weights_set_by_hand_are_not_gone_on_from():
    model = fitted(MLPRegressor, **AVERAGED)
    model.coefs_[0][0] += 1
    with pytest.raises(ValueError, match=r"ema_decay.*not public"):
        model.partial_fit(X, Y)
    model.set_params(warm_start=False).fit(X, Y)


def test_interrupted_before_the_first_update(monkeypatch):
    """There is no average yet."""

    def interrupt(*args):
        raise KeyboardInterrupt

    network = MLPRegressor(random_state=0, ema_decay=0.9)
    monkeypatch.setattr("skgd.neural_network._run.Run.advance", interrupt)
    with pytest.warns(UserWarning, match="interrupted"):
        network.fit(X, Y)
    assert network.coefs_[0].any()


# ------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("is_sparse", [False, True])
def test_one_rate_is_that_of_each_hidden_layer(is_sparse):
    rows = csr_array(X) if is_sparse else X
    parameters = {"hidden_layer_sizes": (8, 6), "random_state": 0, "max_iter": 3}
    same(
        MLPRegressor(dropout=0.2, **parameters).fit(rows, Y),
        MLPRegressor(dropout=[0.0, 0.2, 0.2], **parameters).fit(rows, Y),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "momentum"])
def test_sparse_inputs_are_dropped_as_dense_ones(solver, dtype):
    """The same ones, wherever a row stands and whichever thread has it."""
    rows = np.where(np.abs(X) > 0.5, X, 0).astype(dtype)
    weights = np.random.default_rng(0).uniform(0.5, 2, size=len(rows))
    options = {"hidden_layer_sizes": (9,), "batch_size": 32, "solver": solver}
    network = MLPRegressor(dropout=[0.3, 0.2], random_state=0, max_iter=5, **options)
    expected = clone(network).fit(rows, Y, weights)
    found = network.fit(csr_array(rows), Y, weights)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    for one, other in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    other = clone(network).set_params(dropout=[0.0, 0.2]).fit(csr_array(rows), Y, weights)
    assert np.abs(other.coefs_[0] - found.coefs_[0]).max() > 0.01


@pytest.mark.parametrize(
    "dropout", [[0.1], [0.1, 0.1, 1.0], [], (0.1, 0.1, "a"), [0.1] * 4]
)
def test_a_list_of_the_wrong_length(dropout):
    network = fitted(dropout=0.1)
    with pytest.raises(ValueError, match=r"dropout=.*a list of 3 of them"):
        network.set_params(dropout=dropout).partial_fit(X, CLASSES)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_dropout_draws_after_the_weights_and_the_split(early_stopping):
    """With rates that nothing is dropped at, only the order of the rows is another."""
    options = {"early_stopping": early_stopping, "shuffle": False}
    same(fitted(dropout=1e-9, **options), fitted(**options))
    states = []
    for dropout in (0.0, 1e-9):
        random_state = np.random.RandomState(0)
        fitted(dropout=dropout, random_state=random_state, **options)
        states.append(random_state)
    states[0].randint(np.iinfo(np.int64).max, dtype=np.int64)
    assert states[0].randint(10**9) == states[1].randint(10**9)


def test_nothing_is_dropped_in_predictions():
    network = fitted(dropout=[0.3, 0.3, 0.3])
    (W, V, U), (b, c, d) = network.coefs_, network.intercepts_
    scores = np.maximum(np.maximum(X @ W + b, 0) @ V + c, 0) @ U + d
    np.testing.assert_array_equal(network.predict(X), scores.argmax(axis=1))


def test_the_rate_of_what_is_dropped():
    """By the mean loss of a network that adds the inputs, and does not learn."""
    rows, p = np.ones((20_000, 10)), 0.3
    network = MLPRegressor(
        hidden_layer_sizes=(),
        solver="minibatch",
        alpha=0,
        dropout=[p],
        learning_rate_factors=dict.fromkeys(KINDS, 0.0),
        random_state=0,
    )
    network.partial_fit(rows, np.full(len(rows), 10.0))
    network.coefs_, network.intercepts_ = [np.ones((10, 1))], [np.zeros(1)]
    network.partial_fit(rows, np.full(len(rows), 10.0))
    # Half of the variance of a sum of 10 numbers, each 1 / (1 - p) or 0.
    assert network.loss_ == pytest.approx(0.5 * 10 * p / (1 - p), rel=0.05)


def test_each_call_drops_others():
    network = MLPRegressor(random_state=0, dropout=[0.5, 0.0], shuffle=False)
    network.set_params(learning_rate_factors=dict.fromkeys(KINDS, 0.0))
    losses = {network.partial_fit(X, Y).loss_ for _ in range(5)}
    assert len(losses) == 5


# ----------------------------------------------------------------------------- schedules

SCHEDULED = {"dropout": [0.1, 0.2, 0.3], "weight_decay": 0.5}
every_scheduled = pytest.mark.parametrize("name", SCHEDULED)


@all_pairs(
    solver=SOLVERS,
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    batch_normalization=[False, True],
)
def test_scheduled_decay(solver, dtype, is_sparse, batch_normalization):
    """Beside the schedule of the rate."""
    rows, hyper = X.astype(dtype), solver_oracles.SETTINGS[solver][0]
    network = MLPRegressor(
        hidden_layer_sizes=UNITS[1:-1],
        activation="tanh",
        solver=SOLVERS[solver](**hyper),
        learning_rate_init=RATES[solver],
        learning_rate=Exponential(gamma=0.9),
        batch_size=16,
        shuffle=False,
        max_iter=4,
        random_state=0,
        alpha=0,
        batch_normalization=batch_normalization,
        weight_decay=Scheduled(0.5, Exponential(gamma=0.8)),
    )
    network.fit(csr_array(rows) if is_sparse else rows, Y.astype(dtype))
    model, layers = initial_layers(batch_normalization)
    *_, (expected, _) = oracle.train(
        layers,
        rows.astype(float),
        Y.astype(dtype).astype(float),
        oracle_of(LOSS),
        [np.arange(64)] * 4,
        solver=solver,
        hyper=hyper,
        rate=RATES[solver],
        batch_size=16,
        epsilon=1e-5,
        weight_decay=0.5,
        rate_factor=lambda t: 0.9**t,
        decay_factor=lambda t: 0.8**t,
    )
    kept = getattr(network, "_normalized", None)
    theta = pack(network.coefs_, network.intercepts_, dtype)
    theta = theta if kept is None else kept["theta"]
    for layer, other in zip(model.layers(theta), expected, strict=True):
        for kind in layer:
            assert_close(layer[kind], other[kind], TOLERANCE[dtype])


@every_scheduled
@pytest.mark.parametrize(
    "schedule", ["constant", Constant(), lambda update, n_updates: 1.0]
)
def test_a_schedule_that_is_constant(name, schedule):
    value = SCHEDULED[name]
    same(fitted(**{name: Scheduled(value, schedule)}), fitted(**{name: value}))
    nothing = fitted(**{name: Scheduled(0.0, schedule)})
    same(nothing, fitted())


@every_scheduled
@pytest.mark.parametrize("batch_normalization", [False, True])
def test_scheduled_calls_of_any_size(monkeypatch, name, batch_normalization):
    models = []
    for n_batches in (1, 7, 10**9):
        limit_calls(monkeypatch, n_batches)
        scheduled = Scheduled(SCHEDULED[name], FlatCos(warmup_steps=5))
        options = {name: scheduled, "batch_normalization": batch_normalization}
        models.append(fitted(**options))
    for model in models[1:]:
        same(models[0], model)
    assert models[0].loss_curve_ != fitted(**{name: SCHEDULED[name]}).loss_curve_


def test_partial_fit_of_a_schedule_is_a_fit():
    options = {"weight_decay": Scheduled(0.5, FlatCos()), "shuffle": False}
    whole = fitted(MLPRegressor, **options)
    model = clone(whole)
    with pytest.raises(ValueError, match=r"weight_decay__schedule=.*Set its total"):
        model.partial_fit(X, Y, WEIGHT)
    model.set_params(weight_decay__schedule__total=36)
    for _ in range(whole.n_iter_):
        model.partial_fit(X, Y, WEIGHT)
        model = pickle.loads(pickle.dumps(model))
    same(model, whole)


@every_scheduled
def test_searches_of_a_schedule(name):
    network = MLPClassifier((5,), max_iter=3, random_state=0)
    network.set_params(**{name: Scheduled(0.1, "flat_cos")})
    options = {f"{name}__initial": [0.0, 0.2], f"{name}__schedule": ["cosine", FlatCos()]}
    search = GridSearchCV(network, options, cv=2).fit(X, CLASSES)
    assert set(search.best_params_) == set(options)
    assert getattr(network, name).initial == 0.1


@every_scheduled
@pytest.mark.parametrize(
    ("scheduled", "match"),
    [
        (Scheduled(-0.1, "cosine"), r"Scheduled\(initial=-0\.1.*must be"),
        (Scheduled(None, "cosine"), r"Scheduled\(initial=None.*must be"),
        (Scheduled(0.1, "cosin"), r"'schedule' parameter of Scheduled must be"),
        (Scheduled(0.1, FlatCos), r"'schedule' parameter of Scheduled must be"),
        (Scheduled(0.1, "adaptive"), r"__schedule='adaptive'.*without after_plateau"),
        (Scheduled(0.1, FlatCos(-1)), r"__schedule=.*'warmup_steps'"),
        (Scheduled(0.1, lambda t: 1), r"must take \(update, n_updates\)"),
        (Scheduled(0.1, lambda t, n: -1.0), r"__schedule=.*finite numbers >= 0"),
    ],
)
def test_a_schedule_that_is_not_valid(name, scheduled, match):
    network = fitted(**{name: 0.1})
    before = network.coefs_[0].copy()
    network.set_params(**{name: scheduled})
    for train in (network.partial_fit, network.fit):
        with pytest.raises(ValueError, match=match) as error:
            train(X, CLASSES)
        assert name in str(error.value)
    np.testing.assert_array_equal(network.coefs_[0], before)


@every_scheduled
def test_lbfgs_refuses_a_schedule(name):
    network = MLPClassifier(solver="lbfgs", **{name: Scheduled(0.1, "cosine")})
    with pytest.raises(ValueError, match=f"{name}=.* needs mini-batches"):
        network.fit(X, CLASSES)


def test_a_schedule_that_drops_all_units():
    scheduled = Scheduled(0.5, lambda update, n_updates: 1 + (update == 7))
    with pytest.raises(ValueError, match=r"factor 2\.0 at update 7.*rate of dropout 1\.0"):
        fitted(dropout=scheduled)


def test_an_invalid_scheduled_list():
    for dropout in (Scheduled([0.1], "cosine"), [0.1, 0.1, Scheduled(0.1, "cosine")]):
        with pytest.raises(ValueError, match=r"a list of 3.*Scheduled\(\[\.\.\.\], sched"):
            fitted(dropout=dropout)
