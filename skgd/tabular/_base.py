"""The common base of the two estimators for tables: columns, plan, members, predictions."""

from dataclasses import replace
from numbers import Integral, Real
from time import perf_counter
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from skgd._caller import interrupts_caller, warn
from skgd._explain import Explained, explained_fit
from skgd._state import Versioned, unchanged_by_errors
from skgd.neural_network._constraints import (
    CONSTRAINTS,
    Choice,
    ObjectOf,
    hidden_layer_sizes,
    initial_of,
)
from skgd.neural_network._plugins import activations_of, embedding_of, plugins_of
from skgd.neural_network._predicting import Linked
from skgd.parallel.threads import available_threads
from skgd.solvers import SOLVERS, Solver
from skgd.tabular._columns import encode, learn_columns
from skgd.tabular._folds import check_given, hold_out
from skgd.tabular._members import (
    Clock,
    Encoded,
    Recipe,
    Report,
    begin_member,
    predict_table,
    train_members,
)
from skgd.tabular._network import DTYPE, layout_of_table
from skgd.tabular._plan import MOST_MEMBERS, epoch_seconds, plan_for
from skgd.tabular._scoring import scorer_of

__all__ = ["BaseTabularMLP"]

# Factors of the learning rate: weights of bins and vectors of categories see few rows.
RATE_FACTORS = {"embedding": 0.3}

# Reasons that stop a member early. If there are several, the first is that of the fit.
UNFINISHED = "interrupted", "max_time"

# Kinds of columns that the network reads as codes.
CODED = {"one_hot", "embedding"}

# Parameters that the networks for arrays have, too.
SHARED = (
    "hidden_layer_sizes",
    "activation",
    "learning_rate",
    "learning_rate_init",
    "max_iter",
    "weight_decay",
    "scoring",
    "n_iter_no_change",
    "verbose",
    "random_state",
    "n_jobs",
    "numeric_embedding",
)


