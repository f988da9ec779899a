"""Errors name what the caller knows: class, parameter, argument, column, row, label."""

import inspect
import os
import pickle
import subprocess
import sys
import warnings
from contextlib import suppress

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_array
from sklearn.utils._param_validation import InvalidParameterError

from skgd import MeanScaler, MinMaxScaler, MLPClassifier, MLPRegressor, ZScoreScaler

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
FRAME = pd.DataFrame(X, columns=["age", "income", "height"])
CLASSES, VALUES = (X[:, 0] > 0).astype(int), X[:, 1].copy()
NETWORKS = {MLPClassifier: CLASSES, MLPRegressor: VALUES}
ESTIMATORS = [*NETWORKS, MinMaxScaler, MeanScaler, ZScoreScaler]

each_network = pytest.mark.parametrize("network", NETWORKS)
each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


class Mine(MLPClassifier):
    """A subclass of a user."""


class Configured(MLPClassifier):
    """One with a constructor of its own."""

    def __init__(self, mark=None, alpha=1.0, max_iter=2):
        super().__init__(alpha=alpha, max_iter=max_iter)
        self.mark = mark


def error_of(function, *args, **kwargs):
    """Return the error of a call, which leaves the estimator as it was."""
    estimator = getattr(function, "__self__", None)
    before = joblib.hash(vars(estimator)) if hasattr(estimator, "__dict__") else None
    with warnings.catch_warnings():
        # sklearn looks at the kind of a target before it looks for what is not finite.
        warnings.filterwarnings("ignore", "invalid value encountered in cast")
        with pytest.raises(Exception) as caught:
            function(*args, **kwargs)
    if before is not None:
        assert joblib.hash(vars(estimator)) == before
    return caught.value


