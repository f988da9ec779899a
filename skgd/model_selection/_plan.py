"""The plan of a search: its candidates, and the epochs of its rungs."""

from inspect import signature
from math import ceil

from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from skgd._caller import warn
from skgd.model_selection._trainings import steps_of
from skgd.neural_network._base import BaseMLP

__all__ = ["candidates_of", "epochs_of_rungs"]


def epochs_of_rungs(n_candidates, factor, min_epochs, max_epochs):
    """Return the epoch that each rung ends with.

    They grow geometrically up to ``max_epochs``. The last rung has at least one candidate.
    """
    most = few = 0
    while factor ** (most + 1) <= n_candidates:
        most += 1
    if min_epochs == "auto":
        min_epochs = ceil(max_epochs / min(6 * factor, factor**most))
    while few < most and min_epochs * factor**few < max_epochs:
        few += 1
    ratio = max_epochs / min_epochs
    return sorted(
        {max_epochs, *(round(min_epochs * ratio ** (i / few)) for i in range(few))}
    )


def candidates_of(search):
    """Return the candidates, their models, and the epochs of the last rung."""
    if search.n_candidates == "all":
        candidates = list(ParameterGrid(search.param_distributions))
    else:
        n, random_state = search.n_candidates, search.random_state
        sampler = ParameterSampler(search.param_distributions, n, random_state=random_state)
        if len(sampler) < n:
            warn(
                f"n_candidates={n} is more than param_distributions has: all "
                f"{len(sampler)} combinations are candidates. Set n_candidates='all'."
            )
            sampler.n_iter = len(sampler)
        candidates = list(sampler)
    _, network, _ = steps_of(search.estimator)
    _check_network(network)
    network._validate_params()
    default = signature(type(network)).parameters["max_iter"].default
    max_epochs = search.max_epochs
    if max_epochs is None:
        max_epochs = network.max_iter
        default = max_epochs
    models = []
    for candidate in candidates:
        model = clone(search.estimator).set_params(**clone(candidate, safe=False))
        _, network, prefix = steps_of(model)
        _check_network(network)
        if f"{prefix}max_iter" in candidate:
            raise ValueError(
                f"{prefix}max_iter cannot be searched: it is the number of epochs after "
                "which candidates are compared. Leave it out of param_distributions, and "
                "set max_epochs."
            )
        if network.max_iter != default:
            raise ValueError(
                f"max_iter={network.max_iter!r} of {type(network).__name__} must be "
                f"{default!r}, since max_epochs={search.max_epochs!r} replaces it. Set "
                "only max_epochs."
            )
        network.max_iter = max_epochs
        models.append(model)
    if (
        search.factor is not None
        and search.min_epochs != "auto"
        and search.min_epochs > max_epochs
    ):
        raise ValueError(
            f"min_epochs={search.min_epochs} must be at most max_epochs={max_epochs}. "
            "Decrease min_epochs, or increase max_epochs."
        )
    return candidates, models, max_epochs


def _check_network(network):
    """Raise if an estimator cannot pause and continue its training."""
    if not isinstance(network, BaseMLP):
        raise ValueError(
            "estimator must be an MLPClassifier or MLPRegressor of skgd, or a Pipeline "
            f"whose last step is one, got {type(network).__name__}: its training cannot "
            "go on from where it has stopped. Use RandomizedSearchCV of scikit-learn."
        )
    if network.solver == "lbfgs":
        raise ValueError(
            "solver='lbfgs' has no epochs. Leave it out of the search, or use "
            "RandomizedSearchCV of scikit-learn."
        )
