r"""The learning rate stays what it was.

.. math:: \eta = \eta_0
"""

from skgd.engine import Schedule, jit

__all__ = ["constant", "rate"]


@jit
def rate(initial, t, n_seen, hyper):
    return initial


constant = Schedule("constant", rate)
