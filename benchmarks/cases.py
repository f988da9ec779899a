"""The training problems that are measured, and the data that they are measured on."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

__all__ = ["CASES", "Case", "data"]


@dataclass(frozen=True)
class Case:
    """A network, its data and its solver.

    One output stands for regression. Rows of a density below 1 are sparse. If ``folder``
    is given, the data are files in it, which are not read into memory. ``features`` are
    pairs of a parameter of skgd and its value.
    """

    n_samples: int
    n_features: int
    hidden: tuple
    n_outputs: int
    batch_size: int
    activation: str = "relu"
    solver: str = "adam"
    batch_normalization: bool = False
    dtype: str = "float32"
    density: float = 1.0
    folder: str | None = None
    features: tuple = ()

    def __str__(self):
        hidden = ", ".join(str(n) for n in self.hidden)
        text = (
            f"{self.n_samples}, {self.n_features}, ({hidden}), {self.n_outputs}, "
            f"{self.batch_size}"
        )
        for name, default in (("activation", "relu"), ("solver", "adam")):
            if getattr(self, name) != default:
                text += f", {getattr(self, name)}"
        for is_so, name in (
            (self.batch_normalization, "batch normalization"),
            (self.is_regression, "regression"),
            (self.is_sparse, f"csr, {self.density:.0%} not zero"),
            *((True, f"{name}={value}") for name, value in self.features),
        ):
            text += f", {name}" if is_so else ""
        return text

    @property
    def is_regression(self):
        return self.n_outputs == 1

    @property
    def is_sparse(self):
        return self.density < 1

    @property
    def units(self):
        """Widths of all layers; two classes have one output."""
        return self.n_features, *self.hidden, 1 if self.n_outputs == 2 else self.n_outputs

    @property
    def n_batches(self):
        return -(-self.n_samples // self.batch_size)


_BASE = (
    Case(2000, 10, (32,), 2, 32),
    Case(10000, 20, (100,), 2, 200),
    Case(10000, 20, (100,), 2, 200, activation="tanh"),
    Case(10000, 20, (100,), 1, 200),
    Case(20000, 50, (256, 128), 5, 256),
    Case(20000, 50, (256, 128), 5, 256, batch_normalization=True),
    Case(20000, 50, (128, 128, 128, 128), 5, 256),
    Case(10000, 784, (512, 256), 10, 128),
    Case(20000, 50, (100, 50), 5, 64, solver="momentum"),
    Case(20000, 50, (100, 50), 5, 64, solver="rmsprop"),
    Case(20000, 30, (64, 64), 3, 100, activation="logistic"),
    Case(5000, 2000, (100,), 2, 200, density=0.01),
)
CASES = [replace(case, dtype=dtype) for dtype in ("float32", "float64") for case in _BASE]


def data(case):
    """Return features and targets of a case, the same in every process."""
    if case.folder is not None:
        return tuple(np.load(f"{case.folder}/{name}.npy", mmap_mode="r") for name in "Xy")
    rng = np.random.default_rng(0)
    if case.is_sparse:
        shape = case.n_samples, case.n_features
        X = sparse.random(*shape, case.density, "csr", case.dtype, random_state=rng)
    else:
        X = rng.standard_normal((case.n_samples, case.n_features)).astype(case.dtype)
    scores = X @ rng.standard_normal((case.n_features, case.n_outputs))
    if case.is_regression:
        return X, (scores[:, 0] / scores.std()).astype(case.dtype)
    return X, scores.argmax(axis=1)
