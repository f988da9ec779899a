"""Displays of what a fit has recorded. They need Matplotlib: ``pip install skgd[plot]``."""

from skgd.neural_network._displays import LearningRateDisplay, LossCurveDisplay
from skgd.neural_network._solver_paths import SolverPathDisplay

__all__ = ["LearningRateDisplay", "LossCurveDisplay", "SolverPathDisplay"]
