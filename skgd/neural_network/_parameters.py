"""The parameters of a network: initial, in training, and as the public attributes."""

from dataclasses import dataclass, field, replace
from itertools import zip_longest
from zlib import crc32

import numpy as np

from skgd.activations import Parametric
from skgd.neural_network._initial import drawn_weights
from skgd.stages import (
    Activate,
    BatchNorm,
    Bias,
    Dense,
    LayerNorm,
    ParametricActivate,
    Periodic,
    Scale,
)

__all__ = ["OF_LAYERS", "Parameters", "checksum", "intercepts_in", "pack"]

# The kinds of parameters for which ``stages_`` has an array for each hidden layer.
OF_LAYERS = "scale", "bias", "activation"


def pack(coefs, intercepts, dtype, stages=None):
    """Copy the parameters of plain layers and of other ``stages`` to one flat buffer."""
    stages = stages or {}
    pieces = [a.ravel() for a in stages.get("embedding", ())]
    if "periodic" in stages:
        rows = [a.reshape(len(a), -1) for a in stages["periodic"]]
        pieces.append(np.hstack(rows).ravel())
    others = [stages.get(kind, ()) for kind in OF_LAYERS]
    layers = zip_longest(coefs, intercepts, *others)
    pieces += [a.ravel() for layer in layers for a in layer if a is not None]
    return np.concatenate(pieces, dtype=dtype)


def checksum(*lists):
    """Return a checksum of the bits of all arrays."""
    value = 0
    for array in (array for arrays in lists for array in arrays if array is not None):
        value = crc32(np.ascontiguousarray(array).data, value)
    return value


