"""The distributions of the initial weights."""

from collections.abc import Callable

from skgd.engine.plugins import Initializer
from skgd.initializers.by_size import BY_SIZE
from skgd.initializers.normal import Normal
from skgd.initializers.orthogonal import Orthogonal
from skgd.initializers.uniform import Uniform

__all__ = ["INITIALIZERS", "Initializer", "Normal", "Orthogonal", "Uniform"]

# None means to draw weights and biases as scikit-learn does.
INITIALIZERS: dict[str, Callable | None] = {
    "glorot_uniform": None,
    **BY_SIZE,
    **{plugin.name: plugin() for plugin in (Orthogonal, Uniform, Normal)},
}
