"""The update rules against torch.optim, where its conventions can be converted."""

import numpy as np
import pytest

from skgd.solvers import SOLVERS
from tests.engine.helpers import update
from tests.oracles.solvers import SETTINGS
from tests.solvers.test_solvers import TOLERANCE, problem

torch = pytest.importorskip("torch")

# torch keeps the learning rate outside the velocity: the same as long as it is constant.
RATE = 0.003


def make_momentum(parameters, settings):
    # Without momentum torch knows no Nesterov step; it is the plain one.
    nesterov = settings["nesterovs_momentum"] and settings["momentum"] > 0
    return torch.optim.SGD(
        parameters,
        lr=RATE,
        momentum=settings["momentum"],
        nesterov=nesterov,
    )


def make_rmsprop(parameters, settings):
    return torch.optim.RMSprop(
        parameters,
        lr=RATE,
        alpha=settings["rho"],
        eps=settings["epsilon"],
    )


def make_adam(parameters, settings):
    return torch.optim.Adam(
        parameters,
        lr=RATE,
        betas=(settings["beta_1"], settings["beta_2"]),
    )


PEERS = {
    "minibatch": lambda parameters, settings: torch.optim.SGD(parameters, lr=RATE),
    "momentum": make_momentum,
    "sgd": make_momentum,
    "rmsprop": make_rmsprop,
    "adam": make_adam,
}


def test_every_solver_has_a_peer():
    assert set(PEERS) == set(SOLVERS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "settings"), [(name, s) for name in SOLVERS for s in SETTINGS[name]]
)
def test_a_trace_follows_torch(name, settings, dtype):
    solver = SOLVERS[name](**settings)
    theta, gradients, _ = problem(dtype)
    state = np.zeros((solver.n_slots, theta.size), dtype=dtype)
    parameter = torch.nn.Parameter(torch.tensor(theta, dtype=torch.float64))
    peer = PEERS[name]([parameter], settings)
    for t, g in enumerate(gradients):
        if name == "adam":
            # torch adds epsilon after the correction of the second moment.
            correction = np.sqrt(1 - settings["beta_2"] ** (t + 1))
            peer.param_groups[0]["eps"] = settings["epsilon"] / correction
        parameter.grad = torch.tensor(g, dtype=torch.float64)
        peer.step()
        update(solver, theta, g, state, RATE, t)
        expected = parameter.detach().numpy()
        np.testing.assert_allclose(theta, expected, rtol=TOLERANCE[dtype])
