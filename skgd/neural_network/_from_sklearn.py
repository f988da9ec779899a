"""A fitted network of scikit-learn becomes one of skgd."""

from copy import deepcopy

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skgd.neural_network._parameters import pack
from skgd.neural_network._trainer import Progress

__all__ = ["from_sklearn"]

# Private, but the same since scikit-learn 0.18.
PRIVATE = ("_label_binarizer", "_no_improvement_count")
MOMENTS = {"sgd": ("velocities",), "adam": ("ms", "vs")}


def from_sklearn(cls, counterpart, estimator):
    """Make a fitted ``cls`` of a fitted ``counterpart``; see ``BaseMLP.from_sklearn``."""
    if not isinstance(estimator, counterpart):
        raise TypeError(
            f"{cls.__name__}.from_sklearn takes a fitted {counterpart.__module__}."
            f"{counterpart.__name__}, got {type(estimator).__name__}."
        )
    check_is_fitted(estimator, "coefs_")
    known = cls._get_param_names()
    parameters = estimator.get_params(deep=False)
    model = cls(**{name: parameters[name] for name in parameters if name in known})
    for name, value in vars(estimator).items():
        public = name.endswith("_") and not name.startswith("_")
        if public or name in PRIVATE:
            setattr(model, name, deepcopy(value))
    optimizer = getattr(estimator, "_optimizer", None)
    if optimizer is not None and estimator.solver in MOMENTS:
        model._progress = _progress(estimator, optimizer)
    return model


def _progress(estimator, optimizer):
    """Take over the state of the solver, for ``partial_fit`` to go on with."""
    n_layers, dtype = len(estimator.coefs_), estimator.coefs_[0].dtype
    moments = [getattr(optimizer, name) for name in MOMENTS[estimator.solver]]
    adaptive = getattr(optimizer, "lr_schedule", None) == "adaptive"
    return Progress(
        solver=estimator.solver,
        state=np.stack([pack(m[:n_layers], m[n_layers:], dtype) for m in moments]),
        rate=optimizer.learning_rate if adaptive else float(optimizer.learning_rate_init),
        n_updates=getattr(optimizer, "t", 0),
        n_seen=estimator.t_,
        initial=float(optimizer.learning_rate_init),
    )
