"""The objectives, one a file."""

from skgd.engine import Loss
from skgd.losses.absolute_error import AbsoluteError
from skgd.losses.binary_log_loss import BinaryLogLoss
from skgd.losses.focal import Focal
from skgd.losses.gamma import Gamma
from skgd.losses.huber import Huber
from skgd.losses.multinomial_focal import MultinomialFocal
from skgd.losses.multinomial_log_loss import MultinomialLogLoss
from skgd.losses.poisson import Poisson
from skgd.losses.quantile import Quantile, Quantiles
from skgd.losses.squared_error import SquaredError
from skgd.losses.tweedie import Tweedie

__all__ = [
    "CLASSIFICATION_LOSSES",
    "LINKS",
    "LOSSES",
    "OF_SEVERAL_CLASSES",
    "REGRESSION_LOSSES",
    "AbsoluteError",
    "BinaryLogLoss",
    "Focal",
    "Gamma",
    "Huber",
    "Loss",
    "MultinomialFocal",
    "MultinomialLogLoss",
    "Poisson",
    "Quantile",
    "Quantiles",
    "SquaredError",
    "Tweedie",
]

REGRESSION_LOSSES = {
    loss.name: loss
    for loss in (
        SquaredError,
        Poisson,
        AbsoluteError,
        Huber,
        Quantile,
        Gamma,
        Tweedie,
    )
}
CLASSIFICATION_LOSSES = {loss.name: loss for loss in (BinaryLogLoss, Focal)}
# What they stand for if there are several classes.
OF_SEVERAL_CLASSES = {BinaryLogLoss: MultinomialLogLoss, Focal: MultinomialFocal}
# All of them, also those that others stand for.
LOSSES = {
    (loss.name, loss.out_activation): loss
    for loss in (
        *REGRESSION_LOSSES.values(),
        *CLASSIFICATION_LOSSES.values(),
        *OF_SEVERAL_CLASSES.values(),
        Quantiles,
    )
}
# A loss for each link, the first that has it: of a fitted network, the parameter `loss` may
# have been changed.
LINKS = {loss.out_activation: loss for loss in reversed(LOSSES.values())}
