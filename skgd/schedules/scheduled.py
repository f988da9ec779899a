r"""A parameter of the estimator that follows a schedule, like the learning rate.

.. math:: \lambda_t = \lambda_0 f(t)

with the schedule's factor :math:`f`.

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

from skgd.engine.plugins import Plugin

__all__ = ["Scheduled"]


class Scheduled(Plugin):
    """A value of ``dropout`` or ``weight_decay`` that changes during the training.

    Parameters
    ----------
    initial : float or list of float
        A value of the parameter, which the factors of the schedule multiply.

    schedule : str, Schedule or callable
        As for ``learning_rate``, except for schedules that wait for a plateau, such as
        'adaptive'. A name stands for the schedule with its default arguments.

    Examples
    --------
    >>> from skgd import MLPClassifier
    >>> from skgd.schedules import FlatCos, Scheduled
    >>> MLPClassifier(dropout=Scheduled(0.15, FlatCos()))
    MLPClassifier(dropout=Scheduled(initial=0.15, schedule=FlatCos()))
    """

    def __init__(self, initial, schedule) -> None:
        self.initial = initial
        self.schedule = schedule
