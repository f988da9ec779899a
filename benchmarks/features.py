"""What each feature of the training costs, and all of them compared with PyTorch and JAX.

    python benchmarks/features.py [--rounds 20] [--write]

The features take turns in one process, on two threads in float32. Then libraries take
turns, each in a process of its own. The best counts. ``--write`` puts the tables into
docs/benchmarks/features.md.
"""

from dataclasses import replace

from cases import Case
from epochs import measure_all
from peers import skgd
from report import best_seconds, cell, conditions, options, publish, table

BASE = Case(20000, 50, (256, 128), 5, 256)
FEATURES = {
    "dropout": 0.2,
    "label_smoothing": 0.1,
    "ema_decay": 0.999,
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
}
ACTIVATIONS = ["gelu", "silu", "mish"]
TOGETHER = tuple(item for item in FEATURES.items() if item[0] != "label_smoothing")
LIBRARIES = ["skgd", "PyTorch", "JAX"]
EPOCHS = 4


def table_of(title, cases, base, rounds):
    """Write milliseconds an epoch, and the ratios to one of the cases."""
    trainings = {name: skgd(case, n_jobs=2) for name, case in cases.items()}
    for train in trainings.values():
        train(1)
    best = best_seconds([lambda t=t: t(EPOCHS) for t in trainings.values()], rounds)
    times = dict(zip(cases, best, strict=True))
    rows = [
        [name, cell(time / EPOCHS * 1e3), f"{time / times[base]:.2f}"]
        for name, time in times.items()
    ]
    return table([title, "ms an epoch", f"ratio to {base}"], rows)


def main():
    arguments = options(__doc__, rounds=20)
    by_feature = {"none": BASE} | {
        f"`{name}={value}`": replace(BASE, features=((name, value),))
        for name, value in FEATURES.items()
    }
    by_activation = {
        f"`{name}`": replace(BASE, activation=name) for name in ["tanh", *ACTIVATIONS]
    }
    features = table_of("feature", by_feature, "none", arguments.rounds)
    activations = table_of("activation", by_activation, "`tanh`", arguments.rounds)
    together = [
        replace(BASE, hidden=hidden, activation="gelu", features=TOGETHER)
        for hidden in (BASE.hidden, (64,))
    ]
    best = measure_all(together, max(1, arguments.rounds // 7), LIBRARIES)
    rows = []
    for case, ours, *others in zip(together, *best.values(), strict=True):
        ratios = [None if time is None else time / ours for time in others]
        cells = [*map(cell, (ours, *others)), *(cell(r, "{:.2f}") for r in ratios)]
        rows.append([str(case.hidden), *cells])
    names = ", ".join(f"`{name}={value}`" for name, value in TOGETHER)
    header = ["hidden", *LIBRARIES, *(f"{name} / skgd" for name in LIBRARIES[1:])]
    text = (
        f"# Features\n\nEpochs of {BASE.n_samples} rows with {BASE.n_features} features, "
        f"{BASE.n_outputs} classes, mini-batches of {BASE.batch_size} and hidden layers of "
        f"{BASE.hidden} units, in float32 with Adam. {conditions()} The cases take turns; "
        "the best counts.\n\n"
        f"Each feature alone, with ReLU, on two threads:\n\n{features}\n\n"
        f"Activations that are not ReLU, on two threads:\n\n{activations}\n\n"
        f"Together, in milliseconds an epoch: GELU, {names}. PyTorch runs eagerly with its "
        "fused AdamW; JAX runs an epoch as one compiled scan. Each may use both cores.\n\n"
        f"{table(header, rows)}\n"
    )
    publish("features", text, arguments.write)


if __name__ == "__main__":
    main()
