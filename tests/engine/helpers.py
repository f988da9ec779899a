"""What the tests know of the engine's insides, in one place."""

from dataclasses import dataclass, field

import numba
import numpy as np

from skgd.activations import ACTIVATIONS
from skgd.engine.binding import bind
from skgd.engine.full_batch.objective import IN_ORDER, add_penalty, block_objective
from skgd.engine.layout import MemoryPlan
from skgd.engine.loops import solver_loop
from skgd.engine.predict import predict as predict_blocks
from skgd.engine.records import (
    TILE,
    Network,
    make_steps,
)
from skgd.engine.update import penalize
from skgd.neural_network._data import as_rows
from skgd.neural_network._network import layout_of
from skgd.neural_network._orders import Orders, batch_bounds
from skgd.neural_network._parameters import Parameters, intercepts_in
from skgd.neural_network._plugins import Plugins
from skgd.neural_network._trainer import (
    Batches,
    Progress,
    Trainer,
    TrainingState,
)
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS, Momentum
from skgd.stages import BatchNorm, LayerNorm

PURE_PYTHON = bool(numba.config.DISABLE_JIT)
DTYPES = ["float32", "float64"]


def size(compiled, pure):
    """Choose a size: without the JIT a kernel is a hundred times slower."""
    return pure if PURE_PYTHON else compiled


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


def rows_of(X, dtype, y=None, weight=None, codes=None):
    """Describe the data for the kernels.

    ``codes`` are columns of whole numbers, or a dict of them and of other fields of Rows.
    """
    rows = as_rows(X, dtype, y, weight)
    if codes is None:
        return rows
    fields = codes if isinstance(codes, dict) else {"codes": codes}
    for name, values in fields.items():
        kind = dtype if name == "fractions" else np.uint16
        array = np.array(values, dtype=kind).reshape(-1)
        array.flags.writeable = False
        rows = rows._replace(**{name: array})
    return rows


@dataclass
class Model:
    """A network for skgd's kernels and, as a list of layers, for the oracles."""

    units: tuple
    dtype: str = "float64"
    batch_normalization: bool = False
    activation: object = "tanh"
    seed: int = 0
    sparse: bool = False
    dropout: tuple = ()
    layer_normalization: bool = False
    theta: np.ndarray = field(init=False)

    def __post_init__(self):
        self.layout = self.layout_with()
        rng = np.random.default_rng(self.seed)
        theta = rng.uniform(-1, 1, self.layout.n_params)
        for gamma in self.layout.views(theta, "scale"):
            gamma += 1.5 * np.sign(gamma)
        self.theta = theta.astype(self.dtype)

    def layout_with(self, momentum=0.9, epsilon=1e-5):
        """Lay the network out with other settings of batch normalization."""
        activation = self.activation
        if isinstance(activation, str):
            activation = ACTIVATIONS[activation]()
        return layout_of(
            self.units,
            [activation] * (len(self.units) - 2),
            "layer"
            if self.layer_normalization
            else (momentum, epsilon)
            if self.batch_normalization
            else None,
            self.sparse,
            self.dropout,
        )

    def layers(self, theta=None, dtype=None):
        """View parameters as the oracles' list of layers."""
        theta = (self.theta if theta is None else theta).astype(dtype or self.dtype)
        weights = self.layout.views(theta, "weights")
        biases = intercepts_in(self.layout, theta)
        layers = [{"weights": w, "bias": b} for w, b in zip(weights, biases, strict=True)]
        for layer, gamma in zip(
            layers, self.layout.views(theta, "scale", BatchNorm), strict=False
        ):
            layer["gamma"] = gamma
        pairs = (self.layout.views(theta, kind, LayerNorm) for kind in ("scale", "bias"))
        for layer, scale, shift in zip(layers, *pairs, strict=False):
            layer["scale"], layer["shift"] = scale, shift
        for layer, mix in zip(layers, self.layout.views(theta, "activation"), strict=False):
            layer["mix"] = mix
        return layers

    def running(self, flat):
        """View running statistics as the oracles' (mean, variance) of each layer."""
        pairs, start = [], 0
        for layer in self.layers():
            if "gamma" not in layer:
                pairs.append(None)
            else:
                n = layer["gamma"].size
                pairs.append((flat[start : start + n], flat[start + n : start + 2 * n]))
                start += 2 * n + 1
        return pairs


@dataclass
class Trained:
    """What an epoch left."""

    loss: float
    theta: np.ndarray
    running: np.ndarray
    n_updates: int
    rows: np.ndarray  # their order in this epoch


