"""Names and values that other libraries use, and their counterparts here."""

import inspect
import re
from difflib import get_close_matches
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import StrOptions

from skgd.engine.plugins import Plugin

__all__ = ["name_hint", "nested_hint", "value_hint"]

# Names of each parameter in other libraries. A key is the text of the hint, and begins with
# the parameter's name.
NAMES = {
    "max_iter": "epochs n_epochs num_epochs nb_epoch max_epochs n_estimators n_iter "
    "n_iterations num_iterations iterations max_iterations num_boost_round",
    "learning_rate_init": "lr lr_init eta eta0 learning_rate_value initial_learning_rate "
    "init_learning_rate base_lr step_size",
    "learning_rate": "lr_schedule lr_scheduler scheduler schedule learning_rate_schedule "
    "learning_rate_type",
    "solver": "optimizer optimiser optim algorithm",  # codespell:ignore optimiser
    "alpha": "l2 reg_lambda lambda_l2 lambda l2_reg l2_regularization "
    "l2_penalty regularization kernel_regularizer penalty",
    "n_iter_no_change, with early_stopping=True,": "patience early_stopping_rounds "
    "early_stopping_round early_stopping_patience",
    "hidden_layer_sizes": "hidden_units hidden_sizes hidden_size hidden_dim hidden_dims "
    "hidden_layers layers layer_sizes units n_hidden",
    "validation_fraction": "validation_split val_split valid_fraction validation_size",
    "X_val and y_val": "eval_set validation_data valid_data valid_sets eval_data X_valid "
    "X_eval x_val",
    "y_val": "y_valid y_eval",
    "scoring": "metrics eval_metric monitor metric scorer",
    "random_state": "seed random_seed rng",
    "n_jobs": "num_threads nthread n_threads threads thread_count num_workers workers",
    "batch_normalization": "batchnorm batch_norm use_batch_norm use_batchnorm bn",
    "layer_normalization": "layernorm layer_norm use_layer_norm use_layernorm",
    "batch_normalization_momentum": "batch_norm_momentum bn_momentum",
    "batch_normalization_epsilon": "batch_norm_epsilon batch_norm_eps bn_epsilon bn_eps",
    "l1_ratio": "l1 l1_reg l1_penalty l1_regularization reg_alpha lambda_l1",
    "weight_decay": "decoupled_weight_decay wd",
    "max_grad_norm": "clipnorm clip_norm global_clipnorm gradient_clip_val grad_clip "
    "max_norm gradient_clipping clip_grad_norm",
    "init": "kernel_initializer initializer weight_init weights_init init_method "
    "initialization",
    "dropout": "dropout_rate drop_rate p_dropout dropout_p drop_prob hidden_dropout "
    "dropouts dropout_prob",
    "ema_decay": "ema ema_momentum use_ema averaging average swa_decay",
    "numeric_embedding": "num_emb_type num_embeddings numerical_embedding",
    "batch_size": "minibatch_size mini_batch_size n_batch batch",
    "beta_1 and beta_2": "betas",
    "epsilon": "eps adam_epsilon",
    "nesterovs_momentum": "nesterov use_nesterov nesterov_momentum",
    "loss": "criterion objective loss_function loss_fn",
    "activation": "activation_function hidden_activation nonlinearity act",
    "tol": "tolerance min_delta",
    "verbose": "verbosity silent",
    "sample_weight": "weight weights class_weight",
    "feature_range": "range output_range data_range min_max",
    "with_mean": "center centering with_centering",
    "with_std": "scale scaling with_scaling with_var unit_variance",
    "clip": "clipping",
    "copy=False": "inplace in_place",
}
LOG_LOSS = (
    "log_loss logloss cross_entropy crossentropy binary_crossentropy "
    "categorical_crossentropy logistic deviance bce"
)
OPTIONS = {
    "logistic": "sigmoid expit",
    "identity": "linear none",
    "relu": "rectifier rectified_linear",
    "tanh": "hyperbolic_tangent",
    "silu": "swish",
    "minibatch": "gd gradient_descent batch minibatch_sgd",
    "momentum": "nesterov nag",
    "lbfgs": "bfgs l_bfgs_b newton newton_cg",
    "squared_error": "mse mean_squared_error l2 l2_loss squared_loss least_squares ls "
    "gaussian",
    "absolute_error": "mae mean_absolute_error l1 l1_loss median",
    "log_loss": LOG_LOSS,
    "focal": "focal_loss binary_focal_crossentropy categorical_focal_crossentropy",
    "huber": "huber_loss smooth_l1 smooth_l1_loss",
    "quantile": "pinball pinball_loss quantile_loss",
    "gamma": "gamma_deviance mean_gamma_deviance",
    "poisson": "poisson_loss poisson_deviance mean_poisson_deviance",
    "inverse_time": "decay time time_based inverse",
    "cosine": "cosine_decay cosine_annealing cos",
    "exponential": "exponential_decay exp",
    "step": "step_decay staircase",
    "invscaling": "optimal power inverse_scaling",
    "adaptive": "plateau reduce_on_plateau reduce_lr_on_plateau",
    "constant": "fixed",
}
# Variants of 'adam', and how to write them.
SOLVERS = {"adamw": "'adam' with weight_decay=0.01", "amsgrad": "Adam(amsgrad=True)"}


