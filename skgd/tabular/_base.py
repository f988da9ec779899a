"""The common base of the two estimators for tables: columns, plan, members, predictions."""

from dataclasses import replace
from numbers import Integral, Real
from time import perf_counter
from typing import Any, Self

import numpy as np
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
from skgd.neural_network._plugins import activations_of, plugins_of
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

# What the learning rate is multiplied by: weights of bins and vectors of categories follow
# few rows.
RATE_FACTORS = {"embedding": 0.3}

# Kinds of columns that are read as codes.
CODED = {"one_hot", "embedding"}

# Parameters that networks of arrays have, too.
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
)


class BaseTabularMLP(Linked, Explained, Versioned):
    """Networks for raw tables; see the two estimators for the parameters."""

    # Errors about X name the column themselves.
    _explained_data = ("y", "sample_weight")
    _parameter_constraints: dict = {
        **{name: CONSTRAINTS[name] for name in SHARED},
        "numeric_embedding": [Choice({"piecewise_linear"}), None],
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
    # What other estimators have.
    max_grad_norm: Any = None
    # Of the classifier only.
    label_smoothing: Any = 0.0
    members_: list

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
        """Fit members to a table.

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
            Rows to choose the best epoch by. All members then train on all rows of ``X``.

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
        encoded = self._read(X, y, sample_weight)
        n_samples, rows = len(encoded.y), np.arange(len(encoded.y))
        if encoded.weight is not None:
            rows = np.flatnonzero(encoded.weight)
        if given[0] is None:
            rows, held_out = hold_out(
                encoded.y, rows, groups, self.validation_fraction, random_state
            )
        else:
            held_out = [self._read_validation(*given)]
        encoded = encoded.take(rows)
        self._hidden_units, self._n_dense = hidden, encoded.table.X.shape[1]
        recipe = self._recipe(plugins)
        n_seeds = max(self.n_members, MOST_MEMBERS)
        seeds = random_state.randint(np.iinfo(np.int32).max, size=n_seeds).tolist()
        clock = Clock()
        self.plan_ = self._plan(recipe, encoded, clock, started)
        n_epochs = self.plan_["max_iter"]
        recipe = replace(recipe, max_iter=n_epochs)
        held_out = [held_out[k % len(held_out)] for k in range(self.plan_["n_members"])]
        members = list(zip(held_out, seeds, strict=False))
        runs = [begin_member(recipe, encoded, *member) for member in members]
        kept = self._train(runs, n_epochs, clock)
        runs, held_out = [runs[k] for k in kept], [held_out[k] for k in kept]
        self._publish(runs)
        outputs = [
            self._predict_encoded(run.best.theta, _rows_of(h, encoded).table)
            for run, h in zip(runs, held_out, strict=True)
        ]
        self._learn_outputs(outputs, [_rows_of(h, encoded) for h in held_out])
        self.oof_prediction_ = self._out_of_fold(outputs, held_out, rows, n_samples)
        if self.refit and self.stop_reason_ != "interrupted":
            n_epochs = _joint_best(self.validation_loss_curves_)
            runs = [begin_member(recipe, encoded, None, seed) for _, seed in members]
            kept = self._train(runs, n_epochs, clock)
            self.members_ = [
                {"parameters": runs[k].best.theta, "best_epoch": runs[k].n_iter}
                for k in kept
            ]
        return self

    def _read(self, X, y, sample_weight):
        """Validate, learn and encode the data to train on."""
        self._check_columns(X, reset=True)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the "
                "target y is None."
            )
        y = self._validate_targets(y, reset=True)
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, y, dtype=np.float64, ensure_non_negative=True
            )
            if not sample_weight.any():
                raise ValueError("sample_weight must have at least one non-zero weight.")
        self._learn_targets(y, sample_weight)
        targets = self._encode(y)
        weight = self._weigh(targets, sample_weight)
        n_samples = len(y) if weight is None else np.count_nonzero(weight)
        if n_samples < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 rows of positive weight, one of "
                f"which is held out, got n_samples={n_samples}."
            )
        self._columns = learn_columns(
            X, self.categorical_features, self.max_one_hot, self.numeric_embedding, weight
        )
        weight = None if weight is None else weight.astype(DTYPE)
        return Encoded(encode(self._columns, X), targets, weight)

    def _check_columns(self, X, reset):
        """Check the number and the names of the columns."""
        shape = X.shape if hasattr(X, "shape") else np.asarray(X, dtype=object).shape
        if len(shape) != 2:
            # It raises, and says why.
            check_array(X, dtype=None)
        validate_data(self, X, skip_check_array=True, reset=reset)

    def _read_validation(self, X, y, sample_weight):
        """Validate and encode the validation data."""
        try:
            self._check_columns(X, reset=False)
            y = self._validate_targets(y, reset=False)
            check_consistent_length(X, y)
            if sample_weight is not None:
                sample_weight = _check_sample_weight(
                    sample_weight, y, dtype=DTYPE, ensure_non_negative=True
                )
                if not sample_weight.any():
                    raise ValueError("all weights are zero.")
            return Encoded(encode(self._columns, X), self._encode(y), sample_weight)
        except (TypeError, ValueError) as error:
            error.args = (f"X_val, y_val or sample_weight_val: {error}",)
            raise

    def _recipe(self, plugins):
        loss = self._objective()
        self.out_activation_ = loss.out_activation
        self._keep_link(loss)
        dropout = float(initial_of(self.dropout))
        return Recipe(
            self._layout(plugins.activations, dropout),
            self._layout(plugins.activations),
            n_columns=self._n_dense + sum(c["kind"] in CODED for c in self._columns),
            plugins=plugins._replace(loss=loss),
            rate=float(self.learning_rate_init),
            rate_factors=RATE_FACTORS,
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            n_iter_no_change=self.n_iter_no_change,
            label_smoothing=self._smoothing(),
            score=scorer_of(self.scoring, self),
        )

    def _layout(self, activations, dropout=0.0):
        return layout_of_table(
            self._columns,
            self._n_dense,
            self._hidden_units,
            activations,
            self.n_outputs_,
            dropout,
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
        self._predict_encoded(
            np.zeros(recipe.plain.n_params, DTYPE), encoded.part(0, 1).table
        )
        compiled = perf_counter() - compiling
        n_threads = available_threads(self.n_jobs)
        epoch = epoch_seconds(recipe, encoded, self.validation_fraction, n_threads)
        clock.deadline = started + self.max_time + compiled
        left = clock.deadline - perf_counter()
        n_members, max_iter = plan_for(left, epoch, **plan, n_threads=n_threads)
        return {
            "n_members": n_members,
            "max_iter": max_iter,
            "epoch_seconds": epoch,
            "compile_seconds": compiled,
        }

    def _train(self, runs, n_epochs, clock):
        """Train the members; return those that have an epoch."""
        report = Report(len(runs), n_epochs) if self.verbose else None
        n_threads = min(available_threads(self.n_jobs), len(runs))
        train_members(runs, n_epochs, clock, n_threads, report)
        kept = [k for k, run in enumerate(runs) if run.epochs]
        if clock.is_interrupted:
            if not kept or interrupts_caller():
                raise KeyboardInterrupt
            warn("Training interrupted by user.")
        if not kept:
            raise ValueError(
                f"max_time={self.max_time} is over before the first epoch. Increase it."
            )
        return kept

    def _publish(self, runs):
        """Set the fitted attributes that tell of the training."""
        self.members_ = [
            {"parameters": run.best.theta, "best_epoch": run.best_epoch} for run in runs
        ]
        self.n_iter_ = np.array([run.n_iter for run in runs])
        self.best_epoch_ = np.array([run.best_epoch for run in runs])
        self.loss_curves_ = [[epoch[0] for epoch in run.epochs] for run in runs]
        self.validation_loss_curves_ = [[epoch[1] for epoch in run.epochs] for run in runs]
        reasons = [run.stop_reason for run in runs]
        # What ended all of them, or else most.
        order = "interrupted", "max_time"
        found = [reason for reason in order if reason in reasons]
        self.stop_reason_ = found[0] if found else max(set(reasons), key=reasons.count)

    def _out_of_fold(self, outputs, held_out, rows, n_samples):
        """Return the mean prediction of the members that held a row out, or NaN."""
        total = np.zeros((n_samples, outputs[0].shape[1]))
        count = np.zeros((n_samples, 1))
        for output, part in zip(outputs, held_out, strict=True):
            if not isinstance(part, Encoded):
                total[rows[slice(*part)]] += output
                count[rows[slice(*part)]] += 1
        with np.errstate(invalid="ignore"):
            return self._published(total / count)

    def _predict_encoded(self, theta, table):
        """Return the outputs of a member, its probabilities or encoded targets."""
        plain = self._layout(activations_of(self, len(self._hidden_units)))
        out = np.empty((len(table.X), self.n_outputs_), DTYPE)
        predict_table(plain, theta, table, self._link_of(None), out, self.n_jobs)
        return out

    def _predictions(self, X):
        """Return the mean output of the members, in float64."""
        check_is_fitted(self)
        self._check_columns(X, reset=False)
        table = encode(self._columns, X)
        total = np.zeros((len(table.X), self.n_outputs_))
        for member in self.members_:
            total += self._predict_encoded(member["parameters"], table)
        return self._published(total / len(self.members_))

    def _learn_outputs(self, outputs, encoded):
        """Learn from what members predict of rows that they have not trained on."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _rows_of(held_out, encoded):
    """Return the rows that a member is scored with."""
    return held_out if isinstance(held_out, Encoded) else encoded.part(*held_out)


def _joint_best(curves):
    """Return the epoch with the best mean of the members' validation losses."""
    n_epochs = min(map(len, curves))
    return int(np.mean([curve[:n_epochs] for curve in curves], axis=0).argmin()) + 1
