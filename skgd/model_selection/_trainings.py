"""The trainings of a search: each is that of a candidate on a fold, over all rungs."""

from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import joblib
from joblib.parallel import get_active_backend
from sklearn.base import clone
from sklearn.model_selection._validation import (
    _fit_and_score,
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from skgd.model_selection._shared_fits import SharedFits
from skgd.neural_network._stochastic import Rung

__all__ = ["NoCallbacks", "Trainings", "steps_of"]


class StoppedError(BaseException):
    """Ends a thread, also in the middle of an epoch."""


class NoCallbacks:
    """Replaces the callback context in versions of scikit-learn that have none."""

    def subcontext(self, **_):
        """Return the context of a part."""
        return self

    def call_on_fit_task_begin(self, **_):
        """Do nothing."""

    def call_on_fit_task_end(self, **_):
        """Do nothing."""

    def propagate_callback_context(self, _):
        """Do nothing."""
        return nullcontext()


def steps_of(estimator):
    """Return the Pipelines around a network, the network, and the prefix of its names."""
    pipelines, prefix = [], ""
    while isinstance(estimator, Pipeline):
        pipelines.append(estimator)
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return pipelines, estimator, prefix


@dataclass
class Cell:
    """The training of a candidate on a fold.

    Attributes
    ----------
    candidate, fold : int
        The indices of the candidate and the fold.

    rung : Rung or None
        The last rung, from which the next one continues.

    result : dict
        The scores and times of the last rung.

    fits : set
        The keys of the fits of transformers that it uses.
    """

    candidate: int
    fold: int
    rung: Any = None
    result: dict = field(default_factory=dict)
    fits: set = field(default_factory=set)

    @property
    def is_over(self):
        """Whether the training has failed or stopped early, so that it cannot go on."""
        kept = self.rung and self.rung.kept
        return self.rung is not None and (kept is None or bool(kept["stop_reason"]))

    def next_rung(self, n_epochs, before_call=None):
        """Return a rung that continues from the last one."""
        last = self.rung
        return Rung(n_epochs, before_call, last and last.kept, last and last.split)


def _trained(model, X, y, rung, **options):
    """Fit to a fold and score; return the rung, which keeps the state, and the result."""
    rung.attach(steps_of(model)[1])
    result = _fit_and_score(
        model, X, y, verbose=0, parameters=None, return_times=True, **options
    )
    if result["fit_error"] is not None:
        rung.kept = None
    return rung, result


def _trained_elsewhere(model, X, y, rung, fold, **options):
    """Call `_trained` in another process, where data may be read-only or needed again."""
    train, test = fold
    return _trained(model, X, y, deepcopy(rung), train=train, test=test, **options)


class Trainings:
    """All trainings of a search.

    Parameters
    ----------
    models : list of estimator
        One for each candidate.

    folds : list of tuple of ndarray
        The rows to train on, and the rows to score.

    data : tuple
        All rows and targets.

    options : dict
        For scikit-learn's ``_fit_and_score``.

    n_jobs : int or None
        The number of trainings at the same time.

    report : callable or None
        Called with each cell that has finished a rung, and the epoch.
    """

    def __init__(self, models, folds, data, options, n_jobs, report):
        self.models = models
        self._folds = folds
        self._data = data
        self._options = options
        self._n_jobs = joblib.effective_n_jobs(n_jobs)
        self._report = report
        self._fits = [SharedFits() for _ in folds]
        self._interrupt = Event()
        self._cells = [Cell(c, f) for c in range(len(models)) for f in range(len(folds))]

    def advance(self, n_epochs, task, caller):
        """Train all cells up to an epoch; return their results, candidate by candidate."""
        for cell in self._cells:
            cell.result.update(fit_time=0.0, score_time=0.0, fit_error=None)
        cells = [cell for cell in self._cells if not cell.is_over]
        # Before the threads start, as they share the tree of tasks.
        tasks = [
            task.subcontext(task_name="candidate-split-evaluation", task_id=index)
            for index in range(len(cells))
        ]
        callbacks: list[dict] = [{"caller": caller, "callback_ctx": own} for own in tasks]
        if isinstance(task, NoCallbacks):
            callbacks = [{}] * len(cells)
        # Threads, unless joblib's context names a backend.
        backend, _ = get_active_backend(prefer="threads")
        if getattr(backend, "supports_sharedmem", False):
            self._in_threads(cells, n_epochs, callbacks)
        else:
            self._elsewhere(cells, n_epochs, callbacks)
        error_score = self._options["error_score"]
        results = [cell.result for cell in self._cells]
        _warn_or_raise_about_fit_failures(results, error_score)
        _insert_error_scores(results, error_score)
        return [result.copy() for result in results]

    def _in_threads(self, cells, n_epochs, callbacks):
        """Train in threads, which share the rungs and the fits of transformers."""
        try:
            # Compiled calls release the GIL.
            Parallel(n_jobs=self._n_jobs, prefer="threads", require="sharedmem")(
                delayed(self._advance)(cell, n_epochs, own)
                for cell, own in zip(cells, callbacks, strict=True)
            )
        finally:
            # After an error in one thread, the others are still training.
            self._interrupt.set()
        self._interrupt = Event()

    def _advance(self, cell, n_epochs, callbacks):
        interrupt = self._interrupt

        def check():
            if interrupt.is_set():
                raise StoppedError

        model = clone(self.models[cell.candidate])
        for pipeline in steps_of(model)[0]:
            pipeline.memory = self._fits[cell.fold].memory(cell.fits)
        rung, (train, test) = cell.next_rung(n_epochs, check), self._folds[cell.fold]
        options = {**self._options, **callbacks, "train": train, "test": test}
        X, y = self._data
        try:
            check()
            cell.rung, cell.result = _trained(model, X, y, rung, **options)
        except StoppedError:
            return
        if self._report is not None:
            self._report(cell, n_epochs)

    def _elsewhere(self, cells, n_epochs, callbacks):
        """Train in other processes, which receive and return the rungs."""
        # In a tuple, the rows of a fold go along with each task. joblib's Dask backend
        # would send arrays to one worker, and fail if that is lost.
        found = Parallel(n_jobs=self._n_jobs)(
            delayed(_trained_elsewhere)(
                clone(self.models[cell.candidate]),
                *self._data,
                cell.next_rung(n_epochs),
                tuple(self._folds[cell.fold]),
                **self._options,
                **own,
            )
            for cell, own in zip(cells, callbacks, strict=True)
        )
        for cell, (rung, result) in zip(cells, found, strict=True):
            cell.rung, cell.result = rung, result
            if self._report is not None:
                self._report(cell, n_epochs)

    def keep(self, candidates):
        """Keep only these candidates."""
        self._cells = [cell for cell in self._cells if cell.candidate in candidates]
        for fold, fits in enumerate(self._fits):
            fits.keep(set().union(*(c.fits for c in self._cells if c.fold == fold)))
