"""What the tests know of the engine's insides, in one place."""

from dataclasses import dataclass, field

import numba
import numpy as np

from skgd.engine.layout import Layout
from skgd.engine.records import Buffers, Network, Settings
from skgd.engine.team import ALONE
from skgd.neural_network._data import IN_ORDER, as_samples
from skgd.neural_network._parameters import Parameters
from skgd.neural_network._rules import prediction_rules, training_rules
from skgd.neural_network._trainer import Progress, Trainer

PURE_PYTHON = bool(numba.config.DISABLE_JIT)
DTYPES = ["float32", "float64"]


def size(compiled, pure):
    """Choose a size: without the JIT a kernel is a hundred times slower."""
    return pure if PURE_PYTHON else compiled


def numba_dtype(dtype):
    return getattr(numba, str(dtype))


def uncached(kernel):
    """Compile a kernel of the tests, but keep it out of skgd's cache on disk."""
    if not PURE_PYTHON:
        from numba.core.caching import NullCache

        kernel.dispatcher._cache = NullCache()
    return kernel


def assert_close(actual, expected, tolerance, unit=0.0):
    """Compare relative to the largest number, or to ``unit`` if that is larger.

    A number that crosses zero has no relative error of its own.
    """
    assert np.shape(actual) == np.shape(expected)
    error = np.max(np.abs(np.asarray(actual, np.float64) - expected), initial=0)
    assert np.isfinite(actual).all()
    assert error <= tolerance * np.max(np.abs(expected), initial=unit)


@dataclass
class Model:
    """A network for skgd's kernels and, as a list of layers, for the oracles."""

    units: tuple
    dtype: str = "float64"
    batch_normalization: bool = False
    activation: str = "tanh"
    seed: int = 0
    sparse: bool = False
    theta: np.ndarray = field(init=False)

    def __post_init__(self):
        self.layout = Layout(self.units, self.batch_normalization, self.sparse)
        rng = np.random.default_rng(self.seed)
        theta = rng.uniform(-1, 1, self.layout.n_params)
        for gamma in self.layout.gammas(theta):
            if gamma is not None:
                gamma += 1.5 * np.sign(gamma)
        self.theta = theta.astype(self.dtype)

    def layers(self, theta=None, dtype=None):
        """View parameters as the oracles' list of layers."""
        theta = (self.theta if theta is None else theta).astype(dtype or self.dtype)
        kinds = {
            "weights": self.layout.weights(theta),
            "bias": self.layout.biases(theta),
            "gamma": self.layout.gammas(theta),
        }
        return [
            {kind: arrays[i] for kind, arrays in kinds.items() if arrays[i] is not None}
            for i in range(len(self.units) - 1)
        ]

    def running(self, flat):
        """View running statistics as the oracles' (mean, variance) of each layer."""
        pairs, start = [], 0
        for gamma in self.layout.gammas(self.theta):
            if gamma is None:
                pairs.append(None)
            else:
                n = gamma.size
                pairs.append((flat[start : start + n], flat[start + n : start + 2 * n]))
                start += 2 * n
        return pairs


@dataclass
class Trained:
    """What an epoch left."""

    loss: float
    theta: np.ndarray
    running: np.ndarray
    n_updates: int
    rows: np.ndarray  # their order in this epoch


def update(rule, theta, gradient, state, start, stop, rate, t, hyper):
    """Call a bound update rule; ``gradient`` is that of all parameters."""
    rule(
        theta[start:stop],
        gradient[start:stop],
        tuple(slot[start:stop] for slot in (*state, *state, theta[:0], theta[:0])[:2]),
        rate,
        t,
        np.array(list(hyper.values()), dtype=np.float64),
    )


