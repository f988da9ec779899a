"""The functions that skl2onnx calls: for the types of an estimator's outputs, and nodes."""

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    guess_numpy_type,
    guess_tensor_type,
)
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.utils.validation import check_is_fitted

from skgd.neural_network import HiddenLayerTransformer, MLPClassifier, MLPRegressor
from skgd.neural_network._plugins import activations_of
from skgd.neural_network._predicting import layer_index
from skgd.neural_network._prediction import network_of
from skgd.onnx._columns import Inputs, components, encode, smooth_clip
from skgd.onnx._functions import write_function
from skgd.onnx._graph import Graph
from skgd.onnx._network import write_network
from skgd.preprocessing import (
    MeanScaler,
    MinMaxScaler,
    RobustClipScaler,
    StandardScaler,
    ZScoreScaler,
)
from skgd.stages import Dense, PiecewiseLinear
from skgd.tabular import TabularMLPClassifier, TabularMLPRegressor
from skgd.tabular._base import BaseTabularMLP

__all__ = ["register_estimators"]

SCALERS = MinMaxScaler, MeanScaler, ZScoreScaler, StandardScaler, RobustClipScaler

# The entries of ``stages_`` that can be written.
STAGES = {"activation", "bias", "edges", "embedding", "periodic", "scale"}

# The options of skl2onnx's own classifiers.
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
}


def register_estimators():
    """Tell skl2onnx how to convert the estimators."""
    for scaler in SCALERS:
        update_registered_converter(scaler, "SkgdScaler", _scaler_shapes, _write_scaler)
    update_registered_converter(
        HiddenLayerTransformer, "SkgdHiddenLayer", _hidden_layer_shapes, _write_hidden_layer
    )
    for regressor in (MLPRegressor, TabularMLPRegressor):
        update_registered_converter(
            regressor, "SkgdRegressor", _regressor_shapes, _write_regressor
        )
    for classifier in (MLPClassifier, TabularMLPClassifier):
        update_registered_converter(
            classifier,
            "SkgdClassifier",
            _classifier_shapes,
            _write_classifier,
            options=OPTIONS,
        )


def _set_type(operator, index, kind, *shape):
    """Set the type of an output, by default to the one that fits the first input."""
    kind = kind or type(guess_tensor_type(operator.inputs[0].type))
    n_rows = operator.inputs[0].get_first_dimension()
    operator.outputs[index].type = kind([n_rows, *shape])


def _dtype_of(variable):
    """Return the dtype of an input, in which to compute, or of an output."""
    return np.dtype(guess_numpy_type(variable.type))


def _finish(g, operator, index, x):
    """Write numbers as an output."""
    variable = operator.outputs[index]
    g.cast(x, _dtype_of(variable), variable.full_name)


# ---------------------------------------------------------------------------- the scalers


def _scaler_shapes(operator):
    check_is_fitted(operator.raw_operator)
    _set_type(operator, 0, None, operator.raw_operator.n_features_in_)


def _write_scaler(scope, operator, container):
    # In float32, a column far from 0, such as a time, would lose its digits.
    g, scaler = Graph(scope, container), operator.raw_operator
    x = Inputs(g, operator).numbers(range(scaler.n_features_in_), g.dtype)
    if isinstance(scaler, RobustClipScaler):
        y = smooth_clip(g, x, scaler.center_, scaler.scale_, scaler.clip)
    else:
        affine = scaler._map(_dtype_of(operator.outputs[0]))
        center, scale, span, offset, low, high = affine
        y = g.Add(g.Mul(g.Div(g.Sub(x, center), scale), span), offset)
        y = g.Clip(y, low, high)
    _finish(g, operator, 0, y)


# --------------------------------------------------------------------------- the networks


def _write_outputs(scope, operator, container):
    """Write the predictions of a network, or the mean of those of members.

    It returns the graph and the name of the result.
    """
    model = operator.raw_operator
    if isinstance(model, BaseTabularMLP):
        return _write_members(scope, operator, container)
    g, z = _write_layers(scope, operator, container, model)
    return g, write_function(g, z, model._link_of(None))


def _write_layers(scope, operator, container, model, n_layers=None):
    """Write the first layers of a network, by default all."""
    coefs, intercepts, activations, stages = model._checked_network(n_layers)
    for key in stages.keys() - STAGES:
        raise NotImplementedError(
            f"skgd cannot write stages_[{key!r}] of {type(model).__name__} in ONNX. Fit a "
            "network without it."
        )
    # The dtype is that of predictions.
    is_single = all(isinstance(v.type, FloatTensorType) for v in operator.inputs)
    given = np.dtype(np.float32 if is_single else np.float64)
    g = Graph(scope, container, np.promote_types(given, coefs[0].dtype))
    inputs, columns = Inputs(g, operator), range(model.n_features_in_)
    layers = coefs, intercepts, activations, stages
    layout, theta = network_of(len(columns), g.dtype, *layers)
    read: dict[type, str] = {Dense: inputs.numbers(columns, g.dtype)}
    if "edges" in stages:
        x = inputs.numbers(columns, np.float64)
        read[PiecewiseLinear] = g.cast(components(g, x, stages["edges"]), g.dtype)
    return g, write_network(g, layout, theta, read)


