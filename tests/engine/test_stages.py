"""A look-up in a table, a stage that only the tests know, and one scale a unit."""

import pickle
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from scipy import sparse

from skgd.activations import Tanh
from skgd.engine.layout import Layout
from skgd.engine.stage import Block, Stage
from skgd.kernels.views import matrix
from skgd.solvers import Adam
from skgd.stages import Activate, BatchNorm, Bias, Dense, Scale, SparseColumns
from tests.engine.helpers import (
    DTYPES,
    Model,
    assert_close,
    full_objective,
    loss_and_gradient,
    predict,
    size,
    train,
    trainer_of,
)
from tests.engine.problems import LOSSES
from tests.oracles import network as oracle
from tests.oracles.losses import oracle_of
from tests.parallel.test_barrier import needs_jit

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
LOSS = LOSSES["multinomial"]
FEATURES, UNITS, OUTPUTS = 3, 5, 4
ROWS = 45
# Two columns of whole numbers, of 4 and of 7 levels: rows of one table.
LEVELS = 4, 7
EPSILON, ALPHA = 1e-3, 0.3


class LookUp(Stage):
    """Adds a row of a table for each column of codes."""

    is_group = True

    def __init__(self, columns, levels, outputs):
        super().__init__(columns, outputs)
        self.blocks = (Block("embedding", (levels, outputs)),)

    @staticmethod
    def add(stage, step, rows, order, parameters, outputs, work):
        out = matrix(outputs, 0, step.last - step.first, stage.outputs)
        for i in range(out.shape[0]):
            index = step.start + step.first + i
            row = order[index] if order.shape[0] > 0 else index
            for k in range(stage.inputs):
                first = rows.codes[row * stage.inputs + k] * stage.outputs
                for j in range(out.shape[1]):
                    out[i, j] += parameters[first + j]

    @staticmethod
    def gradient(stage, step, rows, order, parameters, delta, out, work):
        out[:] = 0
        delta = matrix(delta, 0, step.stop - step.row, stage.outputs)
        for i in range(delta.shape[0]):
            index = step.start + step.row + i
            row = order[index] if order.shape[0] > 0 else index
            for k in range(stage.inputs):
                first = rows.codes[row * stage.inputs + k] * stage.outputs
                for j in range(delta.shape[1]):
                    out[first + j] += delta[i, j]


def first_stages(kind):
    """Return the first stage and the input groups, and whether there are features."""
    look_up = LookUp(len(LEVELS), sum(LEVELS), UNITS)
    if kind == "dense":
        return [Dense(FEATURES, UNITS), look_up]
    if kind == "sparse":
        return [Bias(UNITS), look_up, SparseColumns(FEATURES, UNITS)]
    if kind == "codes":
        return [Bias(UNITS), look_up]
    return [Dense(FEATURES, UNITS, bias=False), look_up]


@dataclass
class Chain(Model):
    """Codes beside features, a scale, for 'normalized' batch normalization, tanh."""

    kind: str = "dense"

    def layout_with(self, momentum=0.9, epsilon=EPSILON):
        stages = [*first_stages(self.kind), Scale(UNITS)]
        if self.kind == "normalized":
            stages.append(BatchNorm(UNITS, momentum, epsilon))
        stages += [Activate(UNITS, Tanh()), Dense(UNITS, OUTPUTS)]
        return Layout(stages)

    def parts(self, flat):
        """View parameters by their names in the oracle."""
        weights, biases, scales = (
            self.layout.views(flat, kind) for kind in ("weights", "bias", "scale")
        )
        (table,) = self.layout.views(flat, "embedding")
        found = {"table": table, "scale": scales[0], "bias": biases[0]}
        if self.kind != "codes":
            found["weights"] = weights[0]
        if self.kind == "normalized":
            found["gamma"] = scales[1]
        return {**found, "out": weights[-1], "out bias": biases[-1]}


