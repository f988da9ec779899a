"""The outputs of hidden layers, and the transformer that returns them as features."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.activations import GELU, SELU, Parametric
from skgd.neural_network import HiddenLayerTransformer, _prediction
from tests.oracles.activations import ACTIVATIONS
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = np.where(RNG.uniform(size=(61, 6)) < 0.3, 0, RNG.normal(size=(61, 6)))
CLASSES, VALUES = RNG.randint(3, size=61), RNG.normal(size=(61, 2))
SETTINGS = {"max_iter": 4, "batch_size": 20, "random_state": 0}
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
KINDS = {
    "plain": {},
    "normalized": {"batch_normalization": True},
    "averaged": {"ema_decay": 0.9, "dropout": 0.3},
}


def oracle(model, rows, n_layers):
    """Compute the outputs of the first layers from the fitted attributes."""
    h, mixed = rows, model.stages_.get("activation", [None] * n_layers)
    names = model.activation if isinstance(model.activation, list) else [model.activation]
    names = names * n_layers if len(names) == 1 else names
    layers = zip(model.coefs_, model.intercepts_, names, mixed, strict=False)
    for W, b, name, weights in list(layers)[:n_layers]:
        z = h @ W + b
        if weights is None:
            h = ACTIVATIONS[name][0](z)
        else:
            h = ACTIVATIONS["selu"][0](z)
            h = weights * h + (1 - weights) * z
    return h


@all_pairs(
    network=[
        MLPClassifier(**SETTINGS),
        MLPRegressor(**SETTINGS),
        MLPClassifier(solver="lbfgs", max_iter=4, random_state=0),
    ],
    activation=["relu", "gelu", "tanh", ["gelu", Parametric(SELU()), "softplus"]],
    kind=KINDS,
    dtype=["float32", "float64"],
    is_sparse=[False, True],
    layer=[-1, 0, 1, -2],
)
def test_the_oracle(network, activation, kind, dtype, is_sparse, layer):
    model = clone(network).set_params(hidden_layer_sizes=(9, 5, 7), activation=activation)
    if model.solver != "lbfgs":
        model.set_params(**KINDS[kind])
    if is_sparse and model.dropout:
        model.set_params(dropout=[0.0, 0.3, 0.3, 0.3])
    rows = sparse.csr_array(X.astype(dtype)) if is_sparse else X.astype(dtype)
    model.fit(rows, CLASSES if isinstance(model, MLPClassifier) else VALUES)
    features = model.hidden_features(rows, layer)
    index = layer % 3
    assert features.dtype == dtype
    assert features.shape == (61, (9, 5, 7)[index])
    expected = oracle(model, X, index + 1)
    np.testing.assert_allclose(
        features, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )


@pytest.mark.parametrize("fitted", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float32", "float64"])
def test_the_dtype_is_that_of_the_network(fitted, given):
    model = MLPClassifier((4,), **SETTINGS).fit(X.astype(fitted), CLASSES)
    features = model.hidden_features(X.astype(given))
    assert features.dtype == fitted
    np.testing.assert_allclose(features, oracle(model, X, 1), atol=1e-5)


def test_threads_do_not_change_a_bit(monkeypatch):
    monkeypatch.setattr(_prediction, "WORTH_SHARING", 1)
    rows = RNG.normal(size=(5000, 6))
    model = MLPClassifier((30, 20), **SETTINGS).fit(X, CLASSES)
    found = [
        model.set_params(n_jobs=n).hidden_features(rows, layer)
        for layer in (0, 1)
        for n in (1, 2)
    ]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[2], found[3])


@pytest.mark.parametrize("layer", [2, -3, 1.0, "last", None])
def test_layers_that_are_not_there(layer):
    model = MLPClassifier((4, 3), **SETTINGS).fit(X, CLASSES)
    with pytest.raises(ValueError, match=r"layer must be an int from -2 to 1, .*Got"):
        model.hidden_features(X, layer)


def test_bad_input():
    model = MLPRegressor(hidden_layer_sizes=(4,), activation="identity", **SETTINGS)
    with pytest.raises(NotFittedError):
        model.hidden_features(X)
    model.fit(X.astype("float32"), VALUES)
    with pytest.raises(ValueError, match="X has 5 features"):
        model.hidden_features(X[:, :5])
    with pytest.raises(ValueError, match="NaN"):
        model.hidden_features(X * np.nan)
    for large in (X * 1e300, (X * 1e38).astype("float32")):
        model.coefs_[0] *= 10
        with pytest.raises(ValueError, match="hidden layer 0 are not finite in float32"):
            model.hidden_features(large)
    model.set_params(hidden_layer_sizes=()).fit(X, VALUES)
    with pytest.raises(ValueError, match="no hidden layers"):
        model.hidden_features(X)


# ------------------------------------------------------------------------ the transformer


def transformer(layer=-1, **parameters):
    settings = {**SETTINGS, "hidden_layer_sizes": (8, 4), **parameters}
    return HiddenLayerTransformer(MLPClassifier(**settings), layer)


@pytest.mark.parametrize("layer", [-1, 0])
def test_the_transformer_fits_a_clone(layer):
    found = transformer(layer).fit(X, CLASSES)
    network = clone(found.estimator).fit(X, CLASSES)
    assert not hasattr(found.estimator, "coefs_")
    assert np.array_equal(found.transform(X), network.hidden_features(X, layer))
    names = [f"hiddenlayertransformer{i}" for i in range([4, 8][layer + 1])]
    assert found.get_feature_names_out().tolist() == names


@pytest.mark.parametrize("is_frame", [False, True])
def test_the_transformer_keeps_a_frozen_network(is_frame):
    pd = pytest.importorskip("pandas")
    rows = pd.DataFrame(X, columns=list("abcdef")) if is_frame else X
    network = MLPClassifier((4,), **SETTINGS).fit(rows, CLASSES)
    frozen = HiddenLayerTransformer(FrozenEstimator(network)).fit(rows, CLASSES)
    assert np.array_equal(frozen.transform(rows), network.hidden_features(rows))
    assert hasattr(frozen, "feature_names_in_") == is_frame
    with pytest.raises(NotFittedError):
        HiddenLayerTransformer(FrozenEstimator(clone(network))).fit(rows, CLASSES)


def test_sample_weight_is_routed():
    weight = RNG.uniform(size=len(X))
    expected = clone(transformer().estimator).fit(X, CLASSES, sample_weight=weight)
    expected = expected.hidden_features(X)
    found = transformer().fit(X, CLASSES, sample_weight=weight)
    assert np.array_equal(found.transform(X), expected)
    pipe = make_pipeline(transformer(), LogisticRegression())
    pipe.fit(X, CLASSES, hiddenlayertransformer__sample_weight=weight)
    assert np.array_equal(pipe[0].transform(X), expected)
    with config_context(enable_metadata_routing=True):
        routed = transformer()
        routed.estimator.set_fit_request(sample_weight=True)
        pipe = make_pipeline(routed, LogisticRegression().set_fit_request())
        pipe[1].set_fit_request(sample_weight=False)
        pipe.fit(X, CLASSES, sample_weight=weight)
        assert np.array_equal(pipe[0].transform(X), expected)


def test_frames_pickles_and_searches():
    pd = pytest.importorskip("pandas")
    rows = pd.DataFrame(X, columns=list("abcdef"))
    found = transformer().set_output(transform="pandas").fit(rows, CLASSES)
    features = found.transform(rows)
    assert list(features) == found.get_feature_names_out().tolist()
    assert features.equals(pickle.loads(pickle.dumps(found)).transform(rows))
    pipe = make_pipeline(ZScoreScaler(), transformer(), LogisticRegression())
    grid = {
        "hiddenlayertransformer__layer": [0, 1],
        "hiddenlayertransformer__estimator__activation": ["tanh", GELU()],
    }
    search = GridSearchCV(pipe, grid, cv=2).fit(X, CLASSES)
    layer = search.best_params_["hiddenlayertransformer__layer"]
    assert search.best_estimator_[:-1].transform(X).shape == (61, (8, 4)[layer])


def test_errors_leave_it_as_it_was():
    found = transformer().fit(X, CLASSES)
    before = found.estimator_
    for change, message in (
        ({"layer": 2}, "layer must be an int from -2 to 1"),
        ({"layer": 0.5}, "'layer' parameter"),
        ({"layer": 0, "estimator__alpha": -1}, "'alpha' parameter"),
        ({"estimator": LogisticRegression()}, "'estimator' parameter"),
    ):
        with pytest.raises(ValueError, match=message):
            found.set_params(**change).fit(X, CLASSES)
        assert found.estimator_ is before
