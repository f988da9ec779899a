"""The update rules, one a file."""

from skgd.engine import Solver
from skgd.solvers.adam import Adam
from skgd.solvers.minibatch import Minibatch
from skgd.solvers.momentum import Momentum
from skgd.solvers.rmsprop import RMSProp

__all__ = ["SOLVERS", "Adam", "Minibatch", "Momentum", "RMSProp", "Solver"]

SOLVERS = {solver.name: solver for solver in (Minibatch, Momentum, RMSProp, Adam)}
SOLVERS["sgd"] = Momentum  # scikit-learn's name
