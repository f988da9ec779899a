"""Embeddings of numeric columns, which networks read in addition to the numbers."""

from skgd.embeddings.periodic import Periodic
from skgd.embeddings.piecewise_linear import PiecewiseLinear
from skgd.engine import NumericEmbedding

__all__ = ["EMBEDDINGS", "NumericEmbedding", "Periodic", "PiecewiseLinear"]

EMBEDDINGS: dict[str, type[NumericEmbedding]] = {
    embedding.name: embedding for embedding in (PiecewiseLinear, Periodic)
}
