"""Data-parallel training: what workers compute, and the `Run` that drives them.

A *replica* is a `Run` on a worker that is never advanced: it has the rows and their
division into mini-batches. Everything that changes is in a `State`, from which each replica
trains over its part of an epoch. The states of all replicas are then averaged, two at a
time. Each task depends only on its arguments, so that Dask can repeat it on another worker.
"""

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from distributed import get_worker

from skgd.dask._collections import submit
from skgd.neural_network._orders import Orders
from skgd.neural_network._run import Run
from skgd.neural_network._trainer import Trainer, TrainingState
from skgd.parallel.threads import available_threads

__all__ = ["DaskRun", "Plan", "State"]

# After this many averages, the parameters are fetched and sent again. Until then, Dask can
# compute them again from the tasks that it remembers, some kilobytes for each worker.
REMEMBERED = 256


@dataclass
class State:
    """Everything that training changes.

    Attributes
    ----------
    flat : ndarray of shape (1 + n_slots, n_params)
        The parameters, then the state of the solver and the moving average.

    running : ndarray of shape (n_running,)
        The running statistics of the stages.

    n_updates, n_averaged : int
        The most updates of a replica, and the number of updates in the moving average.

    weight : float
        The weight of the rows that the state was trained on since the last average.

    parts : list of tuple (float, float, float, bool)
        For each part of this epoch by a replica: the mean objective, the weight of the
        rows, the last learning rate, and whether all rates were the initial one.
    """

    flat: np.ndarray
    running: np.ndarray
    n_updates: int = 0
    n_averaged: int = 0
    weight: float = 0.0
    parts: list = field(default_factory=list)

    @classmethod
    def of(cls, parameters, progress, **more):
        """Return the state of parameters and progress."""
        return cls(
            np.vstack([parameters.theta, progress.state]),
            parameters.running,
            progress.n_updates,
            parameters.n_averaged,
            **more,
        )

    def __sizeof__(self):
        return self.flat.nbytes + self.running.nbytes


class Plan(NamedTuple):
    """The settings of a part of an epoch, the same for all replicas."""

    like: Any  # TrainingState with empty arrays: the fields that a State does not have
    after: Any  # the steps of an update after the solver
    n_updates: int  # in the whole fit
    seed: int
    epoch: int
    part: int
    n_parts: int
    rate: float


def opened(state, like):
    """Return the parameters and the progress of a state, as copies."""
    theta, slots = state.flat[0].copy(), state.flat[1:].copy()
    parameters = replace(
        like.parameters,
        theta=theta,
        running=state.running.copy(),
        average=None if like.parameters.average is None else slots[-1],
        n_averaged=state.n_averaged,
    )
    progress = replace(like.progress, state=slots, n_updates=state.n_updates)
    return parameters, progress


class Given(Orders):
    """Replaces `Orders` by a given order of the rows, that of one epoch."""

    def draw(self, n_epochs):
        """Return the order."""
        return self.last[np.newaxis]


def trained(run, index, state, plan):
    """Train a replica over a part of its mini-batches, from the average of all."""
    bounds, rows = run._batches.bounds, run._rows
    first, last = (
        (len(bounds) - 1) * part // plan.n_parts for part in (plan.part, plan.part + 1)
    )
    order = np.arange(len(rows.y))
    if run._estimator.shuffle:
        seeds = plan.seed, index, plan.epoch
        order = np.random.RandomState(seeds).permutation(order)
    order = order[bounds[first] : bounds[last]]
    weight = float(rows.weight[order].sum() if rows.weight.size else len(order))
    # The first replica passes on the list of the earlier parts.
    parts = list(state.parts) if index == 0 and plan.part else []
    parameters, progress = opened(state, plan.like)
    progress.rate = plan.rate
    training = TrainingState(parameters, progress, Given(order, None))
    if weight:
        if rows.center.size:
            # All replicas have the same center, which kernels only read.
            center = parameters.center.copy()
            center.flags.writeable = False
            rows = rows._replace(center=center)
        n_jobs = run._estimator.n_jobs
        trainer = Trainer(
            rows,
            run.layout,
            run._plugins._replace(after=plan.after),
            run._batches._replace(
                bounds=bounds[first : last + 1] - bounds[first], n_updates=plan.n_updates
            ),
            training,
            available_threads(get_worker().state.nthreads if n_jobs is None else n_jobs),
        )
        trainer.compile()
        loss = list(trainer.run(np.array([plan.epoch * len(rows.y)])))[-1]
        parts.append((loss, weight, trainer.rate, training.has_constant_rate))
    return State.of(parameters, progress, weight=weight, parts=parts)


# A network that diverges is noticed by its loss.
@np.errstate(over="ignore", invalid="ignore")
def averaged(one, other):
    """Average two states by their weights, in the memory of the first.

    No other task reads the first state.
    """
    weight = one.weight + other.weight
    share = other.weight / weight if weight else 0.0
    if not one.flat.flags.writeable:
        one = replace(one, flat=one.flat.copy())
    difference = np.empty_like(one.flat[0])
    for mean, row in zip(one.flat, other.flat, strict=True):
        np.subtract(row, mean, out=difference)
        difference *= share
        mean += difference
    return replace(
        one,
        running=one.running + share * (other.running - one.running),
        n_updates=max(one.n_updates, other.n_updates),
        n_averaged=max(one.n_averaged, other.n_averaged),
        weight=weight,
        parts=one.parts + other.parts,
    )


