"""Compile all kernels ahead of time."""

import os
import warnings
from collections import Counter
from time import perf_counter

import numpy as np
from joblib import Parallel, cpu_count, delayed
from scipy.sparse import csr_array

from skgd.activations import ACTIVATIONS, Parametric
from skgd.compile.announce import tell
from skgd.compile.jit import import_numba
from skgd.embeddings import EMBEDDINGS
from skgd.losses import CLASSIFICATION_LOSSES, LINKS, REGRESSION_LOSSES, Quantiles
from skgd.neural_network import MLPClassifier, MLPRegressor
from skgd.neural_network._data import Data
from skgd.neural_network._orders import WORTH_COMPILING, draw_orders
from skgd.neural_network._prediction import evaluate
from skgd.preprocessing import MeanScaler, MinMaxScaler, ZScoreScaler
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = ["compile_all", "warm_up"]

DTYPES = ("float32", "float64")
SMALL: dict = {"hidden_layer_sizes": (2,), "max_iter": 1}


def _rows(dtype):
    return np.arange(12, dtype=dtype).reshape(6, 2) / 12


def _training(dtype):
    X = _rows(dtype)
    MLPRegressor(**SMALL).fit(X, X[:, 0])


def _lbfgs(dtype):
    X = _rows(dtype)
    MLPRegressor(solver="lbfgs", **SMALL).fit(X, X[:, 0])


def _predictions(dtype):
    X = _rows(dtype)
    layer = [np.ones((2, 1), dtype)], [np.zeros(1, dtype)]
    evaluate(Data(X, X[:, :1].copy()), *layer, [], LINKS["identity"](), n_jobs=1)


def _scalers(dtype):
    for scaler in (MinMaxScaler(), MeanScaler(), ZScoreScaler()):
        for convert in (np.ascontiguousarray, np.asfortranarray):
            X = convert(_rows(dtype))
            scaler.inverse_transform(scaler.fit_transform(X))


def _networks(dtype):
    """Fit networks that together use every plug-in."""
    X = _rows(dtype)
    draw_orders(np.random.RandomState(0), np.arange(WORTH_COMPILING), n_epochs=1)
    settings: list[dict] = [
        *({"activation": name} for name in ACTIVATIONS),
        *({"activation": Parametric(name)} for name in ACTIVATIONS),
        *({"solver": name} for name in [*SOLVERS, "lbfgs"]),
        *({"learning_rate": name} for name in SCHEDULES),
        *({"loss": loss} for loss in [*REGRESSION_LOSSES, Quantiles()]),
        {"batch_normalization": True},
        {"layer_normalization": True},
        {"weight_decay": 0.1},
        {"max_grad_norm": 1.0},
        {"ema_decay": 0.9},
        {"dropout": 0.1},
        *({"numeric_embedding": name} for name in EMBEDDINGS),
        {"l1_ratio": 0.5},
    ]
    for options in settings:
        # Some losses need positive targets.
        MLPRegressor(**options, **SMALL).fit(X, X[:, 0] + 1).predict(X)
    MLPRegressor(**SMALL).fit(csr_array(X), X[:, 0])
    # Two classes, three classes, and several labels.
    rows = np.arange(6)
    for y in (rows % 2, rows % 3, np.eye(3, dtype=int)[rows % 3]):
        for loss in CLASSIFICATION_LOSSES:
            MLPClassifier(loss=loss, **SMALL).fit(X, y).predict(X)


# The slowest parts come first. The networks use what the other parts compile.
PARTS = {
    "training": _training,
    "L-BFGS": _lbfgs,
    "predictions": _predictions,
    "scalers": _scalers,
    "all networks": _networks,
}


def _compile(part, dtype):
    """Compile one part; return it, dtype, process, counts of kernels and seconds."""
    from skgd.compile.cache import counts

    before, start = counts.copy(), perf_counter()
    with warnings.catch_warnings():
        # A single epoch does not converge, and a schedule has no effect in it.
        warnings.simplefilter("ignore", UserWarning)
        PARTS[part](dtype)
    return part, dtype, os.getpid(), counts - before, perf_counter() - start


def compile_all(dtypes: list[str], verbose: bool) -> Counter[str]:
    """Compile in several processes, then load the kernels in this one.

    Parameters
    ----------
    dtypes : list of str
        The dtypes of the data.

    verbose : bool
        Whether to print the progress.

    Returns
    -------
    Counter
        The kernels "compiled", "written" and "found", by all processes.
    """
    from skgd.compile.cache import cache_directory, counts, is_on

    before = counts.copy()
    others: Counter[str] = Counter()
    # L-BFGS computes in float64 for data of any dtype.
    jobs = [
        (part, dtype)
        for part in PARTS
        for dtype in (dtypes[-1:] if part == "L-BFGS" else dtypes)
    ]
    if is_on() and cache_directory() is not None:
        # Numba compiles one kernel at a time in each process.
        pool = Parallel(n_jobs=min(cpu_count(), len(jobs)), return_as="generator")
        results = pool(delayed(_compile)(*job) for job in jobs)
        for number, (part, dtype, process, done, seconds) in enumerate(results, start=1):
            tell(f"{number}/{len(jobs)} {part}, {dtype}: {seconds:.1f} s", verbose)
            if process != os.getpid():
                others += done
    # This process loads the kernels, or compiles them if they cannot be kept on disk.
    for job in jobs:
        _compile(*job)
    return counts - before + others


def warm_up(dtypes=DTYPES, *, verbose: bool = True) -> None:
    """Compile everything that fits, predictions and scalers need, ahead of time.

    The compiled kernels are kept on disk, once per installation, and later processes load
    them. All cores are used. ``python -m skgd.precompile`` does the same from the command
    line.

    Parameters
    ----------
    dtypes : {'float32', 'float64'} or sequence of them, default=('float32', 'float64')
        The dtypes of the data to compile for.

    verbose : bool, default=True
        Whether to print the progress, which is also logged by the logger ``skgd``.

    Raises
    ------
    ValueError
        If ``dtypes`` has any other value, or is empty.

    Notes
    -----
    If nothing can be kept on disk, only this process has the compiled kernels.

    Examples
    --------
    >>> import skgd
    >>> skgd.warm_up("float64", verbose=False)
    """
    chosen = [dtypes] if isinstance(dtypes, str | type | np.dtype) else list(dtypes)
    try:
        # NumPy takes None for float64.
        names = {np.dtype(dtype or "O").name for dtype in chosen}
    except TypeError:
        names = set()
    if not names or not names <= set(DTYPES):
        raise ValueError(
            f"dtypes must be 'float32', 'float64' or a sequence of them, got {dtypes!r}."
        )
    if not import_numba().config.DISABLE_JIT:
        compile_all(sorted(names), bool(verbose))
