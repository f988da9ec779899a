"""Which rows a member holds out."""

from itertools import pairwise

import numpy as np
from sklearn.model_selection import GroupKFold
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length

__all__ = ["check_given", "hold_out"]


def check_given(given, groups, refit):
    """Raise if the validation data are not complete, or if others have no effect.

    Parameters
    ----------
    given : tuple
        ``X_val``, ``y_val`` and ``sample_weight_val``.

    groups : array-like or None
        What is held out together.

    refit : bool
        Whether members are to be trained anew on all rows.

    Raises
    ------
    ValueError
        If something is missing, or cannot be used.
    """
    names = "X_val", "y_val", "sample_weight_val"
    named = [n for n, value in zip(names, given, strict=True) if value is not None]
    if not named:
        return
    if not {"X_val", "y_val"} <= set(named):
        raise ValueError(
            f"Validation data are X_val and y_val together, got only {', '.join(named)}."
        )
    if refit:
        raise ValueError(
            "refit=True has no effect with X_val, with which all members train on all rows "
            "of X. Set refit=False, or leave X_val out."
        )
    if groups is not None:
        raise ValueError(
            "groups says what is held out together, but X_val takes the place of rows held "
            "out. Leave one of them out."
        )


def hold_out(y, rows, groups, fraction, random_state):
    """Bring rows into the order of their folds.

    Classes, or the order of the targets, are spread evenly over the folds: also classes of
    few rows, which scikit-learn's splitters refuse.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        Encoded targets.

    rows : ndarray of shape (n,)
        Those of positive weight.

    groups : array-like of shape (n_samples,) or None
        Rows of a group stay together.

    fraction : float
        The part of the rows of a fold.

    random_state : RandomState
        What draws.

    Returns
    -------
    rows : ndarray of shape (n,)

    bounds : list of tuple of (int, int)
        Where a fold begins and ends.

    Raises
    ------
    TypeError, ValueError
        If there are fewer groups than folds, or they are not valid.
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
                f"{fraction} asks for {n_folds} folds. Increase it, or leave groups out."
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
