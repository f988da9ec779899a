"""The losses, one per file."""

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
# The losses that replace them if there are more than two classes.
OF_SEVERAL_CLASSES = {BinaryLogLoss: MultinomialLogLoss, Focal: MultinomialFocal}
# All losses, including those that are not selected by their own name.
LOSSES = {
    (loss.name, loss.out_activation): loss
    for loss in (
        *REGRESSION_LOSSES.values(),
        *CLASSIFICATION_LOSSES.values(),
        *OF_SEVERAL_CLASSES.values(),
        Quantiles,
    )
}
# For each link, the first loss that has it. It serves fitted networks, whose parameter
# `loss` may have been changed since.
LINKS = {loss.out_activation: loss for loss in reversed(LOSSES.values())}
