"""Embeddings of the features in the estimators."""

import pickle
from itertools import chain, pairwise

import numpy as np
import pytest
import skops.io
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from skgd import MLPClassifier, MLPRegressor
from skgd.embeddings import EMBEDDINGS, Periodic, PiecewiseLinear
from skgd.neural_network import _trainer
from skgd.solvers import SOLVERS
from tests.engine.helpers import assert_close
from tests.engine.test_column_groups import components
from tests.neural_network.test_determinism import limit_calls
from tests.neural_network.test_weights_set_by_hand import SET
from tests.pairs import all_pairs
from tests.parallel.test_barrier import needs_jit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 4))
X[:, 2] = X[:, 2] > 0
X[:, 3] = 5.0
Y = np.column_stack([np.sin(3 * X[:, 0]) + X[:, 1], X[:, 2]])
CLASSES = (X[:, 0] > 0) + (X[:, 1] > 0.5) * 1
TARGETS = {MLPRegressor: Y, MLPClassifier: CLASSES}
WEIGHT = rng.integers(0, 4, 64).astype(float)
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
OBJECTS = [PiecewiseLinear(n_bins=6), Periodic(4, n_outputs=2, sigma=0.5)]
by_embedding = pytest.mark.parametrize("embedding", OBJECTS, ids=EMBEDDINGS)


def fitted(estimator=MLPRegressor, embedding=OBJECTS[0], weight=None, **parameters):
    parameters = {
        "hidden_layer_sizes": (8, 6),
        "batch_size": 11,
        "learning_rate_init": 0.02,
        "max_iter": 6,
        "random_state": 0,
    } | parameters
    model = estimator(numeric_embedding=embedding, **parameters)
    return model.fit(X, TARGETS[estimator], weight)


def arrays_of(model):
    return [*model.coefs_, *model.intercepts_, *chain(*model.stages_.values())]


def same(one, other):
    assert one.stages_.keys() == other.stages_.keys()
    for a, b in zip(arrays_of(one), arrays_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def first_layer(model, rows):
    """Return the linear outputs of the first layer, by the formulas."""
    stages, x, W = model.stages_, rows.astype(float), model.coefs_[0]
    if "edges" in stages:
        pairs = zip(x.T, stages["edges"], stages["embedding"], strict=True)
        return x @ W + sum(components(c, e) @ w for c, e, w in pairs) + model.intercepts_[0]
    w1, b1, W2, b2 = (a.astype(float) for a in stages["periodic"])
    waves = np.cos(2 * np.pi * w1 * x[:, :, np.newaxis] + b1)
    combined = np.einsum("ijf,jkf->ijk", waves, W2) + b2
    return np.hstack([x, combined.reshape(len(x), -1)]) @ W + model.intercepts_[0]


@all_pairs(
    estimator=[MLPClassifier, MLPRegressor],
    solver=SOLVERS,
    embedding=OBJECTS,
    dtype=["float32", "float64"],
    weight=[None, WEIGHT],
    regularized=[
        {},
        {"batch_normalization": True},
        {"batch_normalization": True, "ema_decay": 0.9, "weight_decay": 0.1},
        {"early_stopping": True, "dropout": 0.1, "max_grad_norm": 0.5},
    ],
)
def test_predictions_by_the_fitted_attributes(
    estimator, solver, embedding, dtype, weight, regularized
):
    rows, y = X.astype(dtype), TARGETS[estimator]
    model = estimator(
        hidden_layer_sizes=(8,),
        numeric_embedding=embedding,
        solver=solver,
        learning_rate_init=0.01,
        max_iter=5,
        random_state=0,
        **regularized,
    ).fit(rows, y, weight)
    parts = model.stages_.get("embedding") or model.stages_["periodic"]
    assert all(part.dtype == dtype for part in parts)
    assert np.abs(parts[0]).max() > 0
    new = np.vstack([rows, 3 * rows]).astype(dtype)
    hidden = np.maximum(first_layer(model, new), 0)
    expected = hidden @ model.coefs_[1] + model.intercepts_[1]
    if estimator is MLPClassifier:
        found, expected = np.diff(np.log(model.predict_proba(new))), np.diff(expected)
    else:
        found = model.predict(new)
    assert_close(found, expected, 10 * TOLERANCE[dtype])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(new), model.predict(new))


