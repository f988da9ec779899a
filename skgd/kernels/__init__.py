"""Compiled functions of numbers and arrays, which do not depend on networks."""
