"""The learning rate schedules, one per file."""

from skgd.engine import Schedule
from skgd.schedules.adaptive import Adaptive
from skgd.schedules.constant import Constant
from skgd.schedules.cosine import Cosine
from skgd.schedules.coslog import CosLog
from skgd.schedules.exponential import Exponential
from skgd.schedules.flat_cos import FlatCos
from skgd.schedules.function import FunctionSchedule
from skgd.schedules.inverse_time import InverseTime
from skgd.schedules.invscaling import InverseScaling
from skgd.schedules.one_cycle import OneCycle
from skgd.schedules.polynomial import Polynomial
from skgd.schedules.scheduled import Scheduled
from skgd.schedules.step import StepDecay
from skgd.schedules.warm import TotalSchedule, WarmSchedule

__all__ = [
    "SCHEDULES",
    "Adaptive",
    "Constant",
    "CosLog",
    "Cosine",
    "Exponential",
    "FlatCos",
    "FunctionSchedule",
    "InverseScaling",
    "InverseTime",
    "OneCycle",
    "Polynomial",
    "Schedule",
    "Scheduled",
    "StepDecay",
    "TotalSchedule",
    "WarmSchedule",
]

SCHEDULES = Schedule.registry
SCHEDULES.update(
    (schedule.name, schedule)
    for schedule in (
        Constant,
        InverseTime,
        InverseScaling,
        Adaptive,
        StepDecay,
        Exponential,
        Polynomial,
        Cosine,
        OneCycle,
        CosLog,
        FlatCos,
    )
)
