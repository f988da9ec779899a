"""The stages that networks consist of, one per file."""

from skgd.stages.activate import Activate
from skgd.stages.batch_norm import BatchNorm
from skgd.stages.bias import Bias
from skgd.stages.dense import Dense
from skgd.stages.dropout import Dropout
from skgd.stages.embedding import Embedding
from skgd.stages.layer_norm import LayerNorm
from skgd.stages.lookup import Lookup
from skgd.stages.parametric import ParametricActivate
from skgd.stages.periodic import Periodic
from skgd.stages.piecewise_linear import PiecewiseLinear
from skgd.stages.scale import Scale
from skgd.stages.sparse import SparseColumns

__all__ = [
    "Activate",
    "BatchNorm",
    "Bias",
    "Dense",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Lookup",
    "ParametricActivate",
    "Periodic",
    "PiecewiseLinear",
    "Scale",
    "SparseColumns",
]
