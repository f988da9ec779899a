r"""RMSProp: each parameter's step divided by the recent size of its gradient.

.. math::

    s &\leftarrow \rho s + (1 - \rho) g^2, \qquad s_0 = 0 \\
    \theta &\leftarrow \theta - \eta \frac{g}{\sqrt{s} + \epsilon}

With :math:`\epsilon` outside the root, as in PyTorch.

References
----------
T. Tieleman, G. Hinton (2012). "Lecture 6.5, rmsprop: divide the gradient by a running
average of its recent magnitude." Neural Networks for Machine Learning, Coursera.
"""

import math

from skgd.engine import Solver, jit

__all__ = ["rmsprop"]


@jit
def update(theta, gradient, state, rate, t, hyper):
    mean_square = state[0]
    eta = theta.dtype.type(rate)
    rho = theta.dtype.type(hyper[0])
    one_minus_rho = theta.dtype.type(1.0 - hyper[0])
    epsilon = theta.dtype.type(hyper[1])
    for i in range(theta.shape[0]):
        g = gradient[i]
        s = rho * mean_square[i] + one_minus_rho * (g * g)
        mean_square[i] = s
        theta[i] -= eta * g / (math.sqrt(s) + epsilon)


rmsprop = Solver("rmsprop", update, n_slots=1, hyperparameters=("rho", "epsilon"))
