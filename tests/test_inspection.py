"""The displays: what they draw, for which estimators, and their errors."""

import builtins
import pickle

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.engine.plugins import Progress
from skgd.inspection import LearningRateDisplay, LossCurveDisplay, SolverPathDisplay
from skgd.schedules import SCHEDULES, Adaptive, Cosine, InverseScaling
from skgd.solvers import Adam, Lion

X, Y = load_iris(return_X_y=True)
SETTINGS = {"max_iter": 5, "batch_size": 40, "random_state": 0}
DISPLAYS = LossCurveDisplay, LearningRateDisplay
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:.*has no effect"
)
every_display = pytest.mark.parametrize("display", DISPLAYS)


@pytest.fixture
def plt():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    yield plt
    plt.close("all")


def drawn(line):
    return line.get_xdata().tolist(), line.get_ydata().tolist()


def test_curves_of_training(plt):
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model, linewidth=3)
    assert list(display.lines_) == ["loss"]
    assert drawn(display.lines_["loss"]) == ([1, 2, 3, 4, 5], model.loss_curve_)
    assert display.lines_["loss"].get_linewidth() == 3
    assert display.score_ax_ is None
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "epoch"


@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_curves_of_validation(plt, early_stopping, scores):
    model = MLPClassifier(early_stopping=early_stopping, scoring="accuracy", **SETTINGS)
    model.fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
    _, ax = plt.subplots()
    display = LossCurveDisplay.from_estimator(model, ax=ax, scores=scores)
    assert display.ax_ is ax
    names = ["loss", "validation_loss", *["scores"] * scores, "best_epoch"]
    assert list(display.lines_) == names
    epochs = [1, 2, 3, 4, 5]
    loss = display.lines_["validation_loss"]
    assert drawn(loss) == (epochs, model.validation_loss_curve_)
    assert loss.axes is ax
    assert list(display.lines_["best_epoch"].get_xdata()) == [model.best_epoch_] * 2
    top = display.score_ax_ or ax
    texts = [text.get_text() for text in top.get_legend().get_texts()]
    assert f"best epoch: {model.best_epoch_}" in texts
    if scores:
        assert drawn(display.lines_["scores"]) == (epochs, model.validation_scores_)
        assert display.lines_["scores"].axes is display.score_ax_ is not ax
        assert "validation score (accuracy)" in texts


def rate_at(model, epochs, n_batches=4):
    """Compute the rate of the last update of each epoch from the schedule."""
    update = n_batches * np.arange(1, epochs + 1) - 1
    epoch = update // n_batches
    n_updates = n_batches * model.max_iter
    progress = Progress(update, n_updates, epoch, epoch * len(X))
    schedule = SCHEDULES[model.learning_rate](
        **{
            n: getattr(model, n)
            for n in ("power_t",)
            if model.learning_rate == "invscaling"
        }
    )
    return model.learning_rate_init * schedule(progress)


@pytest.mark.parametrize("verbose", [False, 2])
@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"adaptive", "inverse_time"}))
def test_rate_of_a_fit(plt, name, verbose, capsys):
    model = MLPClassifier(learning_rate=name, verbose=verbose, **SETTINGS).fit(X, Y)
    display = LearningRateDisplay.from_estimator(model, label="rate")
    epochs, rates = drawn(display.line_)
    assert epochs == [1, 2, 3, 4, 5]
    assert rates == model.learning_rate_curve_
    np.testing.assert_allclose(rates, rate_at(model, 5), rtol=1e-12)
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_legend().get_texts()[0].get_text() == "rate"


def test_rate_that_training_lowers(plt):
    model = MLPRegressor(
        solver="minibatch",
        learning_rate="adaptive",
        tol=10,
        n_iter_no_change=2,
        max_iter=20,
    ).fit(X, Y)
    rates = LearningRateDisplay.from_estimator(model).rate
    # The first epoch improves on no loss, and each plateau is of three more.
    expected = [0.001] * 4 + [0.001 / 5] * 3 + [0.001 / 25] * 3
    np.testing.assert_allclose(rates[:10], expected, rtol=1e-12)
    assert len(rates) == model.n_iter_


def test_rate_over_several_calls(plt):
    parts = MLPClassifier(learning_rate=Cosine(total=20), shuffle=False, **SETTINGS)
    for _ in range(5):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X, Y, classes=[0, 1, 2])))
    whole = MLPClassifier(learning_rate="cosine", shuffle=False, **SETTINGS).fit(X, Y)
    np.testing.assert_allclose(
        parts.learning_rate_curve_, whole.learning_rate_curve_, rtol=1e-12
    )
    rates = list(whole.learning_rate_curve_)
    # Each fit starts the schedule anew.
    whole.set_params(warm_start=True).fit(X, Y)
    np.testing.assert_allclose(whole.learning_rate_curve_, [*rates, *rates], rtol=1e-12)
    whole.set_params(learning_rate="constant", learning_rate_init=0.5).partial_fit(X, Y)
    assert whole.learning_rate_curve_[10:] == [0.5]
    assert LearningRateDisplay.from_estimator(whole).line_.get_xdata()[-1] == 11
    # It stays in step with a loss curve that the user cuts.
    del whole.loss_curve_[:9]
    whole.partial_fit(X, Y)
    assert whole.learning_rate_curve_[1:] == [0.5, 0.5]
    assert len(whole.loss_curve_) == 3


