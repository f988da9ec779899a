"""The steps of an update around the solver, one a file."""

from skgd.steps.average import Average
from skgd.steps.clip import Clip
from skgd.steps.decay import Decay
from skgd.steps.shrink import Shrink

__all__ = ["Average", "Clip", "Decay", "Shrink"]
