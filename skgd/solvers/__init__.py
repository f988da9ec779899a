"""The update rules, one a file."""

from skgd.solvers.adam import adam
from skgd.solvers.minibatch import minibatch
from skgd.solvers.momentum import momentum
from skgd.solvers.rmsprop import rmsprop

__all__ = ["SOLVERS"]

SOLVERS = {solver.name: solver for solver in (minibatch, momentum, rmsprop, adam)}
SOLVERS["sgd"] = momentum  # scikit-learn's name
