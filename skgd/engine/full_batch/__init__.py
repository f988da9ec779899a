"""L-BFGS: one update for all rows."""