def _write_members(scope, operator, container):
    model = operator.raw_operator
    g = Graph(scope, container)
    found = encode(g, Inputs(g, operator), model._columns)
    layout = model._layout(activations_of(model, len(model._hidden_units)))
    theta = np.array([member["parameters"] for member in model.members_])
    g.dtype = theta.dtype
    z = write_network(g, layout, theta, found)
    outputs = write_function(g, z, model._link_of(None))
    g.dtype = np.dtype(np.float64)
    if not found:
        # If all columns were constant, none is read, but each row has an output.
        n_rows = g.Gather(g.Shape(operator.inputs[0].full_name), np.array([0]), axis=0)
        outputs = g.Expand(outputs, g.Concat(np.array([1]), n_rows, np.array([1]), axis=0))
    total = g.ReduceSum(g.cast(outputs, g.dtype), np.array([0]), keepdims=0)
    return g, g.Div(total, len(theta))


def _hidden_layer_shapes(operator):
    check_is_fitted(operator.raw_operator)
    _set_type(operator, 0, None, operator.raw_operator._n_features_out)


def _write_hidden_layer(scope, operator, container):
    model = operator.raw_operator.estimator_
    index = layer_index(operator.raw_operator.layer, len(model.coefs_) - 1)
    g, z = _write_layers(scope, operator, container, model, index + 1)
    _finish(g, operator, 0, z)


# ------------------------------------------------------------------------- the regressors


def _regressor_shapes(operator):
    check_is_fitted(operator.raw_operator)
    _set_type(operator, 0, None, operator.raw_operator.n_outputs_)


def _write_regressor(scope, operator, container):
    g, y = _write_outputs(scope, operator, container)
    model = operator.raw_operator
    if isinstance(model, TabularMLPRegressor):
        lowest, highest = model._range
        y = g.Add(g.Mul(y, model._scale), model._center)
        y = g.Max(g.Min(y, highest), lowest)
    _finish(g, operator, 0, y)


# ------------------------------------------------------------------------ the classifiers


def _is_multilabel(model):
    if isinstance(model, TabularMLPClassifier):
        return model._is_multilabel
    return model._label_binarizer.y_type_ == "multilabel-indicator"


def _labels_of(scope, model):
    """Return the labels as int64 or as strings, or their places if an option says so."""
    classes = get_label_classes(scope, model)
    # Floats that are classes are whole numbers.
    return classes.astype(np.int64) if classes.dtype.kind in "biuf" else classes


def _classifier_shapes(operator):
    model = operator.raw_operator
    check_is_fitted(model)
    n_classes, labels = len(model.classes_), _labels_of(operator.scope_inst, model)
    if _is_multilabel(model):
        _set_type(operator, 0, Int64TensorType, n_classes)
    else:
        is_string = labels.dtype.kind in "OU"
        _set_type(operator, 0, StringTensorType if is_string else Int64TensorType)
    options = operator.scope_inst.get_options(model, {"zipmap": True})
    # ZipMap takes only float32.
    kind = FloatTensorType if options["zipmap"] is True else None
    _set_type(operator, 1, kind, n_classes)


def _write_classifier(scope, operator, container):
    g, p = _write_outputs(scope, operator, container)
    model, label = operator.raw_operator, operator.outputs[0].full_name
    if isinstance(model, TabularMLPClassifier):
        p = _published(g, p, model)
    elif len(model.classes_) == 1:
        p = g.Add(g.Mul(p, 0.0), 1.0)
    elif model.n_outputs_ == 1:
        p = g.Concat(g.Sub(1.0, p), p, axis=1)
    if _is_multilabel(model):
        g.cast(g.Greater(p, 0.5), np.int64, label)
    else:
        best = g.ArgMax(p, axis=1, keepdims=0)
        g.Gather(_labels_of(scope, model), best, axis=0, output=label)
    _finish(g, operator, 1, p)


def _published(g, p, model):
    """Write the calibrated probabilities of the classes."""
    n_classes, power = len(model.classes_), 1 / model.temperature_
    if model._is_multilabel:
        if power == 1:
            return p
        yes, no = (g.Exp(g.Mul(g.Log(x), power)) for x in (p, g.Sub(1.0, p)))
        return g.Div(yes, g.Add(yes, no))
    p = g.Exp(g.Mul(g.Log(p), power))
    if n_classes < model.n_outputs_:
        p = g.Gather(p, np.arange(n_classes), axis=1)
    return g.Div(p, g.ReduceSum(p, np.array([1]), keepdims=1))