def make(kind, dtype="float64"):
    return Chain(
        (0 if kind == "codes" else FEATURES, UNITS, OUTPUTS),
        dtype,
        batch_normalization=kind == "normalized",
        kind=kind,
    )


def draw(kind, *, weighted=True):
    """Draw X as the network takes it, the targets and what else describes the rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, FEATURES))
    X[np.abs(X) < 0.5] = 0
    y = oracle_of(LOSS).draw_targets(rng, ROWS, OUTPUTS).astype(float)
    codes = np.column_stack([rng.integers(n, size=ROWS) for n in LEVELS])
    codes[:, 1] += LEVELS[0]
    # One level does not occur.
    codes[codes == 2] = 0
    options = {"codes": codes}
    if weighted:
        weight = rng.uniform(0.5, 2, ROWS)
        options["weight"] = weight
    if kind == "codes":
        X = X[:, :0]
    return sparse.csr_array(X) if kind == "sparse" else X, y, options


def objective(parts, X, y, codes, weight, alpha):
    """Return the oracle's mean objective, its gradient by name, and the linear output."""
    loss, total = oracle_of(LOSS), weight.sum()
    linear = parts["table"][codes].sum(axis=1)
    penalty = (parts["out"] ** 2).sum()
    if "weights" in parts:
        linear = linear + X @ parts["weights"]
        penalty += (parts["weights"] ** 2).sum()
    if "gamma" not in parts:
        linear = linear + parts["bias"]
    scaled = shifted = linear * parts["scale"]
    if "gamma" in parts:
        mean, variance = oracle.moments(scaled, weight)
        normal = (scaled - mean) / np.sqrt(variance + EPSILON)
        shifted = parts["gamma"] * normal + parts["bias"]
    hidden = np.tanh(shifted)
    z = hidden @ parts["out"] + parts["out bias"]
    value = ((weight * loss.value(z, y)).sum() + alpha / 2 * penalty) / total
    delta = weight[:, None] * loss.gradient(z, y) / total
    found = {"out": hidden.T @ delta, "out bias": delta.sum(axis=0)}
    found["out"] += alpha / total * parts["out"]
    delta = delta @ parts["out"].T * (1 - hidden**2)
    if "gamma" in parts:
        found["bias"] = delta.sum(axis=0)
        delta, found["gamma"] = oracle.normalize_backward(
            scaled, delta, weight, parts["gamma"], EPSILON
        )
    found["scale"] = (delta * linear).sum(axis=0)
    delta = delta * parts["scale"]
    if "gamma" not in parts:
        found["bias"] = delta.sum(axis=0)
    if "weights" in parts:
        found["weights"] = X.T @ delta + alpha / total * parts["weights"]
    found["table"] = np.zeros_like(parts["table"])
    for column in codes.T:
        np.add.at(found["table"], column, delta)
    return value, found, z


def compare(chain, flat, expected, tolerance):
    """Compare by names, some relative to a tenth of the largest of all."""
    unit = 0.1 * max(np.abs(array).max() for array in expected.values())
    found = chain.parts(flat)
    assert set(found) == set(expected)
    for name, array in found.items():
        assert_close(array, expected[name], tolerance, unit)


def as_oracle(chain, X, y, options):
    """Return the arguments of the oracle, of what the network's dtype leaves of them."""
    X = (X.toarray() if sparse.issparse(X) else X).astype(chain.dtype).astype(float)
    weight = options.get("weight", np.ones(ROWS)).astype(chain.dtype).astype(float)
    return chain.parts(chain.theta.astype(float)), X, y, options["codes"], weight


KINDS = ["dense", "sparse", "codes", "normalized"]
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_kind = pytest.mark.parametrize("kind", KINDS)
# The moments are of mini-batches: all else is without batch normalization.
by_plain_kind = pytest.mark.parametrize("kind", KINDS[:-1])


