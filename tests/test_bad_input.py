"""skgd raises the same exceptions as scikit-learn, and the estimator does not change."""

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network, preprocessing

from skgd import (
    MeanScaler,
    MinMaxScaler,
    MLPClassifier,
    MLPRegressor,
    RobustClipScaler,
    StandardScaler,
    ZScoreScaler,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
CLASSES, VALUES = (X[:, 0] > 0).astype(int), X[:, 1].copy()
NETWORKS = {
    MLPClassifier: (neural_network.MLPClassifier, CLASSES),
    MLPRegressor: (neural_network.MLPRegressor, VALUES),
}
SCALERS = {
    MinMaxScaler: preprocessing.MinMaxScaler,
    MeanScaler: preprocessing.MinMaxScaler,
    StandardScaler: preprocessing.StandardScaler,
    ZScoreScaler: preprocessing.StandardScaler,
    RobustClipScaler: preprocessing.MinMaxScaler,
}


def with_value(value, dtype=float):
    rows = X.astype(dtype)
    rows[3, 1] = value
    return rows


ROWS = {
    "infinity": with_value(np.inf),
    "too large for a float": with_value(10**400, object),
    "complex": with_value(1j, complex),
    "strings": np.full((30, 3), "a"),
    "one string": with_value("a", object),
    "objects": with_value(object(), object),
    "ragged": [[1.0, 2.0, 3.0]] * 29 + [[1.0, 2.0]],
    "no dimension": 5.0,
    "one dimension": X[:, 0],
    "three dimensions": X[np.newaxis],
    "no rows": X[:0],
    "no features": X[:, :0],
    "None": None,
    "a word": "abc",
    "sparse infinity": sparse.csr_array(with_value(np.inf)),
    "sparse complex": sparse.csr_array(with_value(1j, complex)),
}
ONLY_NETWORKS = {
    "NaN": with_value(np.nan),
    "sparse NaN": sparse.csr_array(with_value(np.nan)),
    "too many rows": np.vstack([X, X[:1]]),
}
OTHER_FEATURES = {"too few features": X[:, :2], "too many features": np.hstack([X, X])}

TARGETS = {
    "NaN": np.where(CLASSES, np.nan, 1.0),
    "infinity": np.where(CLASSES, np.inf, 1.0),
    "None": None,
    "too few": CLASSES[:-1],
    "none": CLASSES[:0],
    "three dimensions": np.zeros((30, 2, 2)),
    "no dimension": 3,
    "complex": CLASSES * 1j,
    "ragged": [[1, 2]] * 29 + [[1]],
    "mixed": [1, "a", None] * 10,
}
ONLY_CLASSES = {
    "continuous": VALUES,
    "several classes of several": rng.integers(3, size=(30, 2)),
}

# scikit-learn looks at the kind of a target before it looks for what is not finite.
pytestmark = [
    pytest.mark.filterwarnings("ignore:invalid value encountered in cast"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


def error_of(function, *args, **kwargs):
    with pytest.raises(Exception) as caught:
        function(*args, **kwargs)
    return caught.value


def assert_same_refusal(ours, theirs, method, *args, **kwargs):
    """The same kind of exception, and nothing has changed."""
    expected = error_of(getattr(theirs, method), *args, **kwargs)
    before = joblib.hash(vars(ours))
    error = error_of(getattr(ours, method), *args, **kwargs)
    assert isinstance(error, type(expected))
    assert joblib.hash(vars(ours)) == before


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("name", [*ROWS, *ONLY_NETWORKS])
@pytest.mark.parametrize("network", NETWORKS)
def test_rows_of_a_network(network, name, fitted):
    counterpart, y = NETWORKS[network]
    rows = {**ROWS, **ONLY_NETWORKS}[name]
    ours = network(hidden_layer_sizes=(2,), max_iter=2)
    if fitted:
        ours.fit(X, y)
    theirs = counterpart(hidden_layer_sizes=(2,), max_iter=2)
    assert_same_refusal(ours, theirs, "fit", rows, y)
    if fitted:
        assert_same_refusal(ours, theirs.fit(X, y), "partial_fit", rows, y)
        if name != "too many rows":
            assert_same_refusal(ours, theirs, "predict", rows)
            assert_same_refusal(ours, theirs, "score", rows, y)


@pytest.mark.parametrize("name", OTHER_FEATURES)
@pytest.mark.parametrize("network", NETWORKS)
def test_other_features_of_a_network(network, name):
    counterpart, y = NETWORKS[network]
    ours, theirs = (
        kind(hidden_layer_sizes=(2,), max_iter=2).fit(X, y)
        for kind in (network, counterpart)
    )
    assert_same_refusal(ours, theirs, "partial_fit", OTHER_FEATURES[name], y)
    assert_same_refusal(ours, theirs, "predict", OTHER_FEATURES[name])


@pytest.mark.parametrize(
    ("network", "name"),
    [(MLPClassifier, name) for name in {**TARGETS, **ONLY_CLASSES}]
    + [(MLPRegressor, name) for name in TARGETS],
)
def test_targets(network, name):
    counterpart, y = NETWORKS[network]
    target = {**TARGETS, **ONLY_CLASSES}[name]
    for fitted in (False, True):
        ours, theirs = (
            kind(hidden_layer_sizes=(2,), max_iter=2) for kind in (network, counterpart)
        )
        if fitted:
            ours.fit(X, y)
        assert_same_refusal(ours, theirs, "fit", X, target)


def test_labels_that_were_not_announced():
    ours, theirs = (
        kind(hidden_layer_sizes=(2,))
        for kind in (MLPClassifier, NETWORKS[MLPClassifier][0])
    )
    assert_same_refusal(ours, theirs, "partial_fit", X, CLASSES)  # no classes
    for model in (ours, theirs):
        model.partial_fit(X, CLASSES, classes=[0, 1])
    assert_same_refusal(ours, theirs, "partial_fit", X, CLASSES + 1)
    assert_same_refusal(ours, theirs, "partial_fit", X, CLASSES, classes=[0, 1, 2])


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("scaler", SCALERS)
def test_rows_of_a_scaler(scaler, name, fitted):
    rows = ROWS[name]
    ours, theirs = scaler(), SCALERS[scaler]()
    if fitted:
        ours.fit(X)
        theirs.fit(X)
    if hasattr(ours, "partial_fit"):
        assert_same_refusal(ours, theirs, "partial_fit", rows)
    assert_same_refusal(ours, theirs, "fit", rows)
    if fitted:
        theirs.fit(X)
        for method in ("transform", "inverse_transform"):
            assert_same_refusal(ours, theirs, method, rows)


@pytest.mark.parametrize("name", OTHER_FEATURES)
@pytest.mark.parametrize("scaler", SCALERS)
def test_other_features_of_a_scaler(scaler, name):
    methods = ["partial_fit"] if hasattr(scaler, "partial_fit") else []
    for method in (*methods, "transform", "inverse_transform"):
        ours, theirs = scaler().fit(X), SCALERS[scaler]().fit(X)
        assert_same_refusal(ours, theirs, method, OTHER_FEATURES[name])
