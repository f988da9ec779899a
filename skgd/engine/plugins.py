"""The base classes of plug-ins: activations, losses, solvers, schedules, initializers.

A plug-in is an estimator without ``fit``: it stores its arguments, and has no compiled
kernel. Its computations are plain Python functions of numbers. The engine compiles them
into loops of its own when a network is trained (:mod:`skgd.engine.loops`). These
contracts are provisional until version 1.0.
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
        The string that stands for the plug-in with its defaults; '' if there is none.

    own_arguments : tuple of str
        Arguments that an estimator's parameter of the same name does not set, since their
        defaults differ.
    """

    name: ClassVar[str] = ""
    own_arguments: ClassVar[tuple[str, ...]] = ()
    # As for scikit-learn's estimators: what each argument may be.
    _parameter_constraints: dict = {}

    @classmethod
    @cache
    def argument_names(cls) -> tuple[str, ...]:
        """Return the names of the constructor's arguments, in order."""
        if cls.__init__ is object.__init__:
            return ()
        return tuple(inspect.signature(cls.__init__).parameters)[1:]

    def resolved(self) -> Self:
        """Return the plug-in that the arguments ask for, by default the object itself."""
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

    A subclass defines two functions of numbers, as static methods. After the first
    argument, both take the arguments of the constructor, in its order.

    - ``value(z, ...)`` is the function,
    - ``slope(x, ...)`` is its derivative at ``z``. ``x`` is ``value(z)``, which saves
      memory, or ``z`` itself if the class sets ``slope_of = "input"``. With ``slope_of =
      "both"`` it is ``slope(z, a, ...)``, where ``a`` is ``value(z)``.

    Attributes
    ----------
    slope_of : {'value', 'input', 'both'}, default='value'
        The first arguments of ``slope``.

    gain : float
        The initial weights are uniform within ± sqrt(gain / (inputs + outputs)).
    """

    slope_of: ClassVar[str] = "value"
    gain: ClassVar[float] = 6.0

    @staticmethod
    def value(z: float, /, *parameters: Any, **names: Any) -> float:
        """Return the activation of the linear input ``z``."""
        raise NotImplementedError

    @staticmethod
    def slope(x: float, /, *parameters: Any, **names: Any) -> float:
        """Return the derivative."""
        raise NotImplementedError

    @classmethod
    def slope_arguments(cls, z: Any, a: Any) -> tuple:
        """Return what ``slope`` takes first, of the input ``z`` and the value ``a``."""
        return {"input": (z,), "value": (a,), "both": (z, a)}[cls.slope_of]


class Loss(Plugin):
    """An objective, as a function of a network's linear output z and the target y.

    A subclass defines functions of numbers, as static methods. After the first arguments,
    all take the arguments of the constructor, in its order.

    - ``value(z, y, ...)`` is the loss of one output,
    - ``slope(z, y, ...)`` is its derivative by ``z``,
    - ``link(z, ...)`` is the prediction, by default ``z`` itself.

    A loss that couples the outputs of a row defines ``evaluate`` and ``apply_link``
    instead: see :mod:`skgd.losses.multinomial_log_loss`. A loss with a method ``score(y,
    predicted, sample_weight)`` has a score of its own in place of R².

    Attributes
    ----------
    out_activation : str
        The name of the link, the fitted ``out_activation_``.

    domain : tuple of (float, float, str)
        The lowest and the highest target, and which of them is a target itself: 'both',
        'neither', 'left' or 'right'.

    outputs_per_target : int
        Outputs of the network for each column of ``y``.

    one_target : bool
        Whether ``y`` must be of one column.

    takes_array : bool
        Whether ``evaluate`` and ``apply_link`` take the arguments of the constructor as one
        array of float64, as a list needs.

    takes_smoothing : bool
        Whether an ``evaluate`` of classes reads the label smoothing from a second column of
        ``y``.
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
        """Return the derivative of the loss by ``z``."""
        raise NotImplementedError

    @staticmethod
    def link(z, *parameters):
        """Return the prediction of one output."""
        return z

    def check_targets(self, y: np.ndarray) -> None:
        """Raise a ValueError if a target is outside of the domain."""
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

    An update is a chain of steps: a solver, what changes the gradient before it, and what
    changes the parameter before or after it. All of them run in one loop. A step defines
    what a :class:`Solver` does. Its ``update`` gets what the steps before have left. Its
    ``rate`` includes the factor of the kind of parameter.

    Attributes
    ----------
    acts_on : {'parameter', 'gradient'}
        What ``update`` replaces.

    shrinks : bool
        Whether, in place of an ``update``, it shrinks the parameter by the step size of the
        solver, which is the step before.
    """

    acts_on: ClassVar[str] = "parameter"
    n_slots: ClassVar[int] = 0
    kinds: ClassVar[tuple[str, ...]] = KINDS
    needs_norm: ClassVar[bool] = False
    shrinks: ClassVar[bool] = False

    def coefficients(self, rate: np.ndarray, t: np.ndarray) -> tuple:
        """Return what all parameters share."""
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

    - ``update(theta, g, state, coefficients)``, a static method of numbers, returns the new
      parameter and the new state. ``g`` is the gradient with the penalty. ``state`` is a
      tuple of ``n_slots`` numbers, zeros at first.
    - ``coefficients(self, rate, t)`` returns a tuple of what all parameters share, by
      default ``(rate,)``: numbers, or arrays of the shape of ``rate`` and ``t``, the
      learning rates of the next updates and the numbers of updates before each. It is
      ordinary NumPy. ``update`` gets a tuple of numbers, those of its update.

    For the L1 share of the penalty, a solver also says how long its steps are:

    - ``step_size(state, coefficients)``, a static method of numbers, returns what the
      update multiplies the gradient by, in all updates together if it keeps a velocity.
      ``state`` is the new one. Solvers without it are refused with ``l1_ratio``.
    - ``step_coefficients(self, rate, t)`` returns its coefficients, by default ``(rate,)``.
    - ``step_rates(self, rate, before)`` returns what it gets as ``rate``, if that depends
      on the rates of updates before, and the numbers to go on from, one an update:
      ``before`` is the last of these, 0 at first.

    Attributes
    ----------
    n_slots : int, default=0
        Numbers kept for each parameter.

    kinds : tuple of str
        The kinds of parameters that it acts on, by default all: 'weights', 'bias', 'scale',
        'embedding', 'activation', 'periodic'.

    needs_norm : bool, default=False
        Whether the ``coefficients`` that ``update`` gets end with the Euclidean norm of the
        gradient of all parameters, which takes longer.
    """

    step_size: ClassVar[Any] = None

    def step_coefficients(self, rate: np.ndarray, t: np.ndarray) -> tuple:
        """Return what the step sizes of all parameters share."""
        return (rate,)

    def step_rates(self, rate: np.ndarray, before: float) -> tuple:
        """Return the rates of the step sizes, and what to go on from after each update."""
        return rate, rate

    def __call__(self, fun, x0, args=(), **options):
        """Minimize a function: a solver is a method of ``scipy.optimize.minimize``.

        The updates are those of the training of networks, by the same compiled kernel, in
        float64. Write ``minimize(fun, x0, jac=jac, method=Adam(), options={...})``.

        Parameters
        ----------
        fun : callable
            ``fun(x, *args)`` returns a number. It is evaluated at the end, and for a
            callback that takes ``intermediate_result``.

        x0 : array-like of shape (n,)
            Where to start.

        args : tuple, default=()
            Further arguments of ``fun`` and ``jac``.

        **options : dict
            - ``jac``: ``jac(x, *args)`` returns the gradient. It is required.
            - ``learning_rate_init``: by default 0.001.
            - ``learning_rate``: the name of a schedule, a Schedule or a function of
              ``(update, n_updates)``, by default 'constant'. An update counts as an epoch
              of one sample.
            - ``maxiter``: the number of updates, by default 1000.
            - ``gtol``, or ``tol`` of SciPy: stop as soon as no component of the gradient is
              larger, by default 1e-5.
            - ``callback``: is called after each update with ``x``, or with an
              OptimizeResult if its only argument is named ``intermediate_result``. It may
              raise StopIteration.
            - ``disp``: whether to print the message, by default False.

        Returns
        -------
        result : scipy.optimize.OptimizeResult
            The last finite ``x``, its ``fun`` and ``jac``, counts ``nit``, ``nfev`` and
            ``njev``, and ``status``, ``success`` and ``message``. ``success`` is whether
            ``gtol`` is reached.

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
        # Only a solver that is called needs the compiler.
        from skgd.engine.minimize import minimize

        return minimize(self, fun, x0, args, **options)


class NumericEmbedding(Plugin):
    """What a network reads of a number beside the number itself.

    Attributes
    ----------
    rate_factors : dict of str to float
        What the learning rate of its kind of parameters is multiplied by.
    """

    rate_factors: ClassVar[Mapping[str, float]] = {}

    @property
    def waves(self) -> tuple:
        """Return the frequencies and outputs of a periodic one."""
        return ()


class Progress(NamedTuple):
    """Where the training stands, for a schedule.

    Attributes
    ----------
    update : ndarray of shape (n,), dtype=int64
        The number of updates before each of the next ones.

    n_updates : int or None
        All updates of the fit, if that is known: ``max_iter`` times those of an epoch.

    epoch : ndarray of shape (n,), dtype=int64
        The number of finished epochs before each of the next updates.

    n_samples_seen : ndarray of shape (n,), dtype=int64
        The samples of the finished epochs.
    """

    update: np.ndarray
    n_updates: int | None
    epoch: np.ndarray
    n_samples_seen: np.ndarray


class Schedule(Plugin):
    """A learning rate as a factor of its initial value.

    A subclass defines ``__call__(progress)``, which returns the factors of the next
    updates: an array of the shape of ``progress.update``. It may define
    ``after_plateau(rate)``, which is called when the training stops improving, and returns
    the initial rate to go on with, or None to stop. Without it, the training stops.

    Attributes
    ----------
    needs_n_updates : bool
        Whether ``progress.n_updates`` must be known.
    """

    # Those that have names, which skgd.schedules fills in.
    registry: ClassVar[dict[str, type["Schedule"]]] = {}
    needs_n_updates: ClassVar[bool] = False
    after_plateau: ClassVar[Any] = None

    def __call__(self, progress: Progress) -> np.ndarray:
        """Return the factors of the next updates."""
        raise NotImplementedError


class Initializer(Plugin):
    """The initial weights of a layer; biases then start at 0.

    A subclass defines ``__call__(shape, rng)``. It returns an array of the shape ``(inputs,
    outputs)``, drawn by ``rng``, a :class:`numpy.random.RandomState`.
    """

    def __call__(self, shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
        """Return the initial weights."""
        raise NotImplementedError
