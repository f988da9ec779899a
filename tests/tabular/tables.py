"""Small raw tables and small networks for them."""

import numpy as np
import pandas as pd

from skgd import TabularMLPClassifier, TabularMLPRegressor

__all__ = ["CLASSES", "SMALL", "X", "Y", "classifier", "regressor", "same_fit"]

SMALL = {
    "hidden_layer_sizes": (16,),
    "max_iter": 4,
    "n_members": 2,
    "batch_size": 32,
    "random_state": 0,
}


def classifier(**parameters):
    return TabularMLPClassifier(**SMALL | parameters)


def regressor(**parameters):
    return TabularMLPRegressor(**SMALL | parameters)


def _table(n_samples, rng):
    frame = pd.DataFrame(
        {
            "income": rng.lognormal(size=n_samples),
            "age": rng.integers(18, 90, n_samples),
            "city": [f"c{i}" for i in rng.integers(0, 20, n_samples)],
            "color": rng.choice(["red", "green", "blue"], n_samples),
            "owner": rng.random(n_samples) < 0.5,
        }
    )
    frame.loc[::7, "income"] = np.nan
    return frame.astype({"city": object, "color": object})


X = _table(120, np.random.default_rng(0))
Y = np.log(X["income"].fillna(1).to_numpy()) + 2 * (X["color"] == "red").to_numpy()
CLASSES = np.array(["low", "middle", "high"])[np.digitize(Y, [0.0, 1.0])]


def same_fit(a, b):
    """Compare the bits of two fits."""
    assert len(a.members_) == len(b.members_)
    for one, other in zip(a.members_, b.members_, strict=True):
        assert one["best_epoch"] == other["best_epoch"]
        np.testing.assert_array_equal(one["parameters"], other["parameters"])
    assert a.loss_curves_ == b.loss_curves_
    assert a.validation_loss_curves_ == b.validation_loss_curves_
    np.testing.assert_array_equal(a.n_iter_, b.n_iter_)
    np.testing.assert_array_equal(a.oof_prediction_, b.oof_prediction_)
