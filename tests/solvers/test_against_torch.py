"""The update rules against torch.optim, where its conventions can be converted."""

import numpy as np
import pytest

from skgd import MLPRegressor
from skgd.engine.stage import KINDS
from skgd.solvers import SOLVERS
from tests.engine.helpers import update
from tests.oracles.solvers import SETTINGS
from tests.solvers.test_solvers import TOLERANCE, problem

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def double():
    """NAdam keeps a product in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


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
        centered=settings.get("centered", False),
        momentum=settings.get("momentum", 0.0),
    )


def make_adam(parameters, settings):
    return torch.optim.Adam(
        parameters,
        lr=RATE,
        betas=(settings["beta_1"], settings["beta_2"]),
        amsgrad=settings.get("amsgrad", False),
    )


def make_nadam(parameters, settings):
    return torch.optim.NAdam(
        parameters,
        lr=RATE,
        betas=(settings["beta_1"], settings["beta_2"]),
        eps=settings["epsilon"],
        momentum_decay=settings.get("momentum_decay", 0.004),
    )


def make_adagrad(parameters, settings):
    return torch.optim.Adagrad(parameters, lr=RATE, eps=settings["epsilon"])


PEERS = {
    "minibatch": lambda parameters, settings: torch.optim.SGD(parameters, lr=RATE),
    "momentum": make_momentum,
    "sgd": make_momentum,
    "rmsprop": make_rmsprop,
    "adam": make_adam,
    "nadam": make_nadam,
    "adagrad": make_adagrad,
}
# What torch does not have.
WITHOUT_PEER = {"lion"}


def test_every_solver_has_a_peer():
    assert set(PEERS) | WITHOUT_PEER == set(SOLVERS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "settings"), [(name, s) for name in PEERS for s in SETTINGS[name]]
)
def test_a_trace_follows_torch(name, settings, dtype):
    solver = SOLVERS[name](**settings).resolved()
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


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_adamw_of_clipped_gradients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    y = X @ rng.normal(size=4) + 1
    network = MLPRegressor(
        hidden_layer_sizes=(),
        alpha=0,
        learning_rate_init=RATE,
        max_iter=20,
        random_state=0,
        # Torch adds it after the correction of the second moment.
        epsilon=1e-14,
        weight_decay=3.0,
        max_grad_norm=0.5,
    )
    # Those that training begins with.
    network.set_params(learning_rate_factors=dict.fromkeys(KINDS, 0.0)).fit(X, y)
    arrays = network.coefs_[0][:, 0], network.intercepts_[0]
    weights, bias = (torch.nn.Parameter(torch.tensor(a.copy())) for a in arrays)
    network.set_params(learning_rate_factors=None).fit(X, y)
    groups = [{"params": [weights], "weight_decay": 3.0}, {"params": [bias]}]
    peer = torch.optim.AdamW(groups, lr=RATE, eps=1e-14, weight_decay=0.0)
    rows, targets = torch.tensor(X), torch.tensor(y)
    for _ in range(network.n_iter_):
        peer.zero_grad()
        (0.5 * (rows @ weights + bias - targets).square().mean()).backward()
        torch.nn.utils.clip_grad_norm_([weights, bias], 0.5)
        peer.step()
    # Torch divides by the norm plus 1e-6.
    for found, expected in (
        (network.coefs_[0][:, 0], weights),
        (network.intercepts_[0], bias),
    ):
        np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-4)
