"""Export to ONNX. It needs skl2onnx: ``pip install skgd[onnx]``.

Importing this module registers the estimators with skl2onnx, which then converts them, also
in pipelines with scikit-learn's transformers, and as the results of searches.
"""

try:
    import skl2onnx  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skgd.onnx needs skl2onnx. Install it with: pip install skgd[onnx]"
    ) from error

from skgd.onnx._converters import register_estimators
from skgd.onnx._export import to_onnx
from skgd.onnx._functions import register

__all__ = ["register", "to_onnx"]

register_estimators()
