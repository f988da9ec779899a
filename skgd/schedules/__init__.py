"""The learning-rate schedules, one a file."""

from skgd.schedules.adaptive import adaptive
from skgd.schedules.constant import constant
from skgd.schedules.inverse_time import inverse_time
from skgd.schedules.invscaling import invscaling

__all__ = ["SCHEDULES"]

SCHEDULES = {
    schedule.name: schedule for schedule in (constant, inverse_time, invscaling, adaptive)
}
