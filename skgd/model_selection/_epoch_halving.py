"""A search that trains its candidates in rungs, and drops the worst after each rung."""

from math import ceil
from numbers import Integral, Real
from time import perf_counter
from typing import Self

import numpy as np
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.model_selection import check_cv

# Private, but it has the predictions, the routing and the tags of all searches.
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params

from skgd._caller import interrupts_caller, warn
from skgd._state import Versioned, unchanged_by_errors
from skgd.model_selection._plan import candidates_of, epochs_of_rungs
from skgd.model_selection._trainings import NoCallbacks, Trainings

__all__ = ["EpochHalvingSearchCV"]


class EpochHalvingSearchCV(Versioned, BaseSearchCV):
    """Search over parameters of a network by successive halving over epochs.

    In the first rung, all candidates are trained for some epochs and scored by
    cross-validation. The best ``1 / factor`` of them continue their training in the next
    rung, and so on. In the last rung, candidates are trained up to ``max_epochs``, with
    bitwise the results of a single fit. No epoch is repeated, and few are spent on
    candidates that do not win.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
        The network, or a Pipeline whose last step is one. The solver must not be 'lbfgs',
        which has no epochs.

    param_distributions : dict or list of dict
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`: distributions or lists
        by the names of parameters. ``max_iter`` cannot be searched.

    n_candidates : int or 'all'
        The number of candidates that are drawn. They are those of ``RandomizedSearchCV``
        with this ``n_iter`` and the same ``random_state``. 'all' takes each combination of
        lists, in the order of :class:`~sklearn.model_selection.GridSearchCV`.

    factor : float or None, default=3
        Each rung has this many times the candidates of the next one. None drops no
        candidate: all are trained for ``max_epochs``.

    min_epochs : int or 'auto', default='auto'
        The epochs of the first rung. 'auto' is ``max_epochs / (6 * factor)``, or more if
        there are few candidates. The epochs of the rungs between grow geometrically.

    max_epochs : int, default=None
        The epochs of the last rung and of ``best_estimator_``, in place of the network's
        ``max_iter``, which must then be left at its default. In every rung, schedules end
        at this epoch. None takes ``max_iter``.

    cv : int, splitter or iterable, default=None
        The folds, by default 5.

    scoring : str, callable, list, tuple or dict, default=None
        The score, by default the estimator's. With several, ``refit`` names the one that
        decides.

    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all rows. A callable takes ``cv_results_`` and
        returns ``best_index_``.

    n_jobs : int, default=None
        The number of candidates and folds that are trained at the same time. They run in
        threads of this process, unless joblib's context names a backend of processes or
        machines, such as 'dask'. None is 1, or the number in joblib's context. Results do
        not depend on it.

    random_state : int, RandomState or None, default=None
        Draws the candidates.

    verbose : int, default=0
        1 prints a line for each rung, 2 also one for each candidate and fold.

    error_score : 'raise' or float, default=nan
        The score of fits that fail, with a warning. If all fail, an error is raised.

    return_train_score : bool, default=False
        Whether ``cv_results_`` includes the scores on the training rows.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A row for each rung and each of its candidates, with the columns of
        ``RandomizedSearchCV``, the rung (``iter``) and its epoch (``n_epochs``).
        ``rank_test_score`` is among all rows. ``mean_fit_time`` is the time in this rung;
        the first candidate with a transformer also has the time of its fit.

    best_index_ : int
        The row of the best candidate of the last rung.

    best_params_ : dict
        The parameters of the best candidate.

    best_score_ : float
        The mean score of the best candidate.

    best_estimator_ : estimator
        The best candidate, fitted to all rows for ``max_epochs``.

    refit_time_ : float
        The seconds of the fit of ``best_estimator_``.

    n_resources_ : list of int
        The epoch that each rung ends with.

    n_candidates_ : list of int
        The number of candidates in each rung.

    n_iterations_ : int
        The number of rungs.

    n_splits_ : int
        The number of folds.

    scorer_ : callable or dict
        The scorer, or a dict of scorers by name.

    multimetric_ : bool
        Whether there are several scores.

    See Also
    --------
    sklearn.model_selection.RandomizedSearchCV : Trains all candidates to the end.
    sklearn.model_selection.HalvingRandomSearchCV : Trains survivors from the start.

    Notes
    -----
    A transformer of a Pipeline is fitted once for each fold and each combination of its
    parameters and those of the steps before it. The result is kept as long as a candidate
    needs it. Trainings in other processes fit their transformers again. Between rungs, the
    parameters and the solver's state of each candidate and fold are kept.

    After Ctrl-C, the finished rungs are kept, with a warning, and there is no
    ``best_estimator_``. Before the first rung is finished, KeyboardInterrupt is raised.

    References
    ----------
    L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh, A. Talwalkar. "Hyperband: A Novel
    Bandit-Based Approach to Hyperparameter Optimization". Journal of Machine Learning
    Research 18 (2018).

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgd import MLPClassifier, ZScoreScaler
    >>> from skgd.model_selection import EpochHalvingSearchCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> search = EpochHalvingSearchCV(
    ...     make_pipeline(
    ...         ZScoreScaler(), MLPClassifier(early_stopping=True, random_state=0)
    ...     ),
    ...     {"mlpclassifier__learning_rate_init": loguniform(1e-3, 0.1)},
    ...     n_candidates=9,
    ...     max_epochs=180,
    ...     random_state=0,
    ... )
    >>> print(round(search.fit(X, y).best_score_, 2))
    0.97
    >>> list(zip(search.n_candidates_, search.n_resources_, strict=True))
    [(9, 20), (3, 60), (1, 180)]
    """

    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list],
        "n_candidates": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "factor": [Interval(Real, 1, None, closed="neither"), None],
        "min_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    _parameter_constraints.pop("pre_dispatch")

    def __init__(  # noqa: PLR0913
        self,
        estimator,
        param_distributions,
        *,
        n_candidates,
        factor=3,
        min_epochs="auto",
        max_epochs=None,
        cv=None,
        scoring=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        verbose=0,
        error_score=np.nan,
        return_train_score=False,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_candidates = n_candidates
        self.factor = factor
        self.min_epochs = min_epochs
        self.max_epochs = max_epochs
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.error_score = error_score
        self.return_train_score = return_train_score

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params) -> Self:
        """Search, and fit the best candidate to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets.

        **params : dict
            Arguments for the estimator, the scorer and the splitter. Those with a value for
            each row, such as ``sample_weight``, are split along with ``X``; ``groups`` is
            for the splitter.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, or if all fits fail. The search is
            then left as it was.
        """
        task = NoCallbacks()
        if hasattr(self, "_init_callback_context"):
            task = self._init_callback_context(max_subtasks=1 + (self.refit is not False))
        weight = params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        data = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        task.call_on_fit_task_begin(**data)
        with unchanged_by_errors(self):
            self._search(X, y, params, task, data)
        task.call_on_fit_task_end(**data)
        return self

    def _search(self, X, y, params, task, data):
        candidates, models, max_epochs = candidates_of(self)
        scorers, metric = self._get_scorers()
        # Several scorers are a dict by name.
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        first = max_epochs if self.factor is None else self.min_epochs
        epochs = epochs_of_rungs(len(models), self.factor or 2, first, max_epochs)
        self._deciding(self.scorer_, metric, len(epochs))
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        folds = list(cv.split(X, y, **routed.splitter.split))
        if not folds or len(folds) != self.n_splits_:
            raise ValueError(
                f"cv={self.cv!r} must have at least one fold. Its split returns "
                f"{len(folds)}, and must return as many as its get_n_splits: "
                f"{self.n_splits_}."
            )
        options = {
            "scorer": scorers,
            "fit_params": routed.estimator.fit,
            "score_params": routed.scorer.score,
            "return_train_score": self.return_train_score,
            "error_score": self.error_score,
        }

        def report(cell, n_epochs):
            print(
                f"Candidate {cell.candidate + 1}/{len(models)}, fold {cell.fold + 1}/"
                f"{len(folds)}, epoch {n_epochs}/{max_epochs}: score "
                f"{cell.result['test_scores']}, {candidates[cell.candidate]}"
            )

        reports = report if self.verbose > 1 else None
        trainings = Trainings(models, folds, (X, y), options, self.n_jobs, reports)
        search = task.subcontext(task_name="search", max_subtasks=len(epochs))
        search.call_on_fit_task_begin(**data)
        rungs, metric = self._climb(trainings, epochs, metric, search)
        search.call_on_fit_task_end(**data)
        is_interrupted = len(rungs) < len(epochs)
        rows = [(c, i, n) for i, (n, alive, _) in enumerate(rungs) for c in alive.tolist()]
        names = "candidate", "iter", "n_epochs"
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        params = [candidates[candidate] for candidate in columns["candidate"]]
        out = [result for _, _, found in rungs for result in found]
        results = self._format_results(params, len(folds), out, columns)
        self.n_resources_ = [n for n, _, _ in rungs]
        self.n_candidates_ = [len(alive) for _, alive, _ in rungs]
        self.n_iterations_ = len(rungs)
        if self.refit or not self.multimetric_:
            if callable(self.refit):
                self.best_index_ = self._select_best_index(self.refit, metric, results)
            else:
                means = results[f"mean_test_{metric}"]
                last = np.flatnonzero(results["iter"] == len(rungs) - 1)
                self.best_index_ = last[_order(means[last])[0]]
                self.best_score_ = means[self.best_index_]
            self.best_params_ = params[self.best_index_]
        if is_interrupted:
            warn(
                f"Search interrupted by user, after {len(rungs)} of {len(epochs)} rungs. "
                "Their results are kept, but there is no best_estimator_."
            )
        elif self.refit:
            self._refit(models[columns["candidate"][self.best_index_]], routed, task, data)
        self.cv_results_ = results

    def _climb(self, trainings, epochs, metric, task):
        """Train rung by rung.

        Returns
        -------
        rungs : list of (int, ndarray, list of dict)
            The finished rungs: the epoch, the candidates and their results.

        metric : str
            The name of the score that decides.
        """
        rungs: list[tuple] = []
        alive, started = np.arange(len(trainings.models)), perf_counter()
        try:
            for n_epochs in epochs:
                own = task.subcontext(
                    task_name="rung",
                    max_subtasks=len(alive) * self.n_splits_,
                    sequential_subtasks=False,
                )
                own.call_on_fit_task_begin(estimator=self)
                found = trainings.advance(n_epochs, own, self)
                own.call_on_fit_task_end(estimator=self)
                scores = [result["test_scores"] for result in found]
                metric = self._deciding(scores[0], metric, len(epochs))
                rungs.append((n_epochs, alive, found))
                if self.verbose:
                    print(
                        f"Rung {len(rungs)}/{len(epochs)}: {len(alive)} candidates, "
                        f"{self.n_splits_} folds, epoch {n_epochs}/{epochs[-1]}, "
                        f"{perf_counter() - started:.1f} s"
                    )
                if n_epochs < epochs[-1]:
                    if self.multimetric_:
                        scores = [score[metric] for score in scores]
                    means = np.average(np.reshape(scores, (len(alive), -1)), axis=1)
                    n_kept = ceil(len(alive) / self.factor)
                    alive = alive[np.sort(_order(means)[:n_kept])]
                    trainings.keep(alive)
        except KeyboardInterrupt:
            if not rungs or interrupts_caller():
                raise
        return rungs, metric

    def _deciding(self, scores, metric, n_rungs):
        """Return the name of the score that decides."""
        self.multimetric_ = isinstance(scores, dict)
        if not self.multimetric_:
            return metric
        self._check_refit_for_multimetric(scores)
        if n_rungs > 1 and not isinstance(self.refit, str):
            raise ValueError(
                f"With several scores, refit={self.refit!r} does not say which one drops "
                f"candidates. Set it to one of {sorted(scores)}, or set factor=None."
            )
        return self.refit

    def _refit(self, model, routed, task, data):
        """Fit the best candidate to all rows."""
        self.best_estimator_ = clone(model)
        own = task.subcontext(task_name="refit-with-best-params")
        with own.propagate_callback_context(self.best_estimator_):
            own.call_on_fit_task_begin(**data)
            started = perf_counter()
            self.best_estimator_.fit(data["X"], data["y"], **routed.estimator.fit)
            self.refit_time_ = perf_counter() - started
        own.call_on_fit_task_end(**data)
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _order(scores):
    """Return the indices of scores, the best first and NaN last."""
    return np.argsort(-np.asarray(scores), kind="stable")
