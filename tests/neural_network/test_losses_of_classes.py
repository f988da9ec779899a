"""Losses for classes, class weights and label smoothing."""

import pickle
from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.utils.class_weight import compute_sample_weight

from skgd import MLPClassifier, MLPRegressor
from skgd.engine import Loss, exp, log1p, logistic
from skgd.losses import (
    BinaryLogLoss,
    Focal,
    MultinomialFocal,
    MultinomialLogLoss,
    SquaredError,
)
from tests.engine.helpers import DTYPES
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 4))
X[abs(X) < 0.3] = 0
WEIGHT = RNG.uniform(0.5, 2, 60)
NAMES = np.array(["ash", "birch", "cedar"])[X[:, :3].argmax(axis=1)]
TARGETS = {
    "binary": (NAMES == "ash").astype(int),
    "multiclass": NAMES,
    "multilabel": (X[:, :2] + 0.3 * X[:, 2:] > 0.2).astype(int),
}
each_target = pytest.mark.parametrize("kind", TARGETS)
TOLERANCE = {"float32": 1e-3, "float64": 1e-9}


def network(**parameters):
    defaults = {
        "hidden_layer_sizes": (6,),
        "activation": "tanh",
        "learning_rate_init": 0.05,
        "batch_size": 10**6,
        "max_iter": 4,
        "shuffle": False,
        "random_state": 0,
    }
    return MLPClassifier(**{**defaults, **parameters})


def assert_same(one, other):
    for a, b in zip(
        [*one.coefs_, *one.intercepts_], [*other.coefs_, *other.intercepts_], strict=True
    ):
        np.testing.assert_array_equal(a, b)


def every_target(kind, smoothing):
    """Yield each possible target with the part that smoothing gives it, for all rows."""
    y = TARGETS[kind]
    if kind == "multilabel":
        for labels in product([0, 1], repeat=2):
            parts = np.where(y == labels, 1 - smoothing / 2, smoothing / 2)
            yield np.tile(labels, (len(y), 1)), parts.prod(axis=1)
    else:
        classes = np.unique(y)
        for label in classes:
            part = (y == label) * (1 - smoothing) + smoothing / len(classes)
            yield np.full(len(y), label), part


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@all_pairs(
    kind=TARGETS,
    loss=["log_loss", Focal(gamma=0.5)],
    solver=["minibatch", "adam", "lbfgs"],
    batch_normalization=[False, True],
    weighted=[False, True],
    make=[np.asarray, csr_matrix],
    dtype=DTYPES,
)
def test_a_smoothed_label_is_a_weighted_row_of_each_class(
    kind, loss, solver, batch_normalization, weighted, make, dtype
):
    smoothing = 0.3
    normalized = batch_normalization and solver != "lbfgs"
    model = network(loss=loss, solver=solver, batch_normalization=normalized)
    weight = WEIGHT if weighted else np.ones(len(X))
    rows = X.astype(dtype)
    smoothed = clone(model).set_params(label_smoothing=smoothing)
    smoothed.fit(make(rows), TARGETS[kind], sample_weight=weight)
    targets, parts = zip(*every_target(kind, smoothing), strict=True)
    model.fit(
        make(np.vstack([rows] * len(targets))),
        np.concatenate(targets),
        sample_weight=np.concatenate([part * weight for part in parts]),
    )
    assert smoothed.loss_ == pytest.approx(model.loss_, rel=TOLERANCE[dtype])
    if solver == "lbfgs":
        return
    for one, other in zip(smoothed.coefs_, model.coefs_, strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE[dtype])


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@all_pairs(
    kind=TARGETS,
    given=["balanced", "explicit"],
    loss=["log_loss", "focal"],
    solver=["adam", "lbfgs"],
    weighted=[False, True],
    early_stopping=[False, True],
)
def test_weights_of_classes_are_weights_of_samples(
    kind, given, loss, solver, weighted, early_stopping
):
    y = TARGETS[kind]
    if given == "explicit":
        given = {label: 1.0 + 2 * i for i, label in enumerate(np.unique(y))}
        if kind == "multilabel":
            given = [given, {0: 1, 1: 0.2}]
    weight = WEIGHT if weighted else None
    if solver == "lbfgs":
        early_stopping = False
    model = network(loss=loss, solver=solver, early_stopping=early_stopping)
    found = clone(model).set_params(class_weight=given).fit(X, y, sample_weight=weight)
    weights = compute_sample_weight(given, y) * (1 if weight is None else weight)
    assert_same(found, model.fit(X, y, sample_weight=weights))


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@each_target
@pytest.mark.parametrize("make", [Focal, lambda: "log_loss"])
def test_objects_and_names(kind, make):
    y = TARGETS[kind]
    model = network(loss=make(), label_smoothing=0.1).fit(X, y)
    assert_same(clone(model).fit(X, y), model)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    named = "focal" if isinstance(model.loss, Focal) else BinaryLogLoss()
    assert_same(clone(model).set_params(loss=named).fit(X, y), model)
    log = model.predict_log_proba(X)
    np.testing.assert_allclose(np.exp(log), model.predict_proba(X), rtol=1e-12)
    exported = model.to_sklearn()
    np.testing.assert_allclose(exported.predict_proba(X), model.predict_proba(X))


