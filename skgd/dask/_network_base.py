"""The common base of the networks on Dask collections: parallel fits, lazy predictions."""

from collections import Counter
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skgd.dask._base import OnDask
from skgd.dask._collections import (
    concatenated,
    explained_lost_workers,
    lazily,
    load,
    of_each,
    submit,
)
from skgd.dask._replicas import begun, described, facts, prepared
from skgd.dask._training import DaskRun, KeptValidation, Plan, ReplicaTrainer
from skgd.embeddings import PiecewiseLinear
from skgd.neural_network._base import BaseMLP
from skgd.neural_network._constraints import Choice
from skgd.neural_network._plugins import embedding_of
from skgd.neural_network._stochastic import begin, fit_stochastic
from skgd.neural_network._validation import check_given
from skgd.steps import Shrink

__all__ = ["OWN", "DaskMLP"]

# The attributes that a worker needs to encode its rows.
KNOWN = "classes_", "_label_binarizer", "n_features_in_", "feature_names_in_"

OWN: dict = {
    "sync_every": [Choice({"epoch"}), Interval(Integral, 1, None, closed="left")],
    "client": "no_validation",
}


class DaskMLP(OnDask, BaseMLP):
    """Base of the networks on Dask collections."""

    # Errors do not search the data for the fault, since that would compute them.
    _explained_data = ()
    sync_every: Any

    @property
    def partial_fit(self) -> Any:
        """Not available: raises an AttributeError that names the alternatives."""
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit. Use fit with warm_start=True, or "
            "to_local().partial_fit."
        )

    def fit(  # type: ignore[override]
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ) -> Self:
        """Fit the model to collections that are partitioned alike.

        Rows that are in the memory of a worker stay there; others are computed first.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            The input data, with all columns in each partition. Chunk sizes may be unknown.

        y : dask.array.Array or dask.dataframe.Series
            The target values, of shape (n_samples,) or (n_samples, n_outputs).

        sample_weight : dask.array.Array or dask.dataframe.Series, default=None
            Non-negative weights of the samples, ones by default.

        X_val, y_val, sample_weight_val : collections, default=None
            Validation data, which must fit into the memory of one worker.
            ``early_stopping`` needs them.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        TypeError
            If the data are not Dask collections.

        ValueError
            If the data or a parameter is not valid, if there is no client, or if the loss
            stops being finite. The estimator is then left as it was.

        RuntimeError
            If workers are lost with data that Dask cannot compute again.
        """
        with explained_lost_workers():
            return super().fit(
                X,
                y,
                sample_weight,
                X_val=X_val,
                y_val=y_val,
                sample_weight_val=sample_weight_val,
            )

    def _fit(self, X, y, sample_weight, given, groups=None, *, incremental, task=None):
        if self.solver == "lbfgs":
            raise ValueError(
                "solver='lbfgs' does not train in mini-batches, between which Dask's "
                "workers average. Choose another solver, or fit to_local()."
            )
        check_given(self, given, groups)
        if self.early_stopping and given[0] is None:
            raise ValueError(
                "With Dask, early_stopping=True needs X_val and y_val, since no rows are "
                "held out. Pass them, or set early_stopping=False."
            )
        if isinstance(embedding_of(self), PiecewiseLinear):
            raise ValueError(
                f"numeric_embedding={self.numeric_embedding!r} needs the quantiles of all "
                "rows, which Dask's workers do not have together. Use 'periodic' or None."
            )
        client = self._client
        shards = load(client, X, y, sample_weight)
        has_classes = is_classifier(self)
        found = of_each(client, shards, described, has_classes)
        chosen = [shard for shard, facts in zip(shards, found, strict=True) if facts[1]]
        if not chosen:
            raise ValueError("X has no rows, or none of them has a weight above 0.")
        n_rows = sum(facts[0] for facts in found)
        # A few rows are enough to prepare the training. The workers validate their rows.
        head = concatenated(*(facts[-1] for facts in found))
        first, random_state, layout, plugins, data, parameters = self._prepare(
            head.X, head.y, None, (None,) * 3, None, incremental=False
        )
        local = self.to_local().set_params(
            batch_size="auto", early_stopping=False, verbose=False
        )
        run = begin(
            local, layout, plugins, data, parameters, random_state, False, not first
        )
        sent, seed = self._to_send(len(chosen), n_rows), random_state.randint(2**31)
        balance = self._balance([facts[2] for facts in found])
        told = sent, balance, layout, plugins, data.y.dtype
        replicas = [
            (submit(client, w, begun, shard, *told, (seed, i)), w)
            for i, (shard, w) in enumerate(chosen)
        ]
        validation = self._validation(client, given, sent, data.y)
        del shards, chosen
        training, plan = run.state, self._plan(client, replicas, layout, run, seed)
        trainer = ReplicaTrainer(client, replicas, training, plan)
        # As many targets as rows, without the memory for them.
        targets = np.broadcast_to(data.y[:1], (n_rows, data.y.shape[1]))
        run = DaskRun(
            self,
            layout,
            run._plugins,
            run._rows._replace(y=targets),
            validation,
            run._batches,
            training,
            not first,
        )
        run._trainer = trainer
        fit_stochastic(self, run, False, task)
        coefs, intercepts = run.best.plain(layout)
        self._publish(run, coefs, intercepts, run.best.stages(layout), plugins.loss)
        return self

    def _to_send(self, n_replicas, n_rows):
        """Return the estimator that validates and encodes rows on the workers."""
        sent = self._local(**self._local_params())
        vars(sent).update({name: vars(self)[name] for name in KNOWN if name in vars(self)})
        sent.early_stopping = sent.verbose = False
        # For as many updates in an epoch as in one process, with the same penalty.
        sent.alpha = self.alpha / n_replicas
        batch_size = min(200, n_rows) if self.batch_size == "auto" else self.batch_size
        least = 2 if self.batch_normalization else 1
        sent.batch_size = max(least, -(-batch_size // n_replicas))
        if self.class_weight == "balanced":
            sent.class_weight = None
        return sent

    def _balance(self, counts):
        """Return the weights of the classes if they are balanced, otherwise None."""
        if self.class_weight != "balanced":
            return None
        if not any(counts):
            raise ValueError(
                "With Dask, class_weight='balanced' is not supported for multilabel "
                "targets. Pass a list with a dict for each label."
            )
        found: Counter = sum(map(Counter, counts), Counter())
        rows = np.array([found[label] for label in self.classes_.tolist()])
        return rows.sum() / (len(rows) * rows)

    def _validation(self, client, given, sent, codes):
        """Return the validation data, together on a worker; None without any."""
        if given[0] is None:
            return None
        X, y, weight = given
        shards = load(client, X, y, weight, "_val")
        worker = shards[0][1]
        shard = submit(client, worker, concatenated, *(shard for shard, _ in shards))
        data = submit(client, worker, prepared, shard, sent, codes)
        return KeptValidation(client, worker, data, sent, self.early_stopping)

    def _plan(self, client, replicas, layout, run, seed):
        """Return the plan for all replicas, with a common center of the first layer."""
        found = client.gather(
            [submit(client, w, facts, replica) for replica, w in replicas]
        )
        n_batches, weights, centers = zip(*found, strict=True)
        parameters, most = run.state.parameters, max(n_batches)
        if centers[0].size:
            center = np.average(centers, axis=0, weights=weights)
            parameters.recenter(layout, center.astype(parameters.theta.dtype))
        every = most if self.sync_every == "epoch" else self.sync_every
        rate = run.state.progress.rate
        after = tuple(
            Shrink(step.solver, step.strength / len(replicas)) if step.shrinks else step
            for step in run._plugins.after
        )
        return Plan(None, after, self.max_iter * most, seed, 0, 0, -(-most // every), rate)

    def predict(self, X) -> Any:
        """Predict lazily, each partition where it is.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : dask.array.Array
            What the method of ``to_local()`` returns for each partition.
        """
        return self._lazily("predict", X)

    def hidden_features(self, X, layer=-1) -> Any:
        """Compute the outputs of a hidden layer lazily, each partition where it is.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            The input data.

        layer : int, default=-1
            Index of the hidden layer, negative from the last one, as in a list.

        Returns
        -------
        features : dask.array.Array
            What the method of ``to_local()`` returns for each partition.
        """
        return self._lazily("hidden_features", X, layer=layer)

    def _lazily(self, method, X, **kwargs):
        check_is_fitted(self)
        return lazily(self.to_local(), method, X, **kwargs)

    def score(self, X, y, sample_weight=None) -> float:
        """Return the score of ``to_local()``; targets and predictions are gathered.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            The input data.

        y : dask.array.Array or dask.dataframe.Series
            The true targets.

        sample_weight : dask.array.Array or dask.dataframe.Series, default=None
            Weights of the samples.

        Returns
        -------
        score : float
            Accuracy in classification, R² or D² in regression.
        """
        weights = [] if sample_weight is None else [sample_weight]
        with explained_lost_workers():
            client = self._client
            y, predicted, *weights = client.gather(
                client.compute([y, self.predict(X), *weights])
            )
        return float(self._metric()(y, predicted, sample_weight=(*weights, None)[0]))
