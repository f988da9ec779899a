r"""Inverse time decay.

.. math:: \eta = \frac{\eta_0}{1 + k \lfloor t / T \rfloor}

with the ``decay_rate`` :math:`k`, the ``decay_steps`` :math:`T` and :math:`t` updates
made. ``staircase=False`` drops the floor.

References
----------
H. Robbins, S. Monro (1951). "A stochastic approximation method."
The Annals of Mathematical Statistics 22(3).
"""

import math

from skgd.engine import Schedule, jit

__all__ = ["inverse_time"]


@jit
def rate(initial, t, n_seen, hyper):
    decay_rate = hyper[0]
    periods = t / hyper[1]
    if hyper[2] != 0:
        periods = float(math.floor(periods))
    return initial / (1.0 + decay_rate * periods)


inverse_time = Schedule(
    "inverse_time",
    rate,
    hyperparameters=("decay_rate", "decay_steps", "staircase"),
)
