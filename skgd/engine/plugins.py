"""The base classes of plug-ins: activations, losses, solvers, schedules, initializers.

A plug-in is an estimator without ``fit``. It stores its arguments, and computes with plain
Python functions of numbers. When a network is trained, the engine compiles these functions
into its own loops (:mod:`skgd.engine.loops`). The interfaces are provisional until version
1.0.
"""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator

from skgd.engine.stage import KINDS

__all__ = [
    "Activation",
    "Initializer",
    "Loss",
    "NumericEmbedding",
    "Plugin",
    "Progress",
    "Schedule",
    "Solver",
    "Step",
]


class Plugin(BaseEstimator):
    """The base class of all plug-ins.

    Attributes
    ----------
    name : str
        The string that stands for the plug-in with default arguments; '' if there is none.

    own_arguments : tuple of str
        Arguments whose defaults differ from those of the estimator's parameters of the same
        name. If the plug-in is selected by its name, these parameters do not set them.
    """

    name: ClassVar[str] = ""
    own_arguments: ClassVar[tuple[str, ...]] = ()
    # The valid values of each argument, as in scikit-learn's estimators.
    _parameter_constraints: dict = {}

    @classmethod
    @cache
    def argument_names(cls) -> tuple[str, ...]:
        """Return the names of the constructor's arguments, in order."""
        if cls.__init__ is object.__init__:
            return ()
        return tuple(inspect.signature(cls.__init__).parameters)[1:]

    def resolved(self) -> Self:
        """Return the object itself, or the plug-in that its arguments select instead."""
        return self

    def numbers(self) -> np.ndarray:
        """Return the values of the constructor's arguments, in order.

        Returns
        -------
        ndarray of shape (n_arguments,), dtype=float64
        """
        values = [getattr(self, name) for name in self.argument_names()]
        return np.array(values, dtype=np.float64).reshape(-1)


class Activation(Plugin):
    """The function that a hidden unit applies to its linear input.

    A subclass defines two functions of numbers, as static methods. After the arguments
    below, both take the arguments of the constructor, in the same order.

    - ``value(z, ...)`` is the function,
    - ``slope(a, ...)`` is its derivative at ``z``, computed from ``a = value(z)``. This
      saves memory, since ``z`` is not kept. With ``slope_of = "input"``, the function is
      ``slope(z, ...)``. With ``slope_of = "both"``, it is ``slope(z, a, ...)``.

    Attributes
    ----------
    slope_of : {'value', 'input', 'both'}, default='value'
        Whether ``slope`` takes the value, the input, or both.

    gain : float, default=6.0
        The initial weights are uniform between ± sqrt(gain / (inputs + outputs)).
    """

    slope_of: ClassVar[str] = "value"
    gain: ClassVar[float] = 6.0

    @staticmethod
    def value(z: float, /, *parameters: Any, **names: Any) -> float:
        """Return the activation of the linear input ``z``."""
        raise NotImplementedError

    @staticmethod
    def slope(a: float, /, *parameters: Any, **names: Any) -> float:
        """Return the derivative of the activation."""
        raise NotImplementedError

    @classmethod
    def slope_arguments(cls, z: Any, a: Any) -> tuple:
        """Return the first arguments of ``slope``, for the input ``z`` and value ``a``."""
        return {"input": (z,), "value": (a,), "both": (z, a)}[cls.slope_of]


