"""The stage of layer normalization: the oracle, finite differences, PyTorch, threads."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skgd.activations import ACTIVATIONS, Parametric
from skgd.neural_network import _trainer
from skgd.solvers import SOLVERS
from skgd.steps import Average, Clip, Decay
from tests.engine.helpers import (
    DTYPES,
    Model,
    assert_close,
    full_objective,
    loss_and_gradient,
    trainer_of,
)
from tests.engine.problems import LOSSES, draw
from tests.engine.test_dropout import masks_of
from tests.engine.test_parametric import DROPOUT, SEED, TOLERANCE, UNITS, compare
from tests.engine.test_train import RATES
from tests.oracles import network, steps
from tests.oracles import solvers as solver_oracles
from tests.oracles.losses import oracle_of
from tests.pairs import all_pairs
from tests.parallel.test_barrier import needs_jit

ALL = {"scale", "shift", "weights", "bias"}


def make(activation="tanh", dtype="float64", parametric=False, **options):
    plugin = ACTIVATIONS[activation]()
    plugin = Parametric(plugin) if parametric else plugin
    return Model(UNITS, dtype, False, plugin, layer_normalization=True, **options)


@all_pairs(
    activation=["tanh", "gelu", "elu"],
    parametric=[False, True],
    loss=["squared_error", "multinomial"],
    dtype=DTYPES,
    dropout=DROPOUT,
    weighted=[False, True],
    by_rows=[False, True],
    n_threads=[1, 2],
)
def test_the_gradient(
    activation, parametric, loss, dtype, dropout, weighted, by_rows, n_threads
):
    loss = LOSSES[loss]
    X, y, weight = draw(loss, 40, 5, 2, weighted=weighted)
    model = make(activation, dtype, parametric, dropout=dropout)
    options = {"weight": weight, "alpha": 0.1}
    threads = {"chunk": 16, "by_rows": by_rows, "n_threads": n_threads, "seed": SEED}
    _, gradient = loss_and_gradient(model, X.astype(dtype), y, loss, **options, **threads)
    expected = network.gradient(
        model.layers(dtype="float64"),
        X.astype(dtype).astype(float),
        y,
        activation,
        oracle_of(loss),
        masks=masks_of(dropout, 0, 40) if dropout else None,
        **options,
    )
    assert [set(layer) >= ALL for layer in expected] == [True, True, False]
    compare(model, gradient, expected, 10 * TOLERANCE[dtype])


@all_pairs(
    activation=["tanh", "gelu"],
    parametric=[False, True],
    dropout=DROPOUT,
    loss=["squared_error", "multinomial"],
)
def test_finite_differences(activation, parametric, dropout, loss):
    loss = LOSSES[loss]
    X, y, _ = draw(loss, 20, 5, 2, weighted=False)
    model = make(activation, "float64", parametric, dropout=dropout)
    options = {"alpha": 0.1, "seed": SEED}
    _, gradient = loss_and_gradient(model, X, y, loss, **options)
    theta, step = model.theta.copy(), 1e-6
    for index in range(0, theta.size, 3):
        values = []
        for sign in (1, -1):
            model.theta = theta.copy()
            model.theta[index] += sign * step
            values.append(loss_and_gradient(model, X, y, loss, **options)[0])
        slope = (values[0] - values[1]) / (2 * step)
        assert slope == pytest.approx(gradient[index], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("sparse", [False, True])
def test_the_objective_of_all_rows(sparse):
    """What lbfgs minimizes."""
    loss = LOSSES["squared_error"]
    X, y, weight = draw(loss, 40, 5, 2, weighted=True)
    model, options = make(sparse=sparse), {"weight": weight, "alpha": 0.1}
    rows = csr_array(X) if sparse else X
    _, gradient = full_objective(model, rows, y, loss, block=16, **options)
    expected = network.gradient(model.layers(), X, y, "tanh", oracle_of(loss), **options)
    compare(model, gradient, expected, 1e-12)


@all_pairs(
    solver=SOLVERS,
    dtype=DTYPES,
    sparse=[False, True],
    dropout=[(), (0.0, 0.4, 0.2)],
    parametric=[False, True],
)
def test_epochs(solver, dtype, sparse, dropout, parametric):
    """With all steps of an update, and rates of their own."""
    loss, hyper = LOSSES["squared_error"], solver_oracles.SETTINGS[solver][0]
    X, y, _ = draw(loss, 30, 5, 2, weighted=False)
    model = make("tanh", dtype, parametric, sparse=sparse, dropout=dropout)
    rows = X.astype(dtype)
    shared = {"rate": RATES[solver], "batch_size": 10, "alpha": 0.1}
    shared["rate_factors"] = {"scale": 0.5, "bias": 2.0}
    trainer, parameters = trainer_of(
        model,
        csr_array(rows) if sparse else rows,
        y,
        loss,
        solver=solver,
        hyper=(hyper, {}),
        before=(Clip(0.5), Decay(0.5)),
        after=(Average(0.8),),
        seed=SEED,
        **shared,
    )
    list(trainer.run(30 * np.arange(3)))
    *_, (expected, averages) = steps.train(
        model.layers(dtype="float64"),
        rows.astype(float),
        y,
        oracle_of(loss),
        [np.arange(30)] * 3,
        solver=solver,
        hyper=hyper,
        max_norm=0.5,
        weight_decay=0.5,
        ema_decay=0.8,
        masks_of=(lambda t, rows: masks_of(dropout, t, rows)) if dropout else None,
        **shared,
    )
    compare(model, parameters.theta, expected, 10 * TOLERANCE[dtype])
    compare(model, trainer._state.progress.state[-1], averages, 10 * TOLERANCE[dtype])


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("by_rows", [False, True])
def test_any_number_of_threads(by_rows, dtype, monkeypatch):
    monkeypatch.setattr(_trainer.Pace, "next_call", lambda pace: (pace.most, pace.limit))
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 60, 5, 2, weighted=False)
    found = []
    for n_threads in (1, 2, 3):
        trainer, parameters = trainer_of(
            make("tanh", dtype, dropout=(0.3, 0.4, 0.2)),
            X.astype(dtype),
            y,
            loss,
            rate=0.002,
            batch_size=50,
            chunk=7,
            by_rows=by_rows,
            n_threads=n_threads,
            seed=SEED,
            random_state=np.random.RandomState(0),
        )
        losses = list(trainer.run(60 * np.arange(4)))
        assert losses[-1] < losses[0]
        found.append((losses, parameters.theta.tobytes()))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch(dtype):
    torch = pytest.importorskip("torch")
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 40, 5, 2, weighted=False)
    model = make("tanh", dtype)
    value, gradient = loss_and_gradient(model, X.astype(dtype), y, loss)
    layers = [
        {kind: torch.nn.Parameter(torch.tensor(array)) for kind, array in layer.items()}
        for layer in model.layers(dtype="float64")
    ]
    outputs = torch.tensor(X.astype(dtype).astype(float))
    for layer in layers:
        outputs = outputs @ layer["weights"] + layer["bias"]
        if "scale" in layer:
            norm = torch.nn.LayerNorm(outputs.shape[1], dtype=torch.float64)
            norm.weight, norm.bias = layer["scale"], layer["shift"]
            outputs = torch.tanh(norm(outputs))
    targets = torch.tensor(y.astype(dtype).astype(float))
    total = 0.5 * (outputs - targets).square().sum(dim=1).mean()
    total.backward()
    assert_close(value, total.item(), TOLERANCE[dtype])
    expected = [{k: p.grad.numpy() for k, p in layer.items()} for layer in layers]
    compare(model, gradient, expected, 10 * TOLERANCE[dtype])