def test_rate_of_epochs_that_end_with_mini_batches_of_no_weight(plt):
    weight = np.ones(len(X))
    weight[-60:] = 0
    model = MLPClassifier(learning_rate="exponential", shuffle=False, **SETTINGS)
    model.fit(X, Y, sample_weight=weight)
    # Of four mini-batches, the last one has no weight: three updates an epoch.
    ratio = np.diff(np.log(model.learning_rate_curve_))
    gamma = SCHEDULES["exponential"]().gamma
    np.testing.assert_allclose(ratio, 3 * np.log(gamma), rtol=1e-9)


@every_display
def test_of_estimators_that_end_in_one(plt, display):
    network = MLPClassifier(**SETTINGS)
    pipeline = make_pipeline(ZScoreScaler(), network).fit(X, Y)
    search = GridSearchCV(make_pipeline(ZScoreScaler(), network), {}, cv=2).fit(X, Y)
    nested = make_pipeline(ZScoreScaler(), GridSearchCV(network, {}, cv=2)).fit(X, Y)
    regression = TransformedTargetRegressor(MLPRegressor(**SETTINGS)).fit(X, Y)
    curve = {
        LossCurveDisplay: (lambda d: d.loss, "loss_curve_"),
        LearningRateDisplay: (lambda d: d.rate, "learning_rate_curve_"),
    }
    shown, attribute = curve[display]
    for estimator, fitted in (
        (pipeline, pipeline[-1]),
        (search, search.best_estimator_[-1]),
        (nested, nested[-1].best_estimator_),
        (regression, regression.regressor_),
    ):
        before = pickle.dumps(fitted)
        assert shown(display.from_estimator(estimator)) == getattr(fitted, attribute)
        assert pickle.dumps(fitted) == before


@every_display
def test_not_fitted(display):
    network = MLPClassifier(**SETTINGS)
    without = GridSearchCV(network, {}, cv=2, refit=False).fit(X, Y)
    for estimator in (network, make_pipeline(network), GridSearchCV(network, {}), without):
        with pytest.raises(NotFittedError, match=r"fit"):
            display.from_estimator(estimator)


@every_display
def test_without_curves(display):
    with pytest.raises(ValueError, match=r"solver='lbfgs'.* no curves.*other solvers"):
        display.from_estimator(MLPClassifier(solver="lbfgs").fit(X, Y))
    for estimator in (LinearRegression(), make_pipeline(LinearRegression()), "model"):
        with pytest.raises(TypeError, match="MLPClassifier or MLPRegressor of skgd"):
            display.from_estimator(estimator)


def test_rate_of_lbfgs_and_of_networks_of_scikit_learn(plt):
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    theirs = sklearn.neural_network.MLPClassifier(**SETTINGS).fit(X, Y)
    other = MLPClassifier.from_sklearn(theirs)
    with pytest.raises(ValueError, match="has no learning_rate_curve_"):
        LearningRateDisplay.from_estimator(other)
    other.partial_fit(X, Y)
    assert np.isnan(other.learning_rate_curve_).tolist() == [True] * 5 + [False]
    # What counts is the fit, not a parameter that was set later.
    LearningRateDisplay.from_estimator(model.set_params(solver="lbfgs"))
    model.fit(X, Y).set_params(solver="adam")
    for display in (LearningRateDisplay, LossCurveDisplay):
        with pytest.raises(ValueError, match=r"solver='lbfgs'.* no curves"):
            display.from_estimator(model)


def test_rate_of_a_schedule(plt):
    display = LearningRateDisplay.from_schedule("polynomial", 100, learning_rate_init=0.1)
    updates, rates = drawn(display.line_)
    assert updates == list(range(100))
    np.testing.assert_allclose(rates, 0.1 * (1 - np.arange(100) / 100), rtol=1e-12)
    assert display.ax_.get_xlabel() == "update"
    by_samples = LearningRateDisplay.from_schedule(
        InverseScaling(1.0), 6, updates_per_epoch=3, batch_size=10
    )
    np.testing.assert_allclose(by_samples.rate, [1, 1, 1, *[1 / 31] * 3], rtol=1e-12)
    own = LearningRateDisplay.from_schedule(lambda update, n_updates: 2.0**-update, 3)
    assert own.rate.tolist() == [1, 0.5, 0.25]
    assert LearningRateDisplay.from_schedule(Adaptive(), 2).rate.tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"schedule must be one of .*got 'cosinus'"):
        LearningRateDisplay.from_schedule("cosinus", 3)
    for wrong in (Cosine, 3):
        with pytest.raises(TypeError, match=r"schedule must be a name.* function of"):
            LearningRateDisplay.from_schedule(wrong, 3)
    with pytest.raises(ValueError, match=r"schedule=.*must return finite numbers >= 0"):
        LearningRateDisplay.from_schedule(lambda update, n_updates: -update, 3)


