"""Fit, predict and scale with the installed package, and nothing but what it requires."""

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import skgd

if not Path(skgd.__file__).is_relative_to(sys.prefix):
    sys.exit(f"This is not the installed package: {skgd.__file__}")
if version("skgd") != skgd.__version__:
    sys.exit(f"The package is {version('skgd')}, skgd.__version__ {skgd.__version__}.")
if find_spec("pytest") or find_spec("pandas"):
    sys.exit("There is more than skgd requires.")

X = np.random.default_rng(0).normal(5, 3, size=(200, 3))
for scaler in (skgd.MinMaxScaler(), skgd.MeanScaler(), skgd.StandardScaler()):
    scaled = scaler.fit_transform(X)
    if not np.allclose(scaler.inverse_transform(scaled), X):
        sys.exit(f"{scaler} is wrong.")
for model, y in (
    (skgd.MLPRegressor(solver="lbfgs", random_state=0), X[:, 0]),
    (skgd.MLPClassifier(learning_rate_init=0.01, random_state=0), X[:, 0] > 5),
):
    score = model.fit(scaled, y).score(scaled, y)
    if score < 0.95:
        sys.exit(f"{model} has a score of {score}.")
print(f"skgd {skgd.__version__} of {Path(skgd.__file__).parent}")
