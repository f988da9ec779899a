import numpy as np
import pytest

from skgd.kernels.batch_norm import effective_rows, update_running
from skgd.neural_network._parameters import Parameters, pack
from skgd.stages import BatchNorm
from tests.engine.helpers import (
    DTYPES,
    Model,
    assert_close,
    predict,
    train,
    trainer_of,
)
from tests.engine.problems import LOSSES, draw
from tests.oracles import network as oracle
from tests.oracles.losses import oracle_of

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
LOSS = LOSSES["squared_error"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
def test_the_running_statistics_of_100_mini_batches(decay, dtype):
    rng = np.random.default_rng(0)
    seen = rng.uniform(0.5, 1, (100, 3, 7)).astype(dtype)
    running = np.full((2, 7), 3.0)  # wherever they start
    for n_batches, moments in enumerate(seen, start=1):
        # Of as many rows each.
        update_running(moments, (1 - decay) / (1 - decay**n_batches), running)
        parts = decay ** np.arange(n_batches)[::-1]
        expected = np.average(seen[:n_batches, :2].astype(float), 0, weights=parts)
        assert_close(running, expected, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_rows", [1, 2, 7, 200])
def test_effective_rows(n_rows, dtype):
    rng = np.random.default_rng(0)
    for size in (1e-30, 1.0, 1e30):
        equal = np.full(n_rows, size, dtype=dtype)
        assert effective_rows(equal) == pytest.approx(n_rows, rel=1e-6)
        weight = (size * rng.uniform(0, 2, n_rows)).astype(dtype)
        expected = oracle.effective_rows(weight.astype(float))
        assert effective_rows(weight) == pytest.approx(expected, rel=1e-6)
    # Ones are as no weights, bit by bit; and those of weight zero are not there.
    weight = np.ones(n_rows, dtype=dtype)
    assert effective_rows(weight) == n_rows
    assert effective_rows(np.r_[weight[:0], [0, 0], weight].astype(dtype)) == n_rows
    # All but one weigh next to nothing.
    weight[1:] = 1e-10
    assert effective_rows(weight) == pytest.approx(1, rel=1e-6)


def test_a_small_mini_batch_counts_less_in_the_running_statistics():
    """One of 4 rows after one of 40."""
    X, y, _ = draw(LOSS, 40, 4, 2, weighted=False)
    model = Model((4, 6, 2), batch_normalization=True)
    many, kept = trainer_of(model, X, y, LOSS, rate=1e-12)
    list(many.run(np.array([0])))
    before = kept.running.copy()
    few, kept = trainer_of(model, X[:4], y[:4], LOSS, rate=1e-12)
    list(few.run(np.array([0])))
    few_moments = kept.running.copy()
    assert (before[-1], few_moments[-1]) == (40, 4)
    kept.running[:] = before
    list(few.run(np.array([0])))
    assert kept.running[-1] == 0.9 * 40 + 4
    expected = before + 4 / (0.9 * 40 + 4) * (few_moments - before)
    assert_close(kept.running[:-1], expected[:-1], 1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_folded_layer_is_the_normalized_one(dtype):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(2, 5, 5)).astype(dtype)
    gamma, beta, mean = rng.normal(size=(3, 5)).astype(dtype)
    variance = rng.uniform(0.1, 4, 5).astype(dtype)
    running = np.concatenate([mean, variance, [40]], dtype=float)
    folded, bias = BatchNorm(5, 0.9, 1e-3).fold(weights, gamma, beta, running)
    assert folded.dtype == bias.dtype == dtype
    expected = gamma * (X @ weights - mean) / np.sqrt(variance + 1e-3) + beta
    assert_close(X @ folded + bias, expected.astype(float), TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_folded_network_predicts_as_the_oracle_with_running_statistics(dtype):
    X, y, _ = draw(LOSS, 40, 4, 2, weighted=False)
    model = Model((4, 6, 5, 2), dtype, batch_normalization=True)
    *_, last = train(model, X, y, LOSS, n_epochs=3, batch_size=10, rate=0.05, epsilon=1e-3)
    model.theta = last.theta
    running = model.running(last.running)
    z, _ = oracle.forward(
        model.layers(dtype="float64"), X, "tanh", epsilon=1e-3, running=running
    )
    kept = Parameters(last.theta, last.running, np.zeros(4, dtype=dtype))
    coefs, intercepts = kept.plain(model.layout_with(epsilon=1e-3))
    plain = Model((4, 6, 5, 2), dtype)
    plain.theta = pack(coefs, intercepts, dtype)
    assert_close(predict(plain, X, LOSS), z, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_after_one_mini_batch_the_running_statistics_are_its_moments(dtype):
    """Those of the whole data here, so that predictions are those of training."""
    X, y, weight = draw(LOSS, 30, 4, 2, weighted=True)
    model = Model((4, 6, 2), dtype, batch_normalization=True)
    ((one),) = train(model, X, y, LOSS, weight=weight, rate=1e-9)
    mean, variance = oracle.moments(X @ model.layers(dtype="float64")[0]["weights"], weight)
    found, _ = model.running(one.running)
    assert_close(found[0], mean, TOLERANCE[dtype])
    assert_close(found[1], variance, TOLERANCE[dtype])


def test_the_eval_mode_loss_is_close_to_that_of_training():
    X, y, _ = draw(LOSS, 400, 4, 2, weighted=False)
    model = Model((4, 6, 5, 2), batch_normalization=True)
    random_state = np.random.RandomState(0)
    ((one),) = train(model, X, y, LOSS, batch_size=50, rate=1e-3, random_state=random_state)
    z, _ = oracle.forward(
        model.layers(one.theta),
        X,
        "tanh",
        epsilon=1e-5,
        running=model.running(one.running),
    )
    assert oracle_of(LOSS).value(z, y).mean() == pytest.approx(one.loss, rel=0.05)
    # Statistics biased to their start of 0 would be far off after eight mini-batches.
    assert 1 - 0.9**8 < 0.6


def test_a_constant_unit_is_normalized_to_its_shift():
    """Its variance is zero: epsilon is what remains below the root."""
    X, y, _ = draw(LOSS, 20, 4, 2, weighted=False)
    X[:] = X[0]
    model = Model((4, 6, 2), batch_normalization=True)
    *_, one = train(model, X, y, LOSS, rate=0.1, n_epochs=5)
    assert np.isfinite(one.theta).all()
    assert np.isfinite(one.loss)
    np.testing.assert_allclose(model.running(one.running)[0][1], 0, atol=1e-25)