@dataclass
class Parameters:
    """The numbers that training changes, except the solver's state.

    Attributes
    ----------
    theta : ndarray of shape (n_params,)
        In the order of :mod:`skgd.engine.layout`.

    running : ndarray of shape (n_running,), dtype=float64
        Numbers that stages keep, such as running statistics.

    center : ndarray of shape (n_features,)
        Subtracted from the inputs in training; see :meth:`recenter`.

    published : int or None
        The checksum of the plain network, once it is public.

    average : ndarray of shape (n_params,) or None
        The moving average of ``theta``, if there is one; it is used in predictions. The
        averages of ``running`` then follow the numbers in ``running``.

    n_averaged : int
        The number of updates in the average.

    edges : list of ndarray
        The edges of the bins of each column; empty without bins.
    """

    theta: np.ndarray
    running: np.ndarray
    center: np.ndarray
    published: int | None = None
    average: np.ndarray | None = None
    n_averaged: int = 0
    edges: list = field(default_factory=list)

    @classmethod
    # `fit` later checks for numbers that are too large for the dtype.
    @np.errstate(over="ignore")
    def initial(cls, layout, activations, random_state, dtype, embedding=None, init=None):
        """Draw the weights and, as scikit-learn does, the biases, in its order.

        Parameters
        ----------
        layout : Layout
            The layout of the network.

        activations : list of Activation or Parametric
            One for each layer, including the output. Weights and biases are uniform within
            ± sqrt(gain / (inputs + outputs)), with the gain of the activation.

        random_state : RandomState
            The generator.

        dtype : dtype
            The dtype of the network.

        embedding : NumericEmbedding, default=None
            The embedding of the inputs.

        init : callable, default=None
            Draws the weights instead; biases are then 0.

        Returns
        -------
        parameters : Parameters
        """
        theta = np.zeros(layout.n_params, dtype=dtype)
        all_weights = layout.views(theta, "weights")
        biases = intercepts_in(layout, theta)
        for weights in layout.views(theta, "scale", (LayerNorm, Scale)):
            weights[:] = 1
        scales = layout.views(theta, "scale", BatchNorm)
        normalized = len(scales)
        for index, (weights, bias, activation) in enumerate(
            zip(all_weights, biases, activations, strict=True)
        ):
            if index < normalized:
                scales[index][:] = 1
            if init is not None:
                weights[:] = drawn_weights(init, weights.shape, random_state, dtype)
                continue
            bound = np.sqrt(activation.gain / sum(weights.shape))
            weights[:] = random_state.uniform(-bound, bound, weights.shape)
            drawn = random_state.uniform(-bound, bound, bias.shape)
            if index >= normalized:
                bias[:] = drawn
        mixed = [a.initial for a in activations[:-1] if isinstance(a, Parametric)]
        for weights, initial in zip(layout.views(theta, "activation"), mixed, strict=True):
            weights[:] = initial
        for waves in layout.views(theta, "periodic"):
            waves[:] = embedding.initial(len(waves), random_state)
        center = np.zeros(all_weights[0].shape[0], dtype=dtype)
        return cls(theta, np.zeros(layout.n_running), center)

    def copy(self):
        """Return a copy that shares no parameters."""
        average = None if self.average is None else self.average.copy()
        return replace(
            self, theta=self.theta.copy(), running=self.running.copy(), average=average
        )

    @property
    def _best_theta(self):
        """The parameters that are used in predictions."""
        return self.average if self.average is not None and self.n_averaged else self.theta

    def with_bins(self, layout, edges):
        """Add bins of weight 0 to the columns: the first parameters of the layout."""
        theta = np.zeros(layout.n_params, self.theta.dtype)
        theta[-self.theta.size :] = self.theta
        return replace(self, theta=theta, edges=edges)

    @np.errstate(over="ignore", invalid="ignore")
    def stages(self, layout):
        """Return the parameters that `plain` leaves out, by their kind, as ``stages_``."""
        theta = self._best_theta
        stages: dict[str, list] = {}
        mixed = iter(layout.views(theta, "activation"))
        found = [
            next(mixed) if isinstance(stage, ParametricActivate) else None
            for stage in layout.stages
            if isinstance(stage, Activate)
        ]
        if any(a is not None for a in found):
            stages["activation"] = found
        for kind in ("scale", "bias"):
            arrays = layout.views(theta, kind, LayerNorm)
            stages |= {kind: arrays} if arrays else {}
        norms = [stage for stage in layout.stages if isinstance(stage, BatchNorm)]
        for weights in layout.views(theta, "embedding"):
            if norms:
                scale = layout.views(theta, "scale", BatchNorm)[0]
                start = 0 if theta is self.theta else layout.n_running
                running = self.running[start : start + norms[0].n_running]
                weights, _ = norms[0].fold(weights, scale, scale, running)
            ends = np.cumsum([len(own) - 1 for own in self.edges])[:-1]
            stages["edges"], stages["embedding"] = self.edges, np.split(weights, ends)
        for stage in (s for s in layout.stages if isinstance(s, Periodic)):
            (waves,) = layout.views(theta, "periodic")
            stages["periodic"] = stage.split(waves, stage.numbers[1])
        return stages

    # `fit` later checks for numbers that have overflowed.
    @np.errstate(over="ignore", invalid="ignore")
    def recenter(self, layout, center):
        """Train the first layer, which is normalized, on ``X - center`` from now on.

        Normalization subtracts the mean, so a shift of the inputs does not change the
        training. But the running mean lags behind the weights: its error is the change of
        the weights times the mean of the inputs, which centering makes small.
        """
        for start, theta in ((0, self.theta), (layout.n_running, self.average)):
            if theta is not None:
                weights = _weights(layout, theta)[0]
                mean = self.running[start : start + weights.shape[1]]
                mean += _combine(self.center - center, weights)
        self.center = center

    @np.errstate(over="ignore", invalid="ignore")
    def plain(self, layout):
        """Return the weights and biases of the network as a chain of plain layers.

        Parameters
        ----------
        layout : Layout
            The layout of the network.

        Returns
        -------
        coefs : list of ndarray of shape (inputs, outputs)
        intercepts : list of ndarray of shape (outputs,)
            Views of ``theta``, or its average, where nothing is folded.
        """
        theta = self._best_theta
        start = 0 if theta is self.theta else layout.n_running
        coefs = _weights(layout, theta)
        intercepts = intercepts_in(layout, theta)
        norms = [stage for stage in layout.stages if isinstance(stage, BatchNorm)]
        for i, (stage, scale) in enumerate(
            zip(norms, layout.views(theta, "scale", BatchNorm), strict=True)
        ):
            running = self.running[start : start + stage.n_running]
            coefs[i], intercepts[i] = stage.fold(coefs[i], scale, intercepts[i], running)
            start += stage.n_running
        if self.center.any():
            # With the rounded weights, since predictions multiply by these.
            shift = _combine(self.center, coefs[0])
            intercepts[0] = (intercepts[0] - shift).astype(self.theta.dtype)
        return coefs, intercepts


def intercepts_in(layout, theta):
    """View the biases of all layers; with batch normalization, shifts take their place."""
    return layout.views(theta, "bias", (Bias, Dense, BatchNorm))


def _weights(layout, theta):
    """Return the weights of all layers, those of the inputs folded into the first."""
    weights = layout.views(theta, "weights")
    for scale in layout.views(theta, "scale", Scale):
        weights[0] = scale[:, np.newaxis] * weights[0]
    return weights


def _combine(inputs, weights):
    """Return ``inputs @ weights`` in float64, in an order that no BLAS decides."""
    return np.einsum("i,ij->j", inputs, weights, dtype=np.float64)