@pytest.mark.parametrize("by_hand", [False, True])
def test_bins_are_quantiles_of_the_rows_to_train_on(by_hand):
    train = np.arange(64) % 4 > 0
    parameters = {"random_state": 0, "max_iter": 3, "early_stopping": True}
    model = MLPRegressor(numeric_embedding=PiecewiseLinear(5), **parameters)
    if by_hand:
        model.fit(X[train], Y[train], X_val=X[~train], y_val=Y[~train])
    else:
        split = PredefinedSplit(np.where(train, -1, 0))
        model.set_params(validation_fraction=split).fit(X, Y)
    method = "averaged_inverted_cdf"
    for j in (0, 1):
        expected = np.quantile(X[train, j], np.linspace(0, 1, 6), method=method)
        assert_close(model.stages_["edges"][j], expected, 1e-12)
    assert model.stages_["edges"][2].tolist() == [0, 1]
    assert model.stages_["edges"][3].tolist() == [5, 10]
    assert not model.stages_["embedding"][3].any()


def test_weights_are_rows_repeated():
    model = fitted(weight=WEIGHT)
    rows = np.repeat(np.arange(64), WEIGHT.astype(int))
    other = clone(model).fit(X[rows], Y[rows])
    np.testing.assert_equal(model.stages_["edges"], other.stages_["edges"])
    scaled = fitted(weight=2.0**-20 * WEIGHT)
    np.testing.assert_equal(model.stages_["edges"], scaled.stages_["edges"])


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_bins_without_a_rate_change_nothing(batch_normalization):
    options = {"batch_normalization": batch_normalization, "early_stopping": True}
    factors = {"embedding": 0.0}
    model = fitted(learning_rate_factors=factors, **options)
    other = fitted(embedding=None, **options)
    assert not any(weights.any() for weights in model.stages_["embedding"])
    assert other.stages_ == {}
    for a, b in zip(
        model.coefs_ + model.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_cosines_have_a_lower_rate():
    found = [
        fitted(embedding="periodic", learning_rate_factors=f, solver="minibatch")
        for f in (None, {"bias": 1.0}, {"periodic": 0.1}, {"periodic": 0.0})
    ]
    same(found[0], found[1])
    same(found[0], found[2])
    assert (found[0].stages_["periodic"][0] != found[3].stages_["periodic"][0]).any()


@all_pairs(
    embedding=OBJECTS,
    estimator=[MLPClassifier, MLPRegressor],
    batch_normalization=[False, True],
    ema_decay=[None, 0.8],
    dropout=[0.0, 0.2],
)
def test_calls_of_any_size(
    monkeypatch, embedding, estimator, batch_normalization, ema_decay, dropout
):
    models = []
    for n_batches in (1, 7, 10**9):
        limit_calls(monkeypatch, n_batches)
        options = {"ema_decay": ema_decay, "dropout": dropout}
        options["batch_normalization"] = batch_normalization
        models.append(fitted(estimator, embedding, early_stopping=True, **options))
    for model in models[1:]:
        same(models[0], model)
        assert model.loss_curve_ == models[0].loss_curve_


@needs_jit
@by_embedding
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_do_not_change_a_bit(monkeypatch, embedding, dtype):
    monkeypatch.setattr(_trainer.Pace, "next_call", lambda pace: (pace.most, pace.limit))
    rows = np.random.default_rng(0).normal(size=(700, 6)).astype(dtype)
    model = MLPRegressor(
        hidden_layer_sizes=(64, 32),
        batch_size=350,
        max_iter=3,
        random_state=0,
        numeric_embedding=embedding,
        batch_normalization=True,
    )
    one, two = (clone(model).set_params(n_jobs=n).fit(rows, rows[:, 0]) for n in (1, 2))
    same(one, two)


@by_embedding
@pytest.mark.parametrize("options", [{}, {"ema_decay": 0.8, "batch_normalization": True}])
def test_partial_fit_is_a_fit(embedding, options):
    whole = fitted(embedding=embedding, shuffle=False, **options)
    model = clone(whole)
    for _ in range(whole.n_iter_):
        model.partial_fit(X, Y)
        model = pickle.loads(pickle.dumps(model))
    same(model, whole)


def test_bins_are_those_of_the_first_call():
    model = MLPClassifier(numeric_embedding=PiecewiseLinear(4), random_state=0)
    model.partial_fit(X, CLASSES, classes=[0, 1, 2])
    edges = [own.copy() for own in model.stages_["edges"]]
    model.set_params(numeric_embedding__n_bins=9).partial_fit(X * 3, CLASSES)
    np.testing.assert_equal(model.stages_["edges"], edges)


@by_embedding
def test_a_warm_start_goes_on(embedding):
    model = fitted(embedding=embedding, warm_start=True)
    before, loss = [a.copy() for a in arrays_of(model)], model.loss_
    model.fit(X + 0.01, Y)
    assert model.loss_ < loss
    for a, b in zip(arrays_of(model), before, strict=True):
        assert np.abs(a - b).max() < 1


@pytest.mark.parametrize("others", [(None, *EMBEDDINGS), (*EMBEDDINGS, None)])
def test_another_embedding_than_that_of_the_fit(others):
    for one, other in pairwise(others):
        model = fitted(embedding=one, warm_start=True)
        expected = model.predict(X)
        model.set_params(numeric_embedding=other)
        for train in (model.fit, model.partial_fit):
            with pytest.raises(ValueError, match=r"numeric_embedding=.* do not match it"):
                train(X, Y)
        np.testing.assert_array_equal(model.predict(X), expected)
        model.set_params(warm_start=False).fit(X, Y)


@by_embedding
@pytest.mark.parametrize("change", SET)
@pytest.mark.parametrize(
    "name", ["coefs_", "intercepts_", "edges", "embedding", "periodic"]
)
def test_arrays_set_by_hand(embedding, change, name):
    model = fitted(embedding=embedding)
    if name.endswith("_"):
        setattr(model, name, change(getattr(model, name)))
    elif name in model.stages_:
        model.stages_[name] = change(model.stages_[name])
    else:
        model.coefs_ = change(model.coefs_)
    for call in (model.predict, lambda X: model.partial_fit(X, Y)):
        with pytest.raises(
            ValueError, match=r"not those of the last fit.*numeric_embedding"
        ):
            call(X)
    model.fit(X, Y)


@by_embedding
def test_data_and_parameters_that_are_refused(embedding):
    model = fitted(embedding=embedding)
    before, sparse_rows = model.predict(X), csr_array(X)
    with pytest.raises(ValueError, match=r"scikit-learn's MLPRegressor has no numeric_emb"):
        model.to_sklearn()
    sentence = r"numeric_embedding needs dense X.*X\.toarray\(\)"
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=sentence):
            call(sparse_rows, Y)
    with pytest.raises(ValueError, match=sentence):
        model.predict(sparse_rows)
    with pytest.raises(ValueError, match="numeric_embedding needs dense X_val"):
        model.fit(X, Y, X_val=sparse_rows, y_val=Y)
    model.set_params(solver="lbfgs")
    with pytest.raises(ValueError, match=r"numeric_embedding=P.*needs mini-batches"):
        model.fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)


