"""``coefs_`` and ``intercepts_`` that are not those of the last fit."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from skgd import MLPClassifier, MLPRegressor
from tests.neural_network.test_partial_fit import CLASSES, ESTIMATORS, TARGETS, X, start

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def replace_list(arrays):
    return [np.full_like(array, 0.01) for array in arrays]


def replace_element(arrays):
    arrays[-1] = arrays[-1] + 0.5
    return arrays


def modify_in_place(arrays):
    arrays[0].flat[-1] += 1e-3
    return arrays


def modify_a_digit(arrays):
    arrays[0].flat[0] = np.nextafter(arrays[0].flat[0], np.float32(9))
    return arrays


SET = [replace_list, replace_element, modify_in_place, modify_a_digit]


def train_on(model, way):
    y = ESTIMATORS[type(model)]
    if way == "fit":
        return model.set_params(warm_start=True, max_iter=2).fit(X, y)
    return model.partial_fit(X, y)


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("change", SET)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_batch_normalization_does_not_go_on_with_others(estimator, change, name, way):
    model = start(estimator, batch_normalization=True)
    before = copy.deepcopy(model)
    setattr(model, name, change(getattr(model, name)))
    model.predict(X)
    state = joblib.hash(vars(model))
    with pytest.raises(ValueError, match="coefs_ and intercepts_ are not those"):
        train_on(model, way)
    if way == "partial_fit":
        assert joblib.hash(vars(model)) == state
    # The remedies.
    setattr(model, name, [array.copy() for array in getattr(before, name)])
    train_on(model, way)
    setattr(model, name, change(getattr(model, name)))
    model.set_params(warm_start=False, max_iter=2).fit(X, ESTIMATORS[estimator])
    train_on(model, way)


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: model.set_params(batch_normalization_epsilon=0.5),
        lambda model: model.set_params(learning_rate_init=0.5),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_normalization_goes_on_with_its_own(dtype, again, way):
    rows = (X + 1e3).astype(dtype)
    for early_stopping in (False, True):
        model = MLPClassifier(
            (4,), batch_normalization=True, early_stopping=early_stopping, max_iter=3
        ).fit(rows, CLASSES > 0)
        model.set_params(early_stopping=False)
        model = again(model)
        if way == "fit":
            model.set_params(warm_start=True)
        getattr(model, way)(rows, CLASSES > 0)


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_plain_network_goes_on_with_others(estimator, way):
    model = start(estimator, learning_rate_init=1e-12)
    model.coefs_ = [np.full_like(coef, 0.01) for coef in model.coefs_]
    model.intercepts_[0][:] = 0.5
    train_on(model, way)
    np.testing.assert_allclose(model.coefs_[0], 0.01, atol=1e-9)
    np.testing.assert_allclose(model.intercepts_[0], 0.5, atol=1e-9)


@pytest.mark.parametrize("way", ["partial_fit", "fit"])
@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("float64", "int64", "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("float32", "float16", "float32"),
    ],
)
def test_weights_of_another_dtype(before, after, kept, way):
    model = MLPRegressor(hidden_layer_sizes=(4,)).partial_fit(X.astype(before), TARGETS)
    model.coefs_ = [coef.astype(after) for coef in model.coefs_]
    train_on(model, way)
    assert {a.dtype for a in model.coefs_ + model.intercepts_} == {np.dtype(kept)}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_weights_of_another_size(estimator):
    """The state of the solver is not theirs."""
    model = start(estimator)
    outputs = len(model.intercepts_[-1])
    model.coefs_ = [np.full((3, 7), 0.1), np.full((7, outputs), 0.1)]
    model.intercepts_ = [np.zeros(7), np.zeros(outputs)]
    model.set_params(hidden_layer_sizes=(7,)).partial_fit(X, ESTIMATORS[estimator])
    assert [coef.shape for coef in model.coefs_] == [(3, 7), (7, outputs)]


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("way", ["predict", "partial_fit"])
@pytest.mark.parametrize(
    ("name", "index", "shape"),
    [
        ("intercepts_", 0, (1,)),
        ("intercepts_", 1, (9,)),
        ("coefs_", 0, (2, 4)),
        ("coefs_", 0, (4, 4)),
        ("coefs_", 1, (5, 1)),
    ],
)
def test_weights_that_do_not_fit_each_other(name, index, shape, way, batch_normalization):
    """Kernels do not check their indices."""
    model = start(MLPRegressor, batch_normalization=batch_normalization)
    getattr(model, name)[index] = np.ones(shape)
    arguments = (X,) if way == "predict" else (X, TARGETS)
    with pytest.raises(ValueError, match=r"coefs_ (are )?of shapes .* and intercepts_ of"):
        getattr(model, way)(*arguments)


@pytest.mark.parametrize("way", ["predict", "partial_fit", "fit", "to_sklearn"])
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda arrays: [a.tolist() for a in arrays], "list, list"),
        (lambda arrays: [arrays[0], arrays[1].tolist()], r"array of float64 .*, list"),
        (lambda arrays: [a.astype(object) for a in arrays], "array of object"),
        (lambda arrays: [a.astype(complex) for a in arrays], "array of complex128"),
        (
            lambda arrays: [a[np.newaxis] for a in arrays],
            r"array of float64 of shape \(1, ",
        ),
        (lambda arrays: None, "NoneType"),
        (lambda arrays: "abc", "str"),
    ],
)
def test_weights_that_are_no_arrays(change, found, name, way):
    model = start(MLPRegressor)
    setattr(model, name, change(getattr(model, name)))
    before = joblib.hash(vars(model))
    with pytest.raises(TypeError, match=f"{name} must be a list with .* got {found}"):
        use(model, way)
    if way != "fit":
        assert joblib.hash(vars(model)) == before


@pytest.mark.parametrize("way", ["predict", "partial_fit", "fit", "to_sklearn"])
def test_weights_of_other_numbers_of_layers(way):
    model = start(MLPRegressor)
    model.coefs_ = model.coefs_[:1]
    with pytest.raises(ValueError, match="an array for each layer, got 1 and 2 arrays"):
        use(model, way)


def use(model, way):
    if way in ("predict", "to_sklearn"):
        return getattr(model, way)(*[X][: way == "predict"])
    return train_on(model, way)
