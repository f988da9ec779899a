"""The estimators in scikit-learn's machinery, on real data."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn import config_context, datasets
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils import estimator_html_repr

from skgd import MeanScaler, MinMaxScaler, MLPClassifier, MLPRegressor, ZScoreScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SCALERS = [MinMaxScaler, MeanScaler, ZScoreScaler]
MLPS = [MLPClassifier, MLPRegressor]
RATES = {"minibatch": 0.1, "momentum": 0.01, "rmsprop": 0.001, "adam": 0.001}


def classifier(**parameters):
    return MLPClassifier(**{"random_state": 0, "max_iter": 40, **parameters})


def regressor(**parameters):
    return MLPRegressor(**{"random_state": 0, "max_iter": 150, **parameters})


@pytest.fixture(scope="module")
def cancer():
    return datasets.load_breast_cancer(return_X_y=True)


@pytest.fixture(scope="module")
def diabetes():
    X, y = datasets.load_diabetes(return_X_y=True)
    return X, (y - y.mean()) / y.std()


@pytest.fixture(scope="module")
def digits():
    return datasets.load_digits(return_X_y=True)


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("solver", RATES)
@pytest.mark.parametrize("batch_normalization", [False, True])
def test_every_solver_learns_to_classify(cancer, scaler, solver, batch_normalization):
    X_train, X_test, y_train, y_test = train_test_split(*cancer, random_state=0)
    mlp = classifier(
        solver=solver,
        learning_rate_init=RATES[solver],
        learning_rate="inverse_time",
        staircase=False,
        batch_normalization=batch_normalization,
        batch_size=32,
    )
    model = make_pipeline(scaler(), mlp)
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.93


@pytest.mark.parametrize("solver", RATES)
@pytest.mark.parametrize("batch_normalization", [False, True])
def test_every_solver_learns_to_regress(diabetes, solver, batch_normalization):
    X_train, X_test, y_train, y_test = train_test_split(*diabetes, random_state=0)
    mlp = regressor(
        hidden_layer_sizes=(20,),
        solver=solver,
        learning_rate_init=RATES[solver],
        batch_normalization=batch_normalization,
        batch_size=64,
        early_stopping=True,
        n_iter_no_change=40,
    )
    model = make_pipeline(ZScoreScaler(), mlp)
    # 298 noisy rows are few for the moments of mini-batches.
    least = 0.1 if batch_normalization else 0.25
    assert model.fit(X_train, y_train).score(X_test, y_test) > least


def test_digits_of_ten_classes(digits):
    X_train, X_test, y_train, y_test = train_test_split(*digits, random_state=0)
    for dtype in (np.float32, np.float64):
        model = make_pipeline(MinMaxScaler(), classifier(batch_normalization=True))
        model.fit(X_train.astype(dtype), y_train)
        assert model.score(X_test.astype(dtype), y_test) > 0.95
        assert model.predict_proba(X_test.astype(dtype)).dtype == dtype


def test_counts_by_poisson_loss():
    X, _ = datasets.load_diabetes(return_X_y=True)
    y = np.random.default_rng(0).poisson(np.exp(20 * X[:, 2] + 1))
    model = make_pipeline(ZScoreScaler(), regressor(loss="poisson", max_iter=60)).fit(X, y)
    assert model.score(X, y) > 0.5
    assert (model.predict(X) > 0).all()


def test_names_for_linnerud_s_three_outputs():
    X, y = datasets.load_linnerud(return_X_y=True, as_frame=True)
    model = make_pipeline(
        ZScoreScaler().set_output(transform="pandas"),
        TransformedTargetRegressor(regressor(), transformer=ZScoreScaler()),
    ).fit(X, y)
    assert model.predict(X).shape == (20, 3)
    assert list(model[-1].regressor_.feature_names_in_) == list(X.columns)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search(cancer, backend):
    grid = {
        "mlpclassifier__solver": ["rmsprop", "adam"],
        "mlpclassifier__batch_normalization": [False, True],
    }
    X, y = cancer
    with joblib.parallel_backend(backend):
        search = GridSearchCV(
            make_pipeline(ZScoreScaler(), classifier(max_iter=8)), grid, n_jobs=2, cv=2
        ).fit(X, y)
    assert search.best_score_ > 0.9
    # The same as without any parallelism.
    alone = GridSearchCV(search.estimator, grid, cv=2).fit(X, y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    for one, other in zip(
        search.best_estimator_[-1].coefs_, alone.best_estimator_[-1].coefs_, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_cross_validation(cancer, diabetes):
    model = make_pipeline(ZScoreScaler(), classifier())
    predicted = cross_val_predict(model, *cancer, cv=3)
    assert (predicted == cancer[1]).mean() > 0.94
    probabilities = cross_val_predict(model, *cancer, cv=3, method="predict_proba")
    np.testing.assert_array_equal(probabilities.argmax(axis=1), predicted)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    scores = cross_val_score(
        make_pipeline(MeanScaler(), regressor(early_stopping=True, n_iter_no_change=50)),
        *diabetes,
        cv=3,
        n_jobs=2,
    )
    assert scores.min() > 0.2


def test_bagging(cancer):
    mlp = make_pipeline(ZScoreScaler(), classifier(max_iter=10))
    model = BaggingClassifier(mlp, n_estimators=3, n_jobs=2, random_state=0).fit(*cancer)
    assert model.score(*cancer) > 0.9


@pytest.mark.parametrize("scaler", SCALERS)
def test_columns_and_unions(cancer, scaler):
    X, _ = cancer
    columns = ColumnTransformer([("scaled", scaler(), slice(0, 10))], remainder="drop")
    union = FeatureUnion([("columns", columns), ("all", scaler())])
    out = union.fit_transform(X)
    assert out.shape == (569, 40)
    np.testing.assert_allclose(out[:, :10], out[:, 10:20], rtol=0, atol=1e-13)
    names = union.get_feature_names_out()
    assert (names[0], names[-1]) == ("columns__scaled__x0", "all__x29")


# --------------------------------------------------------------------- copies of a model


def roundtrips(tmp_path):
    def through_joblib(model):
        path = tmp_path / "model.joblib"
        joblib.dump(model, path)
        return joblib.load(path)

    def through_a_mapped_file(model):
        path = tmp_path / "model.joblib"
        joblib.dump(model, path)
        return joblib.load(path, mmap_mode="r")

    return [
        *(
            lambda model, p=protocol: pickle.loads(pickle.dumps(model, p))
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
        through_joblib,
        through_a_mapped_file,
    ]


@pytest.mark.parametrize("scaler", SCALERS)
def test_copies_of_a_scaler(cancer, scaler, tmp_path):
    X, _ = cancer
    model = scaler().fit(X)
    expected = model.transform(X)
    for roundtrip in roundtrips(tmp_path):
        copy = roundtrip(model)
        np.testing.assert_array_equal(copy.transform(X), expected)
        np.testing.assert_array_equal(
            copy.inverse_transform(expected), model.inverse_transform(expected)
        )


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("solver", [*RATES, "lbfgs"])
def test_copies_of_a_classifier(cancer, solver, batch_normalization, tmp_path):
    if solver == "lbfgs" and batch_normalization:
        return
    X, y = cancer
    X = ZScoreScaler().fit_transform(X)
    model = classifier(
        solver=solver, max_iter=3, batch_normalization=batch_normalization
    ).fit(X, y)
    expected = model.predict_proba(X)
    copies = [roundtrip(model) for roundtrip in roundtrips(tmp_path)]
    for copy in copies:
        np.testing.assert_array_equal(copy.predict_proba(X), expected)
        assert copy.get_params() == model.get_params()
    if solver != "lbfgs":
        # and training goes on as the original's does.
        expected = model.partial_fit(X, y).predict_proba(X)
        for copy in copies:
            np.testing.assert_array_equal(copy.partial_fit(X, y).predict_proba(X), expected)


@pytest.mark.parametrize("estimator", [*SCALERS, *MLPS])
def test_clone_and_parameters(estimator):
    model = estimator()
    parameters = model.get_params()
    assert clone(model).get_params() == parameters
    assert estimator(**parameters).get_params() == parameters
    assert repr(model) == f"{estimator.__name__}()"
    for name, value in parameters.items():
        assert estimator().set_params(**{name: value}).get_params() == parameters
    with pytest.raises(ValueError, match="Invalid parameter 'no_such'"):
        model.set_params(no_such=1)


@pytest.mark.parametrize("estimator", MLPS)
def test_parameters_that_are_not_the_defaults_are_kept(estimator):
    changed = {
        "hidden_layer_sizes": (3, 4),
        "solver": "rmsprop",
        "rho": 0.5,
        "learning_rate": "inverse_time",
        "decay_rate": 0.1,
        "decay_steps": 7,
        "staircase": False,
        "batch_normalization": True,
        "batch_normalization_momentum": 0.5,
        "batch_normalization_epsilon": 0.1,
        "n_jobs": 1,
        "random_state": 5,
        "max_iter": 2,
    }
    model = clone(estimator().set_params(**changed))
    assert {name: model.get_params()[name] for name in changed} == changed
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(20, 3)), rng.integers(2, size=20))
    assert {name: model.get_params()[name] for name in changed} == changed


@pytest.mark.parametrize("estimator", [*SCALERS, *MLPS])
def test_the_html_of_a_model(estimator):
    model = estimator()
    html = estimator_html_repr(make_pipeline(ZScoreScaler(), model))
    assert estimator.__name__ in html
    assert "Not fitted" in html
    with config_context(display="diagram"):
        bundle = model._repr_mimebundle_()
    assert estimator.__name__ in bundle["text/html"]
    rng = np.random.default_rng(0)
    if estimator in MLPS:
        model.set_params(max_iter=1)
    model.fit(rng.normal(size=(20, 3)), rng.integers(2, size=20))
    assert "Fitted" in estimator_html_repr(model)