@by_embedding
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_columns_that_scikit_learn_is_to_assume_finite(value, embedding):
    model, rows = fitted(embedding=embedding), X.copy()
    rows[:, 0] = value
    for call in (model.fit, model.partial_fit):
        with (
            config_context(assume_finite=True),
            pytest.raises(ValueError, match=r"X has (NaN|infinity) in column 0, row 0"),
        ):
            call(rows, Y)


def test_inputs_that_are_dropped():
    options = {"dropout": [0.2, 0.0, 0.0]}
    with pytest.raises(ValueError, match=r"dropout=.* drops inputs.*first rate"):
        fitted(embedding="piecewise_linear", **options)
    model = fitted(embedding="periodic", **options)
    assert np.isfinite(model.predict(X)).all()


def test_bins_of_many_features():
    rows = np.random.default_rng(0).normal(size=(30, 4000))
    model = MLPRegressor(
        hidden_layer_sizes=(1,), numeric_embedding="piecewise_linear", max_iter=1
    )
    model.fit(rows, rows[:, 0])
    assert {len(own) for own in model.stages_["edges"]} == {17}
    with pytest.raises(ValueError, match="at most 65535 features, got 65536"):
        model.fit(np.ones((2, 2**16), np.float32), [0.0, 1.0])


@by_embedding
def test_rows_of_other_sizes(embedding):
    """Also outside of what has been trained on, and one at a time."""
    model = fitted(embedding=embedding)
    rows = np.vstack([X, 100 * X])
    together = model.predict(rows)
    alone = np.vstack([model.predict(row[np.newaxis]) for row in rows])
    assert_close(alone, together, 1e-12)
    as_float32 = model.predict(rows.astype(np.float32))
    assert_close(as_float32, together, 1e-4)


