"""The affine map of each feature, and back."""

import numpy as np

from skgd.compile.announce import announced
from skgd.parallel.threads import map_parts
from skgd.preprocessing._kernels import apply_affine
from skgd.preprocessing._layout import flat, is_plain, parts, read_only, refuse_infinity

__all__ = ["transform"]


def transform(X, affine, *, inverse, copy):
    """Map each feature.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The data, floats.

    affine : Affine
        The map.

    inverse : bool
        Whether to map back, except for the clipping.

    copy : bool
        Whether to write to a new array; otherwise to ``X``.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The result, of the same dtype and, if new, of the same order.

    Raises
    ------
    ValueError
        If ``X`` is infinite.
    """
    if not copy:
        # In place, infinity must be found before X is changed.
        refuse_infinity(X)
    out = np.empty_like(X, subok=False) if copy else X
    plain = is_plain(X)

    def run(part):
        source, target, features = X[part], out[part], part[1]
        if not plain:
            source = target = np.array(
                source, np.result_type(X.dtype, np.float32), order="C"
            )
        x, n_series = flat(source)
        columns = affine._replace(
            center=read_only(affine.center[features]),
            scale=read_only(affine.scale[features]),
        )
        infinite = apply_affine(read_only(x), n_series, columns, inverse, flat(target)[0])
        if not plain:
            out[part] = target
        return infinite

    with announced("the map of the scalers"):
        infinite = map_parts(run, parts(X, plain))
    if any(infinite):
        refuse_infinity(X)
    return out
