"""Environment variables of skgd."""

import os

__all__ = ["is_set"]


def is_set(name, default):
    """Return whether an environment variable is 1; raise if it is neither 0 nor 1."""
    value = os.environ.get(name) or default
    if value not in ("0", "1"):
        raise ValueError(f"The environment variable {name} must be 0 or 1, got {value!r}.")
    return value == "1"