@each_target
def test_a_search_over_them(kind):
    grid = {"loss__gamma": [0.0, 2.0], "label_smoothing": [0.0, 0.2]}
    model = network(loss=Focal(), batch_size=20, class_weight="balanced")
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    search.fit(X, TARGETS[kind])
    assert len(np.unique(search.cv_results_["mean_test_score"])) > 1
    assert search.best_estimator_.loss.gamma == search.best_params_["loss__gamma"]


@pytest.mark.parametrize("dtype", DTYPES)
@each_target
def test_focal_without_focus_is_the_log_loss(kind, dtype):
    rows, y = X.astype(dtype), TARGETS[kind]
    one = network(loss=Focal(gamma=0), batch_size=20).fit(rows, y)
    other = network(batch_size=20).fit(rows, y)
    assert one.coefs_[0].dtype == dtype
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-5)


OPTIONS = {
    "loss": Focal(),
    "label_smoothing": 0.1,
    "class_weight": {"ash": 2.0, "birch": 1.0, "cedar": 0.5},
}


def test_calls_of_partial_fit_are_one_fit():
    whole = network(batch_size=20, **OPTIONS).fit(X, NAMES)
    steps = network(batch_size=20, **OPTIONS)
    for _ in range(whole.n_iter_):
        steps.partial_fit(X, NAMES, classes=np.unique(NAMES))
    assert_same(steps, whole)


def test_a_mini_batch_need_not_have_all_classes():
    model = network(batch_size=20, **OPTIONS)
    model.partial_fit(X, NAMES, classes=np.unique(NAMES))
    some = NAMES != "cedar"
    expected = pickle.loads(pickle.dumps(model)).set_params(class_weight=None)
    weight = np.where(NAMES == "ash", 2.0, 1.0)[some]
    expected.partial_fit(X[some], NAMES[some], sample_weight=weight)
    assert_same(model.partial_fit(X[some], NAMES[some]), expected)


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_validation_labels_are_not_smoothed(kind):
    y = TARGETS[kind]
    model = network(label_smoothing=0.3).fit(X, y, X_val=X, y_val=y)
    expected = log_loss(y, model.predict_proba(X))
    assert model.validation_loss_curve_[-1] == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["log_loss", "focal"])
def test_threads(loss):
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(600, 40)), rng.integers(3, size=600)
    model = network(
        hidden_layer_sizes=(200,),
        batch_size=300,
        max_iter=2,
        loss=loss,
        label_smoothing=0.1,
        class_weight="balanced",
    )
    assert_same(model.fit(rows, y), clone(model).set_params(n_jobs=2).fit(rows, y))


class Steep(Loss):
    """A log loss of one's own link."""

    out_activation = "logistic"
    domain = (0, 1, "both")

    @staticmethod
    def value(z, y):
        x = 2.0 * z
        return (0.0 if x < 0.0 else x) - y * x + log1p(exp(-abs(x)))

    @staticmethod
    def slope(z, y):
        return 2.0 * (logistic(2.0 * z) - y)

    @staticmethod
    def link(z):
        return logistic(2.0 * z)


