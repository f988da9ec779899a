"""Displays of curves that a fit has recorded, like scikit-learn's displays."""

from typing import Any, Self

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skgd.engine.contracts import factors
from skgd.engine.plugins import Progress
from skgd.neural_network._base import BaseMLP
from skgd.neural_network._scoring import scoring_name
from skgd.schedules import SCHEDULES, FunctionSchedule, Schedule

__all__ = ["LearningRateDisplay", "LossCurveDisplay", "axes_of"]

# The attribute of a meta-estimator that has the fitted estimator, by the parameter that has
# the unfitted one.
FITTED = {"estimator": "best_estimator_", "regressor": "regressor_"}


def _network_of(estimator):
    """Return the fitted network at the end of pipelines and searches."""
    found = estimator
    while not isinstance(found, BaseMLP):
        if getattr(found, "steps", None):
            found = found.steps[-1][1]
            continue
        held = next((name for name in FITTED if hasattr(found, name)), None)
        if held is None:
            raise TypeError(
                f"estimator must be an MLPClassifier or MLPRegressor of skgd, or a "
                f"Pipeline, search or TransformedTargetRegressor that ends in one, got "
                f"{type(estimator).__name__} with {found!r}."
            )
        if not hasattr(found, FITTED[held]):
            raise NotFittedError(
                f"This {type(found).__name__} has no {FITTED[held]}. Call fit first; a "
                "search needs refit=True. Of other meta-estimators, pass the network that "
                "they have fitted."
            )
        found = getattr(found, FITTED[held])
    check_is_fitted(found)
    # The parameter may have been set after the fit.
    if not hasattr(found, "loss_curve_"):
        raise ValueError(
            f"This {type(found).__name__} was fitted with solver='lbfgs' and has no "
            "curves: there are neither epochs nor a learning rate. Use one of the other "
            "solvers."
        )
    return found