def fitted(estimator, rows=X):
    if estimator in NETWORKS:
        model = estimator(hidden_layer_sizes=2, solver="lbfgs", max_iter=2, max_fun=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(rows, NETWORKS[estimator])
    return estimator().fit(rows)


# The split for early stopping


@pytest.mark.parametrize(
    ("labels", "rare"),
    [
        (np.array(["fine"] * 29 + ["fraud"]), "class 'fraud' has 1 of 30 rows"),
        (np.array(["fine"] * 29 + ["fraud"], dtype=object), "class 'fraud' has 1 of 30"),
        (["no"] + ["yes"] * 29, "class 'no' has 1 of 30 rows"),
        (pd.Series([True] * 29 + [False]), "class False has 1 of 30 rows"),
        (np.array([7] * 29 + [9]), "class 9 has 1 of 30 rows"),
        (np.array([0.0] * 29 + [1.0]), "class 1.0 has 1 of 30 rows"),
    ],
)
@pytest.mark.parametrize("network", [MLPClassifier, Mine])
def test_a_rare_class_is_named(network, labels, rare):
    message = str(error_of(network(early_stopping=True).fit, X, labels))
    assert message.startswith("The least populated class")
    assert "only 1 member" in message
    for part in (rare, "validation_fraction=0.1", "early_stopping=False"):
        assert part in message
    assert "test_size" not in message


def test_two_rare_classes_are_named():
    message = str(error_of(MLPClassifier(early_stopping=True).fit, X[:2], ["a", "b"]))
    assert "class 'a' has 1 of 2 rows, class 'b' has 1 of 2 rows" in message


@pytest.mark.parametrize(
    ("fraction", "n_samples", "message"),
    [
        (0, 30, "validation set .* Increase .* leaves 0 of 30 rows"),
        (False, 30, "validation set .* Increase .* leaves 0 of 30 rows"),
        (0.01, 30, "validation set .* Increase .* leaves 1 of 30 rows"),
        (np.float32(0.01), 30, "validation set .* Increase .* leaves 1 of 30 rows"),
        (0.1, 1, "validation set .* Increase .* leaves 1 of 1 rows"),
        (0.99, 30, "training set .* Decrease .* leaves 0 of 30 rows"),
    ],
)
@each_network
def test_a_validation_set_of_no_use(network, fraction, n_samples, message):
    model = network(early_stopping=True, validation_fraction=fraction)
    y = NETWORKS[network]
    with pytest.raises(ValueError, match=message) as error:
        model.fit(X[:n_samples], y[:n_samples])
    assert f"validation_fraction={fraction} " in str(error.value)
    assert "early_stopping=True" in str(error.value)
    assert "test_size" not in str(error.value)


def test_fewer_rows_to_train_on_than_classes():
    model = MLPClassifier(early_stopping=True, validation_fraction=0.9)
    message = str(error_of(model.fit, X[:12], CLASSES[:12]))
    assert "leaves 1 of 12 rows to train on, where at least 2" in message


# The names of classes and methods


@pytest.mark.parametrize("network", [*NETWORKS, Mine, Configured])
def test_the_class_is_the_user_s(network):
    model = network()
    for call, args, kwargs in [
        (model.fit, (X,), {}),
        (model.fit, (X, CLASSES), {"epochs": 2}),
        (model.partial_fit, (X,), {}),
        (network, ((3,), "relu", "adam", 0.1, 0.2), {}),
        (network, (), {"nothing_like_it": 2}),
        (model.predict, (X,), {"batch_size": 2}),
        (model.predict, (X,), {}),
        (model.set_params(max_iter=0).fit, (X, CLASSES), {}),
    ]:
        message = str(error_of(call, *args, **kwargs))
        assert network.__name__ in message
        assert "BaseMLP" not in message


def test_keyword_only_arguments():
    with pytest.raises(TypeError, match=r"5 were given\. Pass solver and all that follows"):
        MLPClassifier((3,), "relu", "adam", 0.1)


# Names of other libraries

SYNONYMS = {
    "epochs n_epochs num_epochs max_epochs n_estimators num_iterations": "max_iter",
    "max_iters nb_epoch": "max_iter",
    "lr eta learning_rate_value learning_rate_initial": "learning_rate_init",
    "optimizer": "solver",
    "l2 reg_lambda lambda_l2": "alpha",
    "clipnorm grad_clip": "max_grad_norm",
    "dropout_rate": "dropout",
    "patience early_stopping_rounds": "n_iter_no_change, with early_stopping=True",
    "hidden_units hidden_sizes layers hidden_layer_size hiddenLayerSizes": (
        "hidden_layer_sizes"
    ),
    "validation_split": "validation_fraction",
    "seed random_seed": "random_state",
    "num_threads nthread n_threads": "n_jobs",
    "batchnorm batch_norm": "batch_normalization",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "betas": "beta_1 and beta_2",
    "eps": "epsilon",
    "nesterov": "nesterovs_momentum",
    "sample_weights": "sample_weight, an argument of fit",
}
NAMES = [(name, meant) for names, meant in SYNONYMS.items() for name in names.split()]


@pytest.mark.parametrize(("name", "meant"), NAMES)
@each_network
def test_a_parameter_of_another_library(network, name, meant):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'") as error:
        network(**{name: 1})
    assert f"Did you mean {meant}?" in str(error.value)
    model = network()
    error = error_of(model.set_params, alpha=5.0, **{name: 1})
    assert type(error) is ValueError
    assert str(error).startswith(f"Invalid parameter '{name}' for estimator")
    assert str(error).endswith(f"Did you mean {meant}?")


def test_weights_of_classes():
    for method in ("fit", "partial_fit"):
        call = getattr(MLPClassifier(), method)
        error = error_of(call, X, CLASSES, class_weight="balanced")
        assert "class_weight is a parameter of MLPClassifier" in str(error)
        error = error_of(getattr(MLPRegressor(), method), X, VALUES, class_weight={})
        assert "Did you mean sample_weight?" in str(error)


@pytest.mark.parametrize("name", ["criterion", "objective"])
@each_network
def test_the_loss(network, name):
    for call in (network, network().set_params):
        assert "Did you mean loss?" in str(error_of(call, **{name: "mse"}))


@pytest.mark.parametrize(
    ("scaler", "name", "hint"),
    [
        (MinMaxScaler, "range", "Did you mean feature_range?"),
        (MinMaxScaler, "feature_ranges", "Did you mean feature_range?"),
        (MinMaxScaler, "clipping", "Did you mean clip?"),
        (ZScoreScaler, "with_centering", "Did you mean with_mean?"),
        (ZScoreScaler, "scale", "Did you mean with_std?"),
        (MeanScaler, "inplace", "Did you mean copy=False?"),
        (ZScoreScaler, "epochs", "It takes copy, with_mean, with_std."),
    ],
)
def test_a_parameter_of_another_scaler(scaler, name, hint):
    with pytest.raises(TypeError, match=f"argument '{name}'") as error:
        scaler(**{name: True})
    assert str(error.value).endswith(hint)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("epochs", "Did you mean max_iter, a parameter of "),
        ("batch_size", "batch_size is a parameter of "),
        ("validation_data", "Did you mean X_val and y_val?"),
        ("eval_set", "Did you mean X_val and y_val?"),
        ("sample_weights", "Did you mean sample_weight?"),
        ("callbacks", "It takes X, y, sample_weight"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("network", [*NETWORKS, Mine])
def test_an_argument_of_another_library_s_fit(network, method, name, hint):
    error = error_of(getattr(network(), method), X, CLASSES, **{name: 1})
    assert type(error) is TypeError
    assert f"{network.__name__}.{method}() got an unexpected" in str(error)
    assert hint in str(error)


def test_an_inner_name():
    model = make_pipeline(ZScoreScaler(), MLPRegressor())
    message = str(error_of(model.set_params, mlpregressor__epochs=3))
    assert message.endswith("Did you mean max_iter?")
    search = GridSearchCV(MLPRegressor(), {"lr": [0.1, 0.2]})
    with pytest.raises(ValueError, match=r"Did you mean learning_rate_init\?"):
        search.fit(X, VALUES)


@each_estimator
def test_a_constructor_looks_as_it_did(estimator):
    parameters = inspect.signature(estimator.__init__).parameters
    assert list(parameters)[1:] == list(inspect.signature(estimator).parameters)
    assert sorted(list(parameters)[1:]) == sorted(estimator().get_params())
    spec = inspect.getfullargspec(estimator.__init__)
    assert [*spec.args, *spec.kwonlyargs] == list(parameters)
    assert clone(estimator()).get_params() == estimator().get_params()


def test_a_subclass_works_as_before():
    model = Configured(mark=1, alpha=0.5)
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        assert copy.get_params() == {"mark": 1, "alpha": 0.5, "max_iter": 2}
    with pytest.raises(TypeError, match=r"Configured.__init__\(\) .*'epochs'.*max_iter\?"):
        Configured(epochs=3)


def test_a_default_of_a_subclass_is_checked():
    class Network(MLPClassifier):
        def __init__(self, alpha=-1.0):
            super().__init__(alpha=alpha)

    for network in (Network(), Network(alpha=-2.0)):
        with pytest.raises(InvalidParameterError, match="'alpha' parameter of Network"):
            network.fit(X, np.arange(30) % 2)


def test_an_error_of_a_constructor_itself_passes():
    class Strict(MLPClassifier):
        def __init__(self, mark=None):
            super().__init__(batchnorm=True)

    with pytest.raises(TypeError, match=r"'batchnorm'\. Did you mean batch_norm[a-z]*\?$"):
        Strict()


# Values of parameters


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("learning_rate", 0.01, "learning_rate_init=0.01"),
        ("learning_rate", "inverse-time", "learning_rate='inverse_time'"),
        ("learning_rate", "exponential_decay", "learning_rate='exponential'"),
        ("learning_rate", "step_decay", "learning_rate='step'"),
        ("learning_rate", "adaptiv", "learning_rate='adaptive'"),
        ("learning_rate_init", "adaptive", "learning_rate='adaptive'"),
        ("solver", "Adam", "solver='adam'"),
        ("solver", "ADAM", "solver='adam'"),
        ("solver", "SGD", "solver='sgd'"),
        ("solver", "RMSprop", "solver='rmsprop'"),
        ("solver", "L-BFGS", "solver='lbfgs'"),
        ("solver", "relu", "activation='relu'"),
        ("activation", "sigmoid", "activation='logistic'"),
        ("activation", "swish", "activation='silu'"),
        ("activation", "linear", "activation='identity'"),
        ("activation", "ReLU", "activation='relu'"),
        ("batch_size", "Auto", "batch_size='auto'"),
    ],
)
@each_network
def test_a_value_that_means_another(network, name, value, meant):
    model = network(**{name: value})
    error = error_of(model.fit, X, NETWORKS[network])
    assert isinstance(error, InvalidParameterError)
    assert f"'{name}' parameter of {network.__name__} must be" in str(error)
    assert str(error).endswith(f"Did you mean {meant}?")


