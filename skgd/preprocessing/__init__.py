"""Scalers of each feature."""

from skgd.preprocessing._mean import MeanScaler
from skgd.preprocessing._min_max import MinMaxScaler
from skgd.preprocessing._robust_clip import RobustClipScaler
from skgd.preprocessing._standard import StandardScaler
from skgd.preprocessing._z_score import ZScoreScaler

__all__ = [
    "MeanScaler",
    "MinMaxScaler",
    "RobustClipScaler",
    "StandardScaler",
    "ZScoreScaler",
]
