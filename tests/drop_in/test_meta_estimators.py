"""Several labels, several outputs, and scikit-learn's meta-estimators, on real data."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_digits, load_linnerud, load_wine
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_predict,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import label_binarize

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # scikit-learn's own on its old releases.
    "ignore:.*sample_weight.*:FutureWarning",
)

STEPS = {"learning_rate_init": 0.02, "max_iter": 40, "random_state": 0}


def scaled(network):
    return make_pipeline(ZScoreScaler(), network)


def classifier(**parameters):
    return scaled(MLPClassifier(**{"hidden_layer_sizes": (16,), **STEPS, **parameters}))


def regressor(**parameters):
    return scaled(MLPRegressor(**{"hidden_layer_sizes": (16,), **STEPS, **parameters}))


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


def strokes():
    """Several labels of a digit: is it round, even, large?"""
    X, y = digits()
    return X, np.column_stack([np.isin(y, [0, 6, 8, 9]), y % 2 == 0, y > 4]).astype(int)


def two_outputs():
    """Disease progression, and the blood pressure from the other measurements."""
    X, y = load_diabetes(return_X_y=True)
    targets = np.column_stack([y, X[:, 3]])
    return np.delete(X, 3, axis=1), (targets - targets.mean(0)) / targets.std(0)


def test_multilabel():
    X, y = strokes()
    model = classifier().fit(X[:300], y[:300])
    assert model.predict(X[300:]).shape == (100, 3)
    assert model.predict_proba(X[300:]).shape == (100, 3)
    assert model.score(X[300:], y[300:]) > 0.7


def test_multioutput():
    X, y = two_outputs()
    model = regressor().fit(X[:300], y[:300])
    assert model.predict(X[300:]).shape == (142, 2)
    assert model.score(X[300:], y[300:]) > 0.2


def test_more_outputs_than_a_regressor_each():
    X, y = load_linnerud(return_X_y=True)
    model = regressor(solver="lbfgs", max_iter=500).fit(X, y / y.std(axis=0))
    assert model.predict(X).shape == (20, 3)
    assert model.score(X, y / y.std(axis=0)) > 0.5


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(n_jobs):
    X, y = strokes()
    grid = {
        "mlpclassifier__solver": ["adam", "momentum"],
        "mlpclassifier__learning_rate_init": [1e-5, 0.02],
        "zscorescaler__with_mean": [True, False],
    }
    search = GridSearchCV(classifier(max_iter=20), grid, cv=3, n_jobs=n_jobs).fit(X, y)
    assert search.best_params_["mlpclassifier__learning_rate_init"] == 0.02
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.5


def test_halving_grid_search():
    X, y = two_outputs()
    search = HalvingGridSearchCV(
        regressor(),
        {"mlpregressor__max_iter": [1, 40], "mlpregressor__alpha": [0.0, 0.1]},
        resource="n_samples",
        random_state=0,
        cv=3,
    ).fit(X, y)
    assert search.best_params_["mlpregressor__max_iter"] == 40


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated(method):
    X, y = digits()
    X = X / 16
    model = CalibratedClassifierCV(MLPClassifier((16,), **STEPS), method=method, cv=3)
    model.fit(X[:300], y[:300], sample_weight=np.ones(300))
    probabilities = model.predict_proba(X[300:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert model.score(X[300:], y[300:]) > 0.8


def test_bagging():
    X, y = digits()
    model = BaggingClassifier(
        MLPClassifier((16,), **STEPS), n_estimators=4, max_features=0.7, random_state=0
    )
    assert model.fit(X[:300] / 16, y[:300]).score(X[300:] / 16, y[300:]) > 0.8
    other = BaggingClassifier(
        MLPClassifier((16,), **STEPS),
        n_estimators=4,
        max_features=0.7,
        random_state=0,
        n_jobs=2,
    ).fit(X[:300] / 16, y[:300])
    np.testing.assert_allclose(
        model.predict_proba(X / 16), other.predict_proba(X / 16), rtol=1e-12
    )


def test_boosting_weights_the_samples():
    X, y = load_wine(return_X_y=True)
    X = ZScoreScaler().fit_transform(X)
    model = AdaBoostClassifier(MLPClassifier((4,), **STEPS), n_estimators=3, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9


def test_stacking():
    X, y = two_outputs()
    model = StackingRegressor(
        [("mlp", regressor()), ("lbfgs", regressor(solver="lbfgs")), ("ridge", Ridge())],
        final_estimator=regressor(max_iter=20),
        cv=3,
    )
    assert model.fit(X[:300], y[:300, 0]).score(X[300:], y[300:, 0]) > 0.2


def test_voting():
    X, y = digits()
    model = VotingClassifier(
        [("one", classifier()), ("other", classifier(solver="rmsprop"))], voting="soft"
    )
    assert model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.8


@pytest.mark.parametrize("meta", [MultiOutputRegressor, RegressorChain])
def test_an_output_at_a_time(meta):
    X, y = two_outputs()
    model = meta(regressor()).fit(X[:300], y[:300])
    assert model.predict(X[300:]).shape == (142, 2)
    assert model.score(X[300:], y[300:]) > 0.1


def test_multioutput_partial_fit():
    X, y = two_outputs()
    X = ZScoreScaler().fit_transform(X)
    model = MultiOutputRegressor(MLPRegressor(random_state=0, learning_rate_init=0.02))
    for _ in range(20):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.3


@pytest.mark.parametrize("meta", [OneVsRestClassifier, ClassifierChain])
def test_a_label_at_a_time(meta):
    X, y = strokes()
    model = meta(classifier()).fit(X[:300], y[:300])
    assert model.predict(X[300:]).shape == (100, 3)
    assert model.score(X[300:], y[300:]) > 0.6


def test_permutation_importance():
    X, y = two_outputs()
    model = regressor().fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert importance.importances.shape == (X.shape[1], 3)
    # Body mass index, the second, tells of both.
    assert importance.importances_mean[2] > 0.05


def test_learning_curve():
    X, y = strokes()
    sizes, train, test = learning_curve(
        classifier(), X, y, train_sizes=[0.2, 1.0], cv=3, shuffle=True, random_state=0
    )
    assert train.shape == test.shape == (2, 3)
    assert test[1].mean() > test[0].mean()
    assert sizes[1] > sizes[0]


def test_incremental_learning_curve():
    X, y = digits()
    _, _, test = learning_curve(
        MLPClassifier((16,), random_state=0, learning_rate_init=0.02),
        X / 16,
        y,
        train_sizes=[0.2, 0.5, 1.0],
        cv=3,
        exploit_incremental_learning=True,
    )
    assert np.isfinite(test).all()
    assert test[-1].mean() > test[0].mean()


def test_cross_val_predict():
    X, y = digits()
    probabilities = cross_val_predict(classifier(), X, y, cv=3, method="predict_proba")
    hits = label_binarize(y, classes=range(10)) * probabilities
    assert hits.sum() / len(y) > 0.7
