"""Large data are cut into parts, which several threads process."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgd import MeanScaler, MinMaxScaler, ZScoreScaler
from skgd.parallel import threads
from skgd.preprocessing import _layout
from skgd.preprocessing._layout import parts

SCALERS = [MinMaxScaler, MeanScaler, ZScoreScaler]

every_scaler = pytest.mark.parametrize("cls", SCALERS)
every_order = pytest.mark.parametrize("order", "CF")


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(_layout, "PART_SIZE", 100)
    monkeypatch.setattr(_layout, "BLOCK_SIZE", 100)


def data(order, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.normal(rng.uniform(-5, 5, 7), size=(131, 7))
    X[rng.uniform(size=X.shape) < 0.05] = np.nan
    X[:, 3] = 2.5
    return np.asarray(X, dtype=dtype, order=order)


@every_order
@pytest.mark.parametrize("shape", [(131, 7), (3, 500), (500, 3), (1, 1), (130, 1)])
def test_parts_cover_the_data(shape, order, small_parts):
    X = np.zeros(shape, order=order)
    for part in parts(X, plain=True):
        X[part] += 1
        assert X[part].flags.forc
    assert_array_equal(X, 1)
    for part in parts(X, plain=False):
        X[part] += 1
    assert_array_equal(X, 2)


@every_order
@every_scaler
def test_the_number_of_threads_changes_no_bit(cls, order, small_parts, monkeypatch):
    X = data(order)
    results = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(threads, "available_threads", lambda n_jobs, n=n_threads: n)
        scaler = cls().fit(X)
        results.append((vars(scaler), scaler.transform(X)))
    for attributes, transformed in results[1:]:
        assert_array_equal(transformed, results[0][1])
        for name, value in results[0][0].items():
            if isinstance(value, np.ndarray):
                assert_array_equal(attributes[name], value)


@every_order
@every_scaler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_give_the_result_of_a_single_part(cls, order, dtype, weighted, monkeypatch):
    if weighted and cls is MinMaxScaler:
        pytest.skip("extremes know no weights")
    X = data(order, dtype)
    fit_params = {}
    if weighted:
        fit_params["sample_weight"] = np.random.default_rng(1).integers(0, 4, len(X))
    whole = cls().fit(X, **fit_params)
    with monkeypatch.context() as context:
        context.setattr(_layout, "PART_SIZE", 100)
        cut = cls().fit(X, **fit_params)
        transformed = whole.transform(X)
        back = whole.inverse_transform(transformed)
    assert_array_equal(whole.transform(X), transformed)
    assert_array_equal(whole.inverse_transform(transformed), back)
    for name in ("data_min_", "data_max_", "mean_", "var_", "scale_", "n_samples_seen_"):
        if hasattr(whole, name):
            assert_allclose(getattr(cut, name), getattr(whole, name), rtol=1e-13)


@every_order
@every_scaler
def test_infinity_in_any_part_is_refused(cls, order, small_parts):
    X = data(order)
    fitted = cls().fit(X)
    X[-1, -1] = np.inf
    for call in (cls().fit, fitted.transform, fitted.inverse_transform):
        with pytest.raises(ValueError, match="infinity"):
            call(X)
