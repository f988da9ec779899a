"""The affine map of each feature, and back."""

from dataclasses import dataclass

import numpy as np

from skgd.compile.announce import announced
from skgd.parallel.threads import map_parts
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
    """Map x to ``(x - center) / scale * span + offset``, and clip.

    It is held and computed in halves, since the difference of two halves never
    overflows.

    Parameters
    ----------
    half_center : ndarray of shape (n_features,), float64
        What is subtracted, halved, in ``unit``.

    half_scale : ndarray of shape (n_features,), float64
        What is divided by, halved, in ``unit``.

    unit : ndarray of shape (n_features,), float64
        1, or a power of two by which the data are multiplied first, where half a number
        might lose digits.

    span, offset : float
        The unit and the origin of the result.

    low, high : float
        The bounds of the result.
    """

    half_center: np.ndarray
    half_scale: np.ndarray
    unit: np.ndarray
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
        return self._apply(_kernels.map_forward, X, copy, self.unit, 1)

    def back(self, X, *, copy):
        """Undo :meth:`forward`, except for the clipping."""
        return self._apply(_kernels.map_back, X, copy, 1, 1 / self.unit)

    def _apply(self, kernel, X, copy, before, after):
        if not copy:
            # To find infinity on the way would be too late for those who gave X.
            refuse_infinity(X)
        out = np.empty_like(X, subok=False) if copy else X

        def run(X, out, features=slice(None)):
            x, n_series = flat(X)
            halves = _kernels.Halves(
                read_only(self.half_center[features]),
                read_only(self.half_scale[features]),
                self.span,
                self.offset,
                self.low,
                self.high,
            )
            return kernel(read_only(x), n_series, halves, flat(out)[0])

        infinite = []
        with announced("the map of the scalers"):
            if (self.unit != 1).any():
                with np.errstate(over="ignore", under="ignore"):
                    for samples in blocks(X):
                        block = np.ascontiguousarray(X[samples] * before, np.float64)
                        infinite.append(run(block, block))
                        out[samples] = block * after
            elif is_plain(X):
                infinite = map_parts(
                    lambda part: run(X[part], out[part], part[1]), parts(X)
                )
            else:
                dtype = np.float64 if X.dtype == np.float64 else np.float32
                for samples in blocks(X):
                    block = np.array(X[samples], dtype, order="C")
                    infinite.append(run(block, block))
                    out[samples] = block
        if any(infinite):
            refuse_infinity(X)
        return out
