"""Export an estimator, with the types of its inputs from a table."""

import numpy as np
import skl2onnx
from scipy.sparse import issparse
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.compose import ColumnTransformer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgd.tabular._read import plain_column, read_table

__all__ = ["to_onnx"]


def to_onnx(estimator, X, **options):
    """Convert a fitted estimator to ONNX.

    It calls :func:`skl2onnx.to_onnx`, but takes any data frame, array or sparse matrix as
    ``X``, and also takes searches.

    Parameters
    ----------
    estimator : fitted estimator
        An estimator of skgd, a pipeline that has one, or a search over these. The
        ``best_estimator_`` of a search is converted.

    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
        Some rows, with the columns of training in their order. They determine the names and
        the types of the inputs. For a data frame, the model has an input of shape (n, 1)
        for each column, with its name: of strings for categories that are strings, and of
        seconds since 1970 for dates. For an array of one type, the model has a single
        input, ``X``, which is dense also for sparse rows.

    **options : dict
        Further arguments of :func:`skl2onnx.to_onnx`, such as ``options={"zipmap":
        False}`` and ``target_opset``.

    Returns
    -------
    onnx.ModelProto
        The model. ``SerializeToString()`` gives the bytes of the file.

    Examples
    --------
    >>> import numpy as np
    >>> import skgd.onnx
    >>> from skgd import MLPRegressor
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    >>> model = MLPRegressor(solver="lbfgs", random_state=0).fit(X, X[:, 0])
    >>> onnx_model = skgd.onnx.to_onnx(model, X)
    >>> [one.name for one in onnx_model.graph.output]
    ['variable']
    """
    estimator = _without_searches(estimator)
    check_is_fitted(estimator)
    if issparse(X):
        X = X.tocsr()[:1].toarray()
    labels, columns, _ = read_table(X)
    _check_names(estimator, labels)
    types = _initial_types(X, labels, columns)
    return skl2onnx.to_onnx(estimator, initial_types=types, **options)


def _without_searches(estimator):
    """Return the best estimator of a search, also within a pipeline."""
    if isinstance(estimator, BaseSearchCV):
        check_is_fitted(
            estimator,
            "best_estimator_",
            msg="This %(name)s has no best_estimator_. Fit it with refit=True.",
        )
    if hasattr(estimator, "best_estimator_"):
        return _without_searches(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        *steps, (name, last) = estimator.steps
        best = _without_searches(last)
        if best is not last:
            return Pipeline([*steps, (name, best)])
    return estimator


def _check_names(estimator, labels):
    """Raise if the names of the columns are not those of training."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[0][1]
    # A ColumnTransformer finds columns by name.
    if isinstance(estimator, ColumnTransformer):
        return
    names = getattr(estimator, "feature_names_in_", ())
    for name, label in zip(names, labels, strict=False):
        if isinstance(label, str) and label != name:
            raise ValueError(
                f"X has the column {label!r} where {type(estimator).__name__} was fitted "
                f"to {name!r}. Give it the columns of training, in their order."
            )


def _initial_types(X, labels, columns):
    """Return the name and the type of each input."""
    pairs = list(zip(labels, columns, strict=True))
    types = [_type_of(plain_column(column, label)) for label, column in pairs]
    if isinstance(X, np.ndarray) and len(set(types)) == 1:
        return [("X", types[0]([None, len(types)]))]
    names = [label if isinstance(label, str) else f"X{label}" for label in labels]
    return [(name, kind([None, 1])) for name, kind in zip(names, types, strict=True)]


def _type_of(values):
    """Return the type of the input for a plain column."""
    if isinstance(values, tuple):
        values = np.array(list(values[0]), dtype=object)
    kind = values.dtype.kind
    if kind in "SU" or (kind == "O" and any(isinstance(v, str) for v in values.tolist())):
        return StringTensorType
    if kind in "biu":
        return BooleanTensorType if kind == "b" else Int64TensorType
    return FloatTensorType if values.dtype == np.float32 else DoubleTensorType
