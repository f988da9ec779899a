"""scikit-learn's scalers and multi-layer perceptrons, trained in compiled loops."""

from skgd._show_versions import show_versions
from skgd._version import __version__
from skgd._warm_up import warm_up
from skgd.compile.sources import files_at_import
from skgd.neural_network import MLPClassifier, MLPRegressor
from skgd.preprocessing import MeanScaler, MinMaxScaler, StandardScaler, ZScoreScaler

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "MeanScaler",
    "MinMaxScaler",
    "StandardScaler",
    "ZScoreScaler",
    "__version__",
    "show_versions",
    "warm_up",
]

# Now, while the files are those that have been imported.
files_at_import()


def __dir__():
    return sorted(__all__)
