"""
Half a million rows
===================

A regression on 500,000 rows of 20 numbers, made by a formula. The example compares the
time of an epoch with scikit-learn's, draws the score by the number of rows, and reads rows
from a file that need not fit into memory.
"""

# %%
# The data
# --------
#
# The target is a sum of a product, a square and steps of some features, with noise. The
# rows are float32, since these need half the memory. 20,000 rows are for the test.

import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor as SklearnMLPRegressor
from threadpoolctl import threadpool_limits

from skgd import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (520_000, 20)).astype(np.float32)
y = 2 * X[:, 0] * X[:, 1] + X[:, 2] ** 2 + (np.floor(2 * X[:, 3]) % 2) * X[:, 4]
y += 0.3 * rng.standard_normal(len(y), dtype=np.float32)
X_train, X_test = X[:500_000], X[500_000:]
y_train, y_test = y[:500_000], y[500_000:]
print(f"{len(X_train):,} rows, {X_train.nbytes / 1e6:.0f} MB")

# %%
# The time of an epoch
# --------------------
#
# Both libraries use one thread. The first fit compiles, or loads compiled code from disk.
# It is not measured.

settings = {"hidden_layer_sizes": (64, 64), "batch_size": 500, "random_state": 0}
MLPRegressor(max_iter=1, **settings).fit(X_train[:1000], y_train[:1000])
for estimator in (MLPRegressor, SklearnMLPRegressor):
    started = perf_counter()
    with threadpool_limits(1):
        estimator(max_iter=1, **settings).fit(X_train, y_train)
    name = f"{estimator.__module__.partition('.')[0]}.{estimator.__name__}"
    print(f"{name}: {perf_counter() - started:.1f} s an epoch")

# %%
# More rows, better scores
# ------------------------
#
# Each fit makes 6,000 updates, so all of them take about the same time. With few rows, the
# network goes through the same rows many times and overfits. The noise limits R² to 0.89.

sizes = [5_000, 20_000, 100_000, 500_000]
scores = []
for n in sizes:
    n_epochs = 6_000 * 500 // n
    model = MLPRegressor(
        learning_rate="cosine",
        learning_rate_init=0.005,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
        **settings,
    ).fit(X_train[:n], y_train[:n])
    scores.append([model.score(X_train[:n], y_train[:n]), model.score(X_test, y_test)])
    print(f"{n:>7,} rows, {n_epochs:>3} epochs: R² {scores[-1][1]:.3f} on the test rows")

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.plot(sizes, scores, "o-", label=["training rows", "test rows"])
axis.set(xscale="log", xlabel="training rows", ylabel="R²", title="Scores by rows")
axis.grid(alpha=0.3)
axis.legend()
plt.show()

# %%
# Rows from a file
# ----------------
#
# ``partial_fit`` trains an epoch on the rows that are passed. A memory map reads only these
# from the file. The chunks come in a random order. With ``X_val``, the validation loss is
# recorded after each chunk.

with tempfile.TemporaryDirectory() as folder:
    np.save(Path(folder) / "rows.npy", X_train)
    rows = np.load(Path(folder) / "rows.npy", mmap_mode="r")
    model = MLPRegressor(learning_rate_init=0.002, **settings)
    for _ in range(2):
        for k in rng.permutation(10):
            chunk = slice(50_000 * k, 50_000 * (k + 1))
            model.partial_fit(rows[chunk], y_train[chunk], X_val=X_test, y_val=y_test)
    del rows
print(f"R² {model.score(X_test, y_test):.3f} after {len(model.loss_curve_)} chunks")

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.plot(range(1, 21), model.validation_loss_curve_, "o-")
axis.set(xlabel="chunk of 50,000 rows", ylabel="validation loss", title="Chunks of a file")
axis.set_xticks([5, 10, 15, 20])
axis.grid(alpha=0.3)
plt.show()
