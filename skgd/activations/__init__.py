"""The activations of the hidden layers, one a file."""

from skgd.activations.identity import Identity
from skgd.activations.logistic import Logistic
from skgd.activations.relu import ReLU
from skgd.activations.tanh import Tanh
from skgd.engine import Activation

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Identity",
    "Logistic",
    "ReLU",
    "Tanh",
]

ACTIVATIONS = {
    activation.name: activation for activation in (Identity, Logistic, Tanh, ReLU)
}
