"""The activations of the hidden layers, one a file."""

from skgd.activations.identity import identity
from skgd.activations.logistic import logistic
from skgd.activations.relu import relu
from skgd.activations.tanh import tanh

__all__ = ["ACTIVATIONS"]

ACTIVATIONS = {
    activation.name: activation for activation in (identity, logistic, tanh, relu)
}
