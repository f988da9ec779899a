"""The number of examples: with HYPOTHESIS_PROFILE=long new ones, otherwise a fixed set."""

import os

from hypothesis import HealthCheck, settings

# A network of another kind may have kernels to compile first.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=200, derandomize=True, **COMMON)
settings.register_profile("few", max_examples=40, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=5000, print_blob=True, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
