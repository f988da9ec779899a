"""Search for parameters."""

from skgd.model_selection._epoch_halving import EpochHalvingSearchCV
from skgd.model_selection._learning_rate_range import LearningRateRange, learning_rate_range

__all__ = ["EpochHalvingSearchCV", "LearningRateRange", "learning_rate_range"]
