"""``{technique-figure} dropout`` draws what a technique of the user guide does.

Each is a function of axes below. All are drawn at each build, so they are small.
"""

import warnings

import numpy as np
from figures import save
from matplotlib.figure import Figure
from plugins import registered
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sphinx.util.docutils import SphinxDirective

import skgd
from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.activations import Parametric
from skgd.initializers import Normal
from skgd.inspection import LearningRateDisplay, LossCurveDisplay, SolverPathDisplay
from skgd.losses import Focal, Huber, Quantile, Tweedie
from skgd.model_selection import learning_rate_range
from skgd.schedules import Constant, Cosine

FIGURES = {}


def technique(n_axes, caption):
    """Register a function that draws on so many axes."""

    def register(draw):
        FIGURES[draw.__name__] = draw, n_axes, caption
        return draw

    return register


def digits(n=400):
    """Return some rows to train on, and the others."""
    X, y = load_digits(return_X_y=True)
    return X[:n] / 16, y[:n], X[n:] / 16, y[n:]


def validated(n_epochs=60, n=400, **parameters):
    """Fit digits for some epochs, with the other rows as validation data."""
    X, y, X_val, y_val = digits(n)
    model = MLPClassifier(
        batch_size=50,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
        random_state=0,
        **parameters,
    )
    return model.fit(X, y, X_val=X_val, y_val=y_val)


def finish(ax, title, xlabel="", ylabel="", **others):
    """Label axes, with a legend if anything has a label."""
    ax.set(xlabel=xlabel, ylabel=ylabel, **others)
    ax.set_title(title, fontsize=10)
    ax.grid(alpha=0.3)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=8)


@technique(5, "A feature with a heavy tail, as it is and after each scaler.")
def scalers(axes):
    x = np.random.default_rng(0).lognormal(10, 0.8, (1000, 1))
    names = ("MinMaxScaler", "MeanScaler", "ZScoreScaler", "RobustClipScaler")
    axes[0].hist(x[:, 0] / 1000, 40)
    finish(axes[0], "the feature, in thousands", yticks=[])
    for ax, name in zip(axes[1:], names, strict=True):
        ax.hist(getattr(skgd, name)().fit_transform(x)[:, 0], 40)
        finish(ax, name, yticks=[])


@technique(1, "Each of four members trains on all rows but one fold.")
def members(axes):
    is_left_out = np.eye(4)
    axes[0].pcolormesh(1 - 0.8 * is_left_out, cmap="Blues", vmin=0, vmax=2, edgecolor="0.6")
    for (row, column), left_out in np.ndenumerate(is_left_out):
        label = "validation,\nout-of-fold" if left_out else "training"
        axes[0].text(column + 0.5, row + 0.5, label, ha="center", va="center")
    middles, names = np.arange(4) + 0.5, range(1, 5)
    axes[0].set_xticks(middles, names)
    axes[0].set_yticks(middles, names)
    axes[0].invert_yaxis()
    axes[0].set(xlabel="fold of the rows", ylabel="member")


@technique(7, "200 updates of each solver in a long valley, at a constant rate.")
def solvers(axes):
    rates = {"minibatch": 0.08, "momentum": 0.01, "adagrad": 0.5, "lion": 0.03}
    for ax, (names, _, _) in zip(axes, registered("solvers"), strict=False):
        SolverPathDisplay.from_function(
            lambda x: (x[0] ** 2 + 20 * x[1] ** 2) / 2,
            lambda x: np.array([x[0], 20 * x[1]]),
            [-2, 0.8],
            names[:1],
            learning_rate_init=rates.get(names[0], 0.1),
            limits=((-2.3, 1), (-1.2, 1.2)),
            ax=ax,
        )
        finish(ax, names[0])
        ax.get_legend().remove()


@technique(1, "Factors of the rate with 100 updates of warm-up.")
def warm_up(axes):
    for schedule in (Constant(warmup_steps=100), Cosine(warmup_steps=100)):
        LearningRateDisplay.from_schedule(schedule, 1000, ax=axes[0], label=str(schedule))
    finish(axes[0], "warm-up", "update", "factor")


@technique(1, "A range test on the digits: losses by the rate, and the proposal.")
def range_test(axes):
    X, y, *_ = digits(1000)
    learning_rate_range(MLPClassifier((64,), random_state=0), X, y).plot(axes[0])


