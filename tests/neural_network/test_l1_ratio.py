"""The L1 share of the penalty: the oracle, exact zeros, and the limit of training."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import ElasticNet

from skgd import MLPClassifier, MLPRegressor
from skgd.engine.contracts import check_definition
from skgd.engine.stage import KINDS
from skgd.neural_network import _trainer
from skgd.schedules import InverseTime, Polynomial, StepDecay
from skgd.solvers import (
    SOLVERS,
    AdaGrad,
    Adam,
    Lion,
    Minibatch,
    Momentum,
    NAdam,
    RMSProp,
    Solver,
)
from skgd.steps import Shrink
from skgd.testing import check_plugin
from tests.engine.helpers import DTYPES, Model, assert_close, trainer_of
from tests.engine.test_train import RATES
from tests.neural_network.test_regularization import (
    CLASSES,
    LOSS,
    TOLERANCE,
    UNITS,
    WEIGHT,
    X,
    Y,
    initial_layers,
)
from tests.oracles import steps as oracle
from tests.oracles.losses import oracle_of
from tests.oracles.solvers import SETTINGS
from tests.pairs import all_pairs
from tests.parallel.test_barrier import needs_jit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALPHA = 2.0
# Of settings with the same compiled functions, the first.
CASES = list(
    {
        type(SOLVERS[name](**hyper).resolved()): (name, index)
        for name in SOLVERS
        for index, hyper in reversed(list(enumerate(SETTINGS[name])))
        if name != "sgd"
    }.values()
)


@all_pairs(
    case=CASES,
    l1_ratio=[0.4, 1.0],
    regularized=[
        {},
        {
            "ema_decay": 0.8,
            "weight_decay": 0.5,
            "max_grad_norm": 0.3,
            "learning_rate_factors": {"weights": 0.5, "bias": 2.0},
        },
    ],
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    batch_normalization=[False, True],
    weighted=[False, True],
)
def test_the_oracle(
    case, l1_ratio, regularized, dtype, is_sparse, batch_normalization, weighted
):
    name, index = case
    hyper, weight = SETTINGS[name][index], WEIGHT if weighted else None
    rows = X.astype(dtype)
    network = MLPRegressor(
        hidden_layer_sizes=UNITS[1:-1],
        activation="tanh",
        solver=SOLVERS[name](**hyper),
        learning_rate_init=RATES[name],
        alpha=ALPHA,
        l1_ratio=l1_ratio,
        batch_size=16,
        shuffle=False,
        max_iter=4,
        random_state=0,
        batch_normalization=batch_normalization,
        **regularized,
    ).fit(csr_array(rows) if is_sparse else rows, Y.astype(dtype), weight)
    model, layers = initial_layers(batch_normalization)
    names = {"max_grad_norm": "max_norm", "learning_rate_factors": "rate_factors"}
    *_, (expected, _) = oracle.train(
        layers,
        rows.astype(float),
        Y.astype(dtype).astype(float),
        oracle_of(LOSS),
        [np.arange(64)] * 4,
        solver=name,
        hyper=hyper,
        rate=RATES[name],
        batch_size=16,
        alpha=ALPHA * (1 - l1_ratio),
        absolute=ALPHA * l1_ratio,
        epsilon=1e-5,
        weight=weight,
        **{names.get(k, k): v for k, v in regularized.items()},
    )
    kept = getattr(network, "_normalized", None)
    arrays = zip(network.coefs_, network.intercepts_, strict=True)
    theta = np.concatenate([a.ravel() for pair in arrays for a in pair])
    theta = theta if kept is None else kept["theta"]
    for layer, other in zip(model.layers(theta), expected, strict=True):
        for kind in layer:
            assert_close(layer[kind], other[kind], 10 * TOLERANCE[dtype], 0.1)


@pytest.mark.parametrize(
    ("solver", "rate"),
    [
        (Minibatch(), 0.2),
        (Momentum(), 0.02),
        (Momentum(0.8, nesterovs_momentum=False), 0.02),
        (RMSProp(), 0.001),
        (RMSProp(momentum=0.8), 0.0005),
        (RMSProp(centered=True, momentum=0.8, epsilon=0.1), 0.0005),
        (Adam(), 0.01),
        (Adam(amsgrad=True), 0.02),
        (NAdam(), 0.01),
        (AdaGrad(), 0.5),
        (Lion(), 0.002),
    ],
)
def test_training_converges_to_the_elastic_net(solver, rate):
    """Whose zeros are the same. Where it does not move, it is a minimum."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 8))
    y = rows @ [3, -2, 1, 0, 0, 0, 0.2, 0] + 1 + 0.3 * rng.normal(size=60)
    peer = ElasticNet(alpha=20 / 60, l1_ratio=0.7, tol=1e-12).fit(rows, y)
    model = MLPRegressor(
        hidden_layer_sizes=(),
        solver=solver,
        alpha=20,
        l1_ratio=0.7,
        batch_size=60,
        learning_rate_init=rate,
        max_iter=6000,
        tol=0,
        n_iter_no_change=6000,
        random_state=0,
    ).fit(rows, y)
    found = model.coefs_[0][:, 0]
    np.testing.assert_array_equal(found == 0, peer.coef_ == 0)
    assert 3 <= (found == 0).sum() <= 4
    np.testing.assert_allclose(found, peer.coef_, atol=2e-3)
    size = 0.7 * abs(peer.coef_).sum() + 0.15 * (peer.coef_**2).sum()
    objective = ((y - peer.predict(rows)) ** 2).mean() / 2 + 20 / 60 * size
    assert model.loss_ == pytest.approx(objective, rel=1e-5)


