r"""
Your own loss, solver and schedule
==================================

Each is a class with a few plain Python functions. skgd compiles them into its own loops:
they train as fast as the built-in ones.
"""

# %%
# A loss
# ------
#
# The log-cosh loss is quadratic near the target and linear farther away. The class has its
# value, and its slope with respect to the output ``z``. ``check_plugin`` compares the two.

import warnings
from math import exp, log1p, tanh
from time import process_time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPRegressor
from skgd.losses import Loss
from skgd.schedules import Schedule
from skgd.solvers import Solver
from skgd.testing import check_plugin

warnings.filterwarnings("ignore", category=ConvergenceWarning)


class LogCosh(Loss):
    """log cosh(z - y)."""

    @staticmethod
    def value(z, y):
        e = abs(z - y)
        return e + log1p(exp(-2 * e)) - 0.6931471805599453

    @staticmethod
    def slope(z, y):
        return tanh(z - y)


# %%
# A solver
# --------
#
# Steps of the size of the rate, in the direction of a moving average's sign (signSGD with
# momentum). ``state`` has ``n_slots`` numbers for each parameter, zeros at first.


class SignMomentum(Solver):
    """The sign of the averaged gradient."""

    n_slots = 1

    @staticmethod
    def update(theta, g, state, coefficients):
        (rate,) = coefficients
        m = 0.9 * state[0] + 0.1 * g
        step = rate if m > 0 else -rate
        return theta - step, (m,)


# %%
# A schedule
# ----------
#
# Two triangles: the rate rises linearly and falls back, twice. A schedule is ordinary
# NumPy, and returns the factors of ``learning_rate_init`` for the next updates at once.


class Triangles(Schedule):
    """The rate goes up and down twice."""

    needs_n_updates = True

    def __call__(self, progress):
        position = 2 * progress.update / progress.n_updates % 1
        return 1 - abs(2 * position - 1)


for plugin in (LogCosh(), SignMomentum(), Triangles()):
    check_plugin(plugin)

# %%
# At full speed
# -------------
#
# The same network, with built-in plug-ins, and with one of the new classes at a time. The
# left panel has the training losses. With the new schedule, the loss falls twice, once in
# each triangle. The right panel has the processor's time for an epoch, which is about the
# same for all.

X, y = load_digits(return_X_y=True)
X, y = X / 16, (y - y.mean()) / y.std()
n_epochs = 40
settings = {
    "skgd's: Huber, Adam, constant": {"loss": "huber"},
    "own loss": {"loss": LogCosh()},
    "own solver": {"loss": "huber", "solver": SignMomentum(), "learning_rate_init": 0.0003},
    "own schedule": {"loss": "huber", "learning_rate": Triangles()},
    "all three": {
        "loss": LogCosh(),
        "solver": SignMomentum(),
        "learning_rate": Triangles(),
        "learning_rate_init": 0.0006,
    },
}
fig, axes = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained")
for place, (name, parameters) in enumerate(settings.items()):
    model = MLPRegressor(
        hidden_layer_sizes=(128, 128),
        batch_size=64,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
        n_jobs=1,
        random_state=0,
    ).set_params(**parameters)
    model.fit(X[:200], y[:200])  # compiles
    times = []
    for _ in range(3):
        start = process_time()
        model.fit(X, y)
        times.append(process_time() - start)
    axes[0].plot(np.arange(1, n_epochs + 1), model.loss_curve_, label=name)
    axes[1].bar(place, 1000 * min(times) / n_epochs)
axes[0].set(yscale="log", xlabel="epoch", ylabel="training loss", title="Digits as numbers")
axes[0].grid(alpha=0.3)
axes[0].legend()
axes[1].set_xticks(range(len(settings)), [n.split(":")[0] for n in settings])
axes[1].set(ylabel="milliseconds of one core", title="Time of an epoch")
plt.show()
