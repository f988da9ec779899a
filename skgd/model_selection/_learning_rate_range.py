"""The learning rate range test."""

from numbers import Integral, Real
from typing import Self

import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skgd._caller import warn
from skgd.neural_network._base import BaseMLP
from skgd.neural_network._displays import axes_of
from skgd.neural_network._stochastic import begin, losses_of_updates
from skgd.schedules import FunctionSchedule

__all__ = ["LearningRateRange", "learning_rate_range"]

# The standard deviation of the smoothing, as a part of the updates. It was tuned together
# with the rule of the proposal, on digits, breast cancer, wine and diabetes with four
# solvers.
WIDTH = 0.04

# The test ends when the moving average of the losses has risen by this many times the first
# loss.
RISE = 3


class LearningRateRange(Bunch):
    """The result of :func:`learning_rate_range`, with dict and attribute access.

    Attributes
    ----------
    learning_rates : ndarray of shape (n_updates,)
        The rate of each update, until the test ended.

    losses : ndarray of shape (n_updates,)
        The objective of each mini-batch before its update, smoothed.

    raw_losses : ndarray of shape (n_updates,)
        The objective of each mini-batch before its update.

    learning_rate_init : float
        The proposed learning rate.

    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure, after `plot`.

    lines_ : dict of str to matplotlib Line2D
        The lines 'raw_losses', 'losses' and 'learning_rate_init', after `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skgd import MLPClassifier
    >>> from skgd.model_selection import learning_rate_range
    >>> X, y = load_digits(return_X_y=True)
    >>> found = learning_rate_range(MLPClassifier(random_state=0), X / 16, y)
    >>> found.losses.shape == found.learning_rates.shape
    True
    """

    def plot(self, ax=None, **kwargs) -> Self:
        """Draw the losses over the learning rates, and mark the proposal.

        Needs Matplotlib: ``pip install skgd[plot]``.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **kwargs : dict
            Arguments for ``Axes.plot`` of the smoothed losses.

        Returns
        -------
        result : LearningRateRange
            The same object.
        """
        ax = axes_of(self, ax)
        style = {"color": "0.8", "linewidth": 1, "label": "mini-batch"}
        (raw,) = ax.plot(self.learning_rates, self.raw_losses, **style)
        style = {"label": "smoothed", **kwargs}
        (smoothed,) = ax.plot(self.learning_rates, self.losses, **style)
        label = f"proposal: {self.learning_rate_init:.2g}"
        style = {"color": "0.5", "linestyle": ":", "label": label}
        proposal = ax.axvline(self.learning_rate_init, **style)
        lines = {"raw_losses": raw, "losses": smoothed, "learning_rate_init": proposal}
        self.lines_ = lines
        # The last losses are often many times the first.
        low, high = self.losses.min(), self.losses[: len(self.losses) // 2].max()
        ax.set_ylim(low - 0.1 * (high - low), high + 0.5 * (high - low))
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
        ax.legend()
        return self


def learning_rate_range(
    estimator, X, y, *, sample_weight=None, low=1e-6, high=10.0, n_updates=200
) -> LearningRateRange:
    """Train at rates that grow with each update, and propose a learning rate.

    The rate grows exponentially from ``low`` to ``high``. The test ends early when the loss
    diverges. The proposal is the geometric mean of two rates: that at which the smoothed
    loss falls fastest, and the rate at which it is lowest.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
        The network, or a pipeline that ends in one. It is not changed: a clone is trained
        on all rows, from new weights. Its ``learning_rate`` and the schedules of
        ``dropout`` and ``weight_decay`` have no effect.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The input data.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples, for the network.

    low, high : float, default=1e-6 and 10.0
        The first and the last rate.

    n_updates : int, default=200
        The number of mini-batches, at least 10. If the rows are few, they are used in
        several epochs.

    Returns
    -------
    result : LearningRateRange
        It has ``learning_rates``, ``losses``, ``learning_rate_init`` and ``plot``.

    Raises
    ------
    TypeError
        If the estimator is neither a network nor a pipeline that ends in one.

    ValueError
        If data or parameters are not valid, or if the loss diverges at once.

    Warns
    -----
    UserWarning
        If the loss is lowest at the first or at the last rate.

    References
    ----------
    L. N. Smith (2017). "Cyclical learning rates for training neural networks." WACV,
    arXiv:1506.01186.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgd import MinMaxScaler, MLPClassifier
    >>> from skgd.model_selection import learning_rate_range
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(MinMaxScaler(), MLPClassifier(random_state=0))
    >>> found = learning_rate_range(model, X, y)
    >>> print(f"{found.learning_rate_init:.1g}")
    0.01
    """
    network = clone(estimator)
    while isinstance(network, Pipeline):
        *transformers, (_, network) = network.steps
        if transformers:
            X = Pipeline(transformers).fit_transform(X, y)
    if not isinstance(network, BaseMLP):
        raise TypeError(
            "estimator must be an MLPClassifier or MLPRegressor of skgd, or a Pipeline "
            f"that ends in one, got {estimator!r}."
        )
    if network.solver == "lbfgs":
        raise ValueError(
            "solver='lbfgs' has no learning rate. Use a solver with mini-batches, such as "
            "'adam'."
        )
    if not (_all(Real, low, high) and 0 < low < high < np.inf):
        raise ValueError(
            f"low and high must be finite numbers with 0 < low < high, got {low!r} and "
            f"{high!r}."
        )
    if not (_all(Integral, n_updates) and n_updates >= 10):
        raise ValueError(f"n_updates must be an int >= 10, got {n_updates!r}.")
    # All rows are trained on.
    network.set_params(early_stopping=False, scoring=None, validation_fraction=0.1)
    network.set_params(learning_rate_init=float(low))
    network._validate_params()
    growth = (high / low) ** (1 / (n_updates - 1))
    given = None, None, None
    _, random_state, *parts = network._prepare(X, y, sample_weight, given, None, False)
    layout, plugins, data, parameters = parts
    run = begin(network, layout, plugins, data, parameters, random_state, False, False)
    raw = np.array(list(_until_divergence(run, growth, int(n_updates))))
    rates = low * growth ** np.arange(len(raw))
    if len(raw) < 3:
        raise ValueError(
            f"The loss diverged at once, at low={low} with solver={network.solver!r}. "
            "Lower low, or scale the data, e.g. by ZScoreScaler."
        )
    losses = _smoothed(raw, WIDTH * n_updates)
    log_rates = np.log(rates)
    lowest = losses.argmin()
    steepest = np.gradient(losses, log_rates)[: lowest + 1].argmin()
    noise = (raw - losses)[: lowest + 1].std()
    if len(raw) == n_updates and losses[-1] - losses[lowest] <= noise:
        _warn_of(f"high={high}", "Raise high.")
    elif lowest == 0:
        _warn_of(f"low={low}", "Lower low, or scale the data, e.g. by ZScoreScaler.")
    return LearningRateRange(
        learning_rates=rates,
        losses=losses,
        raw_losses=raw,
        learning_rate_init=float(np.exp((log_rates[lowest] + log_rates[steepest]) / 2)),
    )


def _all(kind, *values):
    return all(isinstance(value, kind) for value in values)


def _warn_of(where, remedy):
    warn(f"The loss is lowest at {where}: the proposal may be far off. {remedy}")


def _until_divergence(run, growth, n_updates):
    """Yield the losses until their moving average has risen too far."""
    schedule = FunctionSchedule(lambda update, n_updates: growth**update)
    average = first = lowest = np.nan
    for loss in losses_of_updates(run, schedule, n_updates):
        if np.isnan(first):
            first = average = lowest = loss
        average = 0.9 * average + 0.1 * loss
        lowest = min(lowest, average)
        if not average - lowest <= RISE * abs(first):
            return
        yield loss


def _smoothed(values, width):
    """Average over the neighbors that exist, weighted by a normal distribution."""
    total, weight = (
        gaussian_filter1d(a, width, mode="constant") for a in (values, np.ones(len(values)))
    )
    return total / weight
