"""The parameters of a network, between what is trained and what is public."""

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

# What ``stages_`` has for each hidden layer.
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
    """Return a number that differs if the bits of a number in some arrays do."""
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
        The moving average of ``theta``, if there is one: it is what predicts. The averages
        of ``running`` then follow its numbers.

    n_averaged : int
        The updates in the average.

    edges : list of ndarray
        Those of the bins of each column, if the columns have some.
    """

    theta: np.ndarray
    running: np.ndarray
    center: np.ndarray
    published: int | None = None
    average: np.ndarray | None = None
    n_averaged: int = 0
    edges: list = field(default_factory=list)

    @classmethod
    # fit looks for what is too large for the dtype.
    @np.errstate(over="ignore")
    def initial(cls, layout, activations, random_state, dtype, embedding=None, init=None):
        """Draw the weights and, as scikit-learn does, the biases, in its order.

        Parameters
        ----------
        layout : Layout
            The network's.

        activations : list of Activation or Parametric
            One for each layer, the output's too: they decide the range, uniform within
            ± sqrt(gain / (inputs + outputs)).

        random_state : RandomState
            What draws.

        dtype : dtype
            The network's.

        embedding : NumericEmbedding, default=None
            That of the inputs.
        init : callable, default=None
            Draws the weights in place of scikit-learn's way; biases then are 0.

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
        """Copy the arrays too."""
        average = None if self.average is None else self.average.copy()
        return replace(
            self, theta=self.theta.copy(), running=self.running.copy(), average=average
        )

    @property
    def _best_theta(self):
        """The parameters that predict."""
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

    # fit looks for what has overflowed.
    @np.errstate(over="ignore", invalid="ignore")
    def recenter(self, layout, center):
        """Have the normalized first layer trained on ``X - center`` from now on.

        To normalize is to subtract the mean, so a shift of the inputs changes nothing in
        training. The running mean, however, is of earlier weights: it is wrong by their
        change since then times the mean of the inputs, which had better be small.
        """
        for start, theta in ((0, self.theta), (layout.n_running, self.average)):
            if theta is not None:
                weights = _weights(layout, theta)[0]
                mean = self.running[start : start + weights.shape[1]]
                mean += _combine(self.center - center, weights)
        self.center = center

    @np.errstate(over="ignore", invalid="ignore")
    def plain(self, layout):
        """Write the network as a chain of (weights, bias, activation).

        Parameters
        ----------
        layout : Layout
            The network's.

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
            # By the weights as they are rounded: what they add is what is taken away.
            shift = _combine(self.center, coefs[0])
            intercepts[0] = (intercepts[0] - shift).astype(self.theta.dtype)
        return coefs, intercepts


def intercepts_in(layout, theta):
    """View the biases of all layers, of a normalized one the shift that takes its place."""
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
