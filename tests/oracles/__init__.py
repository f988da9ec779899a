"""Multi-layer perceptrons in plain NumPy: slow, and as close to the formulas as it goes.

Nothing here imports skgd. Everything computes in the dtype that it is given.
"""