def axes_of(display, ax):
    """Return the axes to draw in, new ones by default."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} needs Matplotlib: pip install 'skgd[plot]'."
        ) from error
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    display.ax_, display.figure_ = ax, ax.figure
    return ax


class LossCurveDisplay:
    """Curves of training and validation over the epochs of a fit.

    Make one by :meth:`from_estimator`. The parameters are stored as attributes.

    Parameters
    ----------
    loss : array-like of shape (n_epochs,)
        The mean training loss of each epoch.

    validation_loss : array-like of shape (n_epochs,), default=None
        The validation loss after each epoch.

    scores : array-like of shape (n_epochs,), default=None
        The validation score after each epoch.

    score_name : str, default='validation score'
        The label of the scores.

    best_epoch : int, default=None
        The epoch of the best score, counted from 1.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses.

    score_ax_ : matplotlib Axes or None
        The axes of the scores, on the right.

    figure_ : matplotlib Figure
        The figure.

    lines_ : dict of str to matplotlib Line2D
        The lines that are drawn, among 'loss', 'validation_loss', 'scores' and
        'best_epoch'.

    See Also
    --------
    LearningRateDisplay : The learning rate over the same epochs.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skgd import MLPClassifier
    >>> from skgd.inspection import LossCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(early_stopping=True, random_state=0).fit(X / 16, y)
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> sorted(display.lines_)
    ['best_epoch', 'loss', 'scores', 'validation_loss']
    >>> plt.close(display.figure_)
    """

    ax_: Any
    score_ax_: Any
    figure_: Any
    lines_: dict[str, Any]

    def __init__(
        self,
        *,
        loss,
        validation_loss=None,
        scores=None,
        score_name="validation score",
        best_epoch=None,
    ) -> None:
        self.loss = loss
        self.validation_loss = validation_loss
        self.scores = scores
        self.score_name = score_name
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, scores=True, **kwargs) -> Self:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
            An estimator of skgd, or a pipeline or a search that ends in one.

        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        scores : bool, default=True
            Whether to draw the validation scores, if there are any.

        **kwargs : dict
            For ``Axes.plot`` of the lines, such as ``linewidth``.

        Returns
        -------
        display : LossCurveDisplay
            The display, with the curves drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.

        ValueError
            If it has no curves, as with ``solver='lbfgs'``.
        """
        network = _network_of(estimator)
        name = scoring_name(network.scoring)
        return cls(
            loss=network.loss_curve_,
            validation_loss=getattr(network, "validation_loss_curve_", None),
            scores=getattr(network, "validation_scores_", None) if scores else None,
            score_name=f"validation score{f' ({name})' if name else ''}",
            best_epoch=getattr(network, "best_epoch_", None),
        ).plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **kwargs : dict
            For ``Axes.plot`` of the lines.

        Returns
        -------
        display : LossCurveDisplay
            The same object.
        """
        ax = axes_of(self, ax)
        self.score_ax_ = None if self.scores is None else ax.twinx()
        self.lines_ = {}
        for name, axes, values, label in (
            ("loss", ax, self.loss, "training loss"),
            ("validation_loss", ax, self.validation_loss, "validation loss"),
            ("scores", self.score_ax_, self.scores, self.score_name),
        ):
            if values is not None:
                style = {"label": label, "color": f"C{len(self.lines_)}", **kwargs}
                epochs = np.arange(1, len(values) + 1)
                (self.lines_[name],) = axes.plot(epochs, values, **style)
        if self.best_epoch is not None:
            label = f"best epoch: {self.best_epoch}"
            style = {"color": "0.5", "linestyle": ":", "label": label}
            self.lines_["best_epoch"] = ax.axvline(self.best_epoch, **style)
        ax.set(xlabel="epoch", ylabel="loss")
        top = ax
        if self.score_ax_ is not None:
            top = self.score_ax_
            top.set_ylabel(self.score_name)
        # On the other axes, the lines of the scores would cross the legend.
        top.legend(handles=list(self.lines_.values()), loc="center right")
        return self


class LearningRateDisplay:
    """The learning rate over the epochs of a fit, or over the updates of a schedule.

    Make one by :meth:`from_estimator` or :meth:`from_schedule`. The parameters are stored
    as attributes.

    Parameters
    ----------
    position : array-like of shape (n,)
        The epochs, or updates.

    rate : array-like of shape (n,)
        The learning rates.

    unit : {'epoch', 'update'}, default='epoch'
        The unit of the positions.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure.

    line_ : matplotlib Line2D
        The line of the learning rate.

    See Also
    --------
    LossCurveDisplay : The loss over the same epochs.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgd.inspection import LearningRateDisplay
    >>> from skgd.schedules import Cosine
    >>> display = LearningRateDisplay.from_schedule(Cosine(n_cycles=2), 100)
    >>> float(display.rate[50])
    1.0
    >>> plt.close(display.figure_)
    """

    ax_: Any
    figure_: Any

    def __init__(self, *, position, rate, unit="epoch") -> None:
        self.position = position
        self.rate = rate
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs) -> Self:
        """Draw the rate at the end of each epoch of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
            An estimator of skgd, or a pipeline or a search that ends in one.

        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **kwargs : dict
            For ``Axes.plot``, such as ``label``.

        Returns
        -------
        display : LearningRateDisplay
            The display, with the rates drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.

        ValueError
            If it has no rates, as with ``solver='lbfgs'``.
        """
        network = _network_of(estimator)
        rate = getattr(network, "learning_rate_curve_", None)
        if rate is None:
            raise ValueError(
                f"This {type(network).__name__} has no learning_rate_curve_: it was fitted "
                "by scikit-learn. Fit it with skgd."
            )
        return cls(position=np.arange(1, len(rate) + 1), rate=rate).plot(ax, **kwargs)

    @classmethod
    def from_schedule(
        cls,
        schedule,
        n_updates,
        *,
        learning_rate_init=1.0,
        updates_per_epoch=1,
        batch_size=200,
        ax=None,
        **kwargs,
    ) -> Self:
        """Draw the learning rate of a schedule at each update.

        Parameters
        ----------
        schedule : str, Schedule or callable
            As for the parameter ``learning_rate`` of the estimators.

        n_updates : int
            The number of updates of the training.

        learning_rate_init : float, default=1.0
            The initial learning rate, which the factors of the schedule multiply.

        updates_per_epoch : int, default=1
            The number of updates per epoch, for schedules that count epochs.

        batch_size : int, default=200
            The number of samples per update, for 'invscaling', which counts samples.

        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **kwargs : dict
            For ``Axes.plot``, such as ``label``.

        Returns
        -------
        display : LearningRateDisplay
            The display, with the rates drawn.

        Raises
        ------
        TypeError, ValueError
            If ``schedule`` is not valid.
        """
        if isinstance(schedule, str):
            if schedule not in SCHEDULES:
                raise ValueError(
                    f"schedule must be one of {sorted(SCHEDULES)}, got {schedule!r}."
                )
            schedule = SCHEDULES[schedule]()
        elif not isinstance(schedule, Schedule):
            if not callable(schedule) or isinstance(schedule, type):
                raise TypeError(
                    "schedule must be a name, a Schedule object or a function of (update, "
                    f"n_updates), got {schedule!r}."
                )
            schedule = FunctionSchedule(schedule)
        update = np.arange(n_updates)
        epoch = update // updates_per_epoch
        n_seen = epoch * updates_per_epoch * batch_size
        progress = Progress(update, n_updates, epoch, n_seen)
        rate = factors(schedule, progress, parameter="schedule")
        return cls(position=update, rate=learning_rate_init * rate, unit="update").plot(
            ax, **kwargs
        )

    def plot(self, ax=None, **kwargs) -> Self:
        """Draw the rate.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **kwargs : dict
            For ``Axes.plot``.

        Returns
        -------
        display : LearningRateDisplay
            The same object.
        """
        ax = axes_of(self, ax)
        (self.line_,) = ax.plot(self.position, self.rate, **kwargs)
        ax.set(xlabel=self.unit, ylabel="learning rate")
        if "label" in kwargs:
            ax.legend()
        return self
