"""Multi-layer perceptrons."""

from skgd.neural_network._classifier import MLPClassifier
from skgd.neural_network._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
