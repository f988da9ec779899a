"""What plugs into the training loop: activations, losses, solvers, schedules.

A plug-in is data and kernels. The loop knows only the kernels' signatures, so that it is
compiled once a dtype for all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from skgd.engine.jit import Kernel, jit

__all__ = ["Activation", "Loss", "Schedule", "Solver"]


@dataclass(frozen=True)
class Activation:
    """What a hidden unit does with its linear input.

    Parameters
    ----------
    name : str
        Its value for ``activation``.

    value : Kernel
        The function of a scalar.

    slope : Kernel
        Its derivative, as a function of its value.

    gain : float
        The initial weights are uniform within ± sqrt(gain / (inputs + outputs)).
    """

    name: str
    value: Kernel
    slope: Kernel
    gain: float

    @cached_property
    def forward(self):
        """Kernel of (z), which replaces a vector z by value(z)."""
        value = self.value

        def forward(z):
            for i in range(z.shape[0]):
                z[i] = value(z[i])

        forward.__qualname__ = f"{self.name}.forward"
        return jit(forward)

    @cached_property
    def backward(self):
        """Kernel of (a, delta), both vectors.

        ``delta``, the gradient by the activations ``a``, becomes that by the linear
        output.
        """
        slope = self.slope

        def backward(a, delta):
            for i in range(a.shape[0]):
                delta[i] *= slope(a[i])

        backward.__qualname__ = f"{self.name}.backward"
        return jit(backward)

    def bind(self, T):
        """Compile both kernels for the Numba dtype ``T``."""
        from numba import void

        return (
            self.forward.bind(void, T[::1]),
            self.backward.bind(void, T[::1], T[::1]),
        )


@dataclass(frozen=True)
class Loss:
    """An objective, as a function of the network's linear output z.

    Parameters
    ----------
    name : str
        Its value for ``loss``.

    evaluate : Kernel
        Of (z, y, weight, scale, delta): returns sum_i weight_i loss(z_i, y_i) in float64
        and writes scale * weight_i * d loss(z_i, y_i) / d z_i to ``delta``. ``z`` and
        ``delta`` are of shape (rows, n_outputs), ``y`` of shape (rows, n_targets). What is
        left in ``z`` is of no use.

    link : Kernel
        Of (z): replaces the linear output by the prediction.

    out_activation : str
        scikit-learn's name of the link, the fitted ``out_activation_``.
    """

    name: str
    evaluate: Kernel
    link: Kernel
    out_activation: str

    def bind_evaluate(self, T):
        """Compile ``evaluate`` for the Numba dtype ``T``."""
        from numba import float64

        matrix = T[:, ::1]
        return self.evaluate.bind(float64, matrix, matrix, T[::1], T, matrix)

    def bind_link(self, T):
        """Compile ``link`` for the Numba dtype ``T``."""
        from numba import void

        return self.link.bind(void, T[:, ::1])


@dataclass(frozen=True)
class Solver:
    """An update rule: explicit state and what one update does to it.

    Parameters
    ----------
    name : str
        Its value for ``solver``.

    update : Kernel
        Of (theta, gradient, state, rate, t, hyper): update some parameters by their
        gradient, the penalty's included; ``state`` is a pair of arrays like them,
        of which the first ``n_slots`` are the solver's and start at zero;
        ``rate`` is this update's learning rate, ``t`` counts the updates before it.

    n_slots : int
        Number of values kept per parameter, at most 2.

    hyperparameters : tuple of str
        The constructor parameters whose values are in ``hyper``, in this order.
    """

    name: str
    update: Kernel
    n_slots: int
    hyperparameters: tuple[str, ...] = ()

    def bind(self, T):
        """Compile the update for the Numba dtype ``T``."""
        from numba import float64, int64, void
        from numba.core.types import UniTuple

        vector = T[::1]
        return self.update.bind(
            void, vector, vector, UniTuple(vector, 2), float64, int64, float64[::1]
        )


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the progress of the training.

    Parameters
    ----------
    name : str
        Its value for ``learning_rate``.

    rate : Kernel
        Of (initial, t, n_seen, hyper): the learning rate of the update that ``t`` updates
        came before; ``n_seen`` counts the samples of all finished epochs.

    hyperparameters : tuple of str
        The constructor parameters whose values are in ``hyper``, in this order.

    after_plateau : callable, optional
        Called with the initial rate when the training stops improving. Returns the one
        to go on with, or None to stop. Without it, training stops.
    """

    name: str
    rate: Kernel
    hyperparameters: tuple[str, ...] = ()
    after_plateau: Callable[[float], float | None] | None = None

    def bind(self):
        """Compile the rate."""
        from numba import float64, int64

        return self.rate.bind(float64, float64, int64, int64, float64[::1])
