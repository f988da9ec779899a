"""The documentation that the two estimators share, written once."""

import inspect
from textwrap import fill, indent

from skgd.activations import ACTIVATIONS
from skgd.embeddings import EMBEDDINGS
from skgd.initializers import INITIALIZERS
from skgd.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = ["documented"]

_PARAMETERS = """\
hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
    The number of units of each hidden layer.

activation : {activation_names}, Activation or list of these, default='relu'
    The activation of the hidden layers: one for all of them, or a list with one for each.
    An object is an instance of a class in :mod:`skgd.activations`, or of your own subclass.
    ``Parametric("selu")`` mixes an activation with the identity, by a weight that each unit
    learns.

{activations}

solver : {solver_names} or Solver, default='adam'
    How the weights are optimized. An object is an instance of a class in
    :mod:`skgd.solvers`, or of your own subclass.

{solvers}
    - 'lbfgs': A quasi-Newton method on all data at once, for small data.

alpha : float, default=0.0001
    Strength of the L2 penalty on the weights. The objective is the mean loss plus
    ``alpha / 2 * ||weights||² / n``, where n is the number of rows in the mini-batch, or
    the sum of their sample weights. See ``l1_ratio`` for an L1 penalty.

batch_size : int or 'auto', default='auto'
    The number of rows in a mini-batch; 'auto' is ``min(200, n_samples)``. The last
    mini-batch of an epoch may be smaller. With ``batch_normalization``, the rows are spread
    evenly over the same number of mini-batches, and rows of weight zero are left out.

learning_rate : {schedule_names}, Schedule or callable, default='constant'
    The schedule of the learning rate, as a factor of ``learning_rate_init``. It applies to
    every solver but 'lbfgs', which ignores scikit-learn's schedules with a warning and
    refuses the others. An object is an instance of a class in :mod:`skgd.schedules`, or of
    your own subclass. A callable takes ``(update, n_updates)``: an array with the number of
    updates made before each update, and the number of all updates of the fit, None in
    ``partial_fit``. It returns an array of factors.

{schedules}

learning_rate_init : float, default=0.001
    The initial learning rate. 'minibatch' needs a higher one, such as 0.1.

power_t : float, default=0.5
    The exponent of ``learning_rate='invscaling'``.

max_iter : int, default=200
    The maximum number of epochs, or of iterations of 'lbfgs'.

shuffle : bool, default=True
    Whether to shuffle the rows before each epoch.

random_state : int, RandomState instance or None, default=None
    The source of random numbers for the initial weights, the validation set, the order of
    the rows and ``dropout``. An int gives the same model every time.

tol : float, default=1e-4
    Training stops when the loss or, with ``early_stopping``, the validation score has not
    improved by this much for ``n_iter_no_change`` epochs.

verbose : bool or int, default=False
    Whether to print the progress. True prints what scikit-learn does; 2 prints one line per
    epoch, and why training has stopped.

warm_start : bool, default=False
    Whether ``fit`` continues from the weights of the previous fit.

momentum : float, default=0.9
    The part of the velocity that 'momentum' keeps at each update, between 0 and 1.

nesterovs_momentum : bool, default=True
    Whether 'momentum' uses Nesterov's momentum.

early_stopping : bool, default=False
    Whether to hold out ``validation_fraction`` of the data, stop when the score on them no
    longer improves, and keep the best weights. The split is stratified for binary
    classification. ``X_val`` of ``fit`` replaces the held-out rows. 'lbfgs' ignores
    ``early_stopping`` with a warning.

validation_fraction : float or splitter, default=0.1
    The part of the data that ``early_stopping`` holds out, or a splitter such as
    ``GroupShuffleSplit()``. The first split is used, with the ``groups`` of ``fit``.

beta_1, beta_2 : float, default=0.9, 0.999
    Decay of the moments of 'adam' and 'nadam', in [0, 1).

epsilon : float, default=1e-8
    Added to the denominator of 'adam', 'nadam', 'adagrad' and 'rmsprop'.

n_iter_no_change : int, default=10
    Training stops after more than this many epochs without an improvement by ``tol``.

max_fun : int, default=15000
    The maximum number of evaluations of the objective by 'lbfgs'.

rho : float, default=0.9
    Decay of the mean square of 'rmsprop', in [0, 1).

decay_rate : float, default=1.0
    How much ``learning_rate='inverse_time'`` decays per ``decay_steps``.

decay_steps : int, default=1000
    The number of updates in a period of ``learning_rate='inverse_time'``.

staircase : bool, default=True
    Whether ``learning_rate='inverse_time'`` falls once a period; otherwise it falls with
    every update.

batch_normalization : bool, default=False
    Whether the linear outputs of the hidden layers are normalized over the mini-batch,
    scaled and shifted before the activation. Not with 'lbfgs'.

batch_normalization_momentum : float, default=0.9
    The part of the running mean and variance that each mini-batch keeps, in [0, 1). In
    predictions, they replace the mean and variance of the mini-batch; they are folded into
    ``coefs_`` and ``intercepts_``.

batch_normalization_epsilon : float, default=1e-5
    Added to the variance in ``batch_normalization``.

weight_decay : float or Scheduled, default=0.0
    Decoupled weight decay, as in AdamW, with any solver: each update reduces a weight by
    the learning rate times this part of it. ``Scheduled(0.1, "flat_cos")`` changes it
    during training. Not with 'lbfgs'.

max_grad_norm : float, default=None
    The maximum Euclidean norm of the gradient of all parameters, penalty included. A longer
    gradient is scaled down to it. None does not clip. Not with 'lbfgs'.

learning_rate_factors : dict of str to float, default=None
    Factors of the learning rate by the kind of parameters, such as ``{{"bias": 0.1}}``. The
    kinds are 'weights', 'bias', 'scale' (of normalizations), 'embedding' (of bins),
    'activation' and 'periodic'. The default factor is 1, for 'periodic' 0.1. Not with
    'lbfgs'.

ema_decay : float, default=None
    The part of the moving average of the parameters that each update keeps, in [0, 1).
    Predictions and validation use the average; ``partial_fit`` and ``warm_start`` continue
    from the parameters themselves. None does not average. Not with 'lbfgs'.

dropout : float, list of float or Scheduled, default=0.0
    The probability, in [0, 1), that an update drops a hidden unit of a row. A list has one
    probability for the input and one for each hidden layer. ``Scheduled(0.2, "flat_cos")``
    changes it during training. Predictions and validation drop nothing. Not with 'lbfgs'.

scoring : str, callable or None, default=None
    The validation score: the name of a scorer of scikit-learn, a function of ``(estimator,
    X, y)``, 'loss' for minus the validation loss, or None for accuracy or R². Of equally
    good epochs, the last is kept; with None and without ``X_val`` the first, as in
    scikit-learn. Before training, ``fit`` scores the initial network and, if that fails,
    perfect predictions. If both fail, it raises. Not with 'lbfgs'.

layer_normalization : bool, default=False
    Whether the linear outputs of the hidden layers are normalized over the units of each
    row, scaled and shifted before the activation. Not with ``batch_normalization``. It is
    not folded into ``coefs_``: see ``stages_``.

l1_ratio : float, default=0.0
    The share of ``alpha`` that is an L1 penalty, from 0 to 1. The penalty is ``alpha * ((1
    - l1_ratio) / 2 * ||weights||² + l1_ratio * ||weights||₁) / n``. The L1 share is applied
    after the solver's step, and makes small weights exactly 0. Not with 'lbfgs'.

init : {init_names}, Initializer or callable, default='glorot_uniform'
    The initial weights of all layers. 'glorot_uniform' is scikit-learn's, which draws the
    biases, too; with the others, biases start at 0. An object is an instance of a class in
    :mod:`skgd.initializers`. A callable takes ``(shape, rng)``, where ``shape`` is (inputs,
    outputs) and ``rng`` a RandomState, and returns an array.\
"""

