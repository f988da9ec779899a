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
    """Drops random units in each mini-batch. Predictions do not use this stage.

    Whether a unit is dropped is a function of seed, update, index, row and unit. The
    backward pass computes this function again, which is faster than keeping its values.

    Parameters
    ----------
    units : int
        The units of the layer.

    rate : float
        The initial probability. In each update, it is multiplied by the factor of its
        schedule, and rounded to a multiple of 2**-16.

    index : int
        Distinguishes the dropout stages of a network.
    """

    keeps_delta = False
    n_own = BLOCK

    def __init__(self, units, rate, index):
        super().__init__(units, units)
        self.rate = rate
        self.numbers = (index, rate)

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write the outputs: dropped units are 0, the others are multiplied."""
        rate = rounded_rate(step.dropping * work.numbers[1])
        place = step.update, int(work.numbers[0]), step.first * stage.inputs
        own = vector(work.own, stage.own, BLOCK)
        drop(step.seed, place, rate, inputs, own, outputs)

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Drop the same units of ``delta``, and multiply the others."""
        rate = rounded_rate(step.dropping * work.numbers[1])
        place = step.update, int(work.numbers[0]), step.first * stage.inputs
        own = vector(work.own, stage.own, BLOCK)
        drop(step.seed, place, rate, delta, own, delta)

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """There are no parameters."""
