"""The training problems that are measured, and the data that they are measured on."""

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["CASES", "Case", "data"]


@dataclass(frozen=True)
class Case:
    """A network, its data and its solver."""

    n_samples: int
    n_features: int
    hidden: tuple
    n_outputs: int
    batch_size: int
    activation: str = "relu"
    solver: str = "adam"
    batch_normalization: bool = False
    dtype: str = "float32"

    def __str__(self):
        hidden = ", ".join(str(n) for n in self.hidden)
        text = (
            f"{self.n_samples}, {self.n_features}, ({hidden}), {self.n_outputs}, "
            f"{self.batch_size}"
        )
        for name, default in (("activation", "relu"), ("solver", "adam")):
            if getattr(self, name) != default:
                text += f", {getattr(self, name)}"
        return text + (", batch normalization" if self.batch_normalization else "")

    @property
    def units(self):
        """Widths of all layers; two classes have one output."""
        return self.n_features, *self.hidden, 1 if self.n_outputs == 2 else self.n_outputs


_BASE = (
    Case(2000, 10, (32,), 2, 32),
    Case(10000, 20, (100,), 2, 200),
    Case(10000, 20, (100,), 2, 200, activation="tanh"),
    Case(20000, 50, (256, 128), 5, 256),
    Case(20000, 50, (256, 128), 5, 256, batch_normalization=True),
    Case(20000, 50, (128, 128, 128, 128), 5, 256),
    Case(10000, 784, (512, 256), 10, 128),
    Case(20000, 50, (100, 50), 5, 64, solver="momentum"),
    Case(20000, 50, (100, 50), 5, 64, solver="rmsprop"),
    Case(20000, 30, (64, 64), 3, 100, activation="logistic"),
)
CASES = [replace(case, dtype=dtype) for dtype in ("float32", "float64") for case in _BASE]


def data(case):
    """Return features and class labels of a case, the same in every process."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((case.n_samples, case.n_features)).astype(case.dtype)
    scores = X @ rng.standard_normal((case.n_features, case.n_outputs))
    return X, scores.argmax(axis=1)
