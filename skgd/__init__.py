"""scikit-learn's scalers and multi-layer perceptrons, trained in compiled loops."""

# First of all: it takes the fingerprint of the sources.
import skgd.compile.sources  # noqa: F401
from skgd._show_versions import show_versions
from skgd._version import __version__
from skgd._warm_up import warm_up
from skgd.neural_network import MLPClassifier, MLPRegressor
from skgd.preprocessing import (
    MeanScaler,
    MinMaxScaler,
    RobustClipScaler,
    StandardScaler,
    ZScoreScaler,
)
from skgd.tabular import TabularMLPClassifier, TabularMLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "MeanScaler",
    "MinMaxScaler",
    "RobustClipScaler",
    "StandardScaler",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "ZScoreScaler",
    "__version__",
    "show_versions",
    "warm_up",
]


def __dir__():
    return sorted(__all__)
