"""For any data, the results of a scaler are those of exact arithmetic, to a few ulps."""

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from skgd import MeanScaler, MinMaxScaler, ZScoreScaler

EPS = Fraction(2) ** -52
# A few times the smallest number.
TINY = Fraction(2) ** -1070
# The squares of numbers between them can be represented.
SMALLEST, LARGEST = Fraction(1e-150), Fraction(1e150)


def exactly(numbers):
    return [Fraction(float(x)) for x in numbers]


def root(square):
    """The square root of a Fraction, to 200 bits."""
    if not square:
        return square
    shift = 200 + max(0, square.denominator.bit_length() - square.numerator.bit_length())
    return Fraction(
        isqrt((square.numerator << 2 * shift) // square.denominator), 1 << shift
    )


@st.composite
def columns(draw, dtype, n_samples):
    """A column of numbers of any size, of one size, of few values, or far from zero."""
    width = 32 if dtype == "float32" else 64
    kind = draw(st.sampled_from(["any", "constant", "near", "integers", "one size"]))
    finite = st.floats(width=width, allow_nan=False, allow_infinity=False)
    if kind == "any":
        numbers = draw(st.lists(finite, min_size=n_samples, max_size=n_samples))
        return np.array(numbers, dtype)
    integers = st.lists(st.integers(-9, 9), min_size=n_samples, max_size=n_samples).map(
        np.array
    )
    if kind == "constant":
        return np.full(n_samples, draw(finite), dtype)
    steps = draw(integers)
    if kind == "integers":
        return steps.astype(dtype)
    low, high = (-40, 37) if dtype == "float32" else (-318, 307)
    size = 10.0 ** draw(st.integers(low, high))
    if kind == "one size":
        return (steps * size).astype(dtype)
    relative = 10.0 ** draw(st.integers(-7 if dtype == "float32" else -16, 0))
    return ((1 + steps * relative) * size).astype(dtype)


@st.composite
def arrays(draw):
    """Rows of float32 or float64, in C or F order, with a NaN here and there."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    n_samples = draw(st.one_of(st.integers(1, 5), st.integers(6, 70)))
    names = range(draw(st.integers(1, 4)))
    X = np.column_stack([draw(columns(dtype, n_samples)) for _ in names])
    for row in draw(st.lists(st.integers(0, n_samples - 1), max_size=2)):
        X[row, 0] = np.nan
    return np.asarray(X, order=draw(st.sampled_from("CF")))


@st.composite
def weighted(draw):
    """Rows, and perhaps weights of any size of which at least one is positive."""
    X = draw(arrays())
    if draw(st.booleans()):
        return X, None
    values = st.sampled_from([0.0, 1.0, 1.0, 0.3, 2.5, 1e-9])
    weight = np.array(draw(st.lists(values, min_size=len(X), max_size=len(X))))
    assume(weight.any())
    return X, weight * 10.0 ** draw(st.one_of(st.just(0), st.integers(-300, 300)))


def of_column(column, weight):
    """The numbers that count, and their weights, as fractions."""
    counted = ~np.isnan(column) & (weight > 0)
    return exactly(column[counted]), exactly(weight[counted])


def misfit(X, weight):
    """Return the first column of numbers whose squares cannot be represented, or None."""
    for j, column in enumerate(X.T):
        x, _ = of_column(column, weight)
        size, spread = max(map(abs, x), default=0), max(x, default=0) - min(x, default=0)
        if size > LARGEST or 0 < size < SMALLEST or 10 * EPS * size < spread < SMALLEST:
            return j
    return None


def is_refused(scaler, X, weight, **arguments):
    """Fit, if the squares can be represented; otherwise expect an error."""
    column = misfit(X, weight)
    if column is None:
        scaler.fit(X, **arguments)
        return False
    with pytest.raises(ValueError, match=f"in column {column}: .* another unit"):
        scaler.fit(X, **arguments)
    return True


def half_range_is_scaled(x, dtype):
    """Whether the range is at least ten machine epsilons of the largest number."""
    bound = 5 * Fraction(float(np.finfo(dtype).eps)) * max(map(abs, x))
    half = (max(x) - min(x)) / 2
    # The bound is rounded.
    assume(half == bound or abs(half - bound) > EPS * bound)
    return half > 0 and half >= bound


def moments(x, weight):
    total = sum(weight)
    mean = sum(a * b for a, b in zip(weight, x, strict=True)) / total
    squares = sum(a * (b - mean) ** 2 for a, b in zip(weight, x, strict=True))
    return mean, squares / total


def check(scaler, X, centers, scales, span=1, offset=0):
    """Transform, and back: against ``(x - center) / scale * span + offset``."""
    scaled = scaler.transform(X)
    largest = np.finfo(X.dtype).max
    # Rows without weight may be too far away for the dtype.
    back = scaler.inverse_transform(np.where(np.isinf(scaled), 0, scaled))
    # The largest number of all may come back as infinity.
    back = np.clip(back, -largest, largest)
    assert scaled.dtype == back.dtype == X.dtype
    unit = Fraction(float(np.finfo(X.dtype).eps))
    tiny = 4 * Fraction(float(np.finfo(X.dtype).smallest_subnormal))
    for j, (center, scale) in enumerate(zip(centers, scales, strict=True)):
        seen = ~np.isnan(X[:, j])
        assert np.isnan(scaled[~seen, j]).all()
        if center is None:
            continue
        x = exactly(X[seen, j])
        size = max(max(map(abs, x), default=0), abs(center))
        for given_, result, again in zip(
            x, scaled[seen, j].tolist(), back[seen, j].tolist(), strict=True
        ):
            exact = (given_ - center) / scale * span
            lost = 8 * EPS * (size / scale * span + abs(exact) + abs(offset))
            # Half the smallest number is none.
            lost += TINY / scale * span
            exact += offset
            if abs(exact) >= Fraction(float(largest)):
                assert abs(result) >= largest
                continue
            assert abs(Fraction(result) - exact) <= unit * abs(exact) + lost + tiny
            # What has been rounded in the result comes back times the scale.
            lost = 8 * unit * (size + (abs(exact) + abs(offset)) * scale / span)
            lost += tiny * (1 + scale / span)
            assert abs(Fraction(again) - given_) <= lost


@given(X=arrays(), feature_range=st.sampled_from([(0, 1), (-1, 1), (0.1, 1e6), (5, 5.5)]))
def test_min_max(X, feature_range):
    scaler = MinMaxScaler(feature_range)
    if is_refused(scaler, X, np.ones(len(X))):
        return
    low, high = exactly(feature_range)
    centers, scales = [], []
    for column in X.T:
        x, _ = of_column(column, np.ones(len(X)))
        scaled = x and half_range_is_scaled(x, X.dtype)
        centers.append(min(x) if x else None)
        scales.append(max(x) - min(x) if scaled else Fraction(1))
    check(scaler, X, centers, scales, high - low, low)


@given(data=weighted())
def test_mean(data):
    X, weight = data
    scaler, arguments = MeanScaler(), {"sample_weight": weight}
    weight = np.ones(len(X)) if weight is None else weight
    if is_refused(scaler, X, weight, **arguments):
        return
    centers, scales = [], []
    for j, column in enumerate(X.T):
        x, w = of_column(column, weight)
        if not x:
            centers.append(None)
            scales.append(None)
            continue
        mean, _ = moments(x, w)
        assert abs(Fraction(scaler.mean_[j]) - mean) <= 2 * EPS * max(map(abs, x)) + TINY
        centers.append(mean)
        scaled = half_range_is_scaled(x, X.dtype)
        scales.append(max(x) - min(x) if scaled else Fraction(1))
    check(scaler, X, centers, scales)


@given(data=weighted(), chunk=st.integers(1, 70))
def test_z_score(data, chunk):
    X, weight = data
    scaler, chunks = ZScoreScaler(), ZScoreScaler()
    ones = np.ones(len(X))
    if is_refused(scaler, X, ones if weight is None else weight, sample_weight=weight):
        return
    for start in range(0, len(X), chunk):
        rows = slice(start, start + chunk)
        if misfit(X[rows], ones[rows] if weight is None else weight[rows]) is not None:
            # Of nothing but small numbers, which others outweigh.
            chunks = scaler
            break
        if weight is None or weight[rows].any():
            chunks.partial_fit(
                X[rows], sample_weight=weight if weight is None else weight[rows]
            )
    weight = ones if weight is None else weight
    centers, scales = [], []
    for j, column in enumerate(X.T):
        x, w = of_column(column, weight)
        center = scale = None
        if x:
            mean, variance = moments(x, w)
            largest = max(map(abs, x))
            for model in (scaler, chunks):
                assert abs(Fraction(model.mean_[j]) - mean) <= 4 * EPS * largest + TINY
            deviation = root(variance)
            count = max(sum(w) / Fraction(weight.max()), 1)
            bound = count * EPS * abs(mean)
            if not deviation:
                center, scale = mean, Fraction(1)
                assert scaler.scale_[j] == 1
            elif deviation > 4 * bound:
                center, scale = mean, deviation
                assert abs(Fraction(scaler.scale_[j]) - scale) <= 16 * EPS * scale
                # Each chunk's mean is rounded.
                lost = 16 * EPS * (scale + len(X) // chunk * largest)
                assert abs(Fraction(chunks.scale_[j]) - scale) <= lost + len(X) * TINY
            else:
                event("between constant and not")
        centers.append(center)
        scales.append(scale)
    check(scaler, X, centers, scales)
