"""The documentation that the estimators on Dask share, written once."""

from textwrap import indent

__all__ = ["documented"]

_SCALED = """\
Each partition is read once, on the worker that has it. The statistics of the partitions are
merged in a tree.
"""

_COPY = """\
copy : bool, default=True
    Has no effect, since collections never change.
"""

_CLIENT = """\
client : distributed.Client, default=None
    The client of the cluster; None is the current client. Pickles have None.

See Also
--------
skgd.{local} : The local estimator, with the fitted attributes; see ``to_local``.
"""

_NETWORK = """\
Each worker trains a copy of the network on the rows that it has. After every
``sync_every`` updates, the parameters and solver states of the copies are averaged,
weighted by the weights of their rows. The same partitions on the same number of workers
give the same result for the same ``random_state``.

Parameters
----------
hidden_layer_sizes : object
    This and the following parameters, up to ``n_jobs``, are those of
    :class:`skgd.{local}`. ``batch_size`` is divided among the workers, so an epoch has as
    many updates as in one process. ``n_jobs=None`` takes the worker's threads.
    ``early_stopping`` needs ``X_val``. ``solver`` cannot be 'lbfgs'.

sync_every : int or 'epoch', default='epoch'
    The number of updates of a worker between two averages. 'epoch' needs the least
    communication; with fewer updates, the result is closer to that of one process.

{client}DaskZScoreScaler : Standardize the features, from which networks learn best.

Notes
-----
If a worker is lost, Dask computes its rows again from the graph of the collections, and
training goes on with the same result. If Dask cannot do that, fit raises a RuntimeError.
"""


def documented(estimator):
    """Fill the placeholders in the docstring of an estimator's class."""
    if estimator.__doc__ is not None:
        local = estimator._local.__name__
        client = _CLIENT.format(local=local)
        sections = {
            "network": _NETWORK.format(local=local, client=client),
            "scaled": _SCALED,
            "copy": _COPY,
            "client": client,
        }
        estimator.__doc__ = estimator.__doc__.format(
            **{name: indent(text, "    ").strip() for name, text in sections.items()}
        )
    return estimator
