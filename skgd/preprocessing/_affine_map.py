"""The affine map of each feature, and back."""

from dataclasses import dataclass

import numpy as np

from skgd._threads import map_parts
from skgd.engine.announce import announced
from skgd.preprocessing import _kernels
from skgd.preprocessing._layout import (
    blocks,
    flat,
    is_plain,
    parts,
    read_only,
    refuse_infinity,
)

__all__ = ["AffineMap"]


@dataclass
class AffineMap:
    """Map x to ``(x - centre) / scale * span + offset``, and clip.

    It is held and computed in halves, since the difference of two halves never
    overflows.

    Parameters
    ----------
    half_centre : ndarray of shape (n_features,), float64
        What is subtracted, halved.

    half_scale : ndarray of shape (n_features,), float64
        What is divided by, halved.

    span, offset : float
        The unit and the origin of the result.

    low, high : float
        The bounds of the result.
    """

    half_centre: np.ndarray
    half_scale: np.ndarray
    span: float = 1.0
    offset: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    def forward(self, X, *, copy):
        """Map ``X``.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The data, floats.

        copy : bool
            Whether to write to a new array, or to ``X``.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The result, of the same dtype and, if new, of the same order.

        Raises
        ------
        ValueError
            If ``X`` is infinite.
        """
        return self._apply(_kernels.map_forward, (self.low, self.high), X, copy)

    def back(self, X, *, copy):
        """Undo :meth:`forward`, except for the clipping."""
        return self._apply(_kernels.map_back, (), X, copy)

    def _apply(self, kernel, bounds, X, copy):
        if not copy:
            # To find infinity on the way would be too late for those who gave X.
            refuse_infinity(X)
        out = np.empty_like(X, subok=False) if copy else X

        def run(X, out, features=slice(None)):
            x, n_series = flat(X)
            return kernel(
                read_only(x),
                n_series,
                read_only(self.half_centre[features]),
                read_only(self.half_scale[features]),
                self.span,
                self.offset,
                *bounds,
                flat(out)[0],
            )

        with announced("the map of the scalers"):
            if is_plain(X):
                infinite = map_parts(
                    lambda part: run(X[part], out[part], part[1]), parts(X)
                )
            else:
                dtype = np.float64 if X.dtype == np.float64 else np.float32
                infinite = []
                for samples in blocks(X):
                    block = np.array(X[samples], dtype, order="C")
                    infinite.append(run(block, block))
                    out[samples] = block
        if any(infinite):
            refuse_infinity(X)
        return out
