"""Which rows a member holds out."""

import numpy as np
from sklearn.model_selection import GroupKFold

__all__ = ["assign_folds"]


def assign_folds(y, groups, n_folds, random_state):
    """Return the fold of each row.

    Classes, or the order of the targets, are spread evenly over the folds: also those of
    few rows, which scikit-learn's splitters refuse.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        Encoded targets.

    groups : ndarray of shape (n_samples,) or None
        Rows of a group stay together.

    n_folds : int
        The number of folds.

    random_state : RandomState
        What draws.

    Returns
    -------
    ndarray of shape (n_samples,), dtype=int64
    """
    folds = np.empty(len(y), np.int64)
    if groups is not None:
        n_groups = len(np.unique(groups))
        if n_groups < n_folds:
            raise ValueError(
                f"groups has {n_groups} different values, fewer than the {n_folds} folds "
                f"of validation_fraction. Increase validation_fraction to 1 / {n_groups}, "
                "or leave groups out."
            )
        for fold, (_, held_out) in enumerate(GroupKFold(n_folds).split(y, groups=groups)):
            folds[held_out] = fold
        return folds
    shuffled = random_state.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled, 0], kind="stable")]
    folds[order] = np.arange(len(y)) % n_folds
    return folds