@pytest.mark.parametrize("value", ["mse", "mean_squared_error", "l2", "Squared-Error"])
def test_a_loss_that_means_another(value):
    error = error_of(MLPRegressor(value).fit, X, VALUES)
    assert isinstance(error, InvalidParameterError)
    assert str(error).endswith("Did you mean loss='squared_error'?")


@pytest.mark.parametrize("sizes", [(10,), [8, 8], 10])
def test_the_first_argument_of_older_versions(sizes):
    message = str(error_of(MLPRegressor(sizes).fit, X, VALUES))
    assert message.endswith(f"Did you mean hidden_layer_sizes={sizes}?")


def test_the_log_loss_is_the_classifier_s():
    message = str(error_of(MLPRegressor("log_loss").fit, X, VALUES))
    assert message.endswith("Use MLPClassifier, which minimizes the log loss.")


@pytest.mark.parametrize("value", [[0, 1], np.array([0, 1])])
def test_a_feature_range_that_is_no_tuple(value):
    error = error_of(MinMaxScaler(value).fit, X)
    assert isinstance(error, InvalidParameterError)
    assert str(error).endswith("Did you mean feature_range=(0, 1)?")


@pytest.mark.parametrize("value", [(None, 1), ("a", "b"), ("0", "1"), (0j, 1)])
def test_a_feature_range_of_no_numbers(value):
    error = error_of(MinMaxScaler(value).fit, X)
    assert isinstance(error, InvalidParameterError)
    assert (
        f"feature_range must be a tuple (min, max) of two real numbers. Got {value}."
        == (str(error))
    )