def name_hint(name, cls, method="__init__", accepted=None):
    """Suggest an argument in place of an unknown one.

    Parameters
    ----------
    name : str
        The argument.

    cls : type
        The estimator's class.

    method : str, default="__init__"
        The method that was called.

    accepted : collection of str, default=None
        The arguments of the method; by default the parameters of the class.

    Returns
    -------
    hint : str or None
        None if no argument is similar.
    """
    parameters = cls._get_param_names()
    accepted = parameters if accepted is None else accepted
    known = [*accepted, *parameters, *list(inspect.signature(cls.fit).parameters)[1:]]
    if name in known:
        if name in parameters:
            return f"{name} is a parameter of {cls.__name__}, not of {method}."
        return f"{name} is an argument of fit, not a parameter of {cls.__name__}."
    meant = next((n for n in known if _plain(n) == _plain(name)), None)
    meant = meant or _synonym(name, NAMES)
    if meant is None:
        near = get_close_matches(name, known, n=1, cutoff=0.75)
        meant = near[0] if near else None
    if meant is None:
        return None
    target = re.split(r"\W", meant)[0]
    if target in accepted:
        return f"Did you mean {meant.rstrip(',')}?"
    if target in parameters:
        return f"Did you mean {meant.rstrip(',')}, a parameter of {cls.__name__}?"
    if target in known:
        return f"Did you mean {meant}, an argument of fit?"
    return None


def value_hint(name, value, constraints):
    """Suggest a value, or a parameter, in place of an invalid value.

    Parameters
    ----------
    name : str
        The parameter.

    value : object
        The value.

    constraints : dict
        The constraints of all parameters.

    Returns
    -------
    hint : str or None
        None if no value is similar.
    """
    if name == "loss" and np.asarray(value).dtype.kind == "i":
        # The first argument before scikit-learn 1.7.
        return f"Did you mean hidden_layer_sizes={value}?"
    if isinstance(value, list | tuple):
        items = (value_hint(name, item, constraints) for item in value)
        item_hint = next(filter(None, items), None)
        if item_hint:
            return item_hint
    plugin = value if isinstance(value, type) else type(value)
    if issubclass(plugin, Plugin):
        return _plugin_hint(value, plugin, constraints)
    if tuple in constraints[name] and isinstance(value, list | np.ndarray):
        return f"Did you mean {name}={tuple(np.asarray(value).tolist())!r}?"
    if name == "learning_rate" and isinstance(value, Real):
        return f"Did you mean learning_rate_init={value}?"
    if not isinstance(value, str):
        return None
    if name == "solver" and _plain(value) in SOLVERS:
        return f"Did you mean solver={SOLVERS[_plain(value)]}?"
    options = _options(constraints[name])
    if (
        name == "loss"
        and "log_loss" not in options
        and _plain(value) in map(_plain, LOG_LOSS.split())
    ):
        return "Use MLPClassifier, which minimizes the log loss."
    meant = next((o for o in options if _plain(o) == _plain(value)), None)
    meant = meant or _synonym(value, OPTIONS)
    if meant in options:
        return f"Did you mean {name}={meant!r}?"
    for other in constraints:
        if value in _options(constraints[other]):
            return f"Did you mean {other}={value!r}?"
    near = get_close_matches(value.lower(), options, n=1, cutoff=0.7)
    return f"Did you mean {name}={near[0]!r}?" if near else None


def _plugin_hint(value, plugin, constraints):
    """Suggest an object of a class of plug-ins, or the parameter that takes it."""
    shown = f"{plugin.__name__}()" if plugin is value else repr(value)
    for parameter, options in constraints.items():
        if any(issubclass(plugin, getattr(option, "base", ())) for option in options):
            return f"Did you mean {parameter}={shown}?"
    return None


def nested_hint(name, inner, value, constraints):
    """Say how to set a parameter of a plug-in that is given by its name.

    Parameters
    ----------
    name : str
        The parameter.

    inner : dict
        The values of the plug-in's own parameters.

    value : object
        The value of the parameter.

    constraints : dict
        The constraints of all parameters.

    Returns
    -------
    hint : str or None
        None if the value is not the name of a plug-in.
    """
    for constraint in constraints.get(name, ()):
        registry = getattr(constraint, "registry", {})
        plugin = registry.get(value) if isinstance(value, str) else None
        if plugin is None:
            continue
        if set(inner) <= set(plugin.argument_names()):
            return f"Write {name}={plugin(**inner)!r}."
        takes = ", ".join(plugin.argument_names()) or "no parameters"
        return f"{name}={plugin()!r} takes {takes}."
    return None


def _plain(name):
    """Drop case, underscores and punctuation."""
    return re.sub(r"[\W_]", "", str(name)).lower()


def _synonym(name, table):
    for meant, synonyms in table.items():
        if _plain(name) in map(_plain, [meant, *synonyms.split()]):
            return meant
    return None


def _options(constraints):
    return sorted({o for c in constraints if isinstance(c, StrOptions) for o in c.options})
