"""Scalers: an affine map of each feature, fitted in one pass over the data."""

from skgd.preprocessing._mean import MeanScaler
from skgd.preprocessing._min_max import MinMaxScaler
from skgd.preprocessing._standard import StandardScaler
from skgd.preprocessing._z_score import ZScoreScaler

__all__ = ["MeanScaler", "MinMaxScaler", "StandardScaler", "ZScoreScaler"]