@technique(
    1, "Early stopping keeps the best epoch, the dotted line. Then the network overfits."
)
def validation(axes):
    model = validated(hidden_layer_sizes=(100,), learning_rate_init=0.01)
    LossCurveDisplay.from_estimator(model, ax=axes[0], scores=False)
    finish(axes[0], "losses", "epoch", "log loss", yscale="log")


@technique(2, "A fit with a cosine schedule, as the two displays draw it.")
def displays(axes):
    model = validated(learning_rate="cosine", learning_rate_init=0.01)
    LossCurveDisplay.from_estimator(model, ax=axes[0])
    LearningRateDisplay.from_estimator(model, ax=axes[1])


class Norms:
    """A callback that records the norms of the weights after each epoch."""

    def __init__(self):
        self.norms = []

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.norms.append([np.linalg.norm(w) for w in fitted_estimator.coefs_])


@technique(2, "The norms of the weights, recorded by a callback after each epoch.")
def callbacks(axes):
    X, y, *_ = digits()
    for ax, decay in zip(axes, (0.0, 1.0), strict=True):
        norms = Norms()
        model = MLPClassifier((64,), weight_decay=decay, learning_rate_init=0.01)
        model.set_params(max_iter=60, random_state=0).set_callbacks(norms).fit(X, y)
        for k, values in enumerate(np.transpose(norms.norms), 1):
            ax.plot(range(1, len(values) + 1), values, label=f"layer {k}")
        finish(ax, f"weight_decay={decay}", "epoch", "norm of the weights", ylim=(0, 16))


@technique(2, "The numbers of a hidden layer. Those in color share a mean and a variance.")
def normalizations(axes):
    for ax, title, is_row in [
        (axes[0], "batch normalization", False),
        (axes[1], "layer normalization", True),
    ]:
        cells = np.zeros((5, 8))
        cells[(2, slice(None)) if is_row else (slice(None), 3)] = 1
        ax.pcolormesh(cells, cmap="Blues", vmax=1.6, edgecolor="0.6")
        ax.set(xlabel="units", ylabel="rows of the mini-batch", xticks=[], yticks=[])
        ax.set_title(title, fontsize=10)


@technique(
    1, "Five layers of 30 logistic units. Batch normalization makes them learn fastest."
)
def deep_networks(axes):
    for label, parameters in [
        ("none", {}),
        ("batch normalization", {"batch_normalization": True}),
        ("layer normalization", {"layer_normalization": True}),
    ]:
        model = validated(
            30,
            1200,
            hidden_layer_sizes=[30] * 5,
            activation="logistic",
            learning_rate_init=0.01,
            **parameters,
        )
        axes[0].plot(range(1, 31), model.loss_curve_, label=label)
    finish(axes[0], "training loss", "epoch", "log loss")


@technique(1, "The size of the outputs of each of ten layers of 100 ReLU units, untrained.")
def initial_weights(axes):
    X, y, *_ = digits()
    for init in ("glorot_uniform", "he_normal", Normal(scale=0.01)):
        model = MLPClassifier([100] * 10, init=init, learning_rate_init=1e-12, max_iter=1)
        model.set_params(random_state=0).fit(X, y)
        sizes = [np.std(model.hidden_features(X, layer=k)) for k in range(10)]
        axes[0].plot(range(1, 11), sizes, "o-", label=str(init))
    finish(axes[0], "standard deviation", "layer", yscale="log")


@technique(
    3, "The weights of the first layer: decay shrinks them, the L1 penalty makes zeros."
)
def penalties(axes):
    X, y = load_diabetes(return_X_y=True)
    X, y = ZScoreScaler().fit_transform(X), (y - y.mean()) / y.std()
    for ax, (title, parameters) in zip(
        axes,
        {
            "none": {"alpha": 0},
            "weight_decay=3": {"alpha": 0, "weight_decay": 3.0},
            "alpha=3, l1_ratio=1": {"alpha": 3.0, "l1_ratio": 1.0},
        }.items(),
        strict=True,
    ):
        model = MLPRegressor(hidden_layer_sizes=(50,), max_iter=300, **parameters)
        model.set_params(learning_rate_init=0.01, random_state=0).fit(X, y)
        weights = model.coefs_[0].ravel()
        ax.hist(weights, np.linspace(-1, 1, 41))
        finish(ax, f"{title}: {np.mean(weights == 0):.0%} are 0", "weight", yscale="log")


