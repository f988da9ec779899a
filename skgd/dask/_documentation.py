"""The documentation that the estimators on Dask share, written once."""

from textwrap import indent

__all__ = ["documented"]

_SCALED = """\
Each partition is read once, where it is; the statistics of the partitions are merged
in a tree.
"""

_COPY = """\
copy : bool, default=True
    Without effect: collections do not change.
"""

_CLIENT = """\
client : distributed.Client, default=None
    Where to compute; None is the current client. Copies by pickle have None.

See Also
--------
skgd.{local} : Has the attributes, and is what ``to_local`` returns.
"""

_NETWORK = """\
Each worker trains a copy of the network on the rows that it has. After every
``sync_every`` updates the copies are averaged: parameters and the state of the solver,
by the weights of the rows. The same partitions on as many workers give the same result
for the same ``random_state``.

Parameters
----------
hidden_layer_sizes : object
    As all that follow up to ``n_jobs``, as in :class:`skgd.{local}`. A worker's
    mini-batches have its share of ``batch_size``: there are as many updates an epoch as
    in one process. ``n_jobs=None`` stands for the worker's threads. ``early_stopping``
    needs ``X_val``. ``solver`` cannot be 'lbfgs'.

sync_every : int or 'epoch', default='epoch'
    The updates of a worker between averages. 'epoch' needs the least communication;
    fewer updates follow one process more closely.

{client}DaskZScoreScaler : Networks learn best from standardized features.

Notes
-----
If a worker is lost, Dask computes its rows again from the graph of the collections, and
training goes on with the same result. Where it cannot, fit raises a RuntimeError.
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
