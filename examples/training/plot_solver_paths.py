r"""
Paths of solvers over a valley and a saddle
===========================================

A solver is also a method of ``scipy.optimize.minimize``, with the same compiled kernels
that train networks. :class:`~skgd.inspection.SolverPathDisplay` draws its path on a
function of two variables.
"""

# %%
# A narrow curved valley
# ----------------------
#
# :math:`f(a, b) = (1 - a)^2 / 2 + 2 (b - a^2)^2`, with its minimum at (1, 1). Each solver
# has a learning rate that suits it.

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

from skgd.inspection import SolverPathDisplay
from skgd.solvers import Adam


def valley(x):
    """Compute the height."""
    return 0.5 * (1 - x[0]) ** 2 + 2 * (x[1] - x[0] ** 2) ** 2


def slope_of_valley(x):
    """Compute the gradient."""
    rise = x[1] - x[0] ** 2
    return np.array([x[0] - 1 - 8 * x[0] * rise, 4 * rise])


start = [-1.4, 0.2]
rates = {
    "minibatch": 0.05,
    "momentum": 0.01,
    "rmsprop": 0.03,
    "adam": 0.1,
    "nadam": 0.1,
    "adagrad": 0.4,
    "lion": 0.023,
}
fig, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
display = SolverPathDisplay.from_function(
    valley,
    slope_of_valley,
    start,
    list(rates),
    learning_rate_init=list(rates.values()),
    limits=((-1.8, 1.9), (-0.7, 2.4)),
    ax=axes[0],
    markersize=3,
    linewidth=1,
)
axes[0].plot(1, 1, "*", color="black", markersize=13)
axes[0].set_title("200 updates, a dot each")
for name, path in display.paths.items():
    axes[1].plot([valley(x) for x in path], label=name)
axes[1].set(xlabel="update", ylabel="height above the minimum", yscale="log")
axes[1].set_title("Height along the path")
axes[1].grid(alpha=0.3)
plt.show()

# %%
# Mini-batch gradient descent and momentum start along the steepest slope. The others divide
# by the size of the gradients, or take their sign, and start diagonally. Near the minimum,
# Lion and RMSProp keep the length of their steps and jump around it. A schedule shortens
# the steps. The next figure has Adam without and with a schedule.

for schedule in ("constant", "cosine"):
    found = minimize(
        valley,
        start,
        jac=slope_of_valley,
        method=Adam(beta_2=0.9),
        options={"learning_rate_init": 0.1, "learning_rate": schedule, "maxiter": 200},
    )
    print(f"{schedule}: {found.fun:.1e} after {found.nit} updates")

# %%
# A saddle
# --------
#
# :math:`f(a, b) = a^2 - b^2 + b^4 / 4` has a saddle at (0, 0) and minima at
# :math:`(0, \pm \sqrt 2)`. The start is almost on the ridge, where the slope along
# :math:`b` is tiny. Gradient descent and momentum go along the ridge to the saddle, and
# linger there. Adam and Lion, whose steps hardly depend on the size of the gradient, leave
# the ridge with the first update.


def saddle(x):
    """Compute the height."""
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


def slope_of_saddle(x):
    """Compute the gradient."""
    return np.array([2 * x[0], -2 * x[1] + x[1] ** 3])


display = SolverPathDisplay.from_function(
    saddle,
    slope_of_saddle,
    [1.2, 1e-3],
    ["minibatch", "momentum", "adam", "lion"],
    learning_rate_init=[0.1, 0.01, 0.1, 0.05],
    limits=((-1.0, 1.5), (-0.6, 1.8)),
    maxiter=60,
)
display.ax_.set_title("60 updates, a dot each")
plt.show()
