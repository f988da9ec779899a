"""Validate the validation data, and score each epoch with them."""

import re
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import _check_sample_weight

from skgd._faults import data_fault
from skgd.neural_network._data import Data, check_embeddable
from skgd.neural_network._diagnosis import check_finite
from skgd.neural_network._prediction import evaluate
from skgd.neural_network._scoring import check_scores, perfect, scored
from skgd.solvers import SOLVERS

__all__ = ["Validation", "check_given", "has_validation", "validated"]

NAMES = "X", "y", "sample_weight"


def has_validation(given):
    """Return whether there are validation data; raise if they are incomplete.

    Parameters
    ----------
    given : tuple
        ``X_val``, ``y_val`` and ``sample_weight_val``.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If ``X_val`` or ``y_val`` is missing.
    """
    named = zip(NAMES, given, strict=True)
    names = [f"{name}_val" for name, value in named if value is not None]
    if names and not {"X_val", "y_val"} <= set(names):
        raise ValueError(
            "Validation data are X_val and y_val together, got only "
            f"{', '.join(names)}. Pass both, or none of them."
        )
    return bool(names)


def check_given(estimator, given, groups):
    """Raise if the validation data of ``fit`` are incomplete or cannot be used.

    Parameters
    ----------
    estimator : BaseMLP
        Has the parameters.

    given : tuple
        ``X_val``, ``y_val`` and ``sample_weight_val``.

    groups : array-like or None
        The groups of the rows, for a splitter.

    Raises
    ------
    ValueError
        If an argument is missing or cannot be used.
    """
    is_given, is_lbfgs = has_validation(given), estimator.solver == "lbfgs"
    if is_given and is_lbfgs:
        raise ValueError(
            "X_val is evaluated after each epoch, but solver='lbfgs' has no epochs. Use "
            f"one of {sorted(SOLVERS)}, or leave X_val out."
        )
    has_splitter = hasattr(estimator.validation_fraction, "split")
    splits = estimator.early_stopping and has_splitter and not (is_given or is_lbfgs)
    if groups is not None and not splits:
        raise ValueError(
            "groups needs early_stopping=True, a splitter as validation_fraction, such as "
            "GroupShuffleSplit(), a solver other than 'lbfgs', and no X_val. Change these, "
            "or leave groups out."
        )


@contextmanager
def _blamed_on_validation(estimator, given):
    """Make errors of the block name the arguments with the suffix ``_val``."""
    try:
        yield
    except (OverflowError, TypeError, ValueError) as error:
        message = str(error)
        data = {n: v for n, v in zip(NAMES, given, strict=True) if v is not None}
        fault = data_fault(message, data, is_classifier(estimator))
        if fault is not None and not message.startswith(fault):
            message = f"{fault}\n{message}"
        message = message.replace("Sample weights", "sample_weight")
        message = re.sub(r"\b(X|y|sample_weight)\b", r"\1_val", message)
        error.args = (message if "_val" in message else f"X_val: {message}",)
        raise


def validated(estimator, given, y, dtype):
    """Validate and encode the validation data as the training data were.

    Parameters
    ----------
    estimator : BaseMLP
        Knows the features and, if it classifies, the classes.

    given : tuple
        ``X_val``, ``y_val`` and ``sample_weight_val``.

    y : ndarray of shape (n_samples, n_targets)
        The encoded training targets.

    dtype : dtype
        The dtype of the network.

    Returns
    -------
    validation : Data or None

    Raises
    ------
    ValueError
        If the validation data are not valid.
    """
    if given[0] is None:
        return None
    with _blamed_on_validation(estimator, given), np.errstate(over="ignore"):
        X, targets = estimator._validate_input(*given[:2], incremental=True, reset=False)
        if estimator.numeric_embedding is not None:
            check_embeddable(X)
        targets, _ = estimator._encode(targets, dtype)
        if targets.shape[1] != y.shape[1]:
            raise ValueError(
                f"y must have {y.shape[1]} columns, as the training targets have, got "
                f"{targets.shape[1]}."
            )
        weight = given[2]
        if weight is not None:
            weight = _check_sample_weight(weight, X, dtype=dtype, ensure_non_negative=True)
            if not weight.any():
                raise ValueError("sample_weight must have at least one non-zero weight.")
        X = X.astype(dtype, copy=False)
        # Also with assume_finite=True: later, a NaN would look like divergence.
        check_finite(estimator, X=X, sample_weight=weight)
        if estimator.scoring is None and not is_classifier(estimator) and len(targets) < 2:
            raise ValueError(
                "X must have at least 2 rows for R², got 1. Pass more, or set "
                "scoring='loss'."
            )
    return Data(X, targets, weight)


class Validation(NamedTuple):
    """The rows to score each epoch with.

    Attributes
    ----------
    data : Data
        The validated and encoded rows.

    restores : bool
        Whether the score stops the training, which then ends with the best weights.

    takes_last : bool
        Whether the last of equally good epochs is the best.
    """

    data: Any
    restores: bool
    takes_last: bool

    def evaluate(self, estimator, layout, plugins, parameters):
        """Return the mean loss and the score, NaN where they are not finite.

        Parameters
        ----------
        estimator : BaseMLP
            Has the hyperparameters.

        layout, plugins : Layout, Plugins
            The layout and the plug-ins of the network.

        parameters : Parameters
            The parameters to score.

        Returns
        -------
        loss, score : float
        """
        activations, n_jobs = plugins.activations, estimator.n_jobs
        coefs, intercepts = parameters.plain(layout)
        stages = parameters.stages(layout)
        predicted, loss = evaluate(
            self.data, coefs, intercepts, activations, plugins.loss, n_jobs, stages
        )
        if not np.isfinite(predicted).all():
            return np.nan, np.nan
        if estimator.scoring == "loss":
            score = -loss
        elif estimator.scoring is None:
            _, y, weight, *_ = self.data
            score = estimator._validation_score(predicted, y, weight)
        else:
            score = self._scored(self._snapshot(estimator, layout, plugins, parameters))
        return tuple(float(v) if np.isfinite(v) else np.nan for v in (loss, score))

    def check(self, *network):
        """Raise if ``scoring`` scores neither the initial network nor a perfect one.

        Parameters
        ----------
        *network : BaseMLP, Layout, Plugins, Parameters
            The arguments of :meth:`evaluate`.
        """
        model, y = self._snapshot(*network), self.data.y
        if model.scoring in (None, "loss"):
            return

        def perfect_score():
            outputs = perfect(y, model.n_outputs_, is_classifier(model))

            def predictions(X, link=None):
                # A scorer may ask for predictions of other rows.
                return np.resize(outputs, (np.shape(X)[0], model.n_outputs_))

            model._predictions = predictions
            return self._scored(model)

        scores = lambda: self._scored(model), perfect_score
        check_scores(model.scoring, scores, self.restores)

    def _snapshot(self, estimator, layout, plugins, parameters):
        """Copy the estimator as if it were fitted; later epochs do not change the copy."""
        kept, model = parameters.copy(), object.__new__(type(estimator))
        vars(model).update(vars(estimator))
        # The validation rows are arrays, without names.
        vars(model).pop("feature_names_in_", None)
        model._set_network(*kept.plain(layout), kept.stages(layout), plugins.loss)
        return model

    def _scored(self, model):
        X, y, weight, *_ = self.data
        remedy = "pass X_val without sample_weight_val"
        return scored(model.scoring, model, X, model._targets(y), weight, remedy)