def update(solver, theta, gradient, state, rate, t, *, bounds=None, alpha=0.0):
    """Update the parameters within the bounds by the kernel of a solver.

    The penalty is of strength ``alpha`` in a mini-batch of one row.

    Returns
    -------
    float
        The penalty.
    """
    begin, end = bounds or (0, theta.size)
    values = solver.coefficients(np.array([rate]), np.array([t]))
    # The last number: it acts on all kinds of parameters.
    table = np.array([[*(np.asarray(value, float).item(0) for value in values), 1.0]])
    tiles = np.zeros(3, TILE)
    tiles["begin"], tiles["end"] = [0, begin, end], [begin, end, theta.size]
    (steps,) = make_steps(1, tile=1, tile_stop=2, origin=begin)
    kernel = solver_loop(((type(solver), len(values)),), theta.dtype)
    slopes = gradient[begin:end]
    penalty = 0.0
    if alpha:
        slopes = slopes.copy()
        penalty = 0.5 * alpha * penalize(theta[begin:end], slopes, alpha)
    kernel(tiles, theta, state, slopes, table, steps[0])
    return penalty


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
    hyper=None,
    alpha=0.0,
    batch_size=None,
    epsilon=1e-5,
    decay=0.9,
    chunk=None,
    by_rows=False,
    random_state=None,
    n_threads=1,
    codes=None,
    kept=None,
    before=(),
    after=(),
    rate_factors=None,
    seed=0,
    scheduled=None,
):
    """Make a Trainer of a copy of the model's parameters.

    Or of what another has ``kept``, its Parameters and Progress. There may be further steps
    ``before`` and ``after`` the solver.
    """
    dtype = np.dtype(model.dtype)
    layout = model.layout_with(decay, epsilon)
    solver_settings, schedule_settings = hyper or ({}, {})
    if isinstance(solver, str):
        solver = SOLVERS[solver](**solver_settings).resolved()
    schedule = SCHEDULES[learning_rate](**schedule_settings)
    plugins = Plugins([], solver, schedule, loss(), before, after, scheduled or {})
    if kept is None:
        parameters = Parameters(
            model.theta.copy(),
            running=np.zeros(layout.n_running),
            center=np.zeros(model.units[0], dtype=dtype),
        )
        state = np.zeros((plugins.n_slots, layout.n_params), dtype=dtype)
        progress = Progress(solver, state, rate)
    else:
        parameters, progress = kept
    bounds = batch_bounds(
        X.shape[0], batch_size or X.shape[0], is_even=model.batch_normalization
    )
    trainer = Trainer(
        rows_of(X, dtype, y, weight, codes),
        layout,
        plugins,
        Batches(
            bounds,
            chunk or X.shape[0] + 16,
            by_rows,
            alpha,
            rate_factors=rate_factors or {},
            seed=seed,
        ),
        TrainingState(parameters, progress, Orders(np.arange(X.shape[0]), random_state)),
        n_threads,
    )
    return trainer, parameters


def train(model, X, y, loss, *, n_epochs=1, **options):
    """Yield what each epoch of training left."""
    trainer, parameters = trainer_of(model, X, y, loss, **options)
    progress = trainer._state.progress
    for epoch in range(n_epochs):
        (mean,) = trainer.run(np.array([epoch * X.shape[0]]))
        yield Trained(
            mean,
            parameters.theta.copy(),
            parameters.running.copy(),
            progress.n_updates,
            trainer._state.orders.last.copy(),
        )


def loss_and_gradient(model, X, y, loss, **options):
    """Return the mean objective of all rows and its gradient.

    The gradient is, negative, the velocity after one update at rate 1.
    """
    trainer, _ = trainer_of(
        model,
        X,
        y,
        loss,
        solver=Momentum(momentum=0.0, nesterovs_momentum=False),
        **options,
    )
    (mean,) = trainer.run(np.array([0]))
    return mean, -trainer._state.progress.state[0]


def full_objective(model, X, y, loss, *, weight=None, alpha=0.0, block=None, codes=None):
    """Return the objective of all rows and its gradient, by the kernels of lbfgs."""
    dtype = np.dtype(model.dtype)
    n_samples = X.shape[0]
    block = block or n_samples
    plan = MemoryPlan(model.layout, block, y.shape[1], n_chunks=1)
    kernels = bind(model.layout, plan, loss, dtype, steps=())
    network = Network(
        plan.stages,
        model.layout.tiles(shared=False),
        model.theta,
        np.empty((0, 0), dtype=dtype),
        np.empty(0),
        model.layout.numbers,
    )
    total = float(n_samples if weight is None else weight.sum())
    (steps,) = make_steps(
        1, capacity=plan.capacity, chunk=block, parts=plan.parts, weight=total
    )
    value, gradient = 0.0, np.zeros_like(model.theta)
    for start in range(0, n_samples, block):
        part = np.empty_like(model.theta)
        steps["start"], steps["rows"] = start, min(block, n_samples - start)
        value += block_objective(
            rows_of(X, dtype, y, weight, codes),
            IN_ORDER,
            network,
            plan.allocate(dtype),
            kernels,
            loss().numbers(),
            steps[0],
            part,
        )
        gradient += part
    return value + add_penalty(network, alpha / total, gradient), gradient


def predict(model, X, loss, *, block=None, codes=None):
    """Return the predictions of a network without batch normalization."""
    dtype = np.dtype(model.dtype)
    out = np.empty((X.shape[0], model.units[-1]), dtype=dtype)
    plan = MemoryPlan(model.layout, block or X.shape[0])
    kernels = bind(model.layout, plan, loss, dtype)
    network = Network(
        plan.stages, None, model.theta, None, np.empty(0), model.layout.numbers
    )
    (steps,) = make_steps(1, capacity=plan.capacity)
    predict_blocks(
        rows_of(X, dtype, codes=codes),
        IN_ORDER,
        network,
        plan.allocate(dtype),
        kernels,
        loss().numbers(),
        steps,
        out,
    )
    return out
