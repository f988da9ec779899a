"""Errors without a client, or without workers."""

import numpy as np
import pytest

pytest.importorskip("distributed", reason="needs the extra dask")

import dask.array as da
from distributed import Client

from skgd.dask import DaskMinMaxScaler, DaskMLPRegressor

X = da.from_array(np.arange(8.0).reshape(4, 2), chunks=(2, 2))


@pytest.mark.parametrize("estimator", [DaskMinMaxScaler, DaskMLPRegressor])
def test_no_client(estimator):
    model = estimator()
    before = dict(vars(model))
    with pytest.raises(ValueError, match=r"There is no Dask client. Create one"):
        model.fit(X, X[:, 0])
    assert vars(model) == before


def test_no_workers():
    options = {"processes": False, "n_workers": 0, "dashboard_address": ":0"}
    with Client(**options), pytest.raises(ValueError, match="has no workers"):
        DaskMLPRegressor().fit(X, X[:, 0])


def test_a_closed_client():
    with Client(processes=False, n_workers=1, dashboard_address=":0") as client:
        pass
    with pytest.raises(ValueError, match=r"client is closed\. Pass one that is connected"):
        DaskMinMaxScaler(client=client).fit(X)