@by_kind
def test_parameters_of_groups_come_first(kind):
    chain = make(kind)
    blocks = [(chain.layout.stages[i], block) for i, _, block in chain.layout.blocks]
    is_group = [stage.is_group for stage, _ in blocks]
    assert is_group == sorted(is_group, reverse=True)
    tiles = chain.layout.tiles(shared=True, factors={"embedding": 2, "scale": 1})
    sizes = dict.fromkeys(range(3), 0)
    for tile in tiles:
        sizes[int(tile.factor)] += tile.end - tile.begin
    assert sizes[2] == sum(LEVELS) * UNITS
    assert sizes[1] == UNITS * (2 if kind == "normalized" else 1)
    n_weights = sum(w.size for w in chain.layout.views(chain.theta, "weights"))
    sizes = tiles["end"] - tiles["begin"]
    assert sum(sizes[tiles["is_weights"] == 1]) == n_weights


@by_dtype
@by_kind
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("chunk", [16, None])
def test_the_oracle(kind, dtype, by_rows, shuffled, chunk):
    chain, (X, y, options) = make(kind, dtype), draw(kind)
    value, gradient = loss_and_gradient(
        chain,
        X,
        y,
        LOSS,
        alpha=ALPHA,
        epsilon=EPSILON,
        by_rows=by_rows,
        chunk=chunk,
        random_state=np.random.RandomState(0) if shuffled else None,
        **options,
    )
    expected, gradients, _ = objective(*as_oracle(chain, X, y, options), ALPHA)
    assert value == pytest.approx(expected, rel=TOLERANCE[dtype])
    compare(chain, gradient, gradients, TOLERANCE[dtype])
    # A level that does not occur has no gradient.
    assert not chain.parts(gradient)["table"][2].any()


@by_kind
def test_finite_differences(kind):
    chain, (X, y, options) = make(kind), draw(kind)
    options |= {"alpha": ALPHA, "epsilon": EPSILON}
    _, gradient = loss_and_gradient(chain, X, y, LOSS, **options)
    step, theta, differences = 1e-5, chain.theta.copy(), gradient.copy()
    for i in range(0, theta.size, size(1, 5)):
        values = []
        for sign in (1, -1):
            chain.theta[:] = theta
            chain.theta[i] += sign * step
            values.append(loss_and_gradient(chain, X, y, LOSS, **options)[0])
        differences[i] = (values[0] - values[1]) / (2 * step)
    compare(chain, gradient, chain.parts(differences), 1e-6)


@by_plain_kind
@pytest.mark.parametrize("block", [4, ROWS])
def test_the_objective_of_all_rows(kind, block):
    """What lbfgs minimizes."""
    chain, (X, y, options) = make(kind), draw(kind)
    value, gradient = full_objective(chain, X, y, LOSS, alpha=ALPHA, block=block, **options)
    expected, gradients, _ = objective(*as_oracle(chain, X, y, options), ALPHA)
    assert value == pytest.approx(expected, rel=1e-12)
    compare(chain, gradient, gradients, 1e-12)


