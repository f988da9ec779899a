r"""
Finding a learning rate in one pass
===================================

``learning_rate_range`` trains for 200 mini-batches, at rates that grow with each of them,
and proposes a ``learning_rate_init``. This example compares the training at the proposal
with that at a tenth and at ten times the proposal.
"""

# %%
# The range test, and the training at three rates
# -----------------------------------------------
#
# The left panel has the range test. At small rates, the loss hardly changes. It falls while
# the rate is right, and rises as soon as the rate is too high. The proposal is the
# geometric mean of two rates: that of the steepest fall, and that of the lowest loss. The
# two solvers need very different rates.
#
# The right panel has the training loss at three rates. At a tenth of the proposal, the
# network learns slowly. Ten times the proposal is worse, too: the loss jumps, or stays as
# high as that of a guess.

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skgd import MinMaxScaler, MLPClassifier
from skgd.model_selection import learning_rate_range

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
n_epochs = 30
fig, axes = plt.subplots(2, 2, figsize=(11, 7.6), layout="constrained")
for (left, right), solver in zip(axes, ("adam", "momentum"), strict=True):
    network = MLPClassifier(
        (64,),
        solver=solver,
        batch_size=64,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
        random_state=0,
    )
    model = make_pipeline(MinMaxScaler(), network)
    found = learning_rate_range(model, X, y).plot(left)
    left.set_title(f"{solver}: range test, {len(found.losses)} mini-batches")
    for factor in (0.1, 1, 10):
        rate = factor * found.learning_rate_init
        model.set_params(mlpclassifier__learning_rate_init=rate).fit(X, y)
        right.plot(
            range(1, n_epochs + 1),
            model[-1].loss_curve_,
            label=f"{factor:g} × proposal: {rate:.2g}",
        )
    right.set(yscale="log", xlabel="epoch", ylabel="training loss")
    right.set_title(f"{solver}: training")
    right.grid(alpha=0.3)
    right.legend()
fig.suptitle("Handwritten digits, 64 hidden units, mini-batches of 64 rows")
plt.show()
