"""The parameters of a network, between what is trained and what is public."""

from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from skgd.activations import ACTIVATIONS
from skgd.engine.batch_norm import fold
from skgd.engine.layout import NORMAL, OUTPUTS

__all__ = ["Parameters", "checksum", "pack"]


def pack(coefs, intercepts, dtype):
    """Copy the weights and biases of plain layers to one flat buffer."""
    pieces = [a.ravel() for pair in zip(coefs, intercepts, strict=True) for a in pair]
    return np.concatenate(pieces, dtype=dtype)


def checksum(coefs, intercepts):
    """Return a number that differs if the bits of a weight or a bias do."""
    value = 0
    for array in (*coefs, *intercepts):
        value = crc32(np.ascontiguousarray(array), value)
    return value


@dataclass
class Parameters:
    """What training changes, but for the solver's own state.

    Attributes
    ----------
    theta : ndarray of shape (n_params,)
        In the order of :mod:`skgd.engine.layout`.

    running : ndarray of shape (2 * n_normal,)
        Running mean and variance of the normalised layers, layer by layer.

    centre : ndarray of shape (n_features,)
        What is subtracted from the inputs in training; see :meth:`recentre`.

    running_rows : ndarray of shape (1,), dtype=float64
        The rows that ``running`` is an average of; see :mod:`skgd.engine.batch_norm`.

    published : int or None
        The checksum of the plain network, once it is public.
    """

    theta: np.ndarray
    running: np.ndarray
    centre: np.ndarray
    running_rows: np.ndarray = field(default_factory=lambda: np.zeros(1))
    published: int | None = None

    @classmethod
    def initial(cls, layout, activation, random_state, dtype):
        """Draw weights and biases as scikit-learn does, in the same order.

        Parameters
        ----------
        layout : Layout
            The network's.

        activation : str
            Decides the range: uniform within ± sqrt(gain / (inputs + outputs)).

        random_state : RandomState
            What draws.

        dtype : dtype
            The network's.

        Returns
        -------
        parameters : Parameters
        """
        theta = np.zeros(layout.n_params, dtype=dtype)
        gain = ACTIVATIONS[activation].gain
        layers = zip(
            layout.weights(theta),
            layout.biases(theta),
            layout.gammas(theta),
            strict=True,
        )
        for weights, bias, gamma in layers:
            bound = np.sqrt(gain / sum(weights.shape))
            weights[:] = random_state.uniform(-bound, bound, weights.shape)
            drawn = random_state.uniform(-bound, bound, bias.shape)
            if gamma is None:
                bias[:] = drawn
            else:
                gamma[:] = 1
        running = np.zeros(2 * layout.n_normal, dtype=dtype)
        return cls(theta, running, np.zeros(layout.units[0], dtype=dtype))

    def copy(self):
        """Copy the arrays too."""
        return replace(
            self,
            theta=self.theta.copy(),
            running=self.running.copy(),
            running_rows=self.running_rows.copy(),
        )

    # fit looks for what has overflowed.
    @np.errstate(over="ignore", invalid="ignore")
    def recentre(self, layout, centre):
        """Have the normalised first layer trained on ``X - centre`` from now on.

        To normalise is to subtract the mean, so a shift of the inputs changes nothing in
        training. The running mean, however, is of earlier weights: it is wrong by their
        change since then times the mean of the inputs, which had better be small.
        """
        weights = layout.weights(self.theta)[0]
        mean = self.running[: weights.shape[1]]
        mean += _combine(self.centre - centre, weights)
        self.centre = centre

    @np.errstate(over="ignore", invalid="ignore")
    def plain(self, layout, epsilon):
        """Write the network as a chain of (weights, bias, activation).

        Parameters
        ----------
        layout : Layout
            The network's.

        epsilon : float
            Of the batch normalization, which is folded into the weights.

        Returns
        -------
        coefs : list of ndarray of shape (inputs, outputs)
        intercepts : list of ndarray of shape (outputs,)
            Views of ``theta`` where nothing is folded.
        """
        coefs = layout.weights(self.theta)
        intercepts = layout.biases(self.theta)
        gammas = layout.gammas(self.theta)
        for i, row in enumerate(layout.table):
            if gammas[i] is not None:
                start, outputs = 2 * row[NORMAL], row[OUTPUTS]
                mean = self.running[start : start + outputs]
                variance = self.running[start + outputs : start + 2 * outputs]
                coefs[i], intercepts[i] = fold(
                    coefs[i], gammas[i], intercepts[i], mean, variance, epsilon
                )
        if self.centre.any():
            # By the weights as they are rounded: what they add is what is taken away.
            shift = _combine(self.centre, coefs[0])
            intercepts[0] = (intercepts[0] - shift).astype(self.theta.dtype)
        return coefs, intercepts


def _combine(inputs, weights):
    """Return ``inputs @ weights`` in float64, in an order that no BLAS decides."""
    return np.einsum("i,ij->j", inputs, weights, dtype=np.float64)
