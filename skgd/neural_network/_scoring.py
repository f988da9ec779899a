"""Scores by scikit-learn's scorers, and whether there are any before training."""

import warnings
from numbers import Real

import numpy as np
from sklearn.metrics import check_scoring

__all__ = ["check_scores", "perfect", "scored", "scoring_name"]


def scoring_name(scoring):
    """Return what tells one ``scoring`` from another, also in another process."""
    is_name = scoring is None or isinstance(scoring, str)
    return scoring if is_name else getattr(scoring, "__qualname__", repr(scoring))


def scored(scoring, model, X, y, weight, remedy):
    """Return a score of the validation data.

    Parameters
    ----------
    scoring : str or callable
        As of the estimators.

    model, X, y, weight : object, array-like, ndarray, ndarray or None
        What the scorer gets.

    remedy : str
        How to have no weights.

    Returns
    -------
    score : float

    Raises
    ------
    Exception
        What the scorer raises.

    ValueError
        If it returns no number.
    """
    weights = {} if weight is None else {"sample_weight": weight}
    try:
        score = check_scoring(model, scoring)(model, X, y, **weights)
    except Exception as error:
        what = "cannot score the validation data. Choose another scoring."
        if weights and "sample_weight" in str(error):
            what = f"takes no sample_weight. Choose another scoring, or {remedy}."
        error.args = (f"scoring={scoring!r} {what} ({error})",)
        raise
    if not isinstance(score, Real):
        raise ValueError(f"scoring={scoring!r} must return a number, got {score!r}.")
    return float(score)


def perfect(y, n_outputs, classifies):
    """Return the outputs of a network that predicts encoded targets.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        The encoded targets.

    n_outputs : int
        More than the targets are a column a class, or several predictions of each target.

    classifies : bool
        Whether they are probabilities.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
    """
    if classifies and n_outputs > y.shape[1]:
        return (y == np.arange(n_outputs)).astype(y.dtype)
    return np.resize(y.T, (n_outputs, len(y))).T


def check_scores(scoring, scores, is_needed):
    """Raise if there is no score of any of some networks.

    Parameters
    ----------
    scoring : str or callable
        As of the estimators.

    scores : iterable of callable
        Each returns the score of a network. The error is that of the first.

    is_needed : bool
        Whether a score must be finite.

    Raises
    ------
    Exception
        What the scorer raises.

    ValueError
        If it does not return a number that can be used.
    """
    faults: list = []
    with warnings.catch_warnings():
        # Of predictions that training will improve.
        warnings.simplefilter("ignore")
        for score in scores:
            try:
                found = score()
            except Exception as error:
                faults.append(error)
                continue
            if np.isfinite(found) or not is_needed:
                return
            faults.append(
                ValueError(
                    f"scoring={scoring!r} must return a finite number, got {found}: choose "
                    "another scoring, or pass as X_val what it can score."
                )
            )
    raise faults[0]