def same(state):
    """Return a state: the task that puts it on a worker."""
    return state


def told(state):
    """Return the part of a state that the client needs after each epoch."""
    return state.n_updates, state.parts


def evaluated(validation, estimator, layout, plugins, state, like):
    """Score a state on the validation data."""
    parameters, _ = opened(state, like)
    return validation.evaluate(estimator, layout, plugins, parameters)


class Kept:
    """The parameters of a state that stays on a worker until they are read."""

    def __init__(self, client, state, like):
        self.state, self._client, self._like = state, client, like

    def copy(self):
        """Return the same object, since a state does not change."""
        return self

    @cached_property
    def fetched(self):
        """The parameters and the progress."""
        return opened(self._client.gather(self.state), self._like)

    def plain(self, layout):
        """Return the result of `Parameters.plain`."""
        return self.fetched[0].plain(layout)

    def stages(self, layout):
        """Return the result of `Parameters.stages`."""
        return self.fetched[0].stages(layout)


class KeptValidation:
    """Replaces `Validation` by validation data on a worker."""

    def __init__(self, client, worker, data, estimator, restores):
        self._client, self._worker = client, worker
        self._data, self._estimator = data, estimator
        self.restores, self.takes_last = restores, True

    def evaluate(self, estimator, layout, plugins, parameters):
        """Return the mean loss and the score."""
        network = layout, plugins, parameters.state, parameters._like
        args = self._data, self._estimator, *network
        return submit(self._client, self._worker, evaluated, *args).result()


class ReplicaTrainer:
    """Replaces `Trainer` by training all replicas.

    Parameters
    ----------
    client : distributed.Client
        The client of the cluster.

    replicas : list of tuple (Future, str)
        The replicas and their workers.

    training : TrainingState
        The initial state. Its parameters become `Kept`.

    plan : Plan
        The plan of the first epoch.
    """

    epochs_per_call = 1

    def __init__(self, client, replicas, training, plan):
        self._client, self._replicas, self._training = client, replicas, training
        self._epoch, self._age, self.rate = 0, 0, plan.rate
        parameters, progress = training.parameters, training.progress
        state = State.of(parameters, progress)
        empty = np.empty(0)
        like = TrainingState(
            replace(
                parameters,
                theta=empty.astype(parameters.theta.dtype),
                running=empty,
                average=None if parameters.average is None else empty,
            ),
            replace(progress, state=empty),
            Given(empty, None),
        )
        self._plan = plan._replace(like=like)
        self._keep(state)

    def _keep(self, state):
        """Start from a state. The scheduler keeps it, in case workers are lost."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            state = submit(self._client, self._replicas[0][1], same, state)
        self._age = 0
        self._training.parameters = Kept(self._client, state, self._plan.like)

    def run(self, n_seen, before_call=None):
        """Train for some epochs, and yield the mean objective of each."""
        progress = self._training.progress
        for _ in n_seen:
            if self._age >= REMEMBERED:
                self._keep(self._client.gather(self._training.parameters.state))
            state = self._training.parameters.state
            for part in range(self._plan.n_parts):
                plan = self._plan._replace(epoch=self._epoch, part=part, rate=progress.rate)
                state = self._average(state, plan)
            told_of = submit(self._client, self._replicas[0][1], told, state)
            progress.n_updates, parts = told_of.result()
            self._epoch += 1
            self._age += self._plan.n_parts
            self._training.parameters = Kept(self._client, state, self._plan.like)
            losses, weights, rates, are_constant = zip(*parts, strict=True)
            self._training.has_constant_rate &= all(are_constant)
            self.rate = rates[-1]
            with np.errstate(over="ignore", invalid="ignore"):
                loss = float(np.average(losses, weights=weights))
            yield loss

    def _average(self, state, plan):
        """Submit a part of an epoch for all replicas, and the tree of their averages."""
        states = [
            (submit(self._client, worker, trained, run, index, state, plan), worker)
            for index, (run, worker) in enumerate(self._replicas)
        ]
        while len(states) > 1:
            pairs = zip(states[::2], states[1::2], strict=False)
            merged = [
                (submit(self._client, worker, averaged, one, other), worker)
                for (one, worker), (other, _) in pairs
            ]
            states = merged + states[len(states) // 2 * 2 :]
        return states[0][0]


class DaskRun(Run):
    """A `Run` whose parameters are on workers until they are published."""

    @property
    def best(self):
        """The parameters to publish."""
        return super().best.fetched[0]

    def publish(self, estimator):
        """Set the fitted attributes that describe the training."""
        _, progress = self.state.parameters.fetched
        self.state.progress.state = progress.state
        super().publish(estimator)
