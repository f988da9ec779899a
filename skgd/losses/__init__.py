"""The objectives, one a file."""

from skgd.engine import Loss
from skgd.losses.binary_log_loss import BinaryLogLoss
from skgd.losses.multinomial_log_loss import MultinomialLogLoss
from skgd.losses.poisson import Poisson
from skgd.losses.squared_error import SquaredError

__all__ = [
    "CLASSIFICATION_LOSSES",
    "LINKS",
    "REGRESSION_LOSSES",
    "BinaryLogLoss",
    "Loss",
    "MultinomialLogLoss",
    "Poisson",
    "SquaredError",
]

REGRESSION_LOSSES = {loss.name: loss for loss in (SquaredError, Poisson)}
# A classifier's loss follows from its kind of target.
CLASSIFICATION_LOSSES = {
    "binary": BinaryLogLoss,
    "multiclass": MultinomialLogLoss,
    "multilabel-indicator": BinaryLogLoss,
}
# A loss for each link, the first that has it: of a fitted network, the parameter `loss` may
# have been changed.
LINKS = {
    loss.out_activation: loss
    for loss in reversed([*REGRESSION_LOSSES.values(), *CLASSIFICATION_LOSSES.values()])
}
