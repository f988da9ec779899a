"""Networks for tables compared with PyTorch's: python benchmarks/recipes.py [--write].

One line for each table, method and seed is appended to recipes.jsonl in this folder. Lines
that it already has are not measured again. ``--write`` makes the page from all lines.
"""

import argparse
import copy
import json
import subprocess
import sys
import warnings
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from report import conditions, publish, table
from scipy.stats import gmean
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from table_data import tables
from tables import (
    CATEGORIES,
    METRICS,
    NUMBERS,
    Setting,
    predict,
    realmlp,
    score,
    skgd,
)

RESULTS = Path(__file__).with_suffix(".jsonl")
TABLES = ("optdigits", "penbased", "page-blocks0", "Chicago", "Bikeshare")
SIMPLE = {"epochs": 256, "batch_size": 256, "beta_2": 0.95, "dropout": 0.0, "decay": 0.0}
DEFAULT = {"epochs": 40, "batch_size": 128, "beta_2": 0.999, "dropout": 0.15, "decay": 0.1}
UNITS, RATE, HELD_OUT = 256, 0.002, 0.2


def skgd_network(setting, recipe, n_members=1):
    """skgd's network for tables, without an embedding of numbers, categories one-hot."""
    from skgd.solvers import Adam

    return skgd(
        setting,
        n_members=n_members,
        numeric_embedding=None,
        max_one_hot=10**6,
        hidden_layer_sizes=(UNITS,) * 3,
        max_iter=recipe["epochs"],
        batch_size=recipe["batch_size"],
        solver=Adam(beta_2=recipe["beta_2"]),
        learning_rate_init=RATE,
        dropout=recipe["dropout"],
        weight_decay=recipe["decay"],
        validation_fraction=HELD_OUT,
    )


class TorchNetwork(BaseEstimator):
    """The same network in PyTorch: fused Adam, one loop over shuffled rows.

    With ``k`` members they share all weights except for a random scale of the inputs and
    the last layer, as in TabM-mini (Gorishniy et al., 2025).
    """

    def __init__(self, setting, recipe, k=None):
        self.setting, self.recipe, self.k = setting, recipe, k

    def __sklearn_is_fitted__(self):
        return hasattr(self, "network")

    def _network(self, n_features, n_outputs):
        import torch
        from torch import nn
        from torch.nn import functional

        k, dropout = self.k, self.recipe["dropout"]

        class Scale(nn.Module):
            def __init__(self):
                super().__init__()
                signs = torch.randint(2, (k, n_features)) * 2.0 - 1
                self.scale = nn.Parameter(signs)

            def forward(self, x):
                return x[:, None] * self.scale

        class Heads(nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.zeros(k or 1, UNITS, n_outputs))
                self.bias = nn.Parameter(torch.zeros(k or 1, n_outputs))

            def forward(self, x):
                if not k:
                    return functional.linear(x, self.weight[0].T, self.bias[0])
                return torch.einsum("bku,kuo->bko", x, self.weight) + self.bias

        layers = [Scale()] if k else []
        for inputs in (n_features, UNITS, UNITS):
            dense = nn.Linear(inputs, UNITS)
            # As in skgd; PyTorch's own are a third of this variance.
            nn.init.normal_(dense.weight, std=inputs**-0.5)
            layers += [dense, nn.SiLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        return nn.Sequential(*layers, Heads())

    def _loss(self, output, y):
        """The mean loss of the members."""
        from torch.nn import functional

        if self.k:
            output, y = output.flatten(0, 1), y.repeat_interleave(self.k, 0)
        if self.setting.task == "regression":
            return functional.mse_loss(output[:, 0], y)
        return functional.cross_entropy(output, y)

    def _loss_of_mean(self, X, y):
        """The loss of the members' mean prediction."""
        from torch.nn import functional

        found = self._outputs(X)
        if self.setting.task == "regression":
            return float(functional.mse_loss(found[:, 0], y))
        return float(functional.nll_loss(found.clamp_min(1e-12).log(), y))

    def fit(self, X, y):
        import torch

        torch.manual_seed(self.setting.seed)
        is_regression = self.setting.task == "regression"
        self.center, self.spread = (y.mean(), y.std()) if is_regression else (0, 1)
        y = (y - self.center) / self.spread if is_regression else y
        parts = train_test_split(
            np.asarray(X, np.float32),
            np.asarray(y, np.float32 if is_regression else np.int64),
            test_size=HELD_OUT,
            random_state=self.setting.seed,
            stratify=None if is_regression else y,
        )
        X, X_val, y, y_val = map(torch.from_numpy, parts)
        network = self._network(X.shape[1], 1 if is_regression else int(y.max()) + 1)
        self.network = network
        size, epochs = self.recipe["batch_size"], self.recipe["epochs"]
        optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=RATE,
            betas=(0.9, self.recipe["beta_2"]),
            weight_decay=self.recipe["decay"],
            fused=True,
        )
        n_batches = len(X) // size
        best, update = np.inf, 0
        for _ in range(epochs):
            network.train()
            order = torch.randperm(len(X))
            for batch in range(n_batches):
                rows = order[batch * size : (batch + 1) * size]
                progress = update / (epochs * n_batches)
                turns = np.log2(1 + 15 * progress)
                optimizer.param_groups[0]["lr"] = RATE * (1 - np.cos(2 * np.pi * turns)) / 2
                optimizer.zero_grad()
                self._loss(network(X[rows]), y[rows]).backward()
                optimizer.step()
                update += 1
            found = self._loss_of_mean(X_val, y_val)
            if found <= best:
                best, kept = found, copy.deepcopy(network.state_dict())
        network.load_state_dict(kept)
        return self

    def _outputs(self, X):
        import torch

        self.network.eval()
        with torch.no_grad():
            found = self.network(X)
            if self.setting.task != "regression":
                found = found.softmax(-1)
            return found.mean(1) if self.k else found

    def _predicted(self, X):
        import torch

        return self._outputs(torch.from_numpy(np.asarray(X, np.float32))).numpy()

    def predict(self, X):
        return self._predicted(X)[:, 0] * self.spread + self.center

    def predict_proba(self, X):
        found = self._predicted(X).astype(float)
        return found / found.sum(axis=1, keepdims=True)


