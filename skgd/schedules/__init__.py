"""The learning-rate schedules, one a file."""

from skgd.engine import Schedule
from skgd.schedules.adaptive import Adaptive
from skgd.schedules.constant import Constant
from skgd.schedules.inverse_time import InverseTime
from skgd.schedules.invscaling import InverseScaling

__all__ = [
    "SCHEDULES",
    "Adaptive",
    "Constant",
    "InverseScaling",
    "InverseTime",
    "Schedule",
]

SCHEDULES = {
    schedule.name: schedule
    for schedule in (Constant, InverseTime, InverseScaling, Adaptive)
}
