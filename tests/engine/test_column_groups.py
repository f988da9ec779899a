"""Input groups of tables beside a dense layer of their encoded matrix.

And numbers with a periodic embedding.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from skgd.activations import Tanh
from skgd.engine.layout import Layout
from skgd.stages import (
    Activate,
    Bias,
    Dense,
    Embedding,
    Lookup,
    Periodic,
    PiecewiseLinear,
    Scale,
)
from tests.engine.helpers import (
    DTYPES,
    Model,
    assert_close,
    full_objective,
    loss_and_gradient,
    predict,
    trainer_of,
)
from tests.engine.problems import LOSSES
from tests.oracles.losses import oracle_of
from tests.parallel.test_barrier import needs_jit

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
LOSS = LOSSES["multinomial"]
FEATURES, UNITS, OUTPUTS, ROWS = 3, 5, 4, 45
BINS, ONE_HOT, EMBEDDED, SIZE = (1, 4, 7), (3, 5), (6, 9), 2
ALPHA = 0.3
KINDS = ["all", "no numbers", "bins", "one_hot", "embedding", "periodic"]
# All numbers but the last have cosines.
PERIODIC = FEATURES, FEATURES - 1, 4, 2


def groups_of(kind):
    place = 0, len(ONE_HOT) + len(EMBEDDED)
    groups = {
        "bins": PiecewiseLinear(BINS, UNITS),
        "one_hot": Lookup(ONE_HOT, place, UNITS),
        "embedding": Embedding(EMBEDDED, SIZE, (len(ONE_HOT), place[1]), UNITS),
    }
    return [groups[kind]] if kind in groups else list(groups.values())


@dataclass
class TableModel(Model):
    """Numbers beside the groups, tanh, and a second layer."""

    kind: str = "all"

    def layout_with(self, momentum=0.9, epsilon=1e-5):
        first = [Dense(FEATURES, UNITS) if self.units[0] else Bias(UNITS)]
        if self.kind == "periodic":
            periodic = Periodic(*PERIODIC)
            first = [Scale(FEATURES), periodic, Dense(periodic.outputs, UNITS)]
        end = [Activate(UNITS, Tanh()), Dense(UNITS, OUTPUTS)]
        return Layout([*first, *groups_of(self.kind), *end])


def make(kind, dtype="float64"):
    features = 0 if kind == "no numbers" else FEATURES
    return TableModel((features, UNITS, OUTPUTS), dtype, kind=kind)


def components(x, edges):
    """Return the components of numbers, term by term."""
    parts = []
    for t, (low, high) in enumerate(pairwise(edges)):
        lowest = -np.inf if t == 0 else 0
        highest = np.inf if t == len(edges) - 2 else 1
        parts.append(np.clip((x - low) / (high - low), lowest, highest))
    return np.column_stack(parts)


def draw(features):
    """Draw X, the fields of the groups, their encoded columns, targets and weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, FEATURES))[:, :features]
    y = oracle_of(LOSS).draw_targets(rng, ROWS, OUTPUTS).astype(float)
    bins, fractions, encoded, first = [], [], [], 0
    for n in BINS:
        edges = np.cumsum(rng.uniform(0.2, 1, n + 1)) - n / 2
        x = rng.normal(size=ROWS) * n
        t = np.clip(np.searchsorted(edges, x) - 1, 0, n - 1)
        bins.append(first + t)
        fractions.append((x - edges[t]) / (edges[t + 1] - edges[t]))
        encoded.append(components(x, edges))
        first += n
    codes = [rng.integers(n + 1, size=ROWS) for n in (*ONE_HOT, *EMBEDDED)]
    fields = {
        "bins": np.column_stack(bins),
        "fractions": np.column_stack(fractions),
        "codes": np.column_stack(codes),
    }
    return X, fields, np.hstack(encoded), y, rng.uniform(0.5, 2, ROWS)


def one_hot(codes, n):
    """Return a column a value; code 0 has none."""
    return (codes[:, None] == np.arange(1, n + 1)).astype(float)


def parts(model, flat):
    """View parameters by the names of what they are of."""
    layout, found = model.layout, {}
    for index, begin, block in layout.blocks:
        stage = layout.stages[index]
        name = type(stage).__name__, block.kind, index > len(layout.stages) - 3
        found[name] = flat[begin : begin + block.size].reshape(block.shape)
    return found


def periodic(x, parameters):
    """Return the embedded numbers, and the parts that they are made of."""
    w1, b1, W2, b2 = Periodic.split(parameters, PERIODIC[2])
    angles = 2 * np.pi * w1 * x[:, : PERIODIC[1], None] + b1
    combined = np.einsum("ijf,jkf->ijk", np.cos(angles), W2) + b2
    return np.hstack([x, combined.reshape(len(x), -1)]), angles, w1, W2


def periodic_gradient(x, parameters, delta):
    """Return the gradients by the numbers and by the parameters."""
    _, angles, w1, W2 = periodic(x, parameters)
    n = PERIODIC[1]
    by_numbers, by_out = (
        delta[:, :FEATURES].copy(),
        delta[:, FEATURES:].reshape(ROWS, n, -1),
    )
    by_angles = -np.sin(angles) * np.einsum("ijk,jkf->ijf", by_out, W2)
    by_numbers[:, :n] += 2 * np.pi * (by_angles * w1).sum(axis=2)
    by_W2 = np.einsum("ijk,ijf->jkf", by_out, np.cos(angles))
    by_w1 = 2 * np.pi * (by_angles * x[:, :n, None]).sum(axis=0)
    rest = by_angles.sum(axis=0), by_W2.reshape(n, -1), by_out.sum(axis=0)
    return by_numbers, np.hstack([by_w1, *rest])