class Unsmoothed(MultinomialLogLoss):
    takes_smoothing = False


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@pytest.mark.parametrize("kind", ["binary", "multilabel"])
def test_a_loss_of_ones_own(kind):
    model = network(loss=Steep(), label_smoothing=0.1).fit(X, TARGETS[kind])
    model.set_params(loss="log_loss")
    hidden = np.tanh(X @ model.coefs_[0] + model.intercepts_[0])
    z = hidden @ model.coefs_[1] + model.intercepts_[1]
    probabilities = model.predict_proba(X)[:, -z.shape[1] :]
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-2 * z)))
    log = model.predict_log_proba(X)[:, -z.shape[1] :]
    np.testing.assert_allclose(log, np.log(probabilities))


def refused(model, y, sentence, method="fit", **arguments):
    with pytest.raises((TypeError, ValueError)) as error:
        getattr(model, method)(X, y, **arguments)
    assert sentence in str(error.value)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence"),
    [
        ("binary", {"loss": "poisson"}, "a str among {'focal', 'log_loss'} or a skgd."),
        ("binary", {"loss": SquaredError()}, "must have out_activation='logistic', got 'i"),
        ("multiclass", {"loss": Steep()}, "must have out_activation='softmax', got 'logi"),
        ("binary", {"loss": MultinomialFocal()}, "cannot be used for y that is binary"),
        ("multilabel", {"loss": MultinomialLogLoss()}, "y that is multilabel-indicator"),
        (
            "multiclass",
            {"loss": Focal(-1)},
            "The 'gamma' parameter of Focal must be a float",
        ),
        ("binary", {"loss": Focal("a")}, "The 'gamma' parameter of Focal must be a float"),
        ("binary", {"label_smoothing": 1.0}, "The 'label_smoothing' parameter of MLPClass"),
        ("binary", {"label_smoothing": -0.1}, "in the range [0.0, 1.0). Got -0.1"),
        (
            "multiclass",
            {"loss": Unsmoothed(), "label_smoothing": 0.1},
            "label_smoothing=0.1 has no effect with loss=Unsmoothed()",
        ),
        ("binary", {"class_weight": "even"}, "The 'class_weight' parameter of MLPClassif"),
        ("binary", {"class_weight": {0: 1, 1: -1}}, "weights >= 0, got -1 for class 1."),
        ("binary", {"class_weight": {0: np.nan}}, "weights >= 0, got nan for class 0."),
        ("binary", {"class_weight": {0: "a"}}, "weights >= 0, got 'a' for class 0."),
        ("binary", {"class_weight": {0: 0, 1: 0}}, "leaves no sample with a weight above"),
        ("binary", {"class_weight": {0: 1, 7: 2}}, "The classes, [1], are not in class_we"),
        ("binary", {"class_weight": {0: 1, 7: 2}}, "labels [7] are not classes of y"),
        ("binary", {"class_weight": [{0: 1}]}, "is a list, which is for multilabel"),
        ("multilabel", {"class_weight": {0: 1}}, "class_weight should be a list of dicts"),
        ("multilabel", {"class_weight": [{0: 1}]}, "should match number of outputs"),
    ],
)
def test_invalid_parameters(kind, parameters, sentence):
    refused(network(**parameters), TARGETS[kind], sentence)


def test_balanced_needs_all_of_y():
    for class_weight, y, classes in (
        ("balanced", NAMES, np.unique(NAMES)),
        (["balanced"] * 2, TARGETS["multilabel"], range(2)),
    ):
        refused(
            network(class_weight=class_weight),
            y,
            f"class_weight={class_weight!r} is not supported for partial_fit",
            "partial_fit",
            classes=classes,
        )


def test_a_regressor_refuses_losses_of_classes():
    refused(MLPRegressor(MultinomialFocal()), X[:, 0], "is a loss of classes. Use MLPCl")
    assert not {"class_weight", "label_smoothing"} & set(MLPRegressor().get_params())
