"""Choose the rows that each member holds out."""

from itertools import pairwise

import numpy as np
from sklearn.model_selection import GroupKFold
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length

from skgd.neural_network._validation import has_validation

__all__ = ["check_given", "hold_out"]


def check_given(given, groups, refit):
    """Raise if the validation data are incomplete, or exclude another argument.

    Parameters
    ----------
    given : tuple
        ``X_val``, ``y_val`` and ``sample_weight_val``.

    groups : array-like or None
        The groups of rows that are held out together.

    refit : bool
        Whether members are trained again on all rows.

    Raises
    ------
    ValueError
        If an argument is missing or cannot be used.
    """
    if not has_validation(given):
        return
    if refit:
        raise ValueError(
            "refit=True has no effect with X_val, with which all members train on all rows "
            "of X. Set refit=False, or leave X_val out."
        )
    if groups is not None:
        raise ValueError(
            "groups says which rows are held out together, but with X_val no rows are held "
            "out. Leave one of them out."
        )


def hold_out(y, rows, groups, fraction, random_state):
    """Divide rows into folds, and bring them into the order of these.

    Without groups, each fold has about the same distribution of the first target. This
    includes classes of few rows, which scikit-learn's splitters refuse.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        Encoded targets.

    rows : ndarray of shape (n,)
        The rows of positive weight.

    groups : array-like of shape (n_samples,) or None
        Rows of a group stay together.

    fraction : float
        The part of the rows in a fold.

    random_state : RandomState
        The generator.

    Returns
    -------
    rows : ndarray of shape (n,)
        The rows, fold by fold.

    bounds : list of tuple of (int, int)
        Where each fold begins and ends.

    Raises
    ------
    TypeError, ValueError
        If there are fewer groups than folds, or if ``groups`` is not valid.
    """
    n_folds = min(round(1 / fraction), len(rows))
    folds = np.empty(len(rows), np.int64)
    if groups is not None:
        try:
            check_consistent_length(y, groups)
            groups = column_or_1d(groups)[rows]
            n_groups = len(np.unique(groups))
        except (TypeError, ValueError) as error:
            error.args = (f"groups must have a value for each row: {error}",)
            raise
        if n_groups < n_folds:
            raise ValueError(
                f"groups has {n_groups} different values, but validation_fraction="
                f"{fraction} asks for {n_folds} folds. Increase validation_fraction, or "
                "leave groups out."
            )
        splits = GroupKFold(n_folds).split(rows, groups=groups)
        for fold, (_, held_out) in enumerate(splits):
            folds[held_out] = fold
    else:
        shuffled = random_state.permutation(len(rows))
        order = shuffled[np.argsort(y[rows[shuffled], 0], kind="stable")]
        folds[order] = np.arange(len(rows)) % n_folds
    order = np.argsort(folds, kind="stable")
    bounds = np.searchsorted(folds[order], np.arange(n_folds + 1)).tolist()
    return rows[order], list(pairwise(bounds))
