"""Files that do not fit into memory, by the recipe of docs/distributed.md."""

import subprocess
import sys

import pytest

pytest.importorskip("pyarrow")
resource = pytest.importorskip("resource", reason="limits are those of Unix")

RECIPE = """
import resource
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from skgd import MLPRegressor, ZScoreScaler

path, allowed = sys.argv[1], int(sys.argv[2])
features = [f"x{i}" for i in range(16)]


def row_groups(file):
    for i in range(file.num_row_groups):
        table = file.read_row_group(i).to_pandas()
        yield table[features].to_numpy(), table["y"].to_numpy()


# Compile, and let Arrow start its threads, before memory is limited.
rng = np.random.RandomState(0)
small = rng.normal(size=(300, 16)).astype(np.float32)
ZScoreScaler().fit_transform(small)
given = {"X_val": small, "y_val": small[:, 0]}
MLPRegressor(hidden_layer_sizes=8).partial_fit(small, small[:, 0], **given)
file = pq.ParquetFile(path)
X_val, y_val = (array[:2000].copy() for array in next(row_groups(file)))
lines = Path("/proc/self/status").read_text().splitlines()
used = next(int(line.split()[1]) * 1024 for line in lines if "VmData" in line)
resource.setrlimit(resource.RLIMIT_DATA, (used + allowed, used + allowed))

scaler = ZScoreScaler()
for X, _ in row_groups(file):
    scaler.partial_fit(X)
X_val = scaler.transform(X_val)
network = MLPRegressor(hidden_layer_sizes=8, learning_rate_init=0.01)
best, waited = -np.inf, 0
for epoch in range(2):
    for i, (X, y) in enumerate(row_groups(file)):
        if i:
            network.partial_fit(scaler.transform(X), y, X_val=X_val, y_val=y_val)
    score = network.validation_scores_[-1]
    waited = 0 if score > best + 1e-3 else waited + 1
    best = max(best, score)
    if waited > 1:
        break
network.coefs_, network.intercepts_ = network.best_coefs_, network.best_intercepts_
print(network.score(X_val, y_val))
try:
    np.empty(Path(path).stat().st_size, dtype=np.uint8)
except MemoryError:
    print("no room")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_of_four_times_the_memory(tmp_path):
    """The process may take 24 MB more; the rows are 96 MB."""
    write = """
import sys
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

rng = np.random.RandomState(0)
coef = rng.normal(size=16)
writer = None
for _ in range(75):
    X = rng.normal(size=(20_000, 16)).astype(np.float32)
    columns = {f"x{i}": X[:, i] for i in range(16)} | {"y": (X @ coef).astype(np.float32)}
    table = pa.table(columns)
    writer = writer or pq.ParquetWriter(sys.argv[1], table.schema)
    writer.write_table(table)
writer.close()
"""
    path, allowed = tmp_path / "rows.parquet", 24_000_000
    subprocess.run([sys.executable, "-c", write, path], check=True)
    assert path.stat().st_size > 4 * allowed
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", RECIPE, path, str(allowed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    score, room = found.stdout.splitlines()
    assert float(score) > 0.99
    assert room == "no room"
