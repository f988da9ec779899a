"""Smooth rectifiers: softplus, SiLU, Mish and GELU, as precise as the elementary functions.

Each is max(x, 0) plus or less a function of |x| that decays like its exponential. That
function is computed to full precision, so that it keeps it where x is negative.
"""

import numpy as np

from skgd.compile.jit import by_dtype, strict_jit
from skgd.kernels.elementary import (
    _exp_32,
    _exp_64,
    _power_of_two_64,
    _reduced_64,
)
from skgd.kernels.polynomial import polynomial

__all__ = ["gelu", "gelu_slope", "mish", "silu", "softplus"]

_of_gelu_64 = polynomial(
    np.float64,
    -0.006092159292096028,
    -0.010578451844575835,
    0.004022918489829991,
    0.02057265307855677,
    0.006962962910313357,
    -0.022389304369309613,
    -0.020311561656398577,
    0.01781298165356484,
    0.03347428269084186,
    -0.010316948448568645,
    -0.04849805986214791,
    0.0029354652652425345,
    0.0719763170365511,
    -0.0019540566832879957,
    -0.11832060680676301,
    0.03413614397686931,
    0.20874476257135374,
    -0.22270031151319009,
    -0.24128604693525732,
    0.966345198254985,
    -1.492174863677258,
    1.5485496029688581,
    -1.2157932839437842,
    0.7552851304157515,
)
_of_gelu_32 = polynomial(
    np.float32,
    -0.053909145295619965,
    -0.12012634426355362,
    0.04335499554872513,
    0.2107258439064026,
    -0.2232368290424347,
    -0.24144858121871948,
    0.9663566946983337,
    -1.4921704530715942,
    1.5485495328903198,
    -1.2157933712005615,
    0.7552851438522339,
)


def _softplus(T, exp, tail):
    zero, two = T(0), T(2)

    @strict_jit
    def softplus(x):
        # log(1 + e) = 2 artanh(s) with s = e / (2 + e), a polynomial in s² as in the
        # logarithm.
        e = exp(-np.abs(x))
        s = e / (two + e)
        t = s * s
        return (x if x > zero else zero) + (e - s * (e - t * tail(t)))

    return softplus


@strict_jit
def _decay(x):
    """Return a = |x|, capped, and e = exp(-a) = 2^n (1 + tail), n and tail."""
    a = np.abs(x)
    a = 760.0 if a > 760.0 else a
    n, tail = _reduced_64(-a)
    half = n >> 1
    power = _power_of_two_64(half) * _power_of_two_64(n - half)
    return a, power * tail + power, n, tail


@strict_jit
def _decayed(m, x, tail, n):
    """Return max(x, 0) - m 2^n (1 + tail), 2^n in two factors as in the exponential."""
    half = n >> 1
    m = (m * tail + m) * _power_of_two_64(half) * _power_of_two_64(n - half)
    return (x if x > 0.0 else 0.0) - m


@strict_jit
def _silu_64(x):
    # With a = |x| and e = exp(-a), it is max(x, 0) - a e / (1 + e).
    a, e, n, tail = _decay(x)
    return _decayed(a - a * (e / (1.0 + e)), x, tail, n)


@strict_jit
def _mish_64(x):
    # tanh(log(1 + w)) = w (1 - w (1 + w) / (2 + w (2 + w))) with w = exp(x). For x > 0 it
    # is 1 - 2 e² / (1 + 2 e (1 + e)) with e = exp(-x).
    a, e, n, tail = _decay(x)
    negative = x < 0.0
    top = e * (1.0 + e) if negative else 2.0 * e
    bottom = 2.0 + e * (2.0 + e) if negative else 1.0 + 2.0 * e * (1.0 + e)
    m = a * (top / bottom)
    return _decayed(a - m if negative else m, x, tail, n)


@strict_jit
def _gelu_64(x):
    # With a = |x| and Q the upper tail of the normal distribution, a Q(a) is
    # exp(-a² / 2) r q(r): r = a / (a + 4) and a polynomial q, as by M. M. Shepherd and
    # J. G. Laframboise, Mathematics of Computation 36, 1981.
    a = np.abs(x)
    a = 39.0 if a > 39.0 else a
    # a² in two parts. Without its last bit, the first cannot be fused with a product.
    square = np.int64(np.float64(a * a).view(np.int64) & -2).view(np.float64)
    high = np.int64(np.float64(a).view(np.int64) & -(1 << 27)).view(np.float64)
    rest = -0.5 * ((high * high - square) + (a - high) * (high + a))
    n, tail = _reduced_64(-0.5 * square)
    r = a / (a + 4.0)
    q = _of_gelu_64(r - 0.5)
    return _decayed(r * q, x, tail + (rest + rest * tail), n)


# In float32 the roundings of several factors would add up to more than 2 units in the last
# place: these three compute in float64.
@strict_jit
def _silu_32(x):
    return np.float32(_silu_64(np.float64(x)))


@strict_jit
def _mish_32(x):
    return np.float32(_mish_64(np.float64(x)))


@strict_jit
def _tail_32(r):
    """Return q(r) of GELU, precise enough for float32; in the dtype of r."""
    return _of_gelu_32(r - np.float32(0.5))


@strict_jit
def _gelu_32(x):
    wide = np.float64(x)
    a = np.abs(wide)
    a = 14.5 if a > 14.5 else a
    n, tail = _reduced_64(-0.5 * (a * a))
    r = a / (a + 4.0)
    m = r * _tail_32(r) * ((1.0 + tail) * _power_of_two_64(n))
    return np.float32((wide if wide > 0.0 else 0.0) - m)


@strict_jit
def _gelu_slope_32(x):
    # For x < 0 it is exp(-a² / 2) times q(r) / (a + 4) less a / sqrt(2 pi). For x > 0 it
    # is 1 less that.
    a = np.abs(x)
    a = np.float32(14.5) if a > np.float32(14.5) else a
    r = a / (a + np.float32(4.0))
    m = np.float32(0.25) * (np.float32(1.0) - r) * _tail_32(r)
    m = (m - np.float32(0.3989422804014327) * a) * _exp_32(np.float32(-0.5) * (a * a))
    return m if x < np.float32(0.0) else np.float32(1.0) - m


@strict_jit
def _gelu_slope_64(x):
    probability = _gelu_64(x) / x if x != 0.0 else 0.5
    return probability + 0.3989422804014327 * x * _exp_64(-0.5 * (x * x))


softplus = by_dtype(
    _softplus(
        np.float32,
        _exp_32,
        polynomial(
            np.float32,
            0.23224329948425293,
            0.2170657515525818,
            0.285923570394516,
            0.3999970555305481,
            0.6666666865348816,
        ),
    ),
    _softplus(
        np.float64,
        _exp_64,
        polynomial(
            np.float64,
            0.1616404561194353,
            0.08800738486144674,
            0.12001072809590713,
            0.13314144209654935,
            0.15385570064958623,
            0.18181789436132859,
            0.22222222717427864,
            0.2857142856710876,
            0.40000000000014585,
            0.6666666666666666,
        ),
    ),
)
silu = by_dtype(_silu_32, _silu_64)
mish = by_dtype(_mish_32, _mish_64)
gelu = by_dtype(_gelu_32, _gelu_64)
gelu_slope = by_dtype(_gelu_slope_32, _gelu_slope_64)
