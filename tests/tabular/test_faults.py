"""Tables with faults: each is fitted, or raises an error that says what to change."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError

from skgd.losses import Quantile
from skgd.neural_network._run import Run
from tests.tabular.tables import CLASSES, X, Y, classifier, regressor

N = len(X)

# A column that is added.
COLUMNS = {
    "constant": [7] * N,
    "constant word": ["a"] * N,
    "missing": [np.nan] * N,
    "none": [None] * N,
    "one value and missing": [1.0, None] * (N // 2),
    "one row": ["rare", *["common"] * (N - 1)],
    "all different": [f"id{i}" for i in range(N)],
    "mixed": [1, "a", 2.5, None, True] * (N // 5),
    "numbers and missing words": [1, None, 2.5] * (N // 3),
    "huge": np.linspace(-1, 1, N) * 1e308,
    "tiny": np.linspace(-1, 1, N) * 1e-308,
    "outlier": [1e300, *range(N - 1)],
    "large integers": [2**60 + i for i in range(N)],
    "booleans": pd.array([True, None, False] * (N // 3), dtype="boolean"),
    "integers": pd.array([1, None, 3] * (N // 3), dtype="Int64"),
    "dates": pd.date_range("2020", periods=N, tz="Europe/Paris"),
    "durations": pd.to_timedelta(range(N), unit="h"),
    "days": [dt.date(2020, 1, 1 + i % 28) for i in range(N)],
    "categories": pd.Categorical(["a", "b", None] * (N // 3), categories=["b", "a", "z"]),
}


@pytest.mark.parametrize("embedding", [None, "piecewise_linear", "periodic"])
@pytest.mark.parametrize("name", COLUMNS)
def test_columns(name, embedding):
    table = X.assign(new=COLUMNS[name])
    model = regressor(numeric_embedding=embedding).fit(table, Y)
    found = model.predict(table)
    assert np.isfinite(found).all()
    # Other rows may have what those of training have not.
    assert np.isfinite(model.predict(table.assign(new=None))).all()
    alone = table[["new"]]
    assert np.isfinite(regressor().fit(alone, Y).predict(alone)).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([np.inf] * N, r"column 'new' of X has an infinite number in row 0\. Replace it"),
        ([[1]] * N, "column 'new' of X must hold strings, numbers or dates"),
        ([1j] * N, "column 'new' of X is of type complex128, which cannot be encoded"),
        ([10**400] * N, "column 'new' of X has a number too large for float64"),
        (
            pd.period_range("2020", periods=N, freq="D"),
            "column 'new' of X is of type period.*, which cannot be encoded",
        ),
    ],
)
def test_columns_that_are_refused(values, message):
    with pytest.raises((TypeError, ValueError), match=message):
        regressor().fit(X.assign(new=values), Y)


def test_new_values_at_predict():
    model = regressor().fit(X, Y)
    for column in ("city", "color", "owner"):
        unseen = X.assign(**{column: "nothing like it"})
        missing = X.assign(**{column: None})
        np.testing.assert_array_equal(model.predict(unseen), model.predict(missing))
    assert np.isfinite(model.predict(X.assign(age=1e308))).all()
    assert np.isfinite(model.predict(X.assign(age=None))).all()
    with pytest.raises(ValueError, match="column 'age' of X must hold numbers, got 'old'"):
        model.predict(X.assign(age="old"))
    with pytest.raises(ValueError, match="column 'age' of X has an infinite number"):
        model.predict(X.assign(age=-np.inf))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match=r"4 features, but .* is expecting 5"):
        regressor().fit(X.to_numpy(), Y).predict(X.to_numpy()[:, :4])
    with pytest.raises(ValueError, match="at least one row"):
        model.predict(X[:0])
    with pytest.raises(NotFittedError):
        regressor().predict(X)


@pytest.mark.parametrize("y", [Y, Y * 1e9, np.full(N, 7.5)], ids=["y", "large", "constant"])
def test_constant_columns_only(y):
    """The mean of the targets, or the shares of the classes."""
    nothing = pd.DataFrame({"a": [1] * N, "b": ["x"] * N, "c": [None] * N})
    model = regressor(max_iter=80, learning_rate_init=0.01, batch_size=16).fit(nothing, y)
    found = model.predict(nothing)
    assert (found == found[0]).all()
    np.testing.assert_allclose(found, y.mean(), atol=0.15 * y.std())
    model = classifier(max_iter=80, learning_rate_init=0.01, batch_size=16)
    model.fit(nothing, CLASSES)
    shares = np.unique(CLASSES, return_counts=True)[1] / N
    np.testing.assert_allclose(model.predict_proba(nothing)[0], shares, atol=0.1)


@pytest.mark.parametrize("n_samples", [2, 3, 5])
@pytest.mark.parametrize("options", [{}, {"refit": True}, {"validation_fraction": 0.5}])
def test_few_rows(n_samples, options):
    table = X[:n_samples]
    found = regressor(n_members=5, **options).fit(table, Y[:n_samples]).predict(table)
    assert np.isfinite(found).all()
    model = classifier(n_members=5, calibrate=True, **options).fit(
        table, np.arange(n_samples)
    )
    assert model.predict_proba(table).shape == (n_samples, n_samples)
    assert np.isfinite(model.predict_proba(table)).all()
    model.fit(table, np.zeros(n_samples))


def test_one_row():
    for estimator in (classifier, regressor):
        with pytest.raises(ValueError, match="at least 2 rows of positive weight"):
            estimator().fit(X[:1], [1])
        with pytest.raises(ValueError, match="at least 2 rows of positive weight"):
            estimator().fit(X, np.arange(N) % 2, sample_weight=np.arange(N) == 3)


@pytest.mark.parametrize(
    "labels",
    [
        CLASSES,
        CLASSES.astype(object),
        CLASSES == "low",
        np.arange(N) % 3 - 1,
        np.arange(N, dtype=np.uint8) % 3,
        (np.arange(N) % 3).astype(float),
        np.arange(N),
        np.array(["same"] * N),
    ],
    ids=["str", "object", "bool", "int", "uint8", "float", "one row each", "one"],
)
@pytest.mark.parametrize("options", [{}, {"calibrate": True, "label_smoothing": 0.1}])
def test_labels(labels, options):
    model = classifier(**options).fit(X, labels)
    classes = np.unique(labels)
    np.testing.assert_array_equal(model.classes_, classes)
    assert set(model.predict(X)) <= set(classes)
    assert model.predict(X).dtype == model.classes_.dtype
    probabilities = model.predict_proba(X)
    assert probabilities.shape == model.oof_prediction_.shape == (N, len(classes))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = classifier(**options).fit(X, labels.reshape(-1, 1))
    np.testing.assert_array_equal(column.predict(X), model.predict(X))


@pytest.mark.slow
def test_many_classes():
    table = pd.DataFrame({"number": np.arange(10_000) % 5000})
    model = classifier(max_iter=1, n_members=1).fit(table, np.arange(10_000) % 5000)
    found = model.predict_proba(table[:10])
    assert found.shape == (10, 5000)
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.append(np.nan, Y[1:]), "y has NaN in row 0"),
        (np.append(Y[1:], np.inf), f"y has infinity in row {N - 1}"),
        (Y[1:], "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
        (Y * 1e200, r"y is too large to be standardized: .* Divide it by a power of 10"),
        (np.array(["low"] * N), "y must hold real numbers, got 'low' in row 0"),
        (3, "y must be an array"),
        (Y.reshape(N, 1, 1), "y must be an array"),
    ],
    ids=["nan", "inf", "length", "none", "huge", "words", "scalar", "3d"],
)
def test_targets_that_are_refused(y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        regressor().fit(X, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y, "Unknown label type: continuous"),
        (np.append(np.nan, np.ones(N - 1)), "y has NaN in row 0"),
        (np.append([None], CLASSES[1:]), "y must be all numbers or all strings"),
        (np.array([CLASSES, CLASSES]).T, "several columns of classes"),
    ],
    ids=["continuous", "nan", "none", "columns"],
)
def test_labels_that_are_refused(y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        classifier().fit(X, y)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float32, np.float16, bool])
def test_targets_of_any_type(dtype):
    y = (np.arange(N) % 2 * 100).astype(dtype)
    model = regressor().fit(X, y)
    assert model.predict(X).dtype == np.float64
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = regressor().fit(X, y.reshape(-1, 1))
    np.testing.assert_array_equal(column.predict(X), model.predict(X))
    same = regressor().fit(X, y.astype(float))
    np.testing.assert_array_equal(same.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("poisson", Y - 10, r"loss='poisson' needs y >= 0"),
        ("gamma", np.zeros(N), r"loss='gamma' needs y > 0"),
        (Quantile([0.1, 0.9]), np.array([Y, Y]).T, "needs a single target"),
    ],
)
def test_targets_that_a_loss_refuses(loss, y, message):
    with pytest.raises(ValueError, match=message):
        regressor(loss=loss).fit(X, y)


@pytest.mark.parametrize("convert", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_sparse_input(convert):
    table = np.eye(N)
    with pytest.raises(TypeError, match=r"sparse .*MLPClassifier"):
        regressor().fit(convert(table), Y)
    with pytest.raises(TypeError, match=r"sparse .*MLPClassifier"):
        regressor().fit(table, Y).predict(convert(table))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must have at least one layer"),
        ({"validation_fraction": 0.6}, "'validation_fraction' parameter"),
        ({"max_time": 0}, "'max_time' parameter"),
        ({"max_time": 1e-9}, r"max_time=1e-09 is over before the first epoch"),
        ({"solver": "lbfgs"}, "'solver' parameter"),
        ({"n_members": 0}, "'n_members' parameter"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"activation": ["relu", "tanh"]}, "activation=.* is a list of 2"),
        ({"categorical_features": ["town"]}, "the name 'town'"),
        ({"categorical_features": [5]}, "the index 5"),
        ({"categorical_features": [True]}, "must be of length 5"),
        ({"scoring": "roc_auc"}, r"scoring='roc_auc' cannot score .* Choose another"),
        ({"class_weight": {"low": -1}}, "class_weight must have finite weights"),
        ({"class_weight": {"unknown": 1}}, "class_weight"),
        ({"label_smoothing": 1.0}, "'label_smoothing' parameter"),
    ],
    ids=str,
)
def test_parameters_that_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        classifier(**parameters).fit(X, CLASSES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": X}, "X_val and y_val together, got only X_val"),
        ({"sample_weight_val": Y}, "X_val and y_val together, got only sample_weight_val"),
        ({"X_val": X[["age"]], "y_val": Y}, "X_val, y_val or .*feature names"),
        ({"X_val": X.assign(age=np.inf), "y_val": Y}, "X_val.*infinite number in row 0"),
        ({"X_val": X, "y_val": Y[1:]}, "X_val.*inconsistent numbers"),
        ({"X_val": X, "y_val": np.array([Y, Y]).T}, "X_val.*y must have 1 columns"),
        ({"X_val": X, "y_val": Y, "groups": Y}, "groups says which rows are held out tog"),
        ({"X_val": X, "y_val": Y, "sample_weight_val": 0 * Y}, "X_val.*zero"),
        ({"groups": np.arange(N) % 3}, "groups has 3 different values.* asks for 5 folds"),
        ({"groups": np.arange(7)}, "groups must have a value for each row"),
        ({"groups": np.ones((N, 2))}, "groups must have a value for each row"),
        ({"groups": [None, *["a", "b"] * N][:N]}, "groups must have a value for each row"),
        ({"sample_weight": -np.ones(N)}, "sample_weight"),
        ({"sample_weight": np.zeros(N)}, "(?i)sample.weights? must .*non-zero"),
        ({"sample_weight": np.full(N, np.nan)}, "sample_weight has NaN in row 0"),
        ({"sample_weight": np.ones(5)}, "sample_weight"),
    ],
    ids=range(16),
)
def test_arguments_that_are_refused(given, message):
    with pytest.raises((TypeError, ValueError), match=f"(?s){message}"):
        regressor().fit(X, Y, **given)


def test_validation_classes_that_are_new():
    with pytest.raises(ValueError, match=r"y_val.*classes that are not .* \['new'\]"):
        classifier().fit(X, CLASSES, X_val=X, y_val=["new"] * N)
    labels = np.eye(3, dtype=int)[np.arange(N) % 3]
    with pytest.raises(ValueError, match=", as in training, got y of shape"):
        classifier().fit(X, labels, X_val=X, y_val=np.arange(N) % 2)


@pytest.mark.parametrize("scale", [1e-300, 1e-45, 1e-38, 1e38, 1e300])
def test_weights_of_any_size(scale):
    weight = np.where(np.arange(N) % 5, 1.0, 1e-5)
    expected = regressor().fit(X, Y, sample_weight=weight).predict(X)
    found = regressor().fit(X, Y, sample_weight=weight * scale).predict(X)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    small = regressor(batch_size=1).fit(X, Y, sample_weight=weight**9)
    assert np.isfinite(small.predict(X)).all()


@pytest.mark.parametrize("batch_size", [1, N, 10**6])
def test_batches_of_any_size(batch_size):
    model = regressor(batch_size=batch_size, validation_fraction=0.5).fit(X, Y)
    assert np.isfinite(model.predict(X)).all()
    # Two folds, one each.
    assert np.isfinite(model.oof_prediction_).all()


def test_a_member_that_diverges_keeps_its_best_epoch():
    model = regressor(learning_rate=lambda update, n: np.where(update < 5, 1.0, 1e36))
    with pytest.warns(ConvergenceWarning, match=r"2 of 2 members .* Lower it"):
        model.fit(X, Y)
    assert model.stop_reason_ == "diverged"
    assert np.isfinite(model.predict(X)).all()


def test_scores_that_are_no_numbers():
    with pytest.raises(ValueError, match="must return a number, got 'q'"):
        regressor(scoring=lambda *args: "q").fit(X, Y)
    with pytest.raises(ValueError, match="must return a finite number, got nan: choose"):
        regressor(scoring=lambda *args: np.nan).fit(X, Y)
    # One for each of two members before training.
    scores = iter([0.5, 0.5])
    with pytest.raises(ValueError, match=r"validation score .* is nan .*another scoring"):
        regressor(scoring=lambda *args: next(scores, np.nan), n_members=2).fit(X, Y)


def reciprocal(estimator, X, y):
    """Has no value for perfect predictions."""
    return 1 / float(abs(estimator.predict(X) - y).mean())


def of_a_quantile(estimator, X, y):
    return -float(abs(estimator.predict(X)[:, 1] - y).mean())


@pytest.mark.parametrize(
    ("table", "scoring", "error"),
    [
        (CLASSES, "roc_auc", ValueError),
        (CLASSES, "r2", ValueError),
        (CLASSES, lambda model, X, y: {}["score"], KeyError),
        (Y, "accuracy", ValueError),
        (Y - Y.max(), "neg_mean_gamma_deviance", ValueError),
    ],
)
def test_a_scorer_that_does_not_suit(table, scoring, error, monkeypatch):
    make = classifier if table is CLASSES else regressor
    monkeypatch.setattr(Run, "advance", None)
    with pytest.raises(error, match=r"^\W?scoring=.* cannot score the validation data"):
        make(scoring=scoring).fit(X, table)


def test_the_rows_that_are_timed_need_no_score():
    """They lack the last class, but the rows held out have it."""
    y = np.repeat([0, 1, 2], [N // 2, N - N // 2 - 20, 20])
    model = classifier(scoring="roc_auc_ovr", max_time=60, batch_size=1, max_iter=1)
    assert model.fit(X, y).stop_reason_ == "max_iter"
    with pytest.raises(ValueError, match=r"scoring='roc_auc' cannot score"):
        model.set_params(scoring="roc_auc").fit(X, y)


def test_a_scorer_that_suits_what_is_learned():
    gamma = {"loss": "gamma", "scoring": "neg_mean_gamma_deviance"}
    assert regressor(**gamma).fit(X, abs(Y) + 0.1).members_
    assert regressor(scoring=reciprocal).fit(X, Y).members_
    quantiles = regressor(loss=Quantile([0.2, 0.7]), scoring=of_a_quantile)
    assert quantiles.fit(X, Y).members_


@pytest.mark.parametrize(
    "table",
    [None, "words", X["age"], X["age"].to_numpy(), np.zeros((2, 3, 4)), X[[]], 5],
    ids=["none", "str", "series", "1d", "3d", "no columns", "number"],
)
def test_tables_that_are_none(table):
    with pytest.raises((TypeError, ValueError), match=r"(?i)array|2-dim|column|container"):
        regressor().fit(table, Y)


def test_no_warnings_of_tables_as_they_come():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = classifier(calibrate=True, refit=True).fit(X, CLASSES)
        model.predict_log_proba(X.assign(age=None, city="unseen"))
