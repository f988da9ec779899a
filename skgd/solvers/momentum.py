r"""Gradient descent with momentum, classical or Nesterov's.

.. math::

    v &\leftarrow \mu v - \eta g \\
    \theta &\leftarrow \theta + v
    \quad \text{(Nesterov: } \theta \leftarrow \theta + \mu v - \eta g \text{)}

The learning rate stays inside the velocity, as in scikit-learn and Keras.

References
----------
B. T. Polyak (1964). "Some methods of speeding up the convergence of iteration methods."
USSR Computational Mathematics and Mathematical Physics 4(5).

I. Sutskever, J. Martens, G. Dahl, G. Hinton (2013). "On the importance of initialization
and momentum in deep learning." ICML.
"""

from skgd.engine import Solver, jit

__all__ = ["momentum"]


@jit
def update(theta, gradient, state, rate, t, hyper):
    velocity = state[0]
    eta = theta.dtype.type(rate)
    mu = theta.dtype.type(hyper[0])
    nesterov = hyper[1] != 0
    for i in range(theta.shape[0]):
        step = eta * gradient[i]
        v = mu * velocity[i] - step
        velocity[i] = v
        theta[i] += mu * v - step if nesterov else v


momentum = Solver(
    "momentum", update, n_slots=1, hyperparameters=("momentum", "nesterovs_momentum")
)
