"""The multi-layer perceptrons on Dask collections."""

from typing import Any

from sklearn.metrics import accuracy_score, r2_score

from skgd.dask._base import constructor
from skgd.dask._documentation import documented
from skgd.dask._network_base import OWN, DaskMLP
from skgd.neural_network import MLPClassifier, MLPRegressor

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor"]


@documented
class DaskMLPClassifier(DaskMLP, MLPClassifier):
    """:class:`skgd.MLPClassifier` on Dask collections, trained on all workers.

    {network}

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
    ...     print(round(model.fit(X, y).score(X, y), 2))
    0.97
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
            The result of the method of ``to_local()`` for each partition.
        """
        return self._lazily("predict_log_proba", X)

    def _metric(self):
        return accuracy_score


@documented
class DaskMLPRegressor(DaskMLP, MLPRegressor):
    """:class:`skgd.MLPRegressor` on Dask collections, trained on all workers.

    {network}

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skgd.dask import DaskMLPRegressor
    >>> with Client(processes=False, n_workers=2, dashboard_address=":0"):
    ...     X = da.random.default_rng(0).normal(size=(400, 3), chunks=(100, 3))
    ...     y = X[:, 0] - X[:, 1]
    ...     model = DaskMLPRegressor(learning_rate_init=0.05, tol=0.01, random_state=0)
    ...     print(round(model.fit(X, y).score(X, y), 2))
    0.99
    """

    _local = MLPRegressor
    _parameter_constraints: dict = {**MLPRegressor._parameter_constraints, **OWN}
    __init__ = constructor(MLPRegressor, sync_every="epoch", client=None)

    def _metric(self):
        link = getattr(self, "_link", None)
        return (link and link.score) or r2_score
