"""The schedules against torch.optim.lr_scheduler, where it has them."""

import numpy as np
import pytest

from skgd.schedules import Cosine, Exponential, OneCycle, Polynomial, StepDecay
from tests.schedules.test_schedules import progress

torch = pytest.importorskip("torch")
schedulers = torch.optim.lr_scheduler

N_UPDATES = 70


def linear_then(optimizer):
    """A warm-up of ten updates before a cosine, which torch begins above zero."""
    warm = schedulers.LinearLR(optimizer, start_factor=1e-9, total_iters=10)
    cosine = schedulers.CosineAnnealingLR(optimizer, N_UPDATES - 10)
    return schedulers.SequentialLR(optimizer, [warm, cosine], [10])


# The last update of torch's one cycle has the last rate; ours comes after it.
PEERS = [
    (StepDecay(7, 0.3), lambda o: schedulers.StepLR(o, 7, 0.3)),
    (Exponential(0.95), lambda o: schedulers.ExponentialLR(o, 0.95)),
    (Polynomial(2.0), lambda o: schedulers.PolynomialLR(o, N_UPDATES, 2.0)),
    (Cosine(), lambda o: schedulers.CosineAnnealingLR(o, N_UPDATES)),
    (Cosine(3, 2), lambda o: schedulers.CosineAnnealingWarmRestarts(o, 10, 2)),
    (
        OneCycle(0.3),
        lambda o: schedulers.OneCycleLR(
            o, 1.0, N_UPDATES + 1, pct_start=(0.3 * N_UPDATES + 1) / (N_UPDATES + 1)
        ),
    ),
    (Cosine(warmup_steps=10), linear_then),
]


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.parametrize(("schedule", "peer"), PEERS, ids=lambda value: repr(value)[:30])
def test_a_trace_follows_torch(schedule, peer):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, expected = peer(optimizer), []
    for _ in range(N_UPDATES):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    found = schedule(progress(np.arange(N_UPDATES), N_UPDATES))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=2e-9)
