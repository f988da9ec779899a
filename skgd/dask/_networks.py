"""The multi-layer perceptrons on Dask collections."""

from typing import Any

from sklearn.metrics import accuracy_score, r2_score

from skgd.dask._base import constructor
from skgd.dask._network_base import OWN, DaskMLP
from skgd.neural_network import MLPClassifier, MLPRegressor

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor"]


class DaskMLPClassifier(DaskMLP, MLPClassifier):
    """:class:`skgd.MLPClassifier` on Dask collections, trained on all workers.

    Each worker trains a copy of the network on the rows that it has. After every
    ``sync_every`` updates the copies are averaged: parameters and the state of the solver,
    by the weights of the rows. The same partitions on as many workers give the same result
    for the same ``random_state``.

    Parameters
    ----------
    hidden_layer_sizes : object
        As all that follow up to ``n_jobs``, as in :class:`skgd.MLPClassifier`. A worker's
        mini-batches have its share of ``batch_size``: there are as many updates an epoch as
        in one process. ``n_jobs=None`` stands for the worker's threads. ``early_stopping``
        needs ``X_val``. ``solver`` cannot be 'lbfgs'.

    sync_every : int or 'epoch', default='epoch'
        The updates of a worker between averages. 'epoch' needs the least communication;
        fewer updates follow one process more closely.

    client : distributed.Client, default=None
        Where to train; None is the current client. Copies by pickle have None.

    See Also
    --------
    skgd.MLPClassifier : Has the attributes, and is what ``to_local`` returns.
    DaskZScoreScaler : Networks learn best from standardized features.

    Notes
    -----
    If a worker is lost, Dask computes its rows again from the graph of the collections, and
    training goes on with the same result. Where it cannot, fit raises a RuntimeError.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from skgd.dask import DaskMLPClassifier, DaskZScoreScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> with Client(processes=False, n_workers=2, dashboard_address=":0"):
    ...     X, y = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)
    ...     X = DaskZScoreScaler().fit_transform(X)
    ...     model = DaskMLPClassifier(learning_rate_init=0.05, tol=0.01, random_state=0)
    ...     model.fit(X, y).score(X, y) > 0.9
    True
    """

    _local = MLPClassifier
    _parameter_constraints: dict = {**MLPClassifier._parameter_constraints, **OWN}
    __init__ = constructor(MLPClassifier, sync_every="epoch", client=None)

    def predict_proba(self, X) -> Any:
        """Predict the probabilities of the classes lazily.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y_prob : dask.array.Array of shape (n_samples, n_classes)
            The probability of each class, ordered as in ``classes_``.
        """
        return self._lazily("predict_proba", X)

    def predict_log_proba(self, X) -> Any:
        """Predict the logarithms of the probabilities of the classes lazily.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_y_prob : dask.array.Array of shape (n_samples, n_classes)
            As of the method of ``to_local()``.
        """
        return self._lazily("predict_log_proba", X)

    def _metric(self):
        return accuracy_score


class DaskMLPRegressor(DaskMLP, MLPRegressor):
    """:class:`skgd.MLPRegressor` on Dask collections, trained on all workers.

    Each worker trains a copy of the network on the rows that it has. After every
    ``sync_every`` updates the copies are averaged: parameters and the state of the solver,
    by the weights of the rows. The same partitions on as many workers give the same result
    for the same ``random_state``.

    Parameters
    ----------
    hidden_layer_sizes : object
        As all that follow up to ``n_jobs``, as in :class:`skgd.MLPRegressor`. A worker's
        mini-batches have its share of ``batch_size``: there are as many updates an epoch as
        in one process. ``n_jobs=None`` stands for the worker's threads. ``early_stopping``
        needs ``X_val``. ``solver`` cannot be 'lbfgs'.

    sync_every : int or 'epoch', default='epoch'
        The updates of a worker between averages. 'epoch' needs the least communication;
        fewer updates follow one process more closely.

    client : distributed.Client, default=None
        Where to train; None is the current client. Copies by pickle have None.

    See Also
    --------
    skgd.MLPRegressor : Has the attributes, and is what ``to_local`` returns.
    DaskZScoreScaler : Networks learn best from standardized features.

    Notes
    -----
    If a worker is lost, Dask computes its rows again from the graph of the collections, and
    training goes on with the same result. Where it cannot, fit raises a RuntimeError.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skgd.dask import DaskMLPRegressor
    >>> with Client(processes=False, n_workers=2, dashboard_address=":0"):
    ...     X = da.random.default_rng(0).normal(size=(400, 3), chunks=(100, 3))
    ...     y = X[:, 0] - X[:, 1]
    ...     model = DaskMLPRegressor(learning_rate_init=0.05, tol=0.01, random_state=0)
    ...     model.fit(X, y).score(X, y) > 0.9
    True
    """

    _local = MLPRegressor
    _parameter_constraints: dict = {**MLPRegressor._parameter_constraints, **OWN}
    __init__ = constructor(MLPRegressor, sync_every="epoch", client=None)

    def _metric(self):
        link = getattr(self, "_link", None)
        return (link and link.score) or r2_score
