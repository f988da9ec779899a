"""How kernels are compiled and cached. Only this package uses Numba's private names."""