@technique(1, "Gradients that are longer than c are shortened to c.")
def clipping(axes):
    norm = np.linspace(0, 4, 101)
    axes[0].plot(norm, norm, ":", label="max_grad_norm=None")
    axes[0].plot(norm, np.minimum(norm, 1), label="max_grad_norm=1")
    finish(axes[0], "norm of the gradient", "before", "after")


@technique(1, "How far the biases have moved, by their factor of the rate.")
def rate_factors(axes):
    X, y, *_ = digits()
    for factor in (1, 0.1, 0):
        model = MLPClassifier((50,), learning_rate_factors={"bias": factor}, random_state=0)
        biases = [
            model.partial_fit(X, y, classes=np.unique(y)).intercepts_[0].copy()
            for _ in range(30)
        ]
        moved = np.linalg.norm(np.array(biases) - biases[0], axis=1)
        axes[0].plot(range(1, 31), moved, label=f'{{"bias": {factor}}}')
    finish(axes[0], "distance from the first epoch", "epoch")


@technique(1, "Small mini-batches at a large rate: the average fluctuates less.")
def averages(axes):
    for decay in (None, 0.99):
        model = validated(learning_rate_init=0.03, ema_decay=decay)
        axes[0].plot(range(1, 61), model.validation_loss_curve_, label=f"ema_decay={decay}")
    finish(axes[0], "validation loss", "epoch", "log loss", ylim=(0, 0.8))


@technique(2, "400 digits, two layers of 200 units, without dropout and with it.")
def dropout(axes):
    for ax, rate in zip(axes, (0.0, 0.5), strict=True):
        model = validated(hidden_layer_sizes=(200, 200), dropout=rate)
        LossCurveDisplay.from_estimator(model, ax=ax, scores=False)
        finish(ax, f"dropout={rate}", "epoch", "log loss", yscale="log", ylim=(1e-3, 4))


@technique(1, "The rate of dropout during the training.")
def scheduled(axes):
    for name in ("constant", "flat_cos", "cosine"):
        LearningRateDisplay.from_schedule(
            name,
            1000,
            learning_rate_init=0.15,
            ax=axes[0],
            label=f'Scheduled(0.15, "{name}")',
        )
    finish(axes[0], "dropout", "update", "rate")


@technique(1, "The components of a feature with four bins.")
def bins(axes):
    edges, x = np.array([-2, -0.7, 0, 0.7, 2]), np.linspace(-3, 3, 301)
    for t in range(4):
        component = (x - edges[t]) / (edges[t + 1] - edges[t])
        low, high = (-np.inf if t == 0 else 0), (np.inf if t == 3 else 1)
        axes[0].plot(x, np.clip(component, low, high), label=f"$c_{t + 1}$")
    for edge in edges:
        axes[0].axvline(edge, color="0.7", linewidth=0.8)
    finish(axes[0], "bins", "feature x", ylim=(-1.2, 2.2))


@technique(1, "Cosines of three frequencies, and a combination of them.")
def cosines(axes):
    x = np.linspace(-2, 2, 401)
    parts = [np.cos(2 * np.pi * f * x + b) for f, b in [(0.2, 0.5), (0.5, 2), (1.1, 4)]]
    for part in parts:
        axes[0].plot(x, part, ":")
    axes[0].plot(x, 0.8 * parts[0] - 0.6 * parts[1] + 0.4 * parts[2], color="black")
    finish(axes[0], "cosines", "feature x")


@technique(1, "SELU mixed with the identity, for several weights a.")
def parametric(axes):
    selu, z = Parametric("selu"), np.linspace(-4, 4, 201)
    value = np.where(z > 0, 1.0507 * z, 1.7581 * np.expm1(z))
    for a in (0, 0.5, 1, 1.5):
        axes[0].plot(z, a * value + (1 - a) * z, label=f"a = {a}")
    finish(axes[0], str(selu), "z")