class Loss(Plugin):
    """An objective, as a function of a network's linear output z and the target y.

    A subclass defines functions of numbers, as static methods. After the arguments below,
    all of them take the arguments of the constructor, in the same order.

    - ``value(z, y, ...)`` is the loss of one output,
    - ``slope(z, y, ...)`` is its derivative with respect to ``z``,
    - ``link(z, ...)`` is the prediction, by default ``z``.

    A loss that couples the outputs of a row defines ``evaluate`` and ``apply_link``
    instead: see :mod:`skgd.losses.multinomial_log_loss`. If a loss has a method ``score(y,
    predicted, sample_weight)``, it replaces R².

    Attributes
    ----------
    out_activation : str
        The name of the link, which becomes the fitted ``out_activation_``.

    domain : tuple of (float, float, str)
        The two ends of the interval of valid targets, and which of them belong to it:
        'both', 'neither', 'left' or 'right'.

    outputs_per_target : int
        Outputs of the network for each column of ``y``.

    one_target : bool
        Whether ``y`` must have a single column.

    takes_array : bool
        Whether ``evaluate`` and ``apply_link`` take the arguments of the constructor as one
        array of float64. An argument that is a list needs this.

    takes_smoothing : bool
        Whether ``evaluate`` reads the label smoothing from the second column of ``y``, if
        there is one.
    """

    out_activation: ClassVar[str] = "identity"
    domain: ClassVar[tuple[float, float, str]] = (-np.inf, np.inf, "neither")
    outputs_per_target: ClassVar[int] = 1
    one_target: ClassVar[bool] = False
    takes_array: ClassVar[bool] = False
    takes_smoothing: ClassVar[bool] = False
    score: ClassVar[Any] = None
    evaluate: ClassVar[Any] = None
    apply_link: ClassVar[Any] = None

    @staticmethod
    def value(z: float, y: float, /, *parameters: Any, **names: Any) -> float:
        """Return the loss of one output."""
        raise NotImplementedError

    @staticmethod
    def slope(z: float, y: float, /, *parameters: Any, **names: Any) -> float:
        """Return the derivative of the loss with respect to ``z``."""
        raise NotImplementedError

    @staticmethod
    def link(z, *parameters):
        """Return the prediction of one output."""
        return z

    def check_targets(self, y: np.ndarray) -> None:
        """Raise a ValueError if ``y`` is not valid for this loss."""
        if self.one_target and y.shape[1] > 1:
            raise ValueError(
                f"loss={self.name or self!r} needs a single target, got y of shape "
                f"{y.shape}. Use sklearn.multioutput.MultiOutputRegressor for several."
            )
        low, high, closed = self.domain
        has_low, has_high = closed in ("both", "left"), closed in ("both", "right")
        below = y < low if has_low else y <= low
        outside = np.asarray(below | (y > high if has_high else y >= high))
        if np.isfinite([low, high]).any() and outside.any():
            bounds = f"in {'[' if has_low else '('}{low}, {high}{']' if has_high else ')'}"
            if high == np.inf:
                bounds = f"{'>=' if has_low else '>'} {low:g}"
            raise ValueError(
                f"loss={self.name or self!r} needs y {bounds}, got "
                f"{np.asarray(y)[outside].flat[0]}."
            )


class Step(Plugin):
    """A step of the update of a parameter.

    An update is a chain of steps that run in one loop. One of them is the solver. Steps
    before the solver may change the gradient. Steps before or after it may change the
    parameter. A step defines the same methods as a :class:`Solver`. Its ``update`` gets the
    parameter and the gradient as the previous steps have left them. Its ``rate`` includes
    the factor of the kind of parameter.

    Attributes
    ----------
    acts_on : {'parameter', 'gradient'}, default='parameter'
        What ``update`` replaces.

    shrinks : bool, default=False
        Whether the step shrinks the parameter by the step size of the solver, instead of
        calling ``update``. The solver is the previous step of the chain.
    """

    acts_on: ClassVar[str] = "parameter"
    n_slots: ClassVar[int] = 0
    kinds: ClassVar[tuple[str, ...]] = KINDS
    needs_norm: ClassVar[bool] = False
    shrinks: ClassVar[bool] = False

    def coefficients(self, rate: np.ndarray, t: np.ndarray) -> tuple:
        """Return the numbers that are the same for all parameters."""
        return (rate,)

    @staticmethod
    def update(
        theta: float, g: float, state: tuple, coefficients: tuple
    ) -> tuple[float, tuple]:
        """Return the new parameter, or the new gradient, and the new state."""
        raise NotImplementedError