def test_no_hidden_layer_finds_a_curve():
    x = np.linspace(-1, 1, 400)[:, np.newaxis]
    y = np.abs(x[:, 0])
    options = {"hidden_layer_sizes": (), "learning_rate_init": 0.05, "max_iter": 60}
    model = MLPRegressor(numeric_embedding=PiecewiseLinear(8), random_state=0, **options)
    assert model.fit(x, y).score(x, y) > 0.99
    assert model.set_params(numeric_embedding=None).fit(x, y).score(x, y) < 0.1


@by_embedding
def test_validation_data(embedding):
    options = {"X_val": X[:20], "y_val": Y[:20]}
    model = fitted(embedding=embedding, max_iter=8)
    model.fit(X, Y, **options)
    best = clone(model).set_params(max_iter=model.best_epoch_).fit(X, Y)
    for kind, arrays in best.stages_.items():
        for a, b in zip(arrays, model.best_stages_[kind], strict=True):
            np.testing.assert_array_equal(a, b)
    loss = np.mean((best.predict(X[:20]) - Y[:20]) ** 2)
    assert model.validation_loss_curve_[model.best_epoch_ - 1] == pytest.approx(loss)


def test_searches_clones_and_files():
    options = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}
    network = MLPClassifier(**options, numeric_embedding=OBJECTS[0])
    search = GridSearchCV(network, {"numeric_embedding__n_bins": [2, 3]}, cv=2)
    search.fit(X, CLASSES)
    assert repr(clone(network).numeric_embedding) == "PiecewiseLinear(n_bins=6)"
    names = GridSearchCV(network, {"numeric_embedding": [None, *EMBEDDINGS]}, cv=2)
    names.fit(X, CLASSES)
    for model in (search.best_estimator_, names.best_estimator_):
        data = skops.io.dumps(model)
        again = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        same(again.partial_fit(X, CLASSES), model.partial_fit(X, CLASSES))


@pytest.mark.parametrize(
    ("embedding", "match"),
    [
        ("periodi", "'numeric_embedding' parameter of MLPRegressor must be"),
        (Periodic, "'numeric_embedding' parameter of MLPRegressor must be"),
        (PiecewiseLinear(0), "numeric_embedding=.*'n_bins'"),
        (PiecewiseLinear(2**16), "numeric_embedding=.*'n_bins'"),
        (Periodic(0), "numeric_embedding=.*'n_frequencies'"),
        (Periodic(n_outputs=1.5), "numeric_embedding=.*'n_outputs'"),
        (Periodic(sigma=0), "numeric_embedding=.*'sigma'"),
    ],
)
def test_invalid_embeddings(embedding, match):
    with pytest.raises(ValueError, match=match):
        fitted(embedding=embedding)


def test_a_deviation_too_large_for_float32():
    model = MLPRegressor(numeric_embedding=Periodic(sigma=1e300))
    with pytest.raises(ValueError, match=r"numeric_embedding__sigma=1e\+300 is too large"):
        model.fit(X.astype(np.float32), Y)


def test_a_name_has_no_arguments():
    model = MLPRegressor(numeric_embedding="periodic")
    with pytest.raises(ValueError, match="numeric_embedding"):
        model.set_params(numeric_embedding__sigma=1)


@by_embedding
def test_tags(embedding):
    for numeric_embedding in (None, embedding):
        tags = MLPRegressor(numeric_embedding=numeric_embedding).__sklearn_tags__()
        assert tags.input_tags.sparse == (numeric_embedding is None)
