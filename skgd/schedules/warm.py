"""Base classes of schedules: with a warm-up, and over the whole training."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine import Schedule

__all__ = ["TotalSchedule", "WarmSchedule"]


class WarmSchedule(Schedule):
    """A schedule that may begin with a warm-up, in which the factor rises linearly from 0.

    A subclass defines ``after_warmup(progress)``, which returns the factors. ``progress``
    counts the updates from the end of the warm-up. During the warm-up, the first of these
    factors is multiplied by the finished part of the warm-up.

    Parameters
    ----------
    warmup_steps : int, default=0
        The number of updates in the warm-up.

    Examples
    --------
    >>> import numpy as np
    >>> from skgd.schedules import WarmSchedule
    >>> class Root(WarmSchedule):
    ...     def after_warmup(self, progress):
    ...         return 1 / np.sqrt(1.0 + progress.update)
    >>> Root(warmup_steps=100)
    Root(warmup_steps=100)
    """

    _parameter_constraints: dict = {
        "warmup_steps": [Interval(Integral, 0, None, closed="left")]
    }

    def __init__(self, warmup_steps=0) -> None:
        self.warmup_steps = warmup_steps

    def __call__(self, progress):
        """Return the factors of the next updates."""
        steps, n_updates = self.warmup_steps, progress.n_updates
        n_updates = getattr(self, "total", None) or n_updates
        if n_updates is not None:
            if n_updates <= steps:
                raise ValueError(
                    f"warmup_steps={steps} must be less than the number of all updates, "
                    f"{n_updates}; lower it, or train for more epochs"
                )
            n_updates -= steps
        update = np.maximum(progress.update - steps, 0)
        factors = self.after_warmup(progress._replace(update=update, n_updates=n_updates))
        return np.minimum(1.0, progress.update / steps) * factors if steps else factors

    def after_warmup(self, progress):
        """Return the factors, from the updates since the warm-up."""
        raise NotImplementedError


class TotalSchedule(WarmSchedule):
    """A schedule over the whole training, which must know the number of all updates.

    A subclass defines ``at(part)``, which returns the factors for an array of finished
    parts of the training, from 0 to 1.

    Parameters
    ----------
    warmup_steps : int, default=0
        The number of updates in the warm-up.

    total : int, default=None
        The number of all updates, including the warm-up, by default that of ``max_iter``
        epochs. ``partial_fit`` needs it. Later updates have the last factor.

    Examples
    --------
    >>> from skgd.schedules import TotalSchedule
    >>> class Linear(TotalSchedule):
    ...     def at(self, part):
    ...         return 1 - part
    >>> Linear(total=500)
    Linear(total=500)
    """

    needs_n_updates = True
    _parameter_constraints: dict = {
        **WarmSchedule._parameter_constraints,
        "total": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, warmup_steps=0, total=None) -> None:
        super().__init__(warmup_steps)
        self.total = total

    def after_warmup(self, progress):
        """Return the factors for the finished parts of the training."""
        return self.at(np.minimum(1.0, progress.update / progress.n_updates))

    def at(self, part):
        """Return the factors for the finished parts of the training."""
        raise NotImplementedError
