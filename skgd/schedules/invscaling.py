r"""scikit-learn's inverse scaling: by the samples seen, after each epoch.

.. math:: \eta = \frac{\eta_0}{(n + 1)^p}

with :math:`n` samples seen in all finished epochs and ``power_t`` :math:`p`.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Schedule

__all__ = ["InverseScaling"]


class InverseScaling(Schedule):
    """Inverse scaling: 1 / (n + 1) ** power_t after epochs with n samples in all.

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent.

    Examples
    --------
    >>> from skgd.schedules import InverseScaling
    >>> InverseScaling(power_t=0.25)
    InverseScaling(power_t=0.25)
    """

    name = "invscaling"
    _parameter_constraints: dict = {"power_t": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, power_t=0.5) -> None:
        self.power_t = power_t

    def __call__(self, progress):
        """Return 1 / (n + 1) ** power_t."""
        return 1.0 / (progress.n_samples_seen + 1.0) ** self.power_t
