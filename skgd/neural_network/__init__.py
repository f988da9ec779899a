"""Multi-layer perceptrons."""

from skgd.neural_network._classifier import MLPClassifier
from skgd.neural_network._hidden_layer import HiddenLayerTransformer
from skgd.neural_network._regressor import MLPRegressor

__all__ = ["HiddenLayerTransformer", "MLPClassifier", "MLPRegressor"]
