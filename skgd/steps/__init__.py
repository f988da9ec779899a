"""The steps of an update other than solvers, one per file."""

from skgd.steps.average import Average
from skgd.steps.clip import Clip
from skgd.steps.decay import Decay
from skgd.steps.shrink import Shrink

__all__ = ["Average", "Clip", "Decay", "Shrink"]