@pytest.mark.slow
def test_allowed_values_are_in_the_same_order_in_every_process():
    code = """if True:
        from skgd import MLPRegressor
        for name in ("solver", "activation", "learning_rate", "loss"):
            try:
                MLPRegressor(**{name: "?"}).fit([[1.0]], [1.0])
            except ValueError as error:
                print(error)
    """
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    (lines,) = (text.splitlines() for text in said)
    assert len(lines) == 4
    for line in lines:
        options = line[line.index("{") + 1 : line.index("}")].split(", ")
        assert options == sorted(options)


# Data


def with_entry(value, dtype=object):
    rows = X.astype(dtype)
    rows[3, 1] = value
    return rows


def with_column(values):
    return FRAME.assign(income=values)


def in_polars(frame):
    return pl.DataFrame(frame.to_dict("list"))


NO_NUMBERS = {
    "words": (with_column("rich"), "'rich' in column 'income', row 0"),
    "one word": (
        with_column([*range(29), "rich"]),
        "'rich' in column 'income', row 29",
    ),
    "a categorical": (
        with_column(pd.Categorical(["low"] * 30)),
        "'low' in column 'income', row 0",
    ),
    "dates": (with_column(pd.Timestamp("2020-01-01")), "in column 'income', row 0"),
    "time spans": (with_column(pd.Timedelta("1D")), "in column 'income', row 0"),
    "complex numbers": (with_column(1j), "1j in column 'income', row 0"),
    "lists": (with_column([[1, 2]] * 30), "[1, 2] in column 'income', row 0"),
    "words in polars": (in_polars(with_column("rich")), "'rich' in column 'income', row 0"),
    "a word in an array": (with_entry("rich"), "'rich' in column 1, row 3"),
    "a word in a list": (with_entry("rich").tolist(), "'rich' in column 1, row 3"),
    "a number too large": (with_entry(10**400), "in column 1, row 3"),
    "two columns": (
        FRAME.assign(age="old", height="tall"),
        "'old' in column 'age', row 0; 'tall' in column 'height', row 0",
    ),
}
INFINITE = {
    "a frame": (with_column([*range(29), np.inf]), "infinity in column 'income', row 29"),
    "polars": (
        in_polars(with_column([*range(29), np.inf])),
        "infinity in column 'income', row 29",
    ),
    "a list": (with_entry(np.inf, float).tolist(), "infinity in column 1, row 3"),
    "an array": (with_entry(-np.inf, np.float32), "infinity in column 1, row 3"),
}
MISSING = {
    "a frame": (with_column(np.nan), "NaN in column 'income', row 0"),
    "integers": (
        with_column(pd.array([1] * 29 + [None], dtype="Int64")),
        "NaN in column 'income', row 29",
    ),
    "polars": (
        in_polars(FRAME).with_columns(income=pl.lit(None, dtype=pl.Float64)),
        "NaN in column 'income', row 0",
    ),
    "two columns": (
        FRAME.assign(age=np.nan, height=np.nan),
        "NaN in column 'age', row 0; in column 'height', row 0",
    ),
    "an array": (with_entry(np.nan, float), "NaN in column 1, row 3"),
    "csr": (sparse.csr_array(with_entry(np.nan, float)), "NaN in column 1, row 3"),
    "csc": (sparse.csc_matrix(with_entry(np.nan, float)), "NaN in column 1, row 3"),
}


