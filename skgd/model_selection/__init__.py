"""Choice of parameters."""

from skgd.model_selection._learning_rate_range import LearningRateRange, learning_rate_range

__all__ = ["LearningRateRange", "learning_rate_range"]