_LAST_PARAMETERS = """\
numeric_embedding : {embedding_names}, NumericEmbedding or None, default=None
    Functions of each feature that the network reads in addition to the feature itself. An
    object is an instance of a class in :mod:`skgd.embeddings`. Only for dense ``X``, and
    not with 'lbfgs'.

{embeddings}

n_jobs : int, default=None
    The number of threads, used if the mini-batches are large enough to share; -1 means all
    cores. None takes as many as OpenMP, threadpoolctl and joblib allow. The model does not
    depend on it.\
"""

_ATTRIBUTES = """\
loss_ : float
    The objective at the end of training.

best_loss_ : float or None
    The lowest mean objective of an epoch; None with ``early_stopping``. Not with 'lbfgs'.

loss_curve_ : list of float
    The mean objective of each epoch. Not with 'lbfgs'.

learning_rate_curve_ : list of float or None
    The learning rate of the last update of each epoch. None with 'lbfgs'.

validation_loss_curve_ : list of float or None
    With ``early_stopping`` or ``X_val``, the mean loss of the validation data after each
    epoch, without penalty. NaN for epochs of earlier calls that had no validation data.

validation_scores_ : list of float or None
    The score of the validation data after each epoch, by ``scoring``. Not with 'lbfgs'.

best_validation_score_ : float or None
    The best validation score. With ``early_stopping``, the weights of its epoch are kept.
    Not with 'lbfgs'.

best_epoch_ : int or None
    The epoch with the best validation score, counted from 1 as in
    ``loss_curve_[best_epoch_ - 1]``.

best_coefs_, best_intercepts_, best_stages_ : list of ndarray, and dict
    The weights, the biases and the ``stages_`` of ``best_epoch_``. Only with ``X_val`` and
    without ``early_stopping``: ``coefs_`` and ``intercepts_`` are then those of the last
    epoch.

stop_reason_ : str
    Why training has stopped: 'max_iter', 'no_improvement', 'rate_too_small', 'diverged',
    'interrupted' or 'callback'. Empty if ``partial_fit`` may go on.

t_ : int
    The number of samples that training has seen; each epoch counts them again.

coefs_ : list of ndarray of shape (inputs, outputs)
    The weights of each layer, with batch normalization folded in.

intercepts_ : list of ndarray of shape (outputs,)
    The biases of each layer, with batch normalization folded in.

stages_ : dict of str to list
    The parameters that cannot be folded into ``coefs_`` and ``intercepts_``, by their kind,
    as plain arrays. ``stages_["activation"]`` has for each hidden layer the weights of its
    Parametric activation, of shape (outputs,), or None. ``stages_["scale"]`` and
    ``stages_["bias"]`` have the scales and shifts of ``layer_normalization``.
    ``stages_["edges"]`` has the edges of the bins of each feature, and
    ``stages_["embedding"]`` the weights of these bins, of shape (bins, outputs).
    ``stages_["periodic"]`` has :math:`w_1, b_1, W_2, b_2` of a periodic embedding, with one
    item per feature. Unless ``stages_`` is empty, ``coefs_``, ``intercepts_`` and
    ``stages_`` cannot be set by hand.

n_features_in_ : int
    Number of features seen during fit.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features, if X has names that are all strings.

n_iter_ : int
    The number of epochs of the last fit, or of iterations of 'lbfgs'.

n_layers_ : int
    Number of layers, including input and output.

n_outputs_ : int
    Number of output units.

out_activation_ : str
    The activation of the output: 'logistic', 'softmax', 'identity', 'exp' or 'quantiles'.\
"""

