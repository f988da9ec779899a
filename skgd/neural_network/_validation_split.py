"""The rows that early stopping holds out."""

from math import ceil

import numpy as np
from sklearn.model_selection import train_test_split

__all__ = ["split"]


def split(estimator, loss, data, random_state):
    """Draw the rows to train on and those to validate with.

    Parameters
    ----------
    estimator : BaseMLP
        Has the parameters and the classes.

    loss : Loss
        The loss, whose link says whether the targets are classes.

    data : Data
        All rows.

    random_state : RandomState
        The generator.

    Returns
    -------
    train, held_out : ndarray of shape (n,)
        Indices of rows.

    Raises
    ------
    ValueError
        If there are too few rows, in total or of a class.
    """
    y, fraction = data.y, estimator.validation_fraction
    if hasattr(fraction, "split"):
        train, held_out = _first_split(fraction, data, estimator._targets(y))
        _check_sizes(estimator, len(held_out), len(held_out) + len(train), 1)
        return train, held_out
    # Only two classes are stratified: not multilabel targets and, as in scikit-learn, not
    # multiclass ones.
    stratified = loss.out_activation == "logistic" and y.shape[1] == 1
    n_held_out = ceil(fraction * len(y))
    n_classes = len(np.unique(y)) if stratified else 1
    try:
        train, held_out = train_test_split(
            np.arange(len(y)),
            random_state=random_state,
            test_size=fraction,
            stratify=y[:, 0] if stratified else None,
        )
    except ValueError as error:
        if "member" in str(error):
            raise ValueError(_rare_classes(estimator, y[:, 0], error)) from None
        _check_sizes(estimator, n_held_out, len(y), n_classes)
        raise
    _check_sizes(estimator, n_held_out, len(y), n_classes)
    return train, held_out


def _first_split(splitter, data, y):
    """Return the indices of the first split, or raise an error that names the splitter."""
    try:
        rows = np.arange(len(y))
        train, held_out = next(iter(splitter.split(data.X, y, data.groups)))
        # A splitter may return masks.
        return rows[np.asarray(train)], rows[np.asarray(held_out)]
    except (IndexError, StopIteration, TypeError, ValueError) as error:
        reason = str(error) or "there is no split"
        raise ValueError(
            f"validation_fraction={splitter!r} cannot split X, y and groups of {len(y)} "
            f"rows: {reason}."
        ) from error


def _rare_classes(estimator, codes, error):
    """Return an error message that names the classes with a single row."""
    codes, counts = np.unique(codes, return_counts=True)
    labels = estimator.classes_[codes[counts == 1].astype(int)].tolist()
    rare = ", ".join(f"class {label!r} has 1 of {counts.sum()} rows" for label in labels)
    # scikit-learn encodes two classes as False and True, and names those.
    encoded = [str(code > 0) for code in codes[counts == 1]]
    # The first words differ between versions of scikit-learn.
    return (
        f"{str(error).partition(',')[0]}: {rare}. early_stopping=True holds out "
        f"validation_fraction={estimator.validation_fraction} of the rows of each class, "
        "which takes at least 2 of them. Add rows of that class, leave it out, or set "
        f"early_stopping=False. (Encoded: Classes with too few members are: {encoded}.)"
    )


def _check_sizes(estimator, n_held_out, n_samples, n_classes):
    """Raise if a set has fewer rows than classes, or the validation set fewer than two."""
    increase = "Increase 'validation_fraction' or the size of your dataset"
    decrease = "Decrease 'validation_fraction' or increase the size of your dataset"
    parts = (
        ("validation", "validate with", n_held_out, max(n_classes, 2), increase),
        ("training", "train on", n_samples - n_held_out, n_classes, decrease),
    )
    for name, purpose, size, enough, remedy in parts:
        if size < enough:
            raise ValueError(
                f"The {name} set is too small. {remedy}: early_stopping=True with "
                f"validation_fraction={estimator.validation_fraction} leaves {size} of "
                f"{n_samples} rows to {purpose}, where at least {enough} are needed."
            )