@technique(
    3,
    "Losses of a prediction: by its error, by a mean if the target is 2, and by the "
    "probability of the right class.",
)
def losses(axes):
    def curve(loss, z, y):
        numbers = [getattr(loss, name) for name in loss.argument_names()]
        return [loss.value(value, y, *numbers) for value in z]

    error = np.linspace(-3, 3, 121)
    axes[0].plot(error, error**2 / 2, label="squared_error")
    axes[0].plot(error, abs(error), label="absolute_error")
    axes[0].plot(error, curve(Huber(1.0), error, 0.0), label="Huber(1.0)")
    pinball = np.where(error < 0, -0.9 * error, 0.1 * error)
    axes[0].plot(error, pinball, label=f"{Quantile(0.9)}")
    finish(axes[0], "regression", "prediction minus target", ylim=(0, 4))
    mean = np.linspace(0.2, 6, 121)
    for power in (1.001, 1.5, 1.999):
        values = np.array(curve(Tweedie(power), np.log(mean), 2.0))
        label = {1.001: "poisson", 1.5: "tweedie", 1.999: "gamma"}[power]
        axes[1].plot(mean, values - values.min(), label=label)
    finish(axes[1], "counts and amounts", "predicted mean", ylim=(0, 2))
    p = np.linspace(0.02, 1, 99)
    for gamma in (0, 2, 5):
        label = f"{Focal(gamma)}" if gamma else "log_loss"
        axes[2].plot(p, -((1 - p) ** gamma) * np.log(p), label=label)
    finish(axes[2], "classification", "probability of the right class", ylim=(0, 4))


@technique(1, "The data of the example, and the predicted quantiles.")
def quantiles(axes):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(2000, 1))
    y = X[:, 0] + (1.2 + X[:, 0]) * rng.normal(size=2000)
    model = MLPRegressor(Quantile([0.1, 0.5, 0.9]), (20,), learning_rate_init=0.01)
    model.set_params(max_iter=50, early_stopping=True, random_state=0).fit(X, y)
    grid = np.linspace(-1, 1, 101)[:, None]
    low, median, high = model.predict(grid).T
    axes[0].scatter(X, y, s=2, color="0.7")
    axes[0].fill_between(grid[:, 0], low, high, alpha=0.3, label="0.1 to 0.9")
    axes[0].plot(grid, median, label="0.5")
    finish(axes[0], "quantiles", "feature x", "target")


@technique(2, "Rare orange rows. What is predicted as orange is shaded.")
def class_weights(axes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2))
    y = X[:, 0] + rng.normal(size=1500) > 2.3
    grid = np.stack(np.meshgrid(np.linspace(-3.5, 3.5, 80), np.linspace(-3.5, 3.5, 80)), -1)
    for ax, weight in zip(axes, (None, "balanced"), strict=True):
        model = MLPClassifier((20,), class_weight=weight, alpha=1, random_state=0).fit(X, y)
        found = model.predict(grid.reshape(-1, 2)).reshape(80, 80)
        ax.contourf(grid[..., 0], grid[..., 1], found, levels=[0.5, 1], colors="#fde2c0")
        ax.scatter(*X[~y].T, s=3, color="0.7")
        ax.scatter(*X[y].T, s=6, color="#d97706")
        finish(ax, f"class_weight={weight!r}")


@technique(2, "The largest probability of each new row.")
def label_smoothing(axes):
    for ax, s in zip(axes, (0.0, 0.1), strict=True):
        model = validated(label_smoothing=s, learning_rate_init=0.005)
        ax.hist(model.predict_proba(digits()[2]).max(axis=1), np.linspace(0, 1, 41))
        finish(ax, f"label_smoothing={s}", "largest probability", yscale="log")


@technique(1, "The two units of a hidden layer for new digits, a color each digit.")
def hidden_features(axes):
    model = validated(
        hidden_layer_sizes=(64, 2),
        activation=["relu", "tanh"],
        n=1200,
        learning_rate_init=0.01,
    )
    _, _, X, y = digits(1200)
    h = model.hidden_features(X)
    axes[0].scatter(*h.T, c=y, cmap="tab10", s=8)
    finish(axes[0], "hidden_features(X)", "unit 1", "unit 2")


class TechniqueFigure(SphinxDirective):
    """The figure of a technique."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        draw, n_axes, caption = FIGURES[name]
        columns = n_axes if n_axes <= 5 else 4
        rows = -(-n_axes // columns)
        width = {1: 5, 2: 8}.get(columns, 11)
        figure = Figure(figsize=(width, 2.9 * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            draw(axes[:n_axes])
        for ax in axes[n_axes:]:
            ax.remove()
        return [save(self.env, figure, name, caption)]


def setup(app):
    """Register the directive."""
    app.add_directive("technique-figure", TechniqueFigure)
    return {"parallel_read_safe": True}
