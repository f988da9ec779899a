r"""Adam: steps from bias-corrected moving moments of the gradient.

.. math::

    m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
    v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
    \theta &\leftarrow \theta
    - \eta \frac{\sqrt{1 - \beta_2^{t+1}}}{1 - \beta_1^{t+1}} \frac{m}{\sqrt{v} + \epsilon}

with :math:`t` updates before this one. The :math:`\epsilon` is the "epsilon hat" of the
paper's section 2, as in scikit-learn and TensorFlow 1.

References
----------
D. P. Kingma, J. Ba (2015). "Adam: a method for stochastic optimization." ICLR,
arXiv:1412.6980.
"""

import math

from skgd.engine import Solver, jit

__all__ = ["adam"]


@jit
def update(theta, gradient, state, rate, t, hyper):
    first, second = state
    correction = math.sqrt(1.0 - hyper[1] ** (t + 1)) / (1.0 - hyper[0] ** (t + 1))
    eta = theta.dtype.type(rate * correction)
    beta_1 = theta.dtype.type(hyper[0])
    beta_2 = theta.dtype.type(hyper[1])
    one_minus_beta_1 = theta.dtype.type(1.0 - hyper[0])
    one_minus_beta_2 = theta.dtype.type(1.0 - hyper[1])
    epsilon = theta.dtype.type(hyper[2])
    for i in range(theta.shape[0]):
        g = gradient[i]
        m = beta_1 * first[i] + one_minus_beta_1 * g
        v = beta_2 * second[i] + one_minus_beta_2 * (g * g)
        first[i] = m
        second[i] = v
        theta[i] -= eta * m / (math.sqrt(v) + epsilon)


adam = Solver("adam", update, n_slots=2, hyperparameters=("beta_1", "beta_2", "epsilon"))
