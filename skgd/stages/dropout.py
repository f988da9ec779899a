r"""Dropout of the inputs, or after the activation of a hidden layer.

.. math:: y = \frac{m x}{1 - p}, \qquad m = 0 \text{ with probability } p, \text{ else } 1

References
----------
N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014). "Dropout: a
simple way to prevent neural networks from overfitting." JMLR 15.
"""

from skgd.engine.stage import Stage
from skgd.kernels.random import BLOCK, drop, rounded_rate
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
        The probability, before the factor of its schedule. The product is rounded to a
        multiple of 2**-16.

    index : int
        Tells the stages of a network apart.
    """

    keeps_delta = False
    n_own = BLOCK

    def __init__(self, units, rate, index):
        super().__init__(units, units)
        self.rate = rate
        self.numbers = (index, rate)

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write what is kept, and zeros."""
        rate = rounded_rate(step.dropping * work.numbers[1])
        place = step.update, int(work.numbers[0]), step.first * stage.inputs
        own = vector(work.own, stage.own, BLOCK)
        drop(step.seed, place, rate, inputs, own, outputs)

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Drop the same of ``delta``."""
        rate = rounded_rate(step.dropping * work.numbers[1])
        place = step.update, int(work.numbers[0]), step.first * stage.inputs
        own = vector(work.own, stage.own, BLOCK)
        drop(step.seed, place, rate, delta, own, delta)

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """There are no parameters."""
