"""The common base of the estimators on Dask collections."""

import inspect
from typing import Any

from sklearn.base import BaseEstimator, clone

from skgd.dask._collections import client_of

__all__ = ["OnDask", "constructor", "share"]


def constructor(local, **added):
    """Return the ``__init__`` of a local estimator with further keyword-only parameters."""
    parameters = list(inspect.signature(local.__init__).parameters.values())
    for name, default in added.items():
        by_name = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, by_name, default=default))
    signature = inspect.Signature(parameters)

    def __init__(self, *args, **kwargs):  # noqa: N807
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        vars(self).update(list(bound.arguments.items())[1:])

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


def share(source, target):
    """Replace the fitted attributes of an estimator by those of another one."""
    for name in vars(target).keys() - target.get_params(deep=False).keys():
        delattr(target, name)
    params = source.get_params(deep=False)
    vars(target).update({n: v for n, v in vars(source).items() if n not in params})


class OnDask(BaseEstimator):
    """A mixin for estimators on Dask collections; listed before the local estimator."""

    _local: Any
    client: Any

    @property
    def _client(self):
        return client_of(self.client)

    def to_local(self) -> Any:
        """Return the same estimator for data in memory, fitted if this one is.

        It takes arrays, dataframes and sparse matrices, and needs no Dask.

        Returns
        -------
        estimator : object
            The local estimator, which shares the fitted attributes.
        """
        local = self._local(**self._local_params())
        share(self, local)
        return local

    def _local_params(self):
        params = self.get_params(deep=False)
        return {name: params[name] for name in self._local._get_param_names()}

    # A client can be neither copied nor pickled.
    def __sklearn_clone__(self):
        params = self.get_params(deep=False)
        client = params.pop("client")
        copies = {name: clone(value, safe=False) for name, value in params.items()}
        return type(self)(**copies | {"client": client})

    def __getstate__(self):
        return super().__getstate__() | {"client": None}
