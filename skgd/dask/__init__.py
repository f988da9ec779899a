"""Scalers and networks on Dask collections. They need ``pip install skgd[dask]``."""

try:
    import dask.array
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skgd.dask needs Dask's arrays, dataframes and distributed. Install them with: pip "
        "install skgd[dask]"
    ) from error

from skgd.dask._networks import DaskMLPClassifier, DaskMLPRegressor
from skgd.dask._scalers import DaskMeanScaler, DaskMinMaxScaler, DaskZScoreScaler

__all__ = [
    "DaskMLPClassifier",
    "DaskMLPRegressor",
    "DaskMeanScaler",
    "DaskMinMaxScaler",
    "DaskZScoreScaler",
]
