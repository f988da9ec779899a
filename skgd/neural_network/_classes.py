"""Labels of classes, weights of classes, and logarithms of probabilities."""

from contextlib import contextmanager
from numbers import Real

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

__all__ = ["binarizer", "blamed_on", "log_probabilities", "weights_of_samples"]


def binarizer(y):
    """Fit a LabelBinarizer, or raise an error that says why the labels are not valid."""
    try:
        return LabelBinarizer().fit(y)
    except ValueError as error:
        check_classification_targets(y)
        if type_of_target(y) == "multiclass-multioutput":
            raise ValueError(
                f"{error}: y of shape {y.shape} may only have the values 0 and 1. For "
                "several columns of classes use sklearn.multioutput.MultiOutputClassifier."
            ) from None
        raise


@contextmanager
def blamed_on(classes):
    """Make errors of the block name ``classes`` as the cause."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "classes" not in str(error):
            error.args = (f"classes={classes!r} cannot be used: {error}",)
        raise


# The logarithm of a probability may overflow, or round to zero.
@np.errstate(over="ignore", under="ignore", invalid="ignore")
def log_probabilities(z, n_classes, is_softmax):
    """Compute the logarithms of the probabilities from the linear outputs."""
    if n_classes == 1:
        return np.zeros_like(z)
    if is_softmax:
        largest = z.argmax(axis=1)[:, np.newaxis]
        z -= np.take_along_axis(z, largest, axis=1)
        others = np.exp(z)
        np.put_along_axis(others, largest, 0, axis=1)
        z -= np.log1p(others.sum(axis=1, keepdims=True))
        return z
    if z.shape[1] == 1:
        z = np.hstack([-z, z])
    return -np.logaddexp(0, -z)


def weights_of_samples(class_weight, classes, y, sample_weight, is_multilabel):
    """Multiply the weights of the samples by those of their classes.

    Parameters
    ----------
    class_weight : dict, list of dict or 'balanced'
        The estimator's parameter.

    classes : ndarray of shape (n_classes,)
        The labels.

    y : ndarray of shape (n_samples, n_targets)
        Encoded targets.

    sample_weight : ndarray of shape (n_samples,) or None
        As given to ``fit``.

    is_multilabel : bool
        Whether the columns of ``y`` are yes-or-no targets.

    Returns
    -------
    weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the weights are not valid, or all of them are zero.
    """
    is_list = isinstance(class_weight, list)
    for weights in class_weight if is_list else [class_weight]:
        for label, weight in weights.items() if isinstance(weights, dict) else ():
            if not (isinstance(weight, Real) and 0 <= float(weight) < np.inf):
                raise ValueError(
                    f"class_weight must have finite weights >= 0, got {weight!r} for class "
                    f"{label!r}."
                )
    codes = y.astype(int)
    if is_multilabel:
        weight = compute_sample_weight(class_weight, codes)
    elif is_list:
        raise ValueError(
            f"class_weight={class_weight!r} is a list, which is for multilabel targets "
            "only. Pass a dict with a weight for each class."
        )
    else:
        codes = codes[:, 0]
        try:
            weight = compute_class_weight(class_weight, classes=classes, y=classes[codes])
        except ValueError as error:
            unknown = [label for label in class_weight if label not in classes.tolist()]
            raise ValueError(
                f"{error}, whose labels {unknown} are not classes of y. Leave them out; "
                "a class that is not named has the weight 1."
            ) from None
        weight = weight[codes]
    if sample_weight is not None:
        weight = weight * sample_weight
    weight = weight.astype(y.dtype)
    if not weight.any():
        raise ValueError(
            f"class_weight={class_weight!r} leaves no sample with a weight above 0. Give a "
            "class of these samples a positive weight."
        )
    return weight
