r"""Dropout of the inputs, or after the activation of a hidden layer.

.. math:: y = \frac{m x}{1 - p}, \qquad m = 0 \text{ with probability } p, \text{ else } 1

References
----------
N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014). "Dropout: a
simple way to prevent neural networks from overfitting." JMLR 15.
"""

from skgd.engine.stage import Stage
from skgd.kernels.random import BLOCK, VALUES, drop
from skgd.kernels.views import vector

__all__ = ["Dropout"]


class Dropout(Stage):
    """Drops units, anew in each mini-batch. It is not for predictions.

    Which ones is a function of seed, update, index, row and unit. The backward pass
    computes it again, which is faster than to keep it.

    Parameters
    ----------
    units : int
        The units of the layer.

    rate : float
        The probability, rounded to a multiple of 2**-16.

    index : int
        Tells the stages of a network apart.
    """

    keeps_delta = False
    n_own = BLOCK

    def __init__(self, units, rate, index):
        super().__init__(units, units)
        n_dropped = min(round(rate * VALUES), VALUES - 1)
        self.numbers = (index, n_dropped, VALUES / (VALUES - n_dropped))

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write what is kept, and zeros."""
        index, n_dropped, factor = work.numbers[0], work.numbers[1], work.numbers[2]
        place = step.update, int(index), step.first * stage.inputs
        own = vector(work.own, stage.own, BLOCK)
        drop(step.seed, place, (int(n_dropped), factor), inputs, own, outputs)

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Drop the same of ``delta``."""
        index, n_dropped, factor = work.numbers[0], work.numbers[1], work.numbers[2]
        place = step.update, int(index), step.first * stage.inputs
        own = vector(work.own, stage.own, BLOCK)
        drop(step.seed, place, (int(n_dropped), factor), delta, own, delta)

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """There are no parameters."""