def calls(estimator, rows):
    """Yield the calls of all methods with rows."""
    known = FRAME if isinstance(rows, pd.DataFrame) else X
    if isinstance(rows, pl.DataFrame):
        known = in_polars(FRAME)
    if estimator in NETWORKS:
        yield estimator().fit, (rows, NETWORKS[estimator])
        yield (
            estimator().partial_fit,
            (rows, NETWORKS[estimator], None, [0, 1])[
                : 4 if estimator is MLPClassifier else 2
            ],
        )
        methods = ("predict", "predict_proba", "predict_log_proba")
    else:
        yield estimator().fit, (rows,)
        yield estimator().partial_fit, (rows,)
        methods = ("transform", "inverse_transform")
    model = fitted(estimator, known)
    yield from ((getattr(model, m), (rows,)) for m in methods if hasattr(model, m))


@pytest.mark.parametrize("name", NO_NUMBERS)
@each_estimator
def test_the_column_that_holds_no_numbers(estimator, name):
    rows, place = NO_NUMBERS[name]
    for call, args in calls(estimator, rows):
        message = str(error_of(call, *args))
        assert message.startswith("X must hold real numbers, got ")
        assert place in message.splitlines()[0]
        assert message.count("must hold") == 1


def skip_where_made_dense(rows):
    """Older scikit-learns read such columns right, as dense ones."""
    with suppress(ValueError):
        if not issparse(check_array(rows, accept_sparse=True, ensure_all_finite=False)):
            pytest.skip("scikit-learn makes these columns dense.")


@pytest.mark.parametrize(
    ("fill", "place"),
    [(1.0, "1.0 in column 'low'"), (np.nan, "nan in column 'low'")],
)
@each_estimator
def test_the_sparse_column_with_another_fill_value(estimator, fill, place):
    filled = pd.arrays.SparseArray([fill, 2.0] * 15, fill_value=fill)
    rows = pd.DataFrame({"low": filled})
    skip_where_made_dense(rows)
    y = [NETWORKS[estimator]] if estimator in NETWORKS else []
    message = str(error_of(estimator().fit, rows, *y))
    assert message.startswith("Sparse columns of X must have the fill value 0, got ")
    assert place in message.splitlines()[0]


@each_estimator
def test_no_entry_is_blamed_for_the_dtype(estimator):
    rows = pd.DataFrame({"a": pd.array([0, 2] * 15, dtype=pd.SparseDtype(object, 0))})
    skip_where_made_dense(rows)
    y = [NETWORKS[estimator]] if estimator in NETWORKS else []
    message = str(error_of(estimator().fit, rows, *y))
    assert "real numbers" not in message
    assert "object" in message


@pytest.mark.parametrize("name", INFINITE)
@each_estimator
def test_the_column_with_infinity(estimator, name):
    rows, place = INFINITE[name]
    for call, args in calls(estimator, rows):
        message = str(error_of(call, *args))
        assert message.startswith(f"X has {place}.\nInput X contains infinity")


@pytest.mark.parametrize("name", MISSING)
@each_network
def test_the_column_with_nan(network, name):
    rows, place = MISSING[name]
    for call, args in calls(network, rows):
        message = str(error_of(call, *args))
        assert message.startswith(f"X has {place}.\nInput X contains NaN.")


def test_many_columns_are_not_all_named():
    message = str(error_of(MLPRegressor().fit, np.full((30, 9), np.nan), VALUES))
    assert message.splitlines()[0].endswith("in column 4, row 0; and more.")


@each_estimator
@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([[1.0, 2.0, 3.0]] * 29 + [[1.0, 2.0]], "Row 29 of X is of length 2, row 0 of 3."),
        (X[:, 0], "X must be an array of shape (n_samples, n_features), got shape (30,)."),
        (X[None], "X must be an array of shape (n_samples, n_features), got shape (1, 30"),
        (X[:0], "X must be an array of shape (n_samples, n_features), got shape (0, 3)."),
        (None, "X must be an array of shape (n_samples, n_features), got None."),
        ("abc", "X must be an array of shape (n_samples, n_features), got 'abc'."),
        ({"a": 1}, "X must be an array of shape (n_samples, n_features), got {'a': 1}."),
    ],
)
def test_rows_of_another_shape(estimator, rows, fault):
    for call, args in calls(estimator, rows):
        assert str(error_of(call, *args)).startswith(fault)


