"""The documentation that the two estimators share, written once."""

from textwrap import indent

from skgd.losses import REGRESSION_LOSSES

__all__ = ["documented"]

_PARAMETERS = """\
hidden_layer_sizes : array-like of shape (n_hidden,), default=(256, 256, 256)
    The number of units of each hidden layer.

activation : str, Activation or list of these, default='silu'
    The activation of the hidden layers, as in :class:`MLPClassifier`.

numeric_embedding : str, NumericEmbedding or None, default='piecewise_linear'
    Functions of each number that the network reads in addition to its scaled value.
    'piecewise_linear' is the position among up to 48 quantiles of the column [1]_;
    'periodic' is combinations of cosines. An object is an instance of a class in
    :mod:`skgd.embeddings`. None is faster, and better if targets are smooth functions of
    all numbers.

categorical_features : {'from_dtype'}, array-like or None, default='from_dtype'
    The columns that hold categories: names, indices, or a boolean for each column.
    'from_dtype' takes the columns whose type says so, such as strings, booleans and pandas'
    'category'. None takes no column.

max_one_hot : int, default=8
    Categories with up to this many values are one-hot encoded. Each value of other
    categories has a learned vector of 8 numbers.

n_members : int, default=5
    The number of networks. Each holds out another fold of the rows; if there are more
    members than folds, members share folds.

refit : bool, default=False
    Whether members are trained again on all rows, for the number of epochs that is best on
    average.

max_iter : int, default=40
    The number of epochs of each member. By default, the learning rate is then zero.

max_time : float, default=None
    The time limit of the fit in seconds, without compilation. A short trial measures the
    pace. ``fit`` then plans fewer epochs or members, or more members; see ``plan_``.

batch_size : int, default=128
    The number of rows in a mini-batch. Rows that do not fill the last mini-batch of an
    epoch are left out of this epoch.

solver : str or Solver, default='adam'
    The update rule, as in :class:`MLPClassifier`, except 'lbfgs'.

learning_rate : str, Schedule or callable, default='coslog'
    The schedule, as in :class:`MLPClassifier`.

learning_rate_init : float, default=0.002
    The learning rate that the factors of the schedule multiply. The weights of bins and the
    vectors of categories have 0.3 times this rate.

dropout : float or Scheduled, default=0.15
    The part of the hidden units that is dropped in training, in [0, 1).

weight_decay : float or Scheduled, default=0.1
    Decoupled weight decay: each update reduces a weight by the learning rate times this
    part of it.\
"""

_CHOICE = """\
validation_fraction : float, default=0.2
    The part of the rows that a member holds out, at most 0.5. It is rounded to 1 divided by
    the number of folds.

scoring : str or callable, default=None
    The score by which the best epoch is chosen: a scorer of scikit-learn. None and 'loss'
    are the negative loss. Of equally good epochs, the last is taken.\
"""

_OTHERS = """\
n_iter_no_change : int or inf, default=inf
    The number of epochs without a better score after which a member stops.

verbose : bool, default=False
    Whether to print a line for each epoch, with the time that is left.

random_state : int, RandomState instance or None, default=None
    The source of random numbers for the folds, the initial weights, the order of the rows
    and ``dropout``.

n_jobs : int, default=None
    The number of members that train at the same time, and of threads in predictions. None
    and -1 are all cores that joblib's context allows. The result does not depend on it.\
"""

_ATTRIBUTES = """\
members_ : list of dict
    For each member its 'parameters', a flat array, and the 'best_epoch'.

n_iter_, best_epoch_ : ndarray of shape (n_members,)
    The number of epochs of each member, and the epoch whose parameters are used in
    predictions.

loss_curves_, validation_loss_curves_ : list of list of float
    The mean loss of each epoch of each member, in training and of the rows held out.

oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    For each row of ``X``, the mean prediction of the members that have held it out; NaN if
    there is no such member. Classifiers have probabilities here.

plan_ : dict
    The planned 'n_members' and 'max_iter'. A fit with these parameters and without
    ``max_time`` has the same result, unless ``stop_reason_`` is 'max_time'.

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