def test_drawn_again(plt):
    display = LearningRateDisplay.from_schedule("constant", 3)
    figure = display.figure_
    assert display.plot() is display
    assert display.figure_ is not figure


def bowl(x):
    return x[0] ** 2 + 3 * x[1] ** 2


def slope_of_bowl(x):
    return np.array([2 * x[0], 6 * x[1]])


def paths(solvers, rate=0.1, **options):
    return SolverPathDisplay.from_function(
        bowl, slope_of_bowl, [1, -2], solvers, learning_rate_init=rate, **options
    )


def test_paths_of_solvers(plt):
    _, ax = plt.subplots()
    solvers = {"steps": "minibatch", "signs": Lion(), "Adam": Adam()}
    options = {"maxiter": 4, "learning_rate": "cosine", "linewidth": 3, "ax": ax}
    display = paths(solvers, [0.1, 0.5, 0.2], **options)
    assert (display.ax_, display.figure_) == (ax, ax.figure)
    assert list(display.paths) == list(display.lines_) == list(solvers)
    expected = [np.array([1.0, -2.0])]
    for factor in Cosine()(Progress(np.arange(4), 4, None, None)):
        expected.append(expected[-1] - 0.1 * factor * slope_of_bowl(expected[-1]))
    np.testing.assert_allclose(display.paths["steps"], expected, rtol=1e-12)
    np.testing.assert_allclose(display.paths["signs"][1], [0.5, -1.5], rtol=1e-12)
    line = display.lines_["steps"]
    np.testing.assert_array_equal(np.transpose(drawn(line)), display.paths["steps"])
    assert line.get_linewidth() == 3
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == list(solvers)
    # All paths are in the picture, and the heights are those of the grid.
    points = np.concatenate(list(display.paths.values()))
    for k, limits in enumerate((ax.get_xlim(), ax.get_ylim())):
        assert limits[0] < points[:, k].min() < points[:, k].max() < limits[1]
    a, b = display.grid
    assert display.height[7, 30] == bowl([a[30], b[7]])
    assert len(display.contour_.levels) == 15
    assert display.plot() is display
    assert display.ax_ is not ax


def test_limits_and_labels_of_paths(plt):
    display = paths(["adam", Lion()], maxiter=3, limits=((-3, 2), (-1, 1)))
    assert list(display.paths) == ["adam", "Lion()"]
    assert display.ax_.get_xlim() == (-3, 2)
    assert display.ax_.get_ylim() == (-1, 1)
    assert list(paths("adam", maxiter=1).paths) == ["adam"]
    # Where it diverges, what is finite is drawn.
    far = paths(["minibatch"], 1e100, limits=((-3, 2), (-1, 1)))
    assert not np.isfinite(far.paths["minibatch"][-1]).all()
    assert np.isfinite(paths(["minibatch"], 10.0).grid).all()


@pytest.mark.parametrize(
    ("solvers", "rate", "message"),
    [
        (["adam"], [0.1, 0.2], "must have the same length"),
        (["adam", "adam"], 0.1, "no solver may occur twice"),
        (["adamo"], 0.1, r"solvers must be some of \['adagrad'.* got 'adamo'"),
        ([Adam], 0.1, "or objects of skgd.solvers"),
        (Adam, 0.1, "or objects of skgd.solvers"),
        ([], 0.1, r"at least one solver, got solvers=\[\]"),
        (["adam"], 0, r"options\['learning_rate_init'\] must be"),
        (["adam"], None, r"options\['learning_rate_init'\] must be .* got None"),
    ],
)
def test_invalid_paths(solvers, rate, message):
    with pytest.raises(ValueError, match=message):
        paths(solvers, rate)


@pytest.mark.parametrize("x0", [[1], [1, 2, 3], [[1, 2]], [np.nan, 1]])
def test_invalid_start(x0):
    with pytest.raises(ValueError, match="x0 must be two finite numbers, got "):
        SolverPathDisplay.from_function(
            bowl, slope_of_bowl, x0, "adam", learning_rate_init=0.1
        )


@pytest.mark.parametrize("limits", [(-1, 1), ((-1, 1), (1, 1)), ((-1, 1), (0, np.nan))])
def test_invalid_limits(limits):
    with pytest.raises(ValueError, match="limits must be two pairs"):
        paths("adam", limits=limits)


def test_without_matplotlib(monkeypatch):
    find = builtins.__import__

    def fails(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return find(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fails)
    with pytest.raises(ImportError, match=r"pip install 'skgd\[plot\]'"):
        LearningRateDisplay.from_schedule("constant", 3)