def trainer_of(
    model,
    X,
    y,
    loss,
    *,
    weight=None,
    solver="minibatch",
    learning_rate="constant",
    rate=1.0,
    hyper=((), ()),
    alpha=0.0,
    batch_size=None,
    epsilon=1e-5,
    decay=0.9,
    chunk=None,
    by_rows=False,
    random_state=None,
    n_threads=1,
):
    """Make a Trainer of a copy of the model's parameters."""
    from skgd.solvers import SOLVERS

    dtype = np.dtype(model.dtype)
    parameters = Parameters(
        model.theta.copy(),
        running=np.zeros(2 * model.layout.n_normal, dtype=dtype),
        centre=np.zeros(model.units[0], dtype=dtype),
    )
    state = np.zeros((SOLVERS[solver].n_slots, model.layout.n_params), dtype=dtype)
    return Trainer(
        as_samples(X, dtype, y, weight),
        model.layout,
        parameters,
        Progress(solver, state, rate),
        training_rules(
            model.activation, loss, solver, learning_rate, np.dtype(model.dtype)
        ),
        Settings(
            batch_size=batch_size or X.shape[0],
            chunk=chunk or X.shape[0] + 16,
            by_rows=by_rows,
            alpha=alpha,
            norm_momentum=decay,
            norm_epsilon=epsilon,
            solver=np.array(hyper[0], dtype=np.float64),
            schedule=np.array(hyper[1], dtype=np.float64),
        ),
        random_state,
        n_threads,
    )


def train(model, X, y, loss, *, n_epochs=1, **options):
    """Yield what each epoch of training left."""
    trainer = trainer_of(model, X, y, loss, **options)
    network, progress = trainer._network, trainer._progress
    for epoch in range(n_epochs):
        (mean,) = trainer.run(np.array([epoch * X.shape[0]]))
        yield Trained(
            mean,
            network.theta.copy(),
            network.running.copy(),
            progress.n_updates,
            trainer._order.copy(),
        )


def loss_and_gradient(model, X, y, loss, **options):
    """Return the mean objective of all rows and its gradient.

    The gradient is, negative, the velocity after one update at rate 1.
    """
    trainer = trainer_of(
        model, X, y, loss, solver="momentum", hyper=((0, 0), ()), **options
    )
    (mean,) = trainer.run(np.array([0]))
    return mean, -trainer._progress.state[0]


def full_objective(model, X, y, loss, *, weight=None, alpha=0.0, block=None):
    """Return the objective of all rows and its gradient, by the kernels of lbfgs."""
    from skgd.engine.objective import add_penalty, block_objective

    dtype = np.dtype(model.dtype)
    n_samples = X.shape[0]
    block = block or n_samples
    network = Network(
        model.layout.table,
        model.layout.layers,
        model.layout.layers,
        model.theta,
        np.empty((0, 0), dtype=dtype),
        np.empty(0, dtype=dtype),
        np.empty(0),
    )
    total = float(n_samples if weight is None else weight.sum())
    value, gradient = 0.0, np.zeros_like(model.theta)
    for start in range(0, n_samples, block):
        part = np.empty_like(model.theta)
        value += block_objective(
            as_samples(X, dtype, y, weight),
            IN_ORDER,
            start,
            min(block, n_samples - start),
            network,
            Buffers.allocate(model.layout, block, y.shape[1], dtype),
            training_rules(model.activation, loss, "minibatch", "constant", dtype),
            total,
            part,
            ALONE,
        )
        gradient += part
    return value + add_penalty(network, alpha / total, gradient), gradient


def predict(model, X, loss, *, block=None):
    """Return the predictions of a network without batch normalization."""
    from skgd.engine.predict import predict as kernel

    dtype = np.dtype(model.dtype)
    out = np.empty((X.shape[0], model.units[-1]), dtype=dtype)
    kernel(
        as_samples(X, dtype),
        IN_ORDER,
        model.layout.table,
        model.theta,
        Buffers.for_predictions(model.layout, block or X.shape[0], dtype),
        prediction_rules(model.activation, loss, np.dtype(model.dtype)),
        out,
        ALONE,
    )
    return out