_REFERENCES = """\
.. [1] X. Glorot, Y. Bengio (2010). "Understanding the difficulty of training deep
   feedforward neural networks." AISTATS.

.. [2] D. P. Kingma, J. Ba (2015). "Adam: a method for stochastic optimization." ICLR,
   arXiv:1412.6980.

.. [3] S. Ioffe, C. Szegedy (2015). "Batch normalization: accelerating deep network
   training by reducing internal covariate shift." ICML, arXiv:1502.03167.\
"""


def _names(registry, *others):
    names = ", ".join(map(repr, [*registry, *others]))
    return f"{{{names}}}"


def _list(registry):
    """List the names of a registry, each with the first line of its class."""
    items = []
    for name, plugin in registry.items():
        is_alias = plugin.name != name
        summary = (inspect.getdoc(plugin) or "").partition("\n")[0]
        text = f"The same as {plugin.name!r}, as in scikit-learn." if is_alias else summary
        items.append(fill(f"- {name!r}: {text}", 88, subsequent_indent="  "))
    return indent("\n".join(items), "    ")


def documented(estimator):
    """Fill the placeholders in the docstring of an estimator's class."""
    if estimator.__doc__ is not None:
        plugins = {
            "init_names": _names(INITIALIZERS),
            "activation_names": _names(ACTIVATIONS),
            "activations": _list(ACTIVATIONS),
            "solver_names": _names(SOLVERS, "lbfgs"),
            "solvers": _list(SOLVERS),
            "schedule_names": _names(SCHEDULES),
            "schedules": _list(SCHEDULES),
            "embedding_names": _names(EMBEDDINGS),
            "embeddings": _list(EMBEDDINGS),
        }
        sections = {
            "parameters": _PARAMETERS.format(**plugins),
            "last_parameters": _LAST_PARAMETERS.format(**plugins),
            "attributes": _ATTRIBUTES,
            "references": _REFERENCES,
            "losses": _list(REGRESSION_LOSSES),
            "class_losses": _list(CLASSIFICATION_LOSSES),
        }
        estimator.__doc__ = estimator.__doc__.format(
            **{name: indent(text, "    ").lstrip() for name, text in sections.items()},
            loss_names=_names(REGRESSION_LOSSES),
            class_loss_names=_names(CLASSIFICATION_LOSSES),
        )
    return estimator