FALLING = {
    "inverse_time": InverseTime(decay_rate=1.0, decay_steps=500, staircase=False),
    "cosine": "cosine",
    "linear": Polynomial(power=1.0),
    "step": StepDecay(step_size=1500),
}


@pytest.mark.parametrize("nesterovs_momentum", [False, True])
@pytest.mark.parametrize("schedule", FALLING)
def test_momentum_leaves_the_zeros_of_the_elastic_net(schedule, nesterovs_momentum):
    """Also as the rate falls, and with the noise of mini-batches."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 30))
    y = rows[:, :5] @ [3, -2, 1, 0.5, -0.5] + 1 + 0.3 * rng.normal(size=200)
    peer = ElasticNet(alpha=4 / 20, l1_ratio=0.7, tol=1e-12).fit(rows, y)
    model = MLPRegressor(
        hidden_layer_sizes=(),
        solver=Momentum(nesterovs_momentum=nesterovs_momentum),
        learning_rate=FALLING[schedule],
        learning_rate_init=0.01,
        alpha=4,
        l1_ratio=0.7,
        batch_size=20,
        max_iter=400,
        tol=0,
        n_iter_no_change=400,
        random_state=0,
    ).fit(rows, y)
    found = model.coefs_[0][:, 0]
    assert abs(int((found == 0).sum()) - int((peer.coef_ == 0).sum())) <= 2
    np.testing.assert_allclose(found, peer.coef_, atol=0.05)


def falling(update, n_updates):
    return 0.9**update


@pytest.mark.parametrize("nesterovs_momentum", [False, True])
def test_momentum_of_a_falling_rate_follows_the_oracle(nesterovs_momentum):
    hyper = {"momentum": 0.8, "nesterovs_momentum": nesterovs_momentum}
    *_, (expected, _) = oracle.train(
        initial_layers(False)[1],
        X,
        Y,
        oracle_of(LOSS),
        [np.arange(64)] * 8,
        solver="momentum",
        hyper=hyper,
        rate=0.1,
        rate_factors={"weights": 0.5},
        batch_size=16,
        alpha=3 * ALPHA * 0.4,
        absolute=3 * ALPHA * 0.6,
        rate_factor=lambda t: falling(t, None),
    )
    network = MLPRegressor(
        hidden_layer_sizes=UNITS[1:-1],
        activation="tanh",
        solver=Momentum(**hyper),
        learning_rate=falling,
        learning_rate_init=0.1,
        learning_rate_factors={"weights": 0.5},
        alpha=3 * ALPHA,
        l1_ratio=0.6,
        batch_size=16,
        shuffle=False,
        random_state=0,
        max_iter=8,
    )
    steps = clone(network)
    for _ in range(8):
        steps = pickle.loads(pickle.dumps(steps.partial_fit(X, Y)))
    for a, b in zip(network.fit(X, Y).coefs_, steps.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    for found, layer in zip(network.coefs_, expected, strict=True):
        assert_close(found, layer["weights"], 1e-10, 0.1)
        assert 0 < (found == 0).sum() < found.size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_the_objective_includes_it(dtype, weight):
    model = MLPRegressor(
        hidden_layer_sizes=(30,),
        alpha=ALPHA,
        l1_ratio=0.4,
        batch_size=16,
        max_iter=2,
        learning_rate_factors=dict.fromkeys(KINDS, 0.0),
    ).fit(X.astype(dtype), Y.astype(dtype), weight)
    theta = np.concatenate([c.ravel() for c in model.coefs_]).astype(float)
    total = ALPHA * (0.3 * (theta**2).sum() + 0.4 * abs(theta).sum())
    errors = 0.5 * ((model.predict(X.astype(dtype)) - Y) ** 2).sum(axis=1)
    if weight is None:
        assert model.loss_ == pytest.approx(errors.mean() + total / 16, rel=1e-5)
    else:
        # The mini-batches are random, their mean weight is not.
        assert model.loss_ > np.average(errors, weights=weight) + total / 16 / 2


@needs_jit
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("solver", ["momentum", "adam"])
def test_any_number_of_threads(solver, batch_normalization, monkeypatch):
    monkeypatch.setattr(_trainer.Pace, "next_call", lambda pace: (pace.most, pace.limit))
    monkeypatch.setattr("skgd.neural_network._stochastic.WORTH_SHARING", 1)
    found = []
    for n_jobs in (1, 2):
        model = MLPClassifier(
            hidden_layer_sizes=(30, 20),
            solver=solver,
            alpha=ALPHA,
            l1_ratio=0.5,
            batch_normalization=batch_normalization,
            max_iter=5,
            random_state=0,
            n_jobs=n_jobs,
        ).fit(X, CLASSES)
        found.append([c.tobytes() for c in model.coefs_] + model.loss_curve_)
    assert found[0] == found[1]


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_larger_penalty_leaves_fewer_weights(estimator):
    zeros = []
    for alpha in (0.0, 0.5, 3.0, 1e4):
        model = estimator(
            hidden_layer_sizes=(20,),
            alpha=alpha,
            l1_ratio=1.0,
            max_iter=90,
            random_state=0,
            learning_rate_init=0.01,
        )
        model.fit(X, CLASSES if estimator is MLPClassifier else Y)
        zeros.append(sum((c == 0).sum() for c in model.coefs_))
        assert np.isfinite(model.loss_)
    assert zeros[0] == 0 < zeros[1] < zeros[2] < zeros[3]
    assert not any(c.any() for c in model.coefs_)
    assert model.intercepts_[-1].all()


# ----------------------------------------------------------------- solvers of one's own


class Plain(Solver):
    """Gradient descent that says how long its steps are."""

    @staticmethod
    def update(theta, g, state, coefficients):
        return theta - coefficients[0] * g, state

    @staticmethod
    def step_size(state, coefficients):
        return coefficients[0]


class Mute(Solver):
    update = staticmethod(Plain.update)


class Changed(Adam):
    """Adam with an update of its own, which the step size of Adam is not of."""

    update = staticmethod(lambda theta, g, state, coefficients: (theta - g, state))


class Slower(Adam):
    def coefficients(self, rate, t):
        return super().coefficients(rate / 2, t)


class WrongArguments(Plain):
    @staticmethod
    def step_size(state):
        return 1.0


class Negative(Plain):
    @staticmethod
    def step_size(state, coefficients):
        return -coefficients[0]


def test_a_solver_with_a_step_size():
    options = {"alpha": ALPHA, "l1_ratio": 0.5, "random_state": 0, "max_iter": 5}
    mine, plain = (
        MLPRegressor(solver=s, learning_rate_init=0.05, **options).fit(X, Y)
        for s in (Plain(), "minibatch")
    )
    for a, b in zip(mine.coefs_, plain.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (mine.coefs_[0] == 0).any()
    check_plugin(Plain())


@pytest.mark.parametrize("solver", [Mute(), Changed(), Slower()])
def test_a_solver_without_a_valid_step_size(solver):
    model = MLPRegressor(solver=solver, l1_ratio=0.5)
    name = type(solver).__name__
    with pytest.raises(ValueError, match=f"l1_ratio=0.5 .*{name} .*Define {name}.step_s"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


def test_invalid_step_sizes():
    with pytest.raises(TypeError, match=r"WrongArguments.step_size"):
        check_definition(WrongArguments())
    with pytest.raises(AssertionError, match=r"Negative.step_size must be .* >= 0"):
        check_plugin(Negative())


@pytest.mark.parametrize("l1_ratio", [-0.1, 1.1, np.nan, "a", None])
def test_invalid_shares(l1_ratio):
    with pytest.raises(ValueError, match="'l1_ratio' parameter of MLPRegressor must be"):
        MLPRegressor(l1_ratio=l1_ratio).fit(X, Y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.3, -0.3, 0.01, -0.01])
def test_weights_that_are_not_finite_stay(value, dtype):
    """It tells that a training has diverged; what is close to 0 becomes 0."""
    model = Model((3, 2), dtype)
    model.theta[:] = value
    # Of rows of zeros, the weights have no gradient.
    rows, targets = np.zeros((4, 3), dtype), np.zeros((4, 2), dtype)
    after = (Shrink(Minibatch(), 0.4),)
    trainer, parameters = trainer_of(model, rows, targets, LOSS, after=after)
    with np.errstate(invalid="ignore"):
        list(trainer.run(np.array([0])))
    (weights,) = model.layout.views(parameters.theta, "weights")
    if np.isfinite(value):
        expected = np.sign(value) * max(abs(value) - 0.1, 0)
        np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=0)
    else:
        assert not np.isfinite(weights).any()
