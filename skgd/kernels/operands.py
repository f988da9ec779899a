"""The matrices of a product, as arguments of kernels."""

from typing import Any, NamedTuple

from skgd.compile.jit import strict_jit

__all__ = ["Operand", "Shape", "part", "transposed"]


class Operand(NamedTuple):
    """A matrix in a flat array. Element (i, k) is at ``first + i * row + k * step``.

    Attributes
    ----------
    data : ndarray of shape (n,)
        The array.

    first : int
        The index of element (0, 0).

    row, step : int
        The distances between neighbors in a column, and in a row. One of them is 1.
    """

    data: Any
    first: int
    row: int
    step: int


class Shape(NamedTuple):
    """The shape of a product.

    Attributes
    ----------
    rows, columns : int
        The shape of the result.

    depth : int
        The length of the sums.
    """

    rows: int
    columns: int
    depth: int


@strict_jit
def part(operand, i, k):
    """Return the part of a matrix from element (i, k) on."""
    first = operand.first + i * operand.row + k * operand.step
    return Operand(operand.data, first, operand.row, operand.step)


@strict_jit
def transposed(operand):
    """Return the transpose of a matrix."""
    return Operand(operand.data, operand.first, operand.step, operand.row)
