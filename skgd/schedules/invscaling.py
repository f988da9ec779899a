r"""scikit-learn's inverse scaling: by the samples seen, after each epoch.

.. math:: \eta = \frac{\eta_0}{(n + 1)^p}

with :math:`n` samples seen in all finished epochs and ``power_t`` :math:`p`.
"""

from skgd.engine import Schedule, jit

__all__ = ["invscaling"]


@jit
def rate(initial, t, n_seen, hyper):
    return initial / (n_seen + 1.0) ** hyper[0]


invscaling = Schedule("invscaling", rate, hyperparameters=("power_t",))
