"""The parameters that 'lbfgs' refuses or ignores."""

import numpy as np

from skgd._caller import warn
from skgd.neural_network._constraints import default_of, initial_of
from skgd.schedules import Constant
from skgd.solvers import SOLVERS

__all__ = ["check_full_batch"]

# Refused by 'lbfgs', unless they are at their default or switched off.
OF_MINI_BATCHES = (
    "batch_normalization",
    "weight_decay",
    "max_grad_norm",
    "learning_rate_factors",
    "ema_decay",
    "dropout",
    "scoring",
    "numeric_embedding",
    "l1_ratio",
    "rho",
    "decay_rate",
    "decay_steps",
    "staircase",
    "batch_normalization_momentum",
    "batch_normalization_epsilon",
)

# Ignored by 'lbfgs', as scikit-learn documents.
WITHOUT_EFFECT = (
    "batch_size",
    "learning_rate",
    "learning_rate_init",
    "power_t",
    "shuffle",
    "momentum",
    "nesterovs_momentum",
    "early_stopping",
    "validation_fraction",
    "beta_1",
    "beta_2",
    "epsilon",
    "n_iter_no_change",
)


def check_full_batch(estimator):
    """Raise for parameters that 'lbfgs' refuses; warn of those that it ignores.

    Raises
    ------
    ValueError
        If a parameter needs mini-batches.
    """
    ignored = []
    for name in OF_MINI_BATCHES + WITHOUT_EFFECT:
        value, default = getattr(estimator, name), default_of(type(estimator), name)
        is_off = not default and not np.any(initial_of(value))
        if (
            is_off
            or value == default
            or (type(value) is Constant and not value.warmup_steps)
        ):
            continue
        # scikit-learn's schedules are ignored, skgd's own are refused.
        is_own = name == "learning_rate" and value not in ("invscaling", "adaptive")
        if name in OF_MINI_BATCHES or is_own or not np.isscalar(value):
            raise ValueError(
                f"{name}={value!r} needs mini-batches, which solver='lbfgs' does not have. "
                f"Use one of {sorted(SOLVERS)}, or leave {name} at {default!r}."
            )
        ignored.append(f"{name}={value!r}")
    if ignored:
        have = "has" if len(ignored) == 1 else "have"
        warn(
            f"{', '.join(ignored)} {have} no effect with solver='lbfgs', which computes "
            "each step from all rows and chooses its size itself."
        )
