"""The activations of hidden layers, one per file."""

from skgd.activations.elu import ELU
from skgd.activations.gelu import GELU
from skgd.activations.hard_tanh import HardTanh
from skgd.activations.identity import Identity
from skgd.activations.leaky_relu import LeakyReLU
from skgd.activations.logistic import Logistic
from skgd.activations.mish import Mish
from skgd.activations.parametric import Parametric
from skgd.activations.relu import ReLU
from skgd.activations.selu import SELU
from skgd.activations.silu import SiLU
from skgd.activations.softplus import Softplus
from skgd.activations.tanh import Tanh
from skgd.engine import Activation

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "Logistic",
    "Mish",
    "Parametric",
    "ReLU",
    "SiLU",
    "Softplus",
    "Tanh",
]

ACTIVATIONS: dict[str, type[Activation]] = {
    activation.name: activation
    for activation in (
        Identity,
        Logistic,
        Tanh,
        ReLU,
        LeakyReLU,
        ELU,
        SELU,
        GELU,
        SiLU,
        Mish,
        Softplus,
        HardTanh,
    )
}
