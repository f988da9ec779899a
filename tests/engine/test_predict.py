import numpy as np
import pytest
from scipy import sparse

from skgd.activations import ACTIVATIONS
from tests.engine.helpers import DTYPES, Model, assert_close, predict
from tests.engine.problems import LOSSES, draw
from tests.oracles import network as oracle
from tests.oracles.losses import oracle_of
from tests.pairs import all_pairs

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@all_pairs(activation=ACTIVATIONS, loss_name=LOSSES, dtype=DTYPES)
def test_the_oracle(activation, loss_name, dtype):
    loss = LOSSES[loss_name]
    X, _, _ = draw(loss, 23, 4, 3, weighted=False)
    X = X.astype(dtype)
    model = Model((4, 12, 5, 3), dtype, activation=activation)
    z, _ = oracle.forward(model.layers(dtype="float64"), X.astype(float), activation)
    expected = oracle_of(loss).link(z)
    assert_close(predict(model, X, loss), expected, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("units", [(4, 3), (4, 12, 3), (4, 40, 20, 12)])
def test_blocks_of_rows_equal_one_block(units, is_sparse, dtype):
    loss = LOSSES["multinomial"]
    X, _, _ = draw(loss, 23, 4, 3, weighted=False)
    X[np.abs(X) < 0.3] = 0
    rows = sparse.csr_array(X) if is_sparse else X
    model = Model(units, dtype, sparse=is_sparse)
    whole = predict(model, rows, loss)
    for block in (1, 2, 7, 22, 23, 100):
        assert_close(predict(model, rows, loss, block=block), whole, TOLERANCE[dtype])
    assert_close(predict(Model(units, dtype), X, loss), whole, TOLERANCE[dtype])


def test_no_rows():
    X = np.empty((0, 4))
    assert predict(Model((4, 5, 2)), X, LOSSES["binary"], block=3).shape == (0, 2)
