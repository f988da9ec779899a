"""Compiled functions of numbers and arrays: they know nothing of networks."""
