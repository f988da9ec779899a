"""How kernels are compiled and cached: the only room with Numba's private names."""
