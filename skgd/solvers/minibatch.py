r"""Mini-batch gradient descent.

.. math:: \theta \leftarrow \theta - \eta g

References
----------
H. Robbins, S. Monro (1951). "A stochastic approximation method."
The Annals of Mathematical Statistics 22(3).
"""

from skgd.engine import Solver, jit

__all__ = ["minibatch"]


@jit
def update(theta, gradient, state, rate, t, hyper):
    eta = theta.dtype.type(rate)
    for i in range(theta.shape[0]):
        theta[i] -= eta * gradient[i]


minibatch = Solver("minibatch", update, n_slots=0)