class BaseTabularMLP(Linked, Explained, Versioned):
    """Networks for raw tables; see the two estimators for the parameters."""

    # Errors about X name the column themselves.
    _explained_data = ("y", "sample_weight")
    _parameter_constraints: dict = {
        **{name: CONSTRAINTS[name] for name in SHARED},
        "categorical_features": ["array-like", Choice({"from_dtype"}), None],
        "max_one_hot": [Interval(Integral, 0, None, closed="left")],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "refit": ["boolean"],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "solver": [Choice(set(SOLVERS)), ObjectOf(Solver, "solvers", SOLVERS)],
        "dropout": [c for c in CONSTRAINTS["dropout"] if c not in (list, tuple)],
        "validation_fraction": [Interval(Real, 0, 0.5, closed="right")],
    }
    # A parameter of the networks for arrays only.
    max_grad_norm: Any = None
    # A parameter of the classifier only.
    label_smoothing: Any = 0.0
    members_: list
    stop_reason_: str

    @explained_fit
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ) -> Self:
        """Fit the members to a table.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            The table, of pandas, polars or pyarrow, or an array: numbers, categories and
            missing values as they are.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, ones by default. Rows of weight 0 are left
            out.

        X_val : {DataFrame, array-like} of shape (n_val, n_features), default=None
            Rows that choose the best epoch. All members then train on all rows of ``X``.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            The targets of ``X_val``.

        sample_weight_val : array-like of shape (n_val,), default=None
            The weights of ``X_val``.

        groups : array-like of shape (n_samples,), default=None
            Rows of a group are held out together.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If the data or a parameter is not valid. The estimator is then left as it was.
        """
        with unchanged_by_errors(self):
            given = X_val, y_val, sample_weight_val
            return self._fit(X, y, sample_weight, given, groups, perf_counter())

    def _fit(self, X, y, sample_weight, given, groups, started):
        hidden = hidden_layer_sizes(self)
        if not hidden:
            raise ValueError(
                "hidden_layer_sizes must have at least one layer, got "
                f"{self.hidden_layer_sizes!r}."
            )
        check_given(given, groups, self.refit)
        plugins = plugins_of(self, len(hidden), incremental=False)
        random_state = check_random_state(self.random_state)
        targets, weight = self._read(X, y, sample_weight)
        rows = np.arange(len(targets)) if weight is None else np.flatnonzero(weight)
        if given[0] is None:
            fraction = self.validation_fraction
            rows, held_out = hold_out(targets, rows, groups, fraction, random_state)
        else:
            held_out = [self._read_validation(*given)]
        table = encode(self._columns, X, rows)
        encoded = Encoded(table, targets[rows], None if weight is None else weight[rows])
        self._hidden_units, self._n_dense = hidden, table.X.shape[1]
        recipe = self._recipe(plugins)
        n_seeds = max(self.n_members, MOST_MEMBERS)
        seeds = random_state.randint(np.iinfo(np.int32).max, size=n_seeds).tolist()
        clock = Clock()
        self.plan_ = self._plan(recipe, encoded, clock, started)
        n_epochs = self.plan_["max_iter"]
        recipe = replace(recipe, max_iter=n_epochs)
        seeds = seeds[: self.plan_["n_members"]]
        held_out = [held_out[k % len(held_out)] for k in range(len(seeds))]
        runs = [
            begin_member(recipe, encoded, *member)
            for member in zip(held_out, seeds, strict=True)
        ]
        self._train(runs, n_epochs, clock)
        kept = [(run, h) for run, h in zip(runs, held_out, strict=True) if run.epochs]
        if not kept:
            raise ValueError(
                f"max_time={self.max_time} is over before the first epoch, which takes "
                f"about {self.plan_['epoch_seconds']:.2g} seconds. Increase max_time."
            )
        self._publish([run for run, _ in kept], recipe)
        self._learn_from_held_out(recipe, kept, encoded, rows, len(targets))
        if self.refit and self.stop_reason_ not in UNFINISHED:
            n_epochs = _joint_best(self.validation_loss_curves_)
            del runs, kept
            # Without held-out rows, the training loss must not stop a member.
            recipe = replace(recipe, n_iter_no_change=np.inf)
            runs = [begin_member(recipe, encoded, None, seed) for seed in seeds]
            self._train(runs, n_epochs, clock, self.members_)
            reasons = {run.stop_reason for run in runs}
            if reasons == {"max_iter"}:
                self.members_ = [
                    {"parameters": run.best.theta, "best_epoch": n_epochs} for run in runs
                ]
            else:
                # Keep the members that held rows out, since these are not finished.
                self.stop_reason_ = next(r for r in UNFINISHED if r in reasons)
        return self

    def _read(self, X, y, sample_weight):
        """Validate and learn from the training data; return encoded targets and weights."""
        self._check_columns(X, reset=True)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the "
                "target y is None."
            )
        y = self._validate_targets(y, reset=True)
        check_consistent_length(X, y)
        sample_weight = _weights_of(sample_weight, y)
        self._learn_targets(y, sample_weight)
        targets = self._encode(y)
        weight = _in_float32(self._weigh(targets, sample_weight))
        n_samples = len(y) if weight is None else np.count_nonzero(weight)
        if n_samples < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 rows of positive weight, one of "
                f"which is held out, got n_samples={n_samples}."
            )
        n_bins = getattr(embedding_of(self), "n_bins", None)
        chosen = self.categorical_features, self.max_one_hot
        self._columns = learn_columns(X, *chosen, n_bins, weight)
        return targets, weight

    def _check_columns(self, X, reset):
        """Check the number and the names of the columns."""
        shape = X.shape if hasattr(X, "shape") else np.asarray(X, dtype=object).shape
        if len(shape) != 2:
            # This raises scikit-learn's error.
            check_array(X, dtype=None)
        validate_data(self, X, skip_check_array=True, reset=reset)

    def _read_validation(self, X, y, sample_weight):
        """Validate and encode the validation data."""
        try:
            self._check_columns(X, reset=False)
            y = self._validate_targets(y, reset=False)
            check_consistent_length(X, y)
            weight = _in_float32(_weights_of(sample_weight, y))
            return Encoded(encode(self._columns, X), self._encode(y), weight)
        except (TypeError, ValueError) as error:
            error.args = (f"X_val, y_val or sample_weight_val: {error}",)
            raise

    def _recipe(self, plugins):
        loss = self._objective()
        self._waves = getattr(plugins.embedding, "waves", ())
        self.out_activation_ = loss.out_activation
        self._keep_link(loss)
        dropout = float(initial_of(self.dropout))
        return Recipe(
            self._layout(plugins.activations, dropout),
            self._layout(plugins.activations),
            n_columns=self._n_dense + sum(c["kind"] in CODED for c in self._columns),
            plugins=plugins._replace(loss=loss),
            rate=float(self.learning_rate_init),
            rate_factors=RATE_FACTORS | getattr(plugins.embedding, "rate_factors", {}),
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            n_iter_no_change=self.n_iter_no_change,
            label_smoothing=self._smoothing(),
            score=scorer_of(self.scoring, self),
            scoring=self.scoring,
        )

    def _layout(self, activations, dropout=0.0):
        return layout_of_table(
            self._columns,
            self._n_dense,
            self._hidden_units,
            activations,
            self.n_outputs_,
            dropout,
            self._waves,
        )

    def _smoothing(self):
        return self.label_smoothing

    def _plan(self, recipe, encoded, clock, started):
        """Return how many members and epochs there is time for, and set the deadline."""
        plan = {"n_members": self.n_members, "max_iter": self.max_iter}
        if self.max_time is None:
            return plan
        compiling = perf_counter()
        begin_member(recipe, encoded.part(0, 2), None, 0).prepare()
        theta = np.zeros(recipe.plain.n_params, DTYPE)
        self._predict_encoded(recipe.plain, theta, encoded.table.part(0, 1))
        compiled = perf_counter() - compiling
        n_threads = available_threads(self.n_jobs)
        clock.deadline = started + self.max_time + compiled
        left, fraction = clock.deadline - perf_counter(), self.validation_fraction
        epoch = epoch_seconds(recipe, encoded, fraction, n_threads, left)
        left = clock.deadline - perf_counter()
        if self.refit:
            # Keep time for the refit on all rows.
            left /= 1 + 1 / (1 - fraction)
        n_members, max_iter = plan_for(left, epoch, **plan, n_threads=n_threads)
        return {
            "n_members": n_members,
            "max_iter": max_iter,
            "epoch_seconds": epoch,
            "compile_seconds": compiled,
        }

    def _train(self, runs, n_epochs, clock, finished=()):
        """Train the members; Ctrl-C raises if no member has finished an epoch."""
        report = Report(len(runs), n_epochs) if self.verbose else None
        n_threads = min(available_threads(self.n_jobs), len(runs))
        train_members(runs, n_epochs, clock, n_threads, report)
        if clock.is_interrupted:
            if interrupts_caller() or not (finished or any(run.epochs for run in runs)):
                raise KeyboardInterrupt
            warn("Training interrupted by user.")

    def _publish(self, runs, recipe):
        """Set the fitted attributes that describe the training."""
        self.members_ = [
            {"parameters": run.best.theta, "best_epoch": run.best_epoch} for run in runs
        ]
        self.n_iter_ = np.array([run.n_iter for run in runs])
        self.best_epoch_ = np.array([run.best_epoch for run in runs])
        self.loss_curves_ = [[epoch[0] for epoch in run.epochs] for run in runs]
        self.validation_loss_curves_ = [[epoch[1] for epoch in run.epochs] for run in runs]
        reasons = [run.stop_reason for run in runs]
        # A reason that stopped a member early, or else the most frequent one.
        found = [reason for reason in UNFINISHED if reason in reasons]
        self.stop_reason_ = found[0] if found else max(reasons, key=reasons.count)
        if "diverged" in reasons:
            warn(
                f"{reasons.count('diverged')} of {len(runs)} members diverged, and keep "
                f"their best epoch, with {recipe._remedy()}",
                ConvergenceWarning,
            )

    def _learn_from_held_out(self, recipe, kept, encoded, rows, n_samples):
        """Average the predictions of held-out rows; learn from them and publish them."""
        is_given = isinstance(kept[0][1], Encoded)
        scored = kept[0][1] if is_given else encoded
        total = np.zeros((len(scored.y), self.n_outputs_))
        count = np.zeros((len(scored.y), 1))
        for run, part in kept:
            first, last = (0, None) if is_given else part
            table = scored.table.part(first, last)
            total[first:last] += self._predict_encoded(recipe.plain, run.best.theta, table)
            count[first:last] += 1
        known = count[:, 0] > 0
        means = total[known] / count[known]
        weight = None if scored.weight is None else scored.weight[known]
        self._learn_outputs(means, scored.y[known], weight)
        outputs = np.full((n_samples, self.n_outputs_), np.nan)
        if not is_given:
            outputs[rows[known]] = means
        self.oof_prediction_ = self._published(outputs)

    def _predict_encoded(self, plain, theta, table):
        """Return the outputs of a member, its probabilities or encoded targets."""
        out = np.empty((len(table.X), self.n_outputs_), DTYPE)
        predict_table(plain, theta, table, self._link_of(None), out, self.n_jobs)
        return out

    def _predictions(self, X):
        """Return the mean output of the members, in float64."""
        check_is_fitted(self)
        self._check_columns(X, reset=False)
        table = encode(self._columns, X)
        plain = self._layout(activations_of(self, len(self._hidden_units)))
        total = np.zeros((len(table.X), self.n_outputs_))
        for member in self.members_:
            total += self._predict_encoded(plain, member["parameters"], table)
        return self._published(total / len(self.members_))

    def _learn_outputs(self, outputs, y, weight):
        """Learn from the mean predictions of held-out rows; by default nothing."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _weights_of(sample_weight, y):
    """Validate weights and divide them by the largest."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(
        sample_weight, y, dtype=np.float64, ensure_non_negative=True
    )
    if not weight.any():
        raise ValueError("sample_weight must have at least one non-zero weight.")
    return weight / weight.max()


def _in_float32(weight):
    """Return weights of at most 1 as float32, with 0 in place of subnormal numbers."""
    if weight is None:
        return None
    weight = weight / weight.max()
    return np.where(weight < np.finfo(DTYPE).tiny, 0, weight).astype(DTYPE)


def _joint_best(curves):
    """Return the epoch with the best mean of the members' validation losses."""
    n_epochs = min(map(len, curves))
    return int(np.mean([curve[:n_epochs] for curve in curves], axis=0).argmin()) + 1
