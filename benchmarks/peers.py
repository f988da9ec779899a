"""One function a library: prepare a case, return a function that trains some epochs.

Each library is used as its documentation recommends for speed: scikit-learn as it is,
PyTorch eagerly with its fused optimizers, JAX with the whole epoch in one compiled scan.
PyTorch and JAX know these features of a case: dropout, and with Adam weight_decay,
max_grad_norm and ema_decay.
"""

import warnings
from itertools import pairwise

import numpy as np
from cases import data

__all__ = ["PEERS"]

ENDLESS = {"tol": 0.0, "n_iter_no_change": 10**9, "random_state": 0}


def _estimator(module, case, **options):
    warnings.filterwarnings("ignore", message=".*Maximum iterations.*")
    X, y = data(case)
    estimator = module.MLPRegressor if case.is_regression else module.MLPClassifier

    def train(epochs):
        estimator(
            hidden_layer_sizes=case.hidden,
            activation=case.activation,
            batch_size=case.batch_size,
            max_iter=epochs,
            **ENDLESS,
            **options,
        ).fit(X, y)

    return train


def scikit_learn(case):
    """scikit-learn's estimators; they have no RMSProp and no batch normalization."""
    if case.batch_normalization or case.solver == "rmsprop" or case.features:
        return None
    from sklearn import neural_network

    solver = {"momentum": "sgd"}.get(case.solver, case.solver)
    return _estimator(neural_network, case, solver=solver)


def skgd(case, n_jobs=None):
    """This package."""
    import skgd

    return _estimator(
        skgd,
        case,
        solver=case.solver,
        batch_normalization=case.batch_normalization,
        n_jobs=n_jobs,
        **dict(case.features),
    )


def skgd_one_thread(case):
    """This package on one thread."""
    return skgd(case, n_jobs=1)


def pytorch(case):
    """PyTorch, eagerly; its linear layers take no sparse rows."""
    if case.is_sparse:
        return None
    try:
        import torch
    except ImportError:
        return None
    from torch import nn

    X, y = data(case)
    X = torch.from_numpy(X)
    one_output = case.units[-1] == 1
    y = torch.from_numpy(y.astype(case.dtype)[:, None] if one_output else y)
    activation = {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "logistic": nn.Sigmoid,
        "gelu": nn.GELU,
    }[case.activation]
    features = dict(case.features)
    layers = []
    for i, (inputs, outputs) in enumerate(pairwise(case.units)):
        layers.append(nn.Linear(inputs, outputs, dtype=X.dtype))
        if i < len(case.hidden):
            if case.batch_normalization:
                layers.append(nn.BatchNorm1d(outputs, dtype=X.dtype))
            layers.append(activation())
            if "dropout" in features:
                layers.append(nn.Dropout(features["dropout"]))
    model = nn.Sequential(*layers)
    loss = {1: nn.MSELoss, 2: nn.BCEWithLogitsLoss}.get(
        case.n_outputs, nn.CrossEntropyLoss
    )()
    parameters = list(model.parameters())
    decay = features.get("weight_decay", 0.0)
    optimizer = {
        "adam": lambda: (torch.optim.AdamW if decay else torch.optim.Adam)(
            parameters, lr=1e-3, weight_decay=decay, fused=True
        ),
        "momentum": lambda: torch.optim.SGD(
            parameters, lr=1e-3, momentum=0.9, nesterov=True, fused=True
        ),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9),
    }[case.solver]()
    average = None
    if "ema_decay" in features:
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        average = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(features["ema_decay"])
        )

    def train(epochs):
        for _ in range(epochs):
            for rows in torch.randperm(len(X)).split(case.batch_size):
                optimizer.zero_grad()
                loss(model(X[rows]), y[rows]).backward()
                if "max_grad_norm" in features:
                    nn.utils.clip_grad_norm_(parameters, features["max_grad_norm"])
                optimizer.step()
                if average is not None:
                    average.update_parameters(model)

    return train


