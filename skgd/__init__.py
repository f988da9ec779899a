"""scikit-learn's scalers and multi-layer perceptrons, trained in compiled loops."""

from skgd.preprocessing import MeanScaler, MinMaxScaler, ZScoreScaler

__all__ = ["MeanScaler", "MinMaxScaler", "ZScoreScaler"]
