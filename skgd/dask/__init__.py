"""Scalers and networks on Dask collections. They need ``pip install skgd[dask]``."""

from skgd.dask._networks import DaskMLPClassifier, DaskMLPRegressor
from skgd.dask._scalers import DaskMeanScaler, DaskMinMaxScaler, DaskZScoreScaler

__all__ = [
    "DaskMLPClassifier",
    "DaskMLPRegressor",
    "DaskMeanScaler",
    "DaskMinMaxScaler",
    "DaskZScoreScaler",
]
