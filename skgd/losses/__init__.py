"""The objectives, one a file."""

from skgd.losses.binary_log_loss import binary_log_loss
from skgd.losses.multinomial_log_loss import multinomial_log_loss
from skgd.losses.poisson import poisson
from skgd.losses.squared_error import squared_error

__all__ = ["CLASSIFICATION_LOSSES", "LINKS", "REGRESSION_LOSSES"]

REGRESSION_LOSSES = {loss.name: loss for loss in (squared_error, poisson)}
# A classifier's loss follows from its kind of target.
CLASSIFICATION_LOSSES = {
    "binary": binary_log_loss,
    "multiclass": multinomial_log_loss,
    "multilabel-indicator": binary_log_loss,
}
# A loss for each link: of a fitted network, the parameter `loss` may have been changed.
LINKS = {
    loss.out_activation: loss
    for loss in (*REGRESSION_LOSSES.values(), *CLASSIFICATION_LOSSES.values())
}