def jax(case):
    """JAX, an epoch in one compiled scan; its last, smaller mini-batch is left out."""
    if case.is_sparse:
        return None
    try:
        import jax
    except ImportError:
        return None
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", case.dtype == "float64")
    X, y = data(case)
    X, y = jnp.asarray(X), jnp.asarray(y)
    key = jax.random.key(0)
    theta = []
    for inputs, outputs in pairwise(case.units):
        key, drawn = jax.random.split(key)
        bound = (6 / (inputs + outputs)) ** 0.5
        weights = jax.random.uniform(drawn, (inputs, outputs), X.dtype, -bound, bound)
        layer = {"w": weights, "b": jnp.zeros(outputs, X.dtype)}
        if case.batch_normalization:
            layer["gamma"] = jnp.ones(outputs, X.dtype)
        theta.append(layer)
    activation = {
        "relu": jax.nn.relu,
        "tanh": jnp.tanh,
        "logistic": jax.nn.sigmoid,
        "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    }[case.activation]
    features = dict(case.features)

    def objective(theta, X, y, key):
        for i, layer in enumerate(theta):
            X = X @ layer["w"]
            last = i == len(theta) - 1
            if case.batch_normalization and not last:
                X = layer["gamma"] * (X - X.mean(0)) / jnp.sqrt(X.var(0) + 1e-5)
            X = X + layer["b"]
            X = X if last else activation(X)
            if "dropout" in features and not last:
                kept = 1 - features["dropout"]
                key, drawn = jax.random.split(key)
                X = jnp.where(jax.random.bernoulli(drawn, kept, X.shape), X / kept, 0)
        if case.is_regression:
            return jnp.mean((X[:, 0] - y) ** 2) / 2
        if case.n_outputs == 2:
            return jnp.mean(jax.nn.softplus(X[:, 0]) - y * X[:, 0])
        return jnp.mean(
            jax.nn.logsumexp(X, axis=1) - jnp.take_along_axis(X, y[:, None], 1)[:, 0]
        )

    def update(theta, gradient, state, t):
        each = jax.tree.map
        if case.solver == "momentum":
            v = each(lambda v, g: 0.9 * v - 1e-3 * g, state[0], gradient)
            theta = each(lambda p, v, g: p + 0.9 * v - 1e-3 * g, theta, v, gradient)
            return theta, (v, state[1])
        if case.solver == "rmsprop":
            s = each(lambda s, g: 0.9 * s + 0.1 * g * g, state[0], gradient)
            theta = each(
                lambda p, s, g: p - 1e-3 * g / (jnp.sqrt(s) + 1e-8), theta, s, gradient
            )
            return theta, (s, state[1])
        m = each(lambda m, g: 0.9 * m + 0.1 * g, state[0], gradient)
        v = each(lambda v, g: 0.999 * v + 0.001 * g * g, state[1], gradient)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        if "weight_decay" in features:
            shrink = 1 - 1e-3 * features["weight_decay"]
            theta = [{**layer, "w": shrink * layer["w"]} for layer in theta]
        theta = each(
            lambda p, m, v: (p - rate * m / (jnp.sqrt(v) + 1e-8)).astype(p.dtype),
            theta,
            m,
            v,
        )
        return theta, (m, v)

    def step(carry, rows_and_key):
        theta, state, t, average = carry
        rows, key = rows_and_key
        gradient = jax.grad(objective)(theta, X[rows], y[rows], key)
        if "max_grad_norm" in features:
            norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
            factor = jnp.minimum(1, features["max_grad_norm"] / norm)
            gradient = jax.tree.map(lambda g: factor * g, gradient)
        theta, state = update(theta, gradient, state, t + 1)
        if "ema_decay" in features:
            decay = features["ema_decay"]
            average = jax.tree.map(lambda a, p: decay * a + (1 - decay) * p, average, theta)
        return (theta, state, t + 1, average), None

    @jax.jit
    def epoch(carry, key):
        n_batches = case.n_samples // case.batch_size
        order = jax.random.permutation(key, case.n_samples)
        rows = order[: n_batches * case.batch_size].reshape(n_batches, -1)
        return jax.lax.scan(step, carry, (rows, jax.random.split(key, n_batches)))[0]

    zeros = jax.tree.map(jnp.zeros_like, theta)
    carry = [(theta, (zeros, zeros), jnp.zeros((), X.dtype), theta)]

    def train(epochs):
        for i in range(epochs):
            carry[0] = epoch(carry[0], jax.random.key(i))
        jax.block_until_ready(carry[0])

    return train


def products(case):
    """The bare matrix products of an epoch, through BLAS from one compiled loop."""
    if case.is_sparse:
        return None
    import numba

    @numba.njit
    def steps(X, n_steps, activations, deltas, weights, gradients):
        for _ in range(n_steps):
            for i in range(len(weights)):
                np.dot(X if i == 0 else activations[i - 1], weights[i], activations[i])
            for i in range(len(weights) - 1, -1, -1):
                np.dot((X if i == 0 else activations[i - 1]).T, deltas[i], gradients[i])
                if i > 0:
                    np.dot(deltas[i], weights[i].T, deltas[i - 1])

    def zeros(shapes):
        return tuple(np.zeros(shape, case.dtype) for shape in shapes)

    shapes = list(pairwise(case.units))
    rows = [(case.batch_size, outputs) for _, outputs in shapes]
    X = np.ones((case.batch_size, case.n_features), case.dtype)
    arrays = [numba.typed.List(zeros(s)) for s in (rows, rows, shapes, shapes)]
    return lambda epochs: steps(X, case.n_batches * epochs, *arrays)


PEERS = {
    "skgd": skgd,
    "skgd, 1 thread": skgd_one_thread,
    "scikit-learn": scikit_learn,
    "PyTorch": pytorch,
    "JAX": jax,
    "products": products,
}