MANY_SHAPES = "(n_samples,) or (n_samples, n_outputs)"
TARGETS = {
    "NaN": (np.where(CLASSES, np.nan, 1.0), "y has NaN in row "),
    "infinity": (np.where(CLASSES, np.inf, 1.0), "y has infinity in row "),
    "NaN in a frame": (
        pd.DataFrame({"low": VALUES, "high": np.nan}),
        "y has NaN in column 'high', row 0.",
    ),
    "too few": (CLASSES[:-1], "X has 30 rows, y has 29 rows."),
    "complex": (CLASSES * 1j, "y must hold real numbers, got "),
    "three dimensions": (
        np.zeros((30, 2, 2)),
        f"y must be an array of shape {MANY_SHAPES}, got shape (30, 2, 2).",
    ),
    "a number": (3, f"y must be an array of shape {MANY_SHAPES}, got 3."),
    "ragged": ([[1, 2]] * 29 + [[1]], "Row 29 of y is of length 1, row 0 of 2."),
}
LABELS = {
    "mixed types": (["a", 1, None] * 10, "numbers or all strings, got NoneType, int, str."),
    "None": (np.array([None, 1] * 15), "numbers or all strings, got NoneType, int."),
    "NA": (pd.Series([pd.NA, 1] * 15), "numbers or all strings, got NAType, int."),
    "continuous": (VALUES, "Unknown label type: continuous."),
    "several columns": (rng.integers(3, size=(30, 2)), "MultiOutputClassifier"),
}
NUMBERS = {
    "words": (np.array(["a", "b"] * 15), "got 'a' in row 0. For class labels use MLPClass"),
    "objects": (["a", 1.0] * 15, "'a' in row 0. For class labels use MLPClassifier."),
    "words in a frame": (
        pd.DataFrame({"low": VALUES, "high": "a"}),
        "y must hold real numbers, got 'a' in column 'high', row 0.",
    ),
    "None": (np.array([1.0, None] * 15), "y has NaN in row 1.\nInput y contains NaN."),
}


@pytest.mark.parametrize(
    ("network", "y", "fault"),
    [
        *[(network, *case) for network in NETWORKS for case in TARGETS.values()],
        *[(MLPClassifier, *case) for case in LABELS.values()],
        *[(MLPRegressor, *case) for case in NUMBERS.values()],
    ],
)
def test_targets(network, y, fault):
    assert fault in str(error_of(network().fit, X, y))


@pytest.mark.parametrize(
    ("classes", "fault"),
    [
        (5, "classes=5 cannot be used: "),
        ([0, np.nan], "classes=[0, nan] cannot be used: "),
        (["a", 1], "classes=['a', 1] cannot be used: "),
        ([], "classes=[] cannot be used: "),
        ([1, 2], "New in y: [0]."),
        (None, "classes must be passed on the first call to partial_fit."),
    ],
)
def test_classes(classes, fault):
    model = MLPClassifier()
    assert fault in str(error_of(model.partial_fit, X, CLASSES, classes=classes))


@pytest.mark.parametrize(
    ("weight", "fault"),
    [
        ([np.nan] + [1.0] * 29, "sample_weight has NaN in row 0."),
        ([1.0] * 29 + [np.inf], "sample_weight has infinity in row 29."),
        (["a"] * 30, "sample_weight must hold real numbers, got 'a' in row 0."),
        (np.ones(30) * 1j, "sample_weight must hold real numbers, got 1j in row 0."),
        (
            "balanced",
            "sample_weight must be an array of shape (n_samples,), got 'balanced'",
        ),
        ({0: 1.0}, "sample_weight must be an array of shape (n_samples,), got {0: 1.0}"),
    ],
)
@pytest.mark.parametrize("estimator", [*NETWORKS, MeanScaler, ZScoreScaler])
def test_weights(estimator, weight, fault):
    y = NETWORKS.get(estimator)
    message = str(error_of(estimator().fit, X, y, sample_weight=weight))
    assert message.startswith(fault)


@each_network
def test_other_errors_name_no_column(network):
    model = network(solver="minibatch", learning_rate_init=1e300, max_iter=3)
    message = str(error_of(model.fit, FRAME, NETWORKS[network]))
    assert "learning_rate_init=1e+300" in message
    assert "column" not in message
    message = str(error_of(fitted(network, FRAME).predict, FRAME[["age"]]))
    assert message.startswith("The feature names should match")
