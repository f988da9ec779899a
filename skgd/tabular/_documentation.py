"""The documentation that the two estimators share, written once."""

from textwrap import indent

from skgd.losses import REGRESSION_LOSSES

__all__ = ["documented"]

_PARAMETERS = """\
hidden_layer_sizes : array-like of shape (n_hidden,), default=(256, 256, 256)
    The units of each hidden layer.

activation : str, Activation or list of these, default='silu'
    That of the hidden layers, as in :class:`MLPClassifier`.

numeric_embedding : str, NumericEmbedding or None, default='piecewise_linear'
    What the first layer reads of a number beside its scaled value: where it lies among up
    to 48 quantiles of its column [1]_, or with 'periodic' combinations of cosines. An
    object is of a class of :mod:`skgd.embeddings`. None is faster, and better where all is
    smooth.

categorical_features : {'from_dtype'}, array-like or None, default='from_dtype'
    Which columns hold categories: names, indices, a boolean for each column, or those whose
    type says so, such as strings, booleans and pandas' 'category'.

max_one_hot : int, default=8
    Categories of up to so many values have weights for each value in the first layer, those
    of more a learnt vector of 8 numbers.

n_members : int, default=5
    The networks. Each holds out another part of the rows, as long as there are such.

refit : bool, default=False
    Whether members are trained anew on all rows, for the epochs that are best on average.

max_iter : int, default=40
    The epochs of each member, after which the learning rate is zero.

max_time : float, default=None
    Seconds for the fit, apart from compilation. From what a short trial takes, fewer epochs
    or members are planned, or more members; ``plan_`` says how many.

batch_size : int, default=128
    The rows of a mini-batch. What is left of an epoch waits for the next one.

solver : str or Solver, default='adam'
    The update rule, as in :class:`MLPClassifier`, but 'lbfgs'.

learning_rate : str, Schedule or callable, default='coslog'
    The schedule, as in :class:`MLPClassifier`.

learning_rate_init : float, default=0.002
    What the schedule is a factor of. The weights of bins have 0.3 times as much.

dropout : float or Scheduled, default=0.15
    The part of the hidden units that is dropped in training, in [0, 1).

weight_decay : float or Scheduled, default=0.1
    Each update takes the learning rate times this away from the weights.\
"""

_CHOICE = """\
validation_fraction : float, default=0.2
    The part of the rows that a member holds out, at most 0.5; it is rounded to one over
    the number of folds.

scoring : str or callable, default=None
    What the best epoch has most of: a scorer of scikit-learn. None and 'loss' are the
    loss, negative. The last of equal epochs is taken.\
"""

_OTHERS = """\
n_iter_no_change : int or inf, default=inf
    Epochs without a better score after which a member stops.

verbose : bool, default=False
    Whether to print a line an epoch, with the time that is left.

random_state : int, RandomState instance or None, default=None
    Draws folds, weights, the order of the rows and what is dropped.

n_jobs : int, default=None
    Members that train at the same time, and threads of predictions. None and -1 are all
    cores that joblib's context allows. It does not change the result.\
"""

_ATTRIBUTES = """\
members_ : list of dict
    For each member its 'parameters', a flat array, and the 'best_epoch'.

n_iter_, best_epoch_ : ndarray of shape (n_members,)
    The epochs of each member, and the one whose parameters predict.

loss_curves_, validation_loss_curves_ : list of list of float
    The mean loss of each epoch of each member, in training and of the rows held out.

oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    What members that have held a row out predict for it; NaN where there are none.
    Probabilities of classes.

plan_ : dict
    'n_members' and 'max_iter', as planned. With them and without ``max_time``, a fit has
    the same result, unless ``stop_reason_`` is 'max_time'.

stop_reason_ : str
    Why training ended: 'interrupted' or 'max_time' if that stopped a member, otherwise what
    ended most of them: 'max_iter', 'no_improvement', 'rate_too_small' or 'diverged'.

n_features_in_ : int
    Number of features seen during fit.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features, if X has names that are all strings.

n_outputs_ : int
    Number of output units.

out_activation_ : str
    The activation of the output.\
"""

_REFERENCES = """\
.. [1] Y. Gorishniy, I. Rubachev, A. Babenko (2022). "On embeddings for numerical features
   in tabular deep learning." NeurIPS, arXiv:2203.05556.

.. [2] D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong
   pre-tuned MLPs and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.\
"""


def documented(estimator):
    """Fill the placeholders in the docstring of an estimator's class."""
    if estimator.__doc__ is not None:
        sections = {
            "parameters": _PARAMETERS,
            "choice": _CHOICE,
            "others": _OTHERS,
            "attributes": _ATTRIBUTES,
            "references": _REFERENCES,
        }
        estimator.__doc__ = estimator.__doc__.format(
            **{name: indent(text, "    ").lstrip() for name, text in sections.items()},
            loss_names=f"{{{', '.join(map(repr, REGRESSION_LOSSES))}}}",
        )
    return estimator
