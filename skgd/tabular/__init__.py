"""Networks that take raw tables."""

from skgd.tabular._classifier import TabularMLPClassifier
from skgd.tabular._regressor import TabularMLPRegressor

__all__ = ["TabularMLPClassifier", "TabularMLPRegressor"]