@by_dtype
@by_kind
def test_epochs_of_shuffled_mini_batches(kind, dtype):
    chain, (X, y, options) = make(kind, dtype), draw(kind)
    parts, dense, _, codes, weight = as_oracle(chain, X, y, options)
    found = train(
        chain,
        X,
        y,
        LOSS,
        n_epochs=3,
        batch_size=9,
        rate=0.1,
        alpha=ALPHA,
        epsilon=EPSILON,
        random_state=np.random.RandomState(0),
        **options,
    )
    for one in found:
        values = []
        for rows in np.split(one.rows, ROWS // 9):
            batch = dense[rows], y[rows], codes[rows], weight[rows]
            value, gradients, _ = objective(parts, *batch, ALPHA)
            values.append(value)
            parts = {name: parts[name] - 0.1 * gradients[name] for name in parts}
        assert one.loss == pytest.approx(np.mean(values), rel=TOLERANCE[dtype])
        compare(chain, one.theta, parts, TOLERANCE[dtype])


def fit(chain, X, y, n_threads=1, **options):
    options = {"solver": Adam(beta_1=0.8), "rate": 0.01, "alpha": 0.1, **options}
    trainer, parameters = trainer_of(chain, X, y, LOSS, n_threads=n_threads, **options)
    losses = list(trainer.run(ROWS * np.arange(4)))
    return losses, parameters


@needs_jit
@by_dtype
@by_kind
@pytest.mark.parametrize(("by_rows", "batch_size"), [*product([False, True], [20, 45])])
def test_any_number_of_threads(kind, by_rows, batch_size, dtype):
    chain, (X, y, options) = make(kind, dtype), draw(kind)
    options |= {"by_rows": by_rows, "batch_size": batch_size, "chunk": 8}
    found = [
        fit(chain, X, y, n, random_state=np.random.RandomState(0), **options)
        for n in (1, 2, 3)
    ]
    (losses, parameters), *others = found
    assert losses[-1] < losses[0]
    for other_losses, other in others:
        assert other_losses == losses
        np.testing.assert_array_equal(other.theta, parameters.theta)
        np.testing.assert_array_equal(other.running, parameters.running)


@by_dtype
@by_kind
def test_training_goes_on(kind, dtype):
    """Four epochs are two and two more, from copies of what the first two left."""
    chain, (X, y, options) = make(kind, dtype), draw(kind)
    options |= {"batch_size": 10, "learning_rate": "inverse_time", "rate": 0.02}
    options |= {"hyper": ({}, {"decay_rate": 0.5, "decay_steps": 7}), "solver": Adam()}
    whole, parameters = trainer_of(chain, X, y, LOSS, **options)
    losses = list(whole.run(ROWS * np.arange(4)))
    first, begun = trainer_of(chain, X, y, LOSS, **options)
    losses_begun = list(first.run(ROWS * np.arange(2)))
    progress = first._state.progress
    kept = begun.copy(), replace(progress, state=progress.state.copy())
    # What the first trainer goes on with is its own.
    list(first.run(ROWS * np.arange(2, 4)))
    second, resumed = trainer_of(chain, X, y, LOSS, kept=kept, **options)
    rest = list(second.run(ROWS * np.arange(2, 4)))
    assert losses_begun + rest == losses
    np.testing.assert_array_equal(resumed.theta, parameters.theta)
    np.testing.assert_array_equal(resumed.running, parameters.running)
    np.testing.assert_array_equal(second._state.progress.state, whole._state.progress.state)
    assert second._state.progress.n_updates == whole._state.progress.n_updates


@by_dtype
@by_plain_kind
def test_predictions(kind, dtype):
    chain, (X, y, options) = make(kind, dtype), draw(kind, weighted=False)
    _, _, z = objective(*as_oracle(chain, X, y, options), ALPHA)
    expected = oracle_of(LOSS).link(z)
    whole = predict(chain, X, LOSS, **options)
    assert_close(whole, expected, TOLERANCE[dtype])
    for block in (1, 7, 44, 100):
        found = predict(chain, X, LOSS, block=block, **options)
        assert_close(found, whole, TOLERANCE[dtype])


@by_kind
def test_a_layout_is_pickled(kind):
    chain, (X, y, options) = make(kind), draw(kind)
    options["epsilon"] = EPSILON
    before = fit(chain, X, y, **options)
    copy = pickle.loads(pickle.dumps(chain))
    copy.layout_with = lambda *settings: copy.layout
    assert copy.layout is not chain.layout
    for there, here in zip(copy.layout.stages, chain.layout.stages, strict=True):
        assert there.key == here.key
        assert there.blocks == here.blocks
    assert copy.layout.blocks == chain.layout.blocks
    assert copy.layout.n_params == chain.layout.n_params
    again = fit(copy, X, y, **options)
    assert again[0] == before[0]
    np.testing.assert_array_equal(again[1].theta, before[1].theta)
