"""Score by scikit-learn's scorers, and check before training that they can score."""

import warnings
from numbers import Real

import numpy as np
from sklearn.metrics import check_scoring

__all__ = ["check_scores", "perfect", "scored", "scoring_name"]


def scoring_name(scoring):
    """Return a name that identifies a ``scoring``, also in another process."""
    is_name = scoring is None or isinstance(scoring, str)
    return scoring if is_name else getattr(scoring, "__qualname__", repr(scoring))


def scored(scoring, model, X, y, weight, remedy):
    """Return a score of the validation data.

    Parameters
    ----------
    scoring : str or callable
        The parameter of the estimators.

    model, X, y, weight : object, array-like, ndarray, ndarray or None
        The arguments of the scorer.

    remedy : str
        How to score without weights.

    Returns
    -------
    score : float

    Raises
    ------
    Exception
        What the scorer raises.

    ValueError
        If the scorer does not return a number.
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
    """Return the outputs of a network that predicts the encoded targets exactly.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        The encoded targets.

    n_outputs : int
        The number of outputs. If there are more outputs than targets, they are a column for
        each class, or several predictions of each target.

    classifies : bool
        Whether the outputs are probabilities.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
    """
    if classifies and n_outputs > y.shape[1]:
        return (y == np.arange(n_outputs)).astype(y.dtype)
    return np.resize(y.T, (n_outputs, len(y))).T


def check_scores(scoring, scores, is_needed):
    """Raise if none of some networks can be scored.

    Parameters
    ----------
    scoring : str or callable
        The parameter of the estimators.

    scores : iterable of callable
        Each returns the score of a network. If all fail, the error of the first is raised.

    is_needed : bool
        Whether a score must be finite.

    Raises
    ------
    Exception
        What the scorer raises.

    ValueError
        If the scorer does not return a finite number although it must.
    """
    faults: list = []
    with warnings.catch_warnings():
        # Warnings about predictions that training will improve.
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
