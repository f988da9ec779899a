"""Continue the training of the network of an earlier fit."""

import numpy as np

from skgd.neural_network._parameters import Parameters, checksum, intercepts_in, pack

__all__ = ["edges_of", "resume"]


def edges_of(estimator):
    """Return the edges of the bins that the last fit has chosen."""
    return (getattr(estimator, "_normalized", None) or {}).get("edges", [])


def resume(estimator, layout, dtype):
    """Return the parameters from which a warm start or ``partial_fit`` continues.

    Parameters
    ----------
    estimator : BaseMLP
        A fitted estimator.

    layout : Layout
        The layout that the parameters of the estimator ask for.

    dtype : dtype
        The dtype of the network.

    Returns
    -------
    parameters : Parameters

    Raises
    ------
    ValueError
        If the fitted network has another layout.
    """
    if estimator._loss_function().out_activation != estimator.out_activation_:
        raise ValueError(
            "warm_start and partial_fit go on with the network of the previous fit, "
            f"whose out_activation_ is {estimator.out_activation_!r}; "
            f"loss={estimator.loss!r} does not match it. Restore loss, or fit with "
            "warm_start=False."
        )
    kept = getattr(estimator, "_normalized", None)
    stages = getattr(estimator, "stages_", {})
    shapes = [coef.shape for coef in estimator.coefs_]
    flat = np.zeros(layout.n_params)
    expected = Parameters(flat, flat, flat, edges=edges_of(estimator)).stages(layout)
    arrays = [*estimator.coefs_, *estimator.intercepts_]
    if kept is not None:
        arrays = [kept["theta"]]
    if (
        shapes != [weights.shape for weights in layout.views(flat, "weights")]
        or [b.shape for b in estimator.intercepts_]
        != [bias.shape for bias in intercepts_in(layout, flat)]
        or sum(array.size for array in arrays) != layout.n_params
        or _shapes(stages) != _shapes(expected)
    ):
        raise ValueError(
            "warm_start and partial_fit go on with the network of the previous fit, "
            f"whose coefs_ are of shapes {shapes} and intercepts_ of "
            f"{[b.shape for b in estimator.intercepts_]}; hidden_layer_sizes="
            f"{estimator.hidden_layer_sizes}, activation={estimator.activation!r}, "
            f"numeric_embedding={estimator.numeric_embedding!r}, "
            f"batch_normalization={estimator.batch_normalization} and "
            f"layer_normalization={estimator.layer_normalization} do not match it. "
            "Restore them, or fit with warm_start=False."
        )
    if kept is not None:
        published = kept["published"]
        lists = estimator.coefs_, estimator.intercepts_, *stages.values()
        if published not in (None, checksum(*lists)):
            raise ValueError(
                "coefs_ and intercepts_ are not those of the last fit. After one with "
                "batch_normalization=True, layer_normalization=True, ema_decay, a "
                "Parametric activation or a numeric_embedding, warm_start and partial_fit "
                "cannot go on with others: they are computed from parameters that are not "
                "public. Restore those of the last fit, or fit with warm_start=False."
            )
        return Parameters(**kept).copy()
    theta = pack(estimator.coefs_, estimator.intercepts_, dtype)
    return Parameters(theta, running=np.empty(0), center=np.empty(0, dtype=dtype))


def _shapes(stages):
    """Return the shapes of the arrays in ``stages_``."""
    return {
        kind: [a if a is None else a.shape for a in arrays]
        for kind, arrays in stages.items()
    }
