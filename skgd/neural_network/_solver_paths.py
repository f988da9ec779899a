"""A display of the paths that solvers take over a function of two variables."""

from typing import Any, Self

import numpy as np
from scipy.optimize import minimize

from skgd.neural_network._displays import axes_of
from skgd.solvers import SOLVERS, Solver

__all__ = ["SolverPathDisplay"]

# The number of grid points in each direction, and of contour lines.
N_POINTS, N_LEVELS = 100, 15


class SolverPathDisplay:
    """Paths that solvers take over the contour lines of a function of two variables.

    Make one by :meth:`from_function`. The parameters are stored as attributes.

    Parameters
    ----------
    paths : dict of str to array-like of shape (n_updates + 1, 2)
        The points that each solver visits, from the start on.

    grid : tuple of two array-like of shape (n,)
        The coordinates of the grid in both directions.

    height : array-like of shape (n, n)
        The values of the function on the grid, with a row for each second coordinate.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure.

    contour_ : matplotlib QuadContourSet
        The contour lines.

    lines_ : dict of str to matplotlib Line2D
        The paths.

    See Also
    --------
    LearningRateDisplay : The learning rate of a schedule.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from scipy.optimize import rosen, rosen_der
    >>> from skgd.inspection import SolverPathDisplay
    >>> display = SolverPathDisplay.from_function(
    ...     rosen, rosen_der, [-1, 1.5], ["adam", "lion"], learning_rate_init=0.05
    ... )
    >>> display.paths["lion"][:2].round(2)
    array([[-1.  ,  1.5 ],
           [-1.05,  1.45]])
    >>> plt.close(display.figure_)
    """

    ax_: Any
    figure_: Any
    contour_: Any
    lines_: dict[str, Any]

    def __init__(self, *, paths, grid, height) -> None:
        self.paths = paths
        self.grid = grid
        self.height = height

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")  # on paths that diverge
    def from_function(
        cls, fun, jac, x0, solvers, *, learning_rate_init, limits=None, ax=None, **options
    ) -> Self:
        """Draw the paths of solvers, computed by the kernels that train networks.

        Parameters
        ----------
        fun : callable
            ``fun(x)`` returns a number for an array of two.

        jac : callable
            ``jac(x)`` returns its gradient.

        x0 : array-like of shape (2,)
            Where the paths start.

        solvers : str, Solver, list or dict
            The names or objects of solvers. The keys of a dict are the labels.

        learning_rate_init : float or list of float
            The initial learning rate, or one for each solver.

        limits : tuple of two tuple of float, default=None
            The lowest and the highest coordinate in both directions. None leaves a margin
            around the paths.

        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **options : dict
            ``learning_rate``, ``maxiter`` (by default 200 updates) and ``gtol`` are passed
            to the :class:`~skgd.solvers.Solver`. Others, such as ``linewidth``, are passed
            to ``Axes.plot``.

        Returns
        -------
        display : SolverPathDisplay
            The display, with the paths drawn.

        Raises
        ------
        ValueError
            If a solver's name is unknown, if the numbers of rates and solvers differ, or if
            ``x0`` or ``limits`` is not valid.
        """
        settings: dict[str, Any] = {"maxiter": 200}
        for name in ("learning_rate", "maxiter", "gtol"):
            if name in options:
                settings[name] = options.pop(name)
        x0 = np.array(x0, dtype=float)
        if not (x0.shape == (2,) and np.isfinite(x0).all()):
            raise ValueError(f"x0 must be two finite numbers, got {x0.tolist()}.")
        if limits is not None:
            limits = np.array(limits, dtype=float)
            if not (limits.shape == (2, 2) and (np.diff(limits) > 0).all()):
                raise ValueError(
                    "limits must be two pairs of a lower and a higher coordinate, got "
                    f"{limits.tolist()}."
                )
        if isinstance(solvers, str | Solver | type):
            solvers = [solvers]
        named = solvers if isinstance(solvers, dict) else {_label(s): s for s in solvers}
        rates = learning_rate_init
        if np.ndim(rates) == 0:
            rates = [rates] * len(named)
        if not named:
            raise ValueError(f"There must be at least one solver, got solvers={solvers!r}.")
        if len(rates) != len(named) or len(named) != len(solvers):
            raise ValueError(
                f"learning_rate_init={learning_rate_init!r} and solvers={solvers!r} must "
                "have the same length, and no solver may occur twice. To repeat a solver, "
                "pass a dict of labels and solvers."
            )
        paths = {}
        for (label, solver), rate in zip(named.items(), rates, strict=True):
            path = [x0]
            minimize(
                fun,
                x0,
                jac=jac,
                method=_solver(solver),
                callback=path.append,
                options={"learning_rate_init": rate, **settings},
            )
            paths[label] = np.array(path)
        limits = _around(paths) if limits is None else limits
        grid = [np.linspace(low, high, N_POINTS) for low, high in limits]
        height = np.array([[fun(np.array([a, b])) for a in grid[0]] for b in grid[1]])
        return cls(paths=paths, grid=tuple(grid), height=height).plot(ax, **options)

    def plot(self, ax=None, **kwargs) -> Self:
        """Draw the paths.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        **kwargs : dict
            For ``Axes.plot`` of the paths.

        Returns
        -------
        display : SolverPathDisplay
            The same object.
        """
        ax = axes_of(self, ax)
        # Equal numbers of grid points between neighboring lines.
        shares = np.linspace(0, 1, N_LEVELS + 2)[1:-1]
        levels = np.unique(np.nanquantile(self.height, shares))
        style = {"colors": "0.7", "linewidths": 0.8}
        self.contour_ = ax.contour(*self.grid, self.height, levels, **style)
        self.lines_ = {}
        for label, path in self.paths.items():
            style = {"label": label, "marker": ".", **kwargs}
            (self.lines_[label],) = ax.plot(*np.transpose(path), **style)
        ax.set(xlim=self.grid[0][[0, -1]], ylim=self.grid[1][[0, -1]])
        ax.set(xlabel="x[0]", ylabel="x[1]")
        ax.legend()
        return self


def _label(solver):
    return solver if isinstance(solver, str) else repr(solver)


def _solver(given):
    """Return the solver that a name or an object stands for."""
    if isinstance(given, Solver):
        return given
    if not (isinstance(given, str) and given in SOLVERS):
        raise ValueError(
            f"solvers must be some of {sorted(SOLVERS)} or objects of skgd.solvers, got "
            f"{given!r}."
        )
    return SOLVERS[given]()


def _around(paths):
    """Return limits that leave a margin around all finite points."""
    points = np.concatenate(list(paths.values()))
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.1 * max(*(high - low), 1e-3)
    return np.stack([low - margin, high + margin], axis=1)
