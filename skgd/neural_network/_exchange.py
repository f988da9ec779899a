"""Convert fitted networks from and to scikit-learn's."""

from copy import deepcopy
from typing import Any, Self

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from skgd.activations import Identity, Logistic, ReLU, Tanh
from skgd.neural_network._diagnosis import check_weights
from skgd.neural_network._parameters import pack
from skgd.neural_network._plugins import (
    activations_of,
    has_own_link,
    output_range,
    schedule_of,
    solver_of,
)
from skgd.schedules import Adaptive, Constant, InverseScaling
from skgd.solvers import AdaGrad, Adam, Lion, Minibatch, Momentum, NAdam, RMSProp

__all__ = ["Exchange"]

# Private, but the same since scikit-learn 0.18.
PRIVATE = ("_label_binarizer", "_no_improvement_count")
MOMENTS = {"sgd": ("velocities",), "adam": ("ms", "vs")}

# The activations of scikit-learn's networks, by name.
ACTIVATIONS = {"identity": Identity, "logistic": Logistic, "tanh": Tanh, "relu": ReLU}
SCHEDULES = (Constant, InverseScaling, Adaptive)
# The loss of a regressor, by the activation of its output.
LOSSES = {"identity": "squared_error", "exp": "poisson"}


class Exchange(BaseEstimator):
    """Converts networks from and to scikit-learn's estimator of the same name."""

    @classmethod
    def from_sklearn(cls, estimator) -> Self:
        """Convert a network that scikit-learn has fitted.

        The parameters and fitted attributes are copied. The new model predicts the same,
        and ``partial_fit`` or a warm start continue the training, with the solver's state.

        Parameters
        ----------
        estimator : fitted estimator
            The estimator of scikit-learn of the same name. It may come from a pickle of an
            older version, if that can still be loaded.

        Returns
        -------
        model : object
            The fitted model.

        Raises
        ------
        TypeError
            If it is not scikit-learn's estimator of the same name.

        sklearn.exceptions.NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> import sklearn.neural_network
        >>> import skgd
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
        >>> old = sklearn.neural_network.MLPRegressor(solver="lbfgs", random_state=0)
        >>> new = skgd.MLPRegressor.from_sklearn(old.fit(X, y))
        >>> bool(abs(new.predict(X) - old.predict(X)).max() < 1e-12)
        True
        """
        counterpart = cls._counterpart
        if not isinstance(estimator, counterpart):
            raise TypeError(
                f"{cls.__name__}.from_sklearn takes a fitted {counterpart.__module__}."
                f"{counterpart.__name__}, got {type(estimator).__name__}."
            )
        check_is_fitted(estimator, "coefs_")
        known = cls._get_param_names()
        parameters = estimator.get_params(deep=False)
        model = cls(**{name: parameters[name] for name in parameters if name in known})
        _copy_attributes(estimator, model)
        optimizer = getattr(estimator, "_optimizer", None)
        if optimizer is not None and estimator.solver in MOMENTS:
            model._progress = _progress(estimator, optimizer)
        return model

    def to_sklearn(self) -> Any:
        """Return the fitted network as scikit-learn's estimator of the same name.

        The new estimator predicts the same, up to rounding, and works with tools that read
        scikit-learn's networks, for example to export them. Parameters and fitted
        attributes are copied; batch normalization is folded into the weights.

        Parameters that scikit-learn does not have are left out. Some others change:
        ``solver='momentum'`` becomes 'sgd', 'minibatch' becomes 'sgd' with
        ``momentum=0``, and 'rmsprop' becomes 'adam' with ``beta_1=0`` and
        ``beta_2=rho``. 'nadam', 'adagrad' and 'lion' become 'adam'.
        ``learning_rate='inverse_time'`` becomes 'constant', and a splitter as
        ``validation_fraction`` becomes 0.1. The state of the solver is not copied:
        ``partial_fit`` continues from the weights, with a new state and
        ``learning_rate_init``.

        Returns
        -------
        estimator : object
            The fitted estimator of scikit-learn.

        Raises
        ------
        ValueError
            If scikit-learn has no such network. Versions before 1.7 have no
            ``loss='poisson'``. No version has activations other than 'identity',
            'logistic', 'tanh' and 'relu', several different activations, links of your own,
            quantiles, a ``numeric_embedding`` or layer normalization.

        sklearn.exceptions.NotFittedError
            If the network is not fitted.

        Examples
        --------
        >>> import skgd
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
        >>> model = skgd.MLPRegressor(solver="lbfgs", random_state=0).fit(X, y)
        >>> exported = model.to_sklearn()
        >>> exported
        MLPRegressor(random_state=0, solver='lbfgs')
        >>> type(exported).__module__.split(".")[0]
        'sklearn'
        >>> bool(abs(exported.predict(X) - model.predict(X)).max() < 1e-12)
        True
        """
        check_is_fitted(self, "coefs_")
        check_weights(self)
        estimator = self._counterpart()
        known = estimator.get_params(deep=False)
        # scikit-learn 1.7 added the parameter, and Poisson's loss with it.
        links = {"identity", "exp"} if "loss" in known else {"identity"}
        if is_classifier(self):
            links = {"softmax", "logistic"}
        activation = self._sklearn_activation()
        if activation is None:
            raise ValueError(
                f"scikit-learn's {type(estimator).__name__} has no activation="
                f"{self.activation!r}. Fit with one of {sorted(ACTIVATIONS)}."
            )
        if {"edges", "periodic"} & getattr(self, "stages_", {}).keys():
            raise ValueError(
                f"scikit-learn's {type(estimator).__name__} has no numeric_embedding. Fit "
                "with numeric_embedding=None."
            )
        if "scale" in getattr(self, "stages_", {}):
            raise ValueError(
                f"scikit-learn's {type(estimator).__name__} has no layer normalization, "
                "which cannot be folded into weights. Fit with layer_normalization=False; "
                "batch_normalization=True can be exported."
            )
        if self.out_activation_ not in links or (
            hasattr(self, "_link") and has_own_link(self._link)
        ):
            raise ValueError(
                f"{type(estimator).__name__} of scikit-learn {sklearn.__version__} has no "
                f"loss with out_activation_={self.out_activation_!r}, only with "
                f"{sorted(links)}. Since version 1.7 it has loss='poisson', with 'exp'."
            )
        parameters = {**self._sklearn_parameters(), "activation": activation}
        parameters = {k: v for k, v in parameters.items() if k in known}
        estimator.set_params(**deepcopy(parameters))
        _copy_attributes(self, estimator)
        # scikit-learn's warm start with early stopping may restore them.
        estimator._best_coefs = deepcopy(estimator.coefs_)
        estimator._best_intercepts = deepcopy(estimator.intercepts_)
        return estimator

    def _sklearn_activation(self):
        """Return the name of the activation of all hidden layers, None if there is none."""
        if isinstance(self.activation, str):
            return self.activation if self.activation in ACTIVATIONS else None
        hidden = activations_of(self, len(self.coefs_) - 1)
        classes = {type(one) for one in [*hidden, output_range(self, hidden)]}
        names = [name for name, one in ACTIVATIONS.items() if {one} == classes]
        return names[0] if names else None

    def _sklearn_parameters(self):
        """Return the parameters as scikit-learn has them, or what comes nearest."""
        parameters = self.get_params(deep=False)
        solver = None if self.solver == "lbfgs" else solver_of(self)
        if isinstance(solver, RMSProp):
            # The same except for Adam's bias correction, which fades within about
            # 1 / (1 - rho) updates.
            parameters.update(
                solver="adam", beta_1=0.0, beta_2=solver.rho, epsilon=solver.epsilon
            )
        elif type(solver) is Minibatch:
            parameters.update(solver="sgd", momentum=0.0)
        elif isinstance(solver, Adam | NAdam | AdaGrad | Lion):
            parameters.update(solver="adam", **solver.get_params())
        elif type(solver) is Momentum:
            parameters.update(solver="sgd", **solver.get_params())
        elif solver is not None:
            parameters["solver"] = "sgd"
        if hasattr(self.validation_fraction, "split"):
            parameters.pop("validation_fraction")
        schedule = schedule_of(self)
        if type(schedule) in SCHEDULES:
            parameters.update(learning_rate=schedule.name, **schedule.get_params())
        else:
            parameters["learning_rate"] = "constant"
        if not is_classifier(self):
            # The loss of the fit, even if the parameter has been set since.
            parameters["loss"] = LOSSES[self.out_activation_]
        return parameters


def _copy_attributes(estimator, other):
    """Copy the fitted attributes, so that neither changes with the other."""
    for name, value in vars(estimator).items():
        public = name.endswith("_") and not name.startswith("_")
        if public or name in PRIVATE:
            setattr(other, name, deepcopy(value))


def _progress(estimator, optimizer):
    """Convert the state of the solver, from which ``partial_fit`` continues."""
    n_layers, dtype = len(estimator.coefs_), estimator.coefs_[0].dtype
    moments = [getattr(optimizer, name) for name in MOMENTS[estimator.solver]]
    adaptive = getattr(optimizer, "lr_schedule", None) == "adaptive"
    initial = float(optimizer.learning_rate_init)
    return {
        "solver": estimator.solver,
        "state": np.stack([pack(m[:n_layers], m[n_layers:], dtype) for m in moments]),
        "rate": optimizer.learning_rate if adaptive else initial,
        "n_updates": getattr(optimizer, "t", 0),
        "n_seen": estimator.t_,
        "initial": initial,
    }