def objective(model, data):
    """Return the oracle's objective, gradient by name, and linear output."""
    X, fields, encoded, y, weight = data
    own, total = parts(model, model.theta.astype(float)), weight.sum()
    inputs = {("Dense", "weights", False): X, ("Bias", "bias", False): np.ones((ROWS, 1))}
    inputs["Dense", "bias", False] = np.ones((ROWS, 1))
    scale = own.get(("Scale", "scale", False))
    waves = own.get(("Periodic", "periodic", False))
    if waves is not None:
        inputs["Dense", "weights", False] = periodic(X * scale, waves)[0]
    inputs["PiecewiseLinear", "embedding", False] = encoded
    hot = [one_hot(fields["codes"][:, k], n) for k, n in enumerate((*ONE_HOT, *EMBEDDED))]
    inputs["Lookup", "weights", False] = np.hstack(hot[:2])
    vectors = own.get(("Embedding", "embedding", False))
    if vectors is not None:
        split = vectors[: EMBEDDED[0]], vectors[EMBEDDED[0] :]
        by_column = zip(hot[2:], split, strict=True)
        inputs["Embedding", "weights", False] = np.hstack([h @ v for h, v in by_column])
    names = [name for name in own if name in inputs]
    linear = sum(inputs[name] @ own[name].reshape(-1, UNITS) for name in names)
    out, out_bias = own["Dense", "weights", True], own["Dense", "bias", True]
    hidden = np.tanh(linear)
    z = hidden @ out + out_bias
    loss = oracle_of(LOSS)
    squares = sum((array**2).sum() for name, array in own.items() if name[1] == "weights")
    value = ((weight * loss.value(z, y)).sum() + ALPHA / 2 * squares) / total
    delta = weight[:, None] * loss.gradient(z, y) / total
    found = {("Dense", "weights", True): hidden.T @ delta}
    found["Dense", "bias", True] = delta.sum(axis=0)
    delta = delta @ out.T * (1 - hidden**2)
    for name in names:
        found[name] = (inputs[name].T @ delta).reshape(own[name].shape)
    if waves is not None:
        back = delta @ own["Dense", "weights", False].T
        back, found["Periodic", "periodic", False] = periodic_gradient(
            X * scale, waves, back
        )
        found["Scale", "scale", False] = (X * back).sum(axis=0)
    if vectors is not None:
        back = delta @ own["Embedding", "weights", False].T
        by_vectors = [h.T @ back[:, SIZE * k :][:, :SIZE] for k, h in enumerate(hot[2:])]
        found["Embedding", "embedding", False] = np.vstack(by_vectors)
    for name, array in own.items():
        if name[1] == "weights":
            found[name] = found[name] + ALPHA / total * array
    return value, found, z


def compare(model, flat, expected, tolerance):
    found = parts(model, flat)
    assert set(found) == set(expected)
    unit = 0.1 * max(np.abs(array).max() for array in expected.values())
    for name, array in found.items():
        assert_close(array, expected[name], tolerance, unit)


by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_kind = pytest.mark.parametrize("kind", KINDS)


@by_dtype
@by_kind
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("chunk", [16, None])
def test_the_oracle(kind, dtype, by_rows, shuffled, chunk):
    model = make(kind, dtype)
    data = X, fields, _, y, weight = draw(model.units[0])
    value, gradient = loss_and_gradient(
        model,
        X,
        y,
        LOSS,
        alpha=ALPHA,
        weight=weight,
        codes=fields,
        by_rows=by_rows,
        chunk=chunk,
        random_state=np.random.RandomState(0) if shuffled else None,
    )
    expected, gradients, _ = objective(model, data)
    assert value == pytest.approx(expected, rel=TOLERANCE[dtype])
    compare(model, gradient, gradients, TOLERANCE[dtype])


@by_kind
def test_finite_differences(kind):
    model = make(kind)
    X, fields, _, y, weight = draw(model.units[0])
    options = {"alpha": ALPHA, "weight": weight, "codes": fields}
    _, gradient = loss_and_gradient(model, X, y, LOSS, **options)
    step, theta, differences = 1e-5, model.theta.copy(), gradient.copy()
    for i in range(theta.size):
        values = []
        for sign in (1, -1):
            model.theta[:] = theta
            model.theta[i] += sign * step
            values.append(full_objective(model, X, y, LOSS, **options)[0])
        differences[i] = (values[0] - values[1]) / (2 * step)
    compare(model, gradient, parts(model, differences), 1e-6)


@by_dtype
@by_kind
def test_predictions(kind, dtype):
    model = make(kind, dtype)
    data = X, fields, *_ = draw(model.units[0])
    _, _, z = objective(model, data)
    expected = oracle_of(LOSS).link(z)
    for block in (8, None):
        found = predict(model, X, LOSS, block=block, codes=fields)
        assert_close(found, expected, TOLERANCE[dtype])


@needs_jit
@by_kind
def test_threads_do_not_change_a_bit(kind):
    found = []
    for n_threads in (1, 3):
        model = make(kind)
        X, fields, _, y, weight = draw(model.units[0])
        trainer, parameters = trainer_of(
            model,
            X,
            y,
            LOSS,
            weight=weight,
            codes=fields,
            rate=0.01,
            chunk=16,
            n_threads=n_threads,
            random_state=np.random.RandomState(0),
        )
        list(trainer.run(ROWS * np.arange(4)))
        found.append(parameters.theta)
    assert np.array_equal(*found)
