"""Smooth rectifiers: softplus, SiLU, Mish and GELU, as precise as the elementary functions.

Each of them is max(x, 0) plus or minus a function of |x| that decays exponentially. This
function is computed to full precision, so that results for negative x are precise, too.
"""

import numpy as np

from skgd.compile.jit import by_dtype, strict_jit
from skgd.kernels.elementary import (
    _exp_32,
    _exp_64,
    _power_of_two_64,
    _reduced_32,
    _reduced_64,
    _reduced_sum_32,
)
from skgd.kernels.polynomial import polynomial

__all__ = ["gelu", "mish", "silu", "softplus"]

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
    0.0965457335114479,
    -0.2895127236843109,
    0.25949060916900635,
    -0.13136503100395203,
    0.1790497750043869,
    0.11549262702465057,
    -0.22179695963859558,
    -0.8795590996742249,
    1.4868134260177612,
    -0.3684449791908264,
)
_of_gelu_near_32 = polynomial(
    np.float32,
    0.00010554101247565294,
    -0.0011834079654790182,
    0.009972864536231453,
    -0.06649032908549217,
    0.3989422793110884,
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
    """Return a = |x| (capped), e = exp(-a) = 2^n (1 + tail), n and tail."""
    a = np.abs(x)
    a = 760.0 if a > 760.0 else a
    n, tail = _reduced_64(-a)
    half = n >> 1
    power = _power_of_two_64(half) * _power_of_two_64(n - half)
    return a, power * tail + power, n, tail


@strict_jit
def _decayed(m, x, tail, n):
    """Return max(x, 0) - m 2^n (1 + tail), with 2^n in two factors as in exp."""
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
    # a² in two parts. Clearing the last bit of the first keeps LLVM from fusing a * a with
    # another operation.
    square = np.int64(np.float64(a * a).view(np.int64) & -2).view(np.float64)
    high = np.int64(np.float64(a).view(np.int64) & -(1 << 27)).view(np.float64)
    rest = -0.5 * ((high * high - square) + (a - high) * (high + a))
    n, tail = _reduced_64(-0.5 * square)
    r = a / (a + 4.0)
    q = _of_gelu_64(r - 0.5)
    return _decayed(r * q, x, tail + (rest + rest * tail), n)


# In float32, a product of rounded factors would have an error of more than 2 units in the
# last place. Therefore, each result is an exact number times 1 + d, with a small rounded d.
@strict_jit
def _lifted_32(n):
    """Return 2^(n + 64), which is a normal number even if 2^n is not."""
    return np.int32(np.int32(n + 191) << 23).view(np.float32)


@strict_jit
def _decay_32(x):
    """Return x (capped), e = exp(-|x|) = 2^n (1 + tail), tail and 2^(n + 64)."""
    x = np.float32(120.0) if x > np.float32(120.0) else x
    x = np.float32(-120.0) if x < np.float32(-120.0) else x
    n, tail = _reduced_32(-np.abs(x))
    power = _lifted_32(n)
    return x, (power * tail + power) * np.float32(2.0**-64), tail, power


@strict_jit
def _times_32(x, capped, is_near, m, tail, power):
    """Return x (1 + m), or x/2 (1 + m) near zero; times exp(x) if x is negative."""
    capped = np.float32(0.5) * capped if is_near else capped
    m = m + (m * tail + tail) if x < np.float32(0.0) else m
    # Not x + x m, since an infinite x must not be multiplied by zero.
    result = (x if x > np.float32(1.0) else capped) + capped * m
    scaled = result * power * np.float32(2.0**-64)
    return scaled if x < np.float32(0.0) else result


@strict_jit
def _silu_32(x):
    # 1 / (1 + e) is 1 - e / (1 + e) or, where that cancels, (1 + (1 - e) / (1 + e)) / 2.
    capped, e, tail, power = _decay_32(x)
    is_near = np.abs(capped) < np.float32(0.7)
    m = ((np.float32(1.0) - e) if is_near else -e) / (np.float32(1.0) + e)
    return _times_32(x, capped, is_near, m, tail, power)


@strict_jit
def _mish_32(x):
    # With g = e, or 2 e if x > 0, and D = 2 + g (2 + g), the factor of x (times e if x < 0)
    # is 1 + (w - g - g²) / D or (1 + (2 + 2 w - g²) / D) / 2; w is g if x > 0, otherwise 0.
    capped, e, tail, power = _decay_32(x)
    is_near = np.abs(capped) < np.float32(0.7)
    g = e if x < np.float32(0.0) else e + e
    w = np.float32(0.0) if x < np.float32(0.0) else g
    top = (np.float32(2.0) + (w + w) if is_near else w - g) - g * g
    m = top / (np.float32(2.0) + g * (np.float32(2.0) + g))
    return _times_32(x, capped, is_near, m, tail, power)


@strict_jit
def _gelu_32(x):
    a = np.abs(x)
    a = np.float32(15.0) if a > np.float32(15.0) else a
    # Near zero it is x / 2 + x² p(x²).
    t = a * a
    near = np.float32(0.5) * x + t * _of_gelu_near_32(t)
    # Elsewhere, a Q(a) is exp(-a² / 2) 0.32 (1 + q(u)). `high` has the first half of the
    # digits of a, so that its square is exact.
    high = np.int32(np.float32(a).view(np.int32) & np.int32(-4096)).view(np.float32)
    rest = np.float32(-0.5) * ((a - high) * (high + a))
    n, tail = _reduced_sum_32(np.float32(-0.5) * (high * high), rest)
    u = (a - np.float32(0.625)) / (a + np.float32(1.75))
    q = _of_gelu_32(u)
    d = q + (q * tail + tail)
    power = np.float32(0.32) * _lifted_32(n)
    m = (power * d + power) * np.float32(2.0**-64)
    far = (x if x > np.float32(0.0) else np.float32(0.0)) - m
    return near if a < np.float32(0.625) else far


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