def torch_network(setting, recipe, k=None):
    """The network in PyTorch behind the encoding that skgd's network has inside."""
    from skgd import RobustClipScaler

    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), RobustClipScaler()
    )
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encode = make_column_transformer(
        (numbers, NUMBERS),
        (one_hot, CATEGORIES),
    )
    return make_pipeline(encode, TorchNetwork(setting, recipe, k))


METHODS = {
    "skgd": lambda setting: skgd_network(setting, SIMPLE),
    "PyTorch": lambda setting: torch_network(setting, SIMPLE),
    "RealMLP_TD_S": lambda setting: realmlp(setting, "RealMLP_TD_S"),
    "one member": lambda setting: skgd_network(setting, DEFAULT),
    "5 members": lambda setting: skgd_network(setting, DEFAULT, 5),
    "TabM-mini, 5": lambda setting: torch_network(setting, DEFAULT, 5),
    "TabM-mini, 16": lambda setting: torch_network(setting, DEFAULT, 16),
}
SPEED, SHARED = list(METHODS)[:3], list(METHODS)[3:]
SEEDS = {**dict.fromkeys(SPEED, range(5)), **dict.fromkeys(SHARED, range(2))}
# The first fit of these compiles.
COMPILED = ("skgd", "one member", "5 members")


def measure(name, method, seed):
    """Fit in this process; return the line of the results."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    X, y = tables[name].load()
    train, test = tables[name].rows(y, 0)
    setting = Setting(tables[name].task, seed, 1)
    model = METHODS[method](setting)
    if method in COMPILED:
        METHODS[method](setting).set_params(max_iter=2).fit(X.iloc[train], y[train])
    before = process_time()
    model.fit(X.iloc[train], y[train])
    seconds = process_time() - before
    found = float(score(setting.task, y[test], predict(setting.task, model, X.iloc[test])))
    names = {"table": name, "method": method, "seed": seed}
    return {**names, "score": round(found, 6), "cpu_seconds": round(seconds, 3)}


def read():
    """Return the scores and seconds by table and method, a row for each seed."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    found = {}
    for line in map(json.loads, text.splitlines()):
        seeds = found.setdefault((line["table"], line["method"]), {})
        seeds[line["seed"]] = line["score"], line["cpu_seconds"]
    return found


def compare(found, methods):
    """Return a Markdown table of scores and seconds."""
    rows = []
    for name in TABLES:
        cells = [f"{name}, {METRICS[tables[name].task]}"]
        for method in methods:
            scores, seconds = np.array(list(found[name, method].values())).T
            cells += [
                f"{scores.mean():.4f} ± {scores.std():.4f}",
                f"{np.median(seconds):.1f}",
            ]
        rows.append(cells)
    return table(["table", *(h for method in methods for h in (method, "s"))], rows)


def ratio(found, method, reference):
    """Return the geometric mean of the ratios of times."""

    def seconds(name, method):
        return np.median([seconds for _, seconds in found[name, method].values()])

    return gmean([seconds(name, method) / seconds(name, reference) for name in TABLES])


def page(found):
    """Return the page of all lines."""
    torch_ratio = ratio(found, "PyTorch", "skgd")
    realmlp_ratio = ratio(found, "RealMLP_TD_S", "skgd")
    return f"""# Networks for tables in PyTorch

Five of the tables on which the defaults were chosen; see [Tables](tables.md). Scores are
means and standard deviations over seeds, on the first test split. A log loss is better if
it is lower, an AUC or R² if it is higher. Seconds are the processor's time for a fit with
one thread, without compilation: the median over the seeds. {conditions()}

## One network

Five seeds. `skgd` has three layers of 256 units with SiLU, 256 epochs of mini-batches of
256 rows, and Adam with `beta_2=0.95`. Categories are one-hot, and numbers have no
embedding. `PyTorch` is the same network in a plain loop, with fused Adam and without a
`DataLoader`. As a geometric mean, it takes {torch_ratio:.1f} times as long as skgd.
`RealMLP_TD_S` is the network of pytabkit with its defaults, except that classifiers choose
the epoch by the log loss, without label smoothing. It takes
{realmlp_ratio:.1f} times as long.

{compare(found, SPEED)}

## Members that share weights

Two seeds. The members of skgd are independent networks, each with its own fold. In
TabM-mini (Gorishniy et al., 2025), 5 or 16 members share all weights except for a scale of
the inputs and the last layer, and hold out the same rows. Here it is a loop in PyTorch. All
have the defaults of skgd's estimators for tables, except that categories are
one-hot and numbers have no embedding.

{compare(found, SHARED)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument(
        "--write", action="store_true", help="write the page, measure nothing"
    )
    given = parser.parse_args()
    if given.one:
        name, method, seed = given.one
        print(json.dumps(measure(name, method, int(seed))))
        return
    if given.write:
        publish("recipes", page(read()), True)
        return
    known = read()
    for seed, method, name in product(range(5), METHODS, TABLES):
        if seed in known.get((name, method), {}) or seed not in SEEDS[method]:
            continue
        # A process of its own, so that none has the memory or the threads of another.
        command = [sys.executable, __file__, "--one", name, method, str(seed)]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        line = out.splitlines()[-1]
        print(line, flush=True)
        with RESULTS.open("a") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    main()