class Solver(Step):
    """An update rule: the step that turns a gradient into a new parameter.

    A subclass defines one or two functions:

    - ``update(theta, g, state, coefficients)`` returns the new parameter and the new state.
      It is a static method of numbers. ``g`` is the gradient, including the penalty.
      ``state`` is a tuple of ``n_slots`` numbers, initially zeros. ``coefficients`` is a
      tuple of numbers, those of this update.
    - ``coefficients(self, rate, t)`` returns the coefficients of the next updates, which
      all parameters share: a tuple of numbers or arrays, by default ``(rate,)``. It is not
      compiled. ``rate`` and ``t`` are arrays: the learning rate of each update, and the
      number of updates before it.

    With ``l1_ratio``, a solver needs more functions:

    - ``step_size(state, coefficients)`` returns the factor by which the update multiplies
      the gradient; with a velocity, the sum of the factors over all updates. It is a static
      method of numbers. ``state`` is the new state.
    - ``step_coefficients(self, rate, t)`` returns the coefficients of ``step_size``, by
      default ``(rate,)``.
    - ``step_rates(self, rate, before)`` is only needed if the step size depends on the
      rates of earlier updates. It returns two arrays: the ``rate`` for
      ``step_coefficients``, and the number to continue from after each update. ``before``
      is the last such number of the previous call, initially 0.

    Attributes
    ----------
    n_slots : int, default=0
        The number of values to keep for each parameter.

    kinds : tuple of str
        The kinds of parameters that the step changes, by default all: 'weights', 'bias',
        'scale', 'embedding', 'activation', 'periodic'.

    needs_norm : bool, default=False
        Whether ``update`` gets another coefficient at the end: the Euclidean norm of the
        gradient of all parameters. Training then takes longer.
    """

    step_size: ClassVar[Any] = None

    def step_coefficients(self, rate: np.ndarray, t: np.ndarray) -> tuple:
        """Return the coefficients of ``step_size`` for the next updates."""
        return (rate,)

    def step_rates(self, rate: np.ndarray, before: float) -> tuple:
        """Return the rates of the step sizes, and the numbers to continue from."""
        return rate, rate

    def __call__(self, fun, x0, args=(), **options):
        """Minimize a function, as a method of ``scipy.optimize.minimize``.

        Write ``minimize(fun, x0, jac=jac, method=Adam(), options={...})``. The updates run
        in the compiled kernel that also trains networks, in float64.

        Parameters
        ----------
        fun : callable
            ``fun(x, *args)`` returns a number. It is called only at the end, and for a
            callback that takes ``intermediate_result``.

        x0 : array-like of shape (n,)
            The initial point.

        args : tuple, default=()
            Further arguments of ``fun`` and ``jac``.

        **options : dict
            - ``jac``: ``jac(x, *args)`` returns the gradient. It is required.
            - ``learning_rate_init``: the initial learning rate, by default 0.001.
            - ``learning_rate``: the name of a schedule, a Schedule or a function of
              ``(update, n_updates)``, by default 'constant'. An update counts as an epoch
              of one sample.
            - ``maxiter``: the largest number of updates, by default 1000.
            - ``gtol``, or SciPy's ``tol``: stop as soon as no component of the gradient is
              larger than this, by default 1e-5.
            - ``callback``: is called after each update with ``x``, or with an
              OptimizeResult if its only argument is named ``intermediate_result``. It may
              raise StopIteration.
            - ``disp``: whether to print the message, by default False.

        Returns
        -------
        result : scipy.optimize.OptimizeResult
            The last finite ``x``, its ``fun`` and ``jac``, the counts ``nit``, ``nfev`` and
            ``njev``, and ``status``, ``success`` and ``message``. ``success`` says whether
            the gradient has become small enough for ``gtol``.

        Raises
        ------
        ValueError
            If ``jac`` is missing, if there are bounds, constraints or a Hessian, or if an
            option is not valid.

        Examples
        --------
        >>> from scipy.optimize import minimize, rosen, rosen_der
        >>> from skgd.solvers import Adam
        >>> method = Adam(beta_2=0.99)
        >>> options = {"learning_rate_init": 0.1, "learning_rate": "cosine"}
        >>> options["maxiter"] = 2000
        >>> found = minimize(rosen, [-1, 2], jac=rosen_der, method=method, options=options)
        >>> found.x.round(3)
        array([1., 1.])
        """
        # Imported here, since only this method needs the compiler.
        from skgd.engine.minimize import minimize

        return minimize(self, fun, x0, args, **options)


class NumericEmbedding(Plugin):
    """An embedding of numeric columns, which the network reads in addition to them.

    Attributes
    ----------
    rate_factors : dict of str to float
        By kind of parameters, a factor of the learning rate.
    """

    rate_factors: ClassVar[Mapping[str, float]] = {}

    @property
    def waves(self) -> tuple:
        """Return the numbers of frequencies and outputs if there are cosines, else ()."""
        return ()


class Progress(NamedTuple):
    """The position of the next updates in the training, for a schedule.

    Attributes
    ----------
    update : ndarray of shape (n,), dtype=int64
        For each of the next updates, the number of updates before it.

    n_updates : int or None
        The number of all updates of the fit, in ``max_iter`` epochs; None if not known.

    epoch : ndarray of shape (n,), dtype=int64
        For each of the next updates, the number of finished epochs.

    n_samples_seen : ndarray of shape (n,), dtype=int64
        For each of the next updates, the number of samples in the finished epochs.
    """

    update: np.ndarray
    n_updates: int | None
    epoch: np.ndarray
    n_samples_seen: np.ndarray


class Schedule(Plugin):
    """A learning rate as a factor of its initial value.

    A subclass defines ``__call__(progress)``, which returns the factors of the next
    updates: an array of the shape of ``progress.update``. It may also define
    ``after_plateau(rate)``, which is called when the training stops improving. It returns
    the initial rate to continue with, or None to stop. Without this method, the training
    stops.

    Attributes
    ----------
    needs_n_updates : bool
        Whether ``progress.n_updates`` must be known.
    """

    # The schedules that have names; skgd.schedules adds them.
    registry: ClassVar[dict[str, type["Schedule"]]] = {}
    needs_n_updates: ClassVar[bool] = False
    after_plateau: ClassVar[Any] = None

    def __call__(self, progress: Progress) -> np.ndarray:
        """Return the factors of the next updates."""
        raise NotImplementedError


class Initializer(Plugin):
    """A distribution of the initial weights of a layer, whose bias starts at 0.

    A subclass defines ``__call__(shape, rng)``, which returns an array of the shape
    ``(inputs, outputs)``. ``rng`` is a :class:`numpy.random.RandomState`.
    """

    def __call__(self, shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
        """Return the initial weights."""
        raise NotImplementedError
