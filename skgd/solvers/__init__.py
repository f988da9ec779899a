"""The update rules, one per file."""

from skgd.engine import Solver
from skgd.solvers.adagrad import AdaGrad
from skgd.solvers.adam import Adam
from skgd.solvers.lion import Lion
from skgd.solvers.minibatch import Minibatch
from skgd.solvers.momentum import Momentum
from skgd.solvers.nadam import NAdam
from skgd.solvers.rmsprop import RMSProp

__all__ = [
    "SOLVERS",
    "AdaGrad",
    "Adam",
    "Lion",
    "Minibatch",
    "Momentum",
    "NAdam",
    "RMSProp",
    "Solver",
]

SOLVERS = {
    solver.name: solver
    for solver in (
        Minibatch,
        Momentum,
        RMSProp,
        Adam,
        NAdam,
        AdaGrad,
        Lion,
    )
}
SOLVERS["sgd"] = Momentum  # scikit-learn's name
